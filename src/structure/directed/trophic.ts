// Trophic levels: heights of the nodes such that arcs climb by one where the graph is layered
// (MacKay, Johnson, Sansom, "How directed is a directed network?", Royal Society Open Science
// 2020).

import { conjugateGradients } from '../../linalg/index.js';
import type { Graph } from '../graph.js';
import { memo } from '../memo.js';

/** Levels of a graph. */
export interface TrophicLevels {
  /** h of each node [n]; the lowest of each connected component has 0. */
  readonly levels: Float64Array;
  /**
   * F = Σ A_uv·(h_v − h_u − 1)² / Σ A_uv: 0 where every arc climbs by one, 1 where none does on
   * average; 0 without arcs.
   */
  readonly incoherence: number;
}

/**
 * Solves (D_in + D_out − A − Aᵀ)·h = d_in − d_out by conjugate gradients in double precision, in
 * each connected component up to a constant. Defaults: at most 5000 iterations, which a path of as
 * many nodes takes.
 *
 * @throws Error when the iterations do not suffice
 */
export function trophicLevels(graph: Graph, { iterations = 5000 } = {}): TrophicLevels {
  return memo(graph, `trophicLevels ${iterations}`, () => {
    const { inDegrees, outDegrees } = graph;
    const laplacian = (h: Float64Array) => {
      const y = h.map((value, v) => value * ((inDegrees[v] as number) + (outDegrees[v] as number)));
      graph.forEachEntry((u, v, weight) => {
        y[u] = (y[u] as number) - weight * (h[v] as number);
        y[v] = (y[v] as number) - weight * (h[u] as number);
      });
      return y;
    };
    const imbalance = inDegrees.map((degree, v) => degree - (outDegrees[v] as number));
    const { x, residual } = conjugateGradients(laplacian, imbalance, { tolerance: 1e-10, iterations });
    if (residual > 1e-6)
      throw new Error(
        `trophicLevels: the relative residual is ${residual.toExponential(1)} after ${iterations} iterations; allow more`,
      );
    const lowest: number[] = [];
    graph.components.forEach((component, v) => {
      lowest[component] = Math.min(lowest[component] ?? Number.POSITIVE_INFINITY, x[v] as number);
    });
    const levels = x.map((value, v) => value - (lowest[graph.components[v] as number] as number));
    let [squares, total] = [0, 0];
    graph.forEachEntry((u, v, weight) => {
      squares += weight * ((levels[v] as number) - (levels[u] as number) - 1) ** 2;
      total += weight;
    });
    return { levels, incoherence: total === 0 ? 0 : squares / total };
  });
}
