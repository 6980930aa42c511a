// Random walks that may step along arcs and against them.

import type { Random } from '../../tensor/index.js';
import type { Graph } from '../graph.js';
import { reversed } from './reverse.js';

/** How walks step. */
export interface DirectedWalkOptions {
  /** m: walks from each node. Default: 8. */
  readonly walks?: number;
  /** ℓ: steps of a walk. Default: 4. */
  readonly length?: number;
  /**
   * p_out, the probability of a step along an arc where a node has arcs of both kinds;
   * 'proportional', out/(out + in); or 'only', where walks end at nodes without arcs out. Default:
   * 0.5.
   */
  readonly forward?: number | 'proportional' | 'only';
}

/** Steps of walks, walk after walk; a walk that cannot go on is shorter than ℓ. */
export interface DirectedWalks {
  /** First step of the walks of each source, and the end: [sources + 1]. */
  readonly offsets: Int32Array;
  /** Node that each step reaches. */
  readonly nodes: Int32Array;
  /** Number of each step within its walk, 0 … ℓ − 1. */
  readonly positions: Uint8Array;
  /** 1 for a step along an arc, 0 for one against it. */
  readonly along: Uint8Array;
}

/**
 * Uniform steps over out- or in-neighbours without immediate return, whatever the weights of arcs.
 * The walks of a node depend on the random stream and the node alone.
 *
 * @param sources where walks start. Default: all nodes
 * @throws RangeError for a probability outside 0 … 1, or steps beyond 255
 */
export function directedWalks(
  graph: Graph,
  random: Random,
  { walks = 8, length = 4, forward = 0.5 }: DirectedWalkOptions = {},
  sources?: Int32Array,
): DirectedWalks {
  if (typeof forward === 'number' && !(forward >= 0 && forward <= 1))
    throw new RangeError(`directedWalks: forward is a probability, 'proportional' or 'only', got ${forward}`);
  if (!(Number.isInteger(length) && length >= 1 && length <= 255))
    throw new RangeError(`directedWalks: walks have 1 to 255 steps, got ${length}`);
  const from = sources ?? Int32Array.from({ length: graph.nodeCount }, (_, v) => v);
  const back = reversed(graph);
  const most = from.length * walks * length;
  const [nodes, positions, along] = [new Int32Array(most), new Uint8Array(most), new Uint8Array(most)];
  const offsets = new Int32Array(from.length + 1);
  let at = 0;
  from.forEach((source, i) => {
    const own = random.split(source);
    for (let walk = 0; walk < walks; walk++) {
      let [previous, node] = [-1, source];
      for (let step = 0; step < length; step++) {
        const out = others(graph, node, previous);
        const into = forward === 'only' ? 0 : others(back, node, previous);
        if (out + into === 0) break;
        const probability = typeof forward === 'number' ? forward : out / (out + into);
        const isAlong = into === 0 || (out > 0 && own.float() < probability);
        const next = other(isAlong ? graph : back, node, previous, own.integer(isAlong ? out : into));
        [previous, node] = [node, next];
        nodes[at] = next;
        positions[at] = step;
        along[at++] = Number(isAlong);
      }
    }
    offsets[i + 1] = at;
  });
  return { offsets, nodes: nodes.slice(0, at), positions: positions.slice(0, at), along: along.slice(0, at) };
}

/** Neighbours of a node but one. */
function others(graph: Graph, node: number, but: number): number {
  const { indptr } = graph.successors;
  const count = (indptr[node + 1] as number) - (indptr[node] as number);
  return but >= 0 && graph.hasEdge(node, but) ? count - 1 : count;
}

/** The neighbour of a number among those but one. */
function other(graph: Graph, node: number, but: number, which: number): number {
  const own = graph.neighbours(node);
  if (but < 0) return own[which] as number;
  // Neighbours ascend: those from the one left out on move down by one.
  let [low, high] = [0, own.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((own[middle] as number) < but) low = middle + 1;
    else high = middle;
  }
  return own[own[low] === but && which >= low ? which + 1 : which] as number;
}
