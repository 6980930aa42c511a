// Deterministic personalised PageRank: power iteration, and forward push with a bound on the
// residual.
//
//   π(u, v) = probability that a walk from u ends at v: π_u = α·e_u + (1 − α)·π_u·W, W
//   row-stochastic
//
// A walk stops at a node without edges, so every row sums to 1.

import type { Graph } from '../../structure/index.js';

/** Law of the walks. */
export interface PageRankOptions {
  /** α: probability of stopping at each node (1 − α is the damping factor). Default: 0.15. */
  readonly alpha?: number;
}

export const DEFAULT_ALPHA = 0.15;

export function requireAlpha(alpha: number): void {
  if (!(alpha > 0 && alpha <= 1)) throw new RangeError(`personalised PageRank: α must lie in (0, 1], got ${alpha}`);
}

/**
 * π_u of one source by power iteration until the walk mass that has not stopped is at most
 * `tolerance` (default 1e-9).
 *
 * @returns [n], summing to 1 − tolerance … 1
 * @throws RangeError unless 0 < α ≤ 1
 */
export function powerIteration(
  graph: Graph,
  source: number,
  { alpha = DEFAULT_ALPHA, tolerance = 1e-9 }: PageRankOptions & { readonly tolerance?: number } = {},
): Float64Array {
  requireAlpha(alpha);
  const n = graph.nodeCount;
  const { indptr, indices } = graph.successors;
  const { weights, outDegrees } = graph;
  const reached = new Float64Array(n);
  let walking = new Float64Array(n);
  walking[source] = 1;
  for (let mass = 1; mass > tolerance; ) {
    const next = new Float64Array(n);
    mass = 0;
    for (let u = 0; u < n; u++) {
      const here = walking[u] as number;
      if (here === 0) continue;
      const degree = outDegrees[u] as number;
      reached[u] = (reached[u] as number) + (degree === 0 ? here : alpha * here);
      if (degree === 0) continue;
      const share = ((1 - alpha) * here) / degree;
      for (let e = indptr[u] as number; e < (indptr[u + 1] as number); e++) {
        const v = indices[e] as number;
        next[v] = (next[v] as number) + share * (weights ? (weights[e] as number) : 1);
      }
      mass += (1 - alpha) * here;
    }
    walking = next;
  }
  return reached;
}

/** Result of `forwardPush`. */
export interface Push {
  /** Lower bounds of π(u, v) by node v; nodes that no mass reaches are missing. */
  readonly estimates: Map<number, number>;
  /** Walk mass not yet pushed: the estimates sum to 1 − residual. */
  readonly residual: number;
}

/**
 * Forward push (Andersen, Chung, Lang, "Local Graph Partitioning using PageRank Vectors", FOCS
 * 2006): pushes the mass of nodes with more than `threshold`·degree (default 1e-6) until there are
 * none. Local: nodes that no mass reaches cost nothing.
 *
 * @throws RangeError unless 0 < α ≤ 1
 */
export function forwardPush(
  graph: Graph,
  source: number,
  { alpha = DEFAULT_ALPHA, threshold = 1e-6 }: PageRankOptions & { readonly threshold?: number } = {},
): Push {
  requireAlpha(alpha);
  const { indptr, indices } = graph.successors;
  const { weights, outDegrees } = graph;
  const estimates = new Map<number, number>();
  const residuals = new Map<number, number>([[source, 1]]);
  const queue = [source];
  const queued = new Set(queue);
  for (let head = 0; head < queue.length; head++) {
    const u = queue[head] as number;
    queued.delete(u);
    const mass = residuals.get(u) as number;
    residuals.delete(u);
    const degree = outDegrees[u] as number;
    estimates.set(u, (estimates.get(u) ?? 0) + (degree === 0 ? mass : alpha * mass));
    if (degree === 0) continue;
    const share = ((1 - alpha) * mass) / degree;
    for (let e = indptr[u] as number; e < (indptr[u + 1] as number); e++) {
      const v = indices[e] as number;
      const held = (residuals.get(v) ?? 0) + share * (weights ? (weights[e] as number) : 1);
      residuals.set(v, held);
      if (held > threshold * Math.max(1, (indptr[v + 1] as number) - (indptr[v] as number)) && !queued.has(v)) {
        queue.push(v);
        queued.add(v);
      }
    }
  }
  return { estimates, residual: [...residuals.values()].reduce((a, b) => a + b, 0) };
}
