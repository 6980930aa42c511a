// Diffused graphs: arcs to where walks of any length land, the strongest alone (Gasteiger,
// Weißenberger, Günnemann, "Diffusion Improves Graph Learning", NeurIPS 2019), along directions.
//
//   S = Σ_k θ_k·P^k,  P = D_out⁻¹·A,  θ_k = α·(1 − α)^k (PageRank) or e^{−t}·t^k/k! (heat)

import { Graph } from '../../structure/index.js';

/** Kernel and sparsification of a diffusion. */
export interface DiffusionOptions {
  /** θ: personalised PageRank or the heat kernel. Default: 'pageRank'. */
  readonly kernel?: 'pageRank' | 'heat';
  /** α of PageRank. Default: 0.15. */
  readonly alpha?: number;
  /** t of the heat kernel. Default: 3. */
  readonly time?: number;
  /** Arcs kept from each node: the strongest to other nodes. Default: 16. */
  readonly top?: number;
  /** Mass of walks that may be left out of a row. Default: 1e-4. */
  readonly tolerance?: number;
}

/** θ_k until what is left is below the tolerance. */
function coefficients({ kernel = 'pageRank', alpha = 0.15, time = 3, tolerance = 1e-4 }: DiffusionOptions): number[] {
  if (kernel === 'pageRank' && !(alpha > 0 && alpha < 1))
    throw new RangeError(`diffused: α must lie in (0, 1), got ${alpha}`);
  if (kernel === 'heat' && !(time > 0)) throw new RangeError(`diffused: t must be positive, got ${time}`);
  const theta: number[] = [];
  let next = kernel === 'pageRank' ? alpha : Math.exp(-time);
  for (let left = 1; left > tolerance; ) {
    theta.push(next);
    left -= next;
    next *= kernel === 'pageRank' ? 1 - alpha : time / theta.length;
    if (theta.length > 10_000) break;
  }
  return theta;
}

/**
 * S without its diagonal, the `top` largest of each row as weighted arcs. Rows are computed one by
 * one, in memory for a few of them.
 */
export function diffused(graph: Graph, options: DiffusionOptions = {}): Graph {
  const { top = 16 } = options;
  const theta = coefficients(options);
  const n = graph.nodeCount;
  const [sources, targets, weights] = [[] as number[], [] as number[], [] as number[]];
  for (let source = 0; source < n; source++) {
    const row = [...diffusedRow(graph, source, theta)].filter(([v, value]) => v !== source && value > 0);
    row.sort(([u, a], [v, b]) => b - a || u - v);
    for (const [v, value] of row.slice(0, top)) {
      sources.push(source);
      targets.push(v);
      weights.push(value);
    }
  }
  return Graph.fromEdges(n, sources, targets, { directed: true, weights });
}

/** Where walks from a node land, weighted by θ. */
function diffusedRow(graph: Graph, source: number, theta: readonly number[]): Map<number, number> {
  const { indptr, indices } = graph.successors;
  const total = new Map<number, number>();
  let mass = new Map([[source, 1]]);
  for (const [k, share] of theta.entries()) {
    for (const [v, value] of mass) total.set(v, (total.get(v) ?? 0) + share * value);
    if (k + 1 === theta.length || mass.size === 0) break;
    const next = new Map<number, number>();
    for (const [u, value] of mass) {
      const step = value / (graph.outDegrees[u] as number);
      for (let e = indptr[u] as number; e < (indptr[u + 1] as number); e++) {
        const v = indices[e] as number;
        next.set(v, (next.get(v) ?? 0) + step * (graph.weights ? (graph.weights[e] as number) : 1));
      }
    }
    mass = next;
  }
  return total;
}
