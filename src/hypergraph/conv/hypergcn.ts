// HyperGCN (Yadati et al., "HyperGCN: A New Method of Training Graph Convolutional Networks on
// Hypergraphs", NeurIPS 2019).

import { Linear } from '../../nn/index.js';
import { SparseMatrix, spmm } from '../../sparse/index.js';
import { type Hypergraph, memo, symmetricAdjacency } from '../../structure/index.js';
import { type Random, scope, type Tensor } from '../../tensor/index.js';
import type { HypergraphConv } from './propagate.js';

/** Reduction of hyperedges to edges. */
export interface HyperGCNOptions {
  /** Connect the other members of a hyperedge to its two extremes. Default: true. */
  readonly mediators?: boolean;
  /** Build the graph once, from the layer's first input (FastHyperGCN). Default: false. */
  readonly fast?: boolean;
}

/**
 * Each hyperedge is reduced to the edge between its two members i, j that are farthest apart along
 * a random direction of the projected features, with weight 1/|e|; with mediators k also to the
 * edges (i,k) and (j,k), all of weight 1/(2|e| − 3). Then a GCN step on that graph with self-loops.
 * No gradient flows through the choice of the extremes.
 */
export class HyperGCNConv implements HypergraphConv {
  /** Θ, and a bias. */
  readonly theta: Linear;
  readonly #random: Random;
  readonly #options: HyperGCNOptions;

  constructor(inFeatures: number, outFeatures: number, random: Random, options: HyperGCNOptions = {}) {
    this.theta = new Linear(inFeatures, outFeatures, random);
    this.#random = random.split('hypergcn');
    this.#options = options;
  }

  forward(x: Tensor | SparseMatrix, hypergraph: Hypergraph): Tensor {
    const projected = this.theta.forward(x);
    const { mediators = true, fast = false } = this.#options;
    const build = () => extremeGraph(projected, hypergraph, mediators, this.#random);
    return spmm(fast ? memo(hypergraph, `hypergcn ${mediators} ${this.#random.key}`, build) : build(), projected);
  }
}

/** Normalised adjacency of the graph of extremes. */
function extremeGraph(signal: Tensor, hypergraph: Hypergraph, mediators: boolean, random: Random): SparseMatrix {
  const direction = Float32Array.from({ length: signal.shape[1] as number }, () => random.gaussian());
  const projections = projectRows(signal.view(), direction);
  const edges: { from: number; to: number; weight: number }[] = [];
  for (const members of hypergraph.hyperedges()) {
    if (members.length < 2) continue;
    const top = members.reduce((best, v) => ((projections[v] as number) > (projections[best] as number) ? v : best));
    const bottom = members.reduce((best, v) =>
      v !== top && (best === top || (projections[v] as number) < (projections[best] as number)) ? v : best,
    );
    const mediating = mediators ? members.filter((v) => v !== top && v !== bottom) : [];
    const weight = mediators ? 1 / (2 * members.length - 3) : 1 / members.length;
    edges.push({ from: top, to: bottom, weight });
    for (const v of mediating) edges.push({ from: top, to: v, weight }, { from: bottom, to: v, weight });
  }
  const both = [...edges, ...edges.map(({ from, to, weight }) => ({ from: to, to: from, weight }))];
  const n = hypergraph.vertexCount;
  const adjacency = SparseMatrix.fromCoordinates(
    n,
    n,
    both.map((e) => e.from),
    both.map((e) => e.to),
    both.map((e) => e.weight),
  );
  return scope(() => symmetricAdjacency(adjacency));
}

/** Dot product of each row of values [n, d] with a direction [d]: [n]. */
function projectRows(values: Float32Array, direction: Float32Array): Float64Array {
  const d = direction.length;
  return Float64Array.from({ length: values.length / d }, (_, row) => {
    let total = 0;
    for (let j = 0; j < d; j++) total += (values[row * d + j] as number) * (direction[j] as number);
    return total;
  });
}
