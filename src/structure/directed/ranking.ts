// Ranks of nodes in a directed graph: PageRank, hubs and authorities, and where walks land.

import type { Graph } from '../graph.js';
import { reversed } from './reverse.js';

/** Options of `directedPageRank`. */
export interface PageRankOptions {
  /** Probability of going on. Default: 0.85. */
  readonly damping?: number;
  /** L1 change at which it ends. Default: 1e-10. */
  readonly tolerance?: number;
  /** Iterations at most. Default: 500. */
  readonly iterations?: number;
}

/**
 * PageRank along arcs, x = d·Pᵀx + (1 − d)/n with P = D_out⁻¹·A; the mass of nodes without arcs is
 * spread evenly. Of `reversed(graph)` it ranks sources. Sum 1 [n].
 */
export function directedPageRank(
  graph: Graph,
  { damping = 0.85, tolerance = 1e-10, iterations = 500 }: PageRankOptions = {},
): Float64Array {
  const n = graph.nodeCount;
  let x = new Float64Array(n).fill(1 / n);
  for (let i = 0; i < iterations; i++) {
    const { landed, lost } = step(graph, x);
    const next = landed.map((mass) => damping * (mass + lost / n) + (1 - damping) / n) as typeof x;
    const change = next.reduce((total, mass, v) => total + Math.abs(mass - (x[v] as number)), 0);
    x = next;
    if (change < tolerance) break;
  }
  return x;
}

/** One step of mass along arcs, and the mass of nodes without arcs. */
function step(graph: Graph, x: Float64Array): { readonly landed: Float64Array; readonly lost: number } {
  const landed = new Float64Array(graph.nodeCount);
  const { outDegrees } = graph;
  let lost = 0;
  x.forEach((mass, v) => {
    if (outDegrees[v] === 0) lost += mass;
  });
  graph.forEachEntry((u, v, weight) => {
    landed[v] = (landed[v] as number) + (weight * (x[u] as number)) / (outDegrees[u] as number);
  });
  return { landed, lost };
}

/**
 * n times the probability of being at each node after 1 … `steps` steps along arcs from a uniform
 * node; walks end at nodes without arcs. Of `reversed(graph)` they go against arcs.
 *
 * @returns [n] for each number of steps
 */
export function landingProbabilities(graph: Graph, steps: number): Float64Array[] {
  const all: Float64Array[] = [];
  for (let t = 0; t < steps; t++) all.push(step(graph, all.at(-1) ?? new Float64Array(graph.nodeCount).fill(1)).landed);
  return all;
}

/** Hubs and authorities, unit vectors [n]. */
export interface HubsAndAuthorities {
  /** Score of each node by the authorities that it leads to. */
  readonly hubs: Float64Array;
  /** Score of each node by the hubs that lead to it. */
  readonly authorities: Float64Array;
}

/**
 * HITS (Kleinberg, JACM 1999): the first singular vectors of A, by power iteration from equal
 * scores; zeros without arcs. Defaults: at most 200 iterations, tolerance 1e-10 on the largest
 * change.
 */
export function hubsAndAuthorities(graph: Graph, { tolerance = 1e-10, iterations = 200 } = {}): HubsAndAuthorities {
  const n = graph.nodeCount;
  const product = (own: Graph, x: Float64Array) => {
    const y = new Float64Array(n);
    own.forEachEntry((u, v, weight) => {
      y[u] = (y[u] as number) + weight * (x[v] as number);
    });
    const norm = Math.sqrt(y.reduce((total, value) => total + value * value, 0));
    return norm === 0 ? y : (y.map((value) => value / norm) as typeof y);
  };
  let hubs: Float64Array = new Float64Array(n).fill(1 / Math.sqrt(n));
  let authorities = product(reversed(graph), hubs);
  for (let i = 0; i < iterations; i++) {
    const next = product(graph, authorities);
    const change = next.reduce((most, value, v) => Math.max(most, Math.abs(value - (hubs[v] as number))), 0);
    hubs = next;
    authorities = product(reversed(graph), hubs);
    if (change < tolerance) break;
  }
  return { hubs, authorities };
}
