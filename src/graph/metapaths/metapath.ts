// Metapaths: sequences of relations, along which features are averaged step by step.

import { SparseMatrix, sparseProduct, spmm } from '../../sparse/index.js';
import type { HeteroGraph, Relation } from '../../structure/index.js';
import { keep, scope, type Tensor } from '../../tensor/index.js';
import type { TypedFeatures } from '../conv/index.js';

/** Relations, each of which starts from the type that the one before leads to. */
export type Metapath = readonly Relation[];

/** The types along a metapath: `author–paper–author`. */
export function metapathName(path: Metapath, end: string): string {
  return [...path.map(({ source, name }) => `${source} ${name}`), end].join(' ');
}

/**
 * All metapaths of at most so many relations that lead to a type, the empty one first.
 *
 * Their number grows exponentially with the length.
 */
export function metapathsTo(graph: HeteroGraph, target: string, length: number): Metapath[] {
  const paths: Metapath[] = [[]];
  let longest: Metapath[] = [[]];
  for (let l = 0; l < length; l++) {
    longest = longest.flatMap((path) => graph.into(path[0]?.source ?? target).map((first) => [first, ...path]));
    paths.push(...longest);
  }
  return paths;
}

/**
 * Means along metapaths that lead to a type: M_{r_l}···M_{r_1}·X of the type that each starts from.
 * What paths share at their start is computed once.
 *
 * @param visit called for each path with its tensor [n, d], valid during the call alone
 */
export function walkMetapaths(
  features: TypedFeatures,
  paths: readonly Metapath[],
  visit: (path: number, values: Tensor) => void,
): void {
  const remaining = paths.map((path, at) => ({ path, at }));
  const dense = (type: string) => {
    const own = features.get(type);
    if (!own) throw new Error(`walkMetapaths: nodes of type "${type}" have no features`);
    return own instanceof SparseMatrix ? own.toDense() : own;
  };
  const follow = (values: Tensor, step: number, rest: typeof remaining): void => {
    for (const { path, at } of rest) if (path.length === step) visit(at, values);
    const longer = rest.filter(({ path }) => path.length > step);
    for (const relation of new Set(longer.map(({ path }) => path[step] as Relation)))
      scope(() => {
        const own = longer.filter(({ path }) => path[step] === relation);
        follow(spmm(relation.mean, values), step + 1, own);
      });
  };
  // Empty paths start where the others lead to.
  const target = paths.find((path) => path.length > 0)?.at(-1)?.target;
  const startOf = (path: Metapath) => path[0]?.source ?? target;
  for (const type of new Set(remaining.map(({ path }) => startOf(path)))) {
    if (type === undefined) throw new Error('walkMetapaths: empty paths alone lead nowhere');
    scope(() =>
      follow(
        dense(type),
        0,
        remaining.filter(({ path }) => startOf(path) === type),
      ),
    );
  }
}

/** The diagonal of M_{r_l}···M_{r_1} of a metapath from a type to itself [n]. */
export function metapathDiagonal(path: Metapath): Float32Array {
  if (path.length === 1) return diagonalOf((path[0] as Relation).mean);
  const middle = path.length >> 1;
  // diag(A·B)ᵢ = Σⱼ Aᵢⱼ·Bⱼᵢ: a product of halves is enough.
  const [first, second] = [product(path.slice(0, middle)), product(path.slice(middle))];
  const columns = first.transpose();
  const [a, b] = [second.values?.view(), columns.values?.view()];
  const [p, q] = [second.pattern, columns.pattern];
  return Float32Array.from({ length: p.rows }, (_, i) => {
    let sum = 0;
    let f = q.indptr[i] as number;
    for (let e = p.indptr[i] as number; e < (p.indptr[i + 1] as number); e++) {
      while (f < (q.indptr[i + 1] as number) && (q.indices[f] as number) < (p.indices[e] as number)) f += 1;
      if (f < (q.indptr[i + 1] as number) && q.indices[f] === p.indices[e])
        sum += (a ? (a[e] as number) : 1) * (b ? (b[f] as number) : 1);
    }
    return sum;
  });
}

/** The diagonal of a square sparse matrix. */
function diagonalOf({ rows, pattern: { indptr, indices }, values }: SparseMatrix): Float32Array {
  const stored = values?.view();
  return Float32Array.from({ length: rows }, (_, i) => {
    for (let e = indptr[i] as number; e < (indptr[i + 1] as number); e++)
      if (indices[e] === i) return stored ? (stored[e] as number) : 1;
    return 0;
  });
}

/** M_{r_l}···M_{r_1} as a sparse matrix. */
function product(path: Metapath): SparseMatrix {
  const [first, ...others] = path;
  if (!first) throw new Error('metapathDiagonal: the path is empty');
  return others.reduce((sum, relation) => sparseProduct(relation.mean, sum), first.mean);
}

/** The tensors of metapaths, kept. @returns [n, d] of each, in the order of the paths */
export function metapathMeans(features: TypedFeatures, paths: readonly Metapath[]): Tensor[] {
  const means: Tensor[] = [];
  walkMetapaths(features, paths, (at, values) => {
    means[at] = keep(values.clone());
  });
  return means;
}
