// NARS (Yu, Shen, Li, Lerer, "Scalable Graph Neural Networks for Heterogeneous Graphs", 2020):
// features averaged over hops of random subsets of the relations, types ignored, with learned
// weights of the subsets.

import { Dropout, featureCount, type Linear, type Mode, parameter, xavierUniform } from '../../nn/index.js';
import { SparseMatrix, spmm } from '../../sparse/index.js';
import { type HeteroGraph, powers, type Relation, scaled } from '../../structure/index.js';
import {
  add,
  concatenate,
  keep,
  multiply,
  normalizeRows,
  type Random,
  reshape,
  scope,
  sum,
  type Tensor,
  zeros,
} from '../../tensor/index.js';
import type { TypedFeatures } from '../conv/index.js';
import {
  ActivatedLayers,
  affine,
  type GroupModule,
  type GroupShape,
  RandomProjection,
  type RowGroup,
  type RowGroups,
} from '../rphgnn/index.js';
import { gatherParts } from './parts.js';

/** What NARS computes before training. */
export interface SubsetOptions {
  /**
   * Subsets of the relations, at most; each differs and has a relation of the target type.
   * Default: 8.
   */
  readonly subsets?: number;
  /** Hops. Default: 2. */
  readonly hops?: number;
}

/** Different random subsets of the given relations with at least one of the target type. */
export function relationSubsets(graph: HeteroGraph, target: string, count: number, random: Random): Relation[][] {
  const { given } = graph;
  if (given.length > 30) throw new RangeError(`relationSubsets: expected at most 30 relations, got ${given.length}`);
  const touches = ({ source, target: end }: Relation) => source === target || end === target;
  const chosen = new Map<number, Relation[]>();
  const all = 2 ** given.length - 1;
  // Subsets are numbers of bits: few of them in random order, many at random.
  const few = all <= 1024 ? random.permutation(all).map((at) => at + 1) : undefined;
  for (let i = 0; i < (few?.length ?? 64 * count) && chosen.size < count; i++) {
    const bits = few ? (few[i] as number) : 1 + random.integer(all);
    const subset = given.filter((_, at) => (bits >> at) & 1);
    if (subset.some(touches)) chosen.set(bits, subset);
  }
  return [...chosen.values()];
}

/**
 * Hop means H_{k, i} of the target type for subsets i and hops k = 0 … K, as groups [subsets, rows,
 * d] by hop. A node averages its neighbours over all relations of the subset; types without
 * features count as 0, and features of another width than the target's are projected to it.
 *
 * @param known types that have features of their own
 */
export function collectSubsets(
  graph: HeteroGraph,
  features: TypedFeatures,
  target: string,
  parts: readonly Int32Array[],
  random: Random,
  { subsets = 8, hops = 2 }: SubsetOptions = {},
): RowGroups[] {
  const chosen = relationSubsets(graph, target, subsets, random.split('subsets'));
  return scope(() => {
    const start = alike(graph, features, target, random.split('projection'));
    const byHop = Array.from({ length: hops + 1 }, () => parts.map((): Tensor[] => []));
    for (const subset of chosen) {
      const means = meansOver(graph, subset);
      let h = start;
      for (let k = 0; k <= hops; k++) {
        if (k > 0) h = means(h);
        gatherParts(h.get(target) as Tensor, parts).forEach((own, part) => {
          byHop[k]?.[part]?.push(own);
        });
      }
    }
    return parts.map((_, part) =>
      byHop.map((tensors, k): RowGroup => {
        const own = tensors[part] as Tensor[];
        const values = keep(concatenate(own, 0));
        for (const each of own) each.dispose();
        return { name: `hop ${k}`, values };
      }),
    );
  });
}

/** Features of all types at the width of the target's. */
function alike(graph: HeteroGraph, features: TypedFeatures, target: string, random: Random): Map<string, Tensor> {
  const own = features.get(target);
  if (!own) throw new Error(`collectSubsets: nodes of type "${target}" have no features`);
  const width = featureCount(own);
  return new Map(
    graph.types.map((type): [string, Tensor] => {
      const values = features.get(type);
      if (!values) return [type, zeros([graph.countOf(type), width])];
      if (featureCount(values) === width) return [type, values instanceof SparseMatrix ? values.toDense() : values];
      const projection = new RandomProjection(featureCount(values), width, random.split(type));
      return [type, normalizeRows(projection.apply(values))];
    }),
  );
}

/** One hop of means over the relations of a subset and their reverses. */
function meansOver(graph: HeteroGraph, subset: readonly Relation[]): (h: Map<string, Tensor>) => Map<string, Tensor> {
  const relations = subset.flatMap((own) => (own.isSymmetric ? [own] : [own, own.reverse]));
  const degrees = new Map(graph.types.map((type) => [type, new Float64Array(graph.countOf(type))]));
  for (const { target, pattern } of relations) {
    const total = degrees.get(target) as Float64Array;
    for (let v = 0; v < pattern.rows; v++)
      total[v] = (total[v] as number) + (pattern.indptr[v + 1] as number) - (pattern.indptr[v] as number);
  }
  const operators = relations.map(({ source, target, pattern }) => ({
    source,
    target,
    matrix: scaled(new SparseMatrix(pattern), powers(degrees.get(target) as Float64Array, -1)),
  }));
  return (h) => {
    const next = new Map<string, Tensor>();
    for (const { source, target, matrix } of operators) {
      const part = spmm(matrix, h.get(source) as Tensor);
      const before = next.get(target);
      next.set(target, before ? add(before, part) : part);
    }
    for (const [type, own] of h) if (!next.has(type)) next.set(type, zeros(own.shape));
    return next;
  };
}

/** Layout of NARS. */
export interface NARSOptions {
  /** Hidden width. Default: 64. */
  readonly hidden?: number;
  /** Dropout probability of the features. Default: 0. */
  readonly inputDropout?: number;
  /** Dropout probability after each activation. Default: 0.7. */
  readonly dropout?: number;
}

/**
 * h_k = MLP_k(Σ_i a_{k,i}∘H_{k,i}) with learned weights a_{k,i} ∈ ℝ^d of the subsets, then
 * logits = MLP(PReLU(h_0 ‖ … ‖ h_K)).
 */
export class NARS implements GroupModule {
  /** a_k [subsets, 1, d] of each hop. */
  readonly weights: Tensor[];
  /** A perceptron of each hop. */
  readonly hops: readonly ActivatedLayers[];
  /** On all hops side by side. */
  readonly fused: ActivatedLayers;
  /** Classifier. */
  readonly head: Linear;
  readonly #inputDropout: Dropout;

  /** @param shapes a group for each hop: subsets and width */
  constructor(
    shapes: readonly GroupShape[],
    classes: number,
    random: Random,
    { hidden = 64, inputDropout = 0, dropout = 0.7 }: NARSOptions = {},
  ) {
    this.weights = shapes.map(({ count, width }, k) =>
      parameter(reshape(xavierUniform(random.split('weights').split(k), [count, width]), [count, 1, width])),
    );
    this.hops = shapes.map(({ width }, k) => new ActivatedLayers([width, hidden], random.split(k), { dropout }));
    this.fused = new ActivatedLayers([hidden * shapes.length, hidden], random.split('fused'), { dropout });
    this.head = affine(hidden, classes, random.split('head'));
    this.#inputDropout = new Dropout(inputDropout);
  }

  forward(groups: readonly Tensor[], mode: Mode): Tensor {
    const hops = groups.map((x, k) => {
      const mixed = sum(multiply(this.#inputDropout.forward(x, mode), this.weights[k] as Tensor), 0);
      return (this.hops[k] as ActivatedLayers).forward(mixed, mode);
    });
    return this.head.forward(this.fused.forward(concatenate(hops, 1), mode));
  }
}
