// Feature tools for directed graphs: what the structure says of a node beside its features, and
// features freed from what varies between neighbours.

import { conjugateGradients } from '../../linalg/index.js';
import { type Features, featureCount } from '../../nn/index.js';
import { SparseMatrix, SparsePattern } from '../../sparse/index.js';
import {
  directedPageRank,
  type Graph,
  hubsAndAuthorities,
  landingProbabilities,
  magneticCoordinates,
  magneticOperator,
  reversed,
} from '../../structure/index.js';
import { concatenate, keep, scope, type Tensor, tensor } from '../../tensor/index.js';

/** Kinds of features that follow from the structure. */
export const structuralKinds = ['degrees', 'landing', 'hits', 'pageRank', 'magnetic'] as const;

/** A kind of structural features. */
export type StructuralKind = (typeof structuralKinds)[number];

/** Options of `structuralFeatures`. */
export interface StructuralOptions {
  /** Which features. Default: all. */
  readonly kinds?: readonly StructuralKind[];
  /** Steps of walks whose landings are told. Default: 4. */
  readonly steps?: number;
  /** Magnetic eigenvectors. Default: 8. */
  readonly eigenvectors?: number;
  /** q of the magnetic Laplacian. Default: 0.25. */
  readonly q?: number;
}

/**
 * log(1 + out-degree) and log(1 + in-degree); where walks along arcs and against them land after
 * each number of steps; hubs and authorities; PageRank of A and of Aᵀ; magnetic eigenvectors.
 * Values are scaled so that their mean does not depend on the number of nodes.
 *
 * @returns [n, columns], in the order of `structuralKinds`
 */
export function structuralFeatures(graph: Graph, options: StructuralOptions = {}): Tensor {
  const { kinds = structuralKinds, steps = 4, eigenvectors = 8, q = 0.25 } = options;
  const n = graph.nodeCount;
  const back = reversed(graph);
  const both = (of: (own: Graph) => readonly Float64Array[]) => [...of(graph), ...of(back)];
  const columns: Readonly<Record<StructuralKind, () => readonly ArrayLike<number>[]>> = {
    degrees: () => [graph.outDegrees, graph.inDegrees].map((degrees) => degrees.map(Math.log1p)),
    landing: () => both((own) => landingProbabilities(own, steps).map((column) => column.map(Math.log1p))),
    hits: () => {
      const { hubs, authorities } = hubsAndAuthorities(graph);
      return [hubs, authorities].map((scores) => scores.map((score) => score * Math.sqrt(n)));
    },
    pageRank: () => both((own) => [directedPageRank(own).map((mass) => Math.log(n * mass))]),
    magnetic: () => {
      const rows = magneticCoordinates(graph, q, eigenvectors);
      return Array.from({ length: 2 * eigenvectors }, (_, j) =>
        Float32Array.from({ length: n }, (__, v) => rows[v * 2 * eigenvectors + j] as number),
      );
    },
  };
  const all = structuralKinds.filter((kind) => kinds.includes(kind)).flatMap((kind) => columns[kind]());
  const values = new Float32Array(n * all.length);
  all.forEach((column, j) => {
    for (let v = 0; v < n; v++) values[v * all.length + j] = column[v] as number;
  });
  return keep(tensor(values, [n, all.length]));
}

/** Features beside structural ones [n, d + columns]; sparse where the features are. */
export function augmentedFeatures(x: Tensor, graph: Graph, options?: StructuralOptions): Tensor;
export function augmentedFeatures(x: Features, graph: Graph, options?: StructuralOptions): Features;
export function augmentedFeatures(x: Features, graph: Graph, options: StructuralOptions = {}): Features {
  const structural = structuralFeatures(graph, options);
  if (!(x instanceof SparseMatrix)) return keep(scope(() => concatenate([x, structural], 1)));
  return besideColumns(x, structural);
}

/** [x ‖ y] of a sparse x and dense columns y, all of which are stored. */
function besideColumns(x: SparseMatrix, y: Tensor): SparseMatrix {
  const { indptr, indices } = x.pattern;
  const more = y.shape[1] as number;
  const size = x.nnz + x.rows * more;
  const [own, added] = [x.values?.view(), y.view()];
  const [columns, values] = [new Int32Array(size), new Float32Array(size)];
  const offsets = indptr.map((start, row) => start + row * more);
  for (let row = 0; row < x.rows; row++) {
    let at = offsets[row] as number;
    for (let element = indptr[row] as number; element < (indptr[row + 1] as number); element++, at++) {
      columns[at] = indices[element] as number;
      values[at] = own?.[element] ?? 1;
    }
    for (let column = 0; column < more; column++, at++) {
      columns[at] = x.columns + column;
      values[at] = added[row * more + column] as number;
    }
  }
  return new SparseMatrix(new SparsePattern(x.rows, x.columns + more, offsets, columns), keep(tensor(values)));
}

/** Options of `denoisedFeatures`. */
export interface DenoiseOptions {
  /** λ: how much features of neighbours are drawn together. Default: 1. */
  readonly lambda?: number;
  /** q of the magnetic Laplacian. Default: 0.05. */
  readonly q?: number;
  /** Relative residual of each column. Default: 1e-6. */
  readonly tolerance?: number;
}

/**
 * Re (I + λ·L_q)⁻¹·X by conjugate gradients, column by column: the features Z that minimise
 * ‖Z − X‖² + λ·Z^H·L_q·Z, as far as they are real.
 *
 * @param x [n, d]
 * @returns [n, d]
 * @throws RangeError for a negative λ
 */
export function denoisedFeatures(
  x: Features,
  graph: Graph,
  { lambda = 1, q = 0.05, tolerance = 1e-6 }: DenoiseOptions = {},
): Tensor {
  if (!(lambda >= 0)) throw new RangeError(`denoisedFeatures: λ must not be negative, got ${lambda}`);
  const [n, d] = [graph.nodeCount, featureCount(x)];
  const hermitian = magneticOperator(graph, q);
  const product = (z: Float64Array) => {
    const image = hermitian.times(z);
    return z.map((value, i) => (1 + lambda) * value - lambda * (image[i] as number));
  };
  const values = (x instanceof SparseMatrix ? x.toDense() : x).view();
  const result = new Float32Array(n * d);
  for (let j = 0; j < d; j++) {
    const column = new Float64Array(2 * n);
    for (let v = 0; v < n; v++) column[v] = values[v * d + j] as number;
    const { x: solution } = conjugateGradients(product, column, { tolerance, iterations: 500 });
    for (let v = 0; v < n; v++) result[v * d + j] = solution[v] as number;
  }
  return keep(tensor(result, [n, d]));
}
