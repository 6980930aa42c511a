// The reference that the parallel walks are timed against: plain JavaScript, one walk after the
// other.

import type { Graph } from '../../structure/index.js';
import { DEFAULT_ALPHA, type PageRankOptions, requireAlpha } from './exact.js';
import { allNodes, type PageRankRows, rowsFromEnds } from './rows.js';

/** Options of `naivePageRank`. */
export interface NaiveWalkOptions extends PageRankOptions {
  /** ω: walks from each source. Default: 1. */
  readonly walks?: number;
  /** All nodes when left out. */
  readonly sources?: Int32Array;
  /** Uniform numbers in [0, 1). Default: `Math.random`, the fastest that JavaScript has. */
  readonly uniform?: () => number;
}

/**
 * π̂(u, v) = (walks from u that end at v)/ω, a walk at a time. A weighted neighbour is found by
 * running sums, in time linear in the degree, where `personalizedPageRank` draws it from an alias
 * table.
 *
 * @throws RangeError unless 0 < α ≤ 1
 */
export function naivePageRank(
  graph: Graph,
  { alpha = DEFAULT_ALPHA, walks = 1, sources, uniform = Math.random }: NaiveWalkOptions = {},
): PageRankRows {
  requireAlpha(alpha);
  const from = sources ?? allNodes(graph.nodeCount);
  const ends = new Int32Array(from.length * walks);
  for (let i = 0; i < from.length; i++) {
    const own = ends.subarray(i * walks, (i + 1) * walks);
    for (let walk = 0; walk < walks; walk++) own[walk] = endOfWalk(graph, from[i] as number, alpha, uniform);
    if (walks > 1) own.sort();
  }
  return rowsFromEnds(from, ends, walks);
}

function endOfWalk(graph: Graph, source: number, alpha: number, uniform: () => number): number {
  const { indptr, indices } = graph.successors;
  const { weights, outDegrees } = graph;
  let node = source;
  while (uniform() >= alpha) {
    const [begin, end] = [indptr[node] as number, indptr[node + 1] as number];
    if (begin === end) break;
    let edge = begin;
    if (weights) {
      let left = uniform() * (outDegrees[node] as number);
      while (edge + 1 < end && left >= (weights[edge] as number)) left -= weights[edge++] as number;
    } else edge += Math.floor(uniform() * (end - begin));
    node = indices[edge] as number;
  }
  return node;
}
