// Walks by doubling, the baseline of pipelines of single moves: a walk of length 2ʲ⁺¹ is the
// concatenation of two of length 2ʲ, so a walk takes as many rounds as its length has bits.
// Bahmani, Chakrabarti, Xin, "Fast Personalized PageRank on MapReduce", SIGMOD 2011.
//
// Each node draws ω single moves, once; move t of its walk i is draw i + t (mod ω) of the node that
// the walk has reached. A walk of up to ω moves never uses a draw twice, so rows are unbiased
// except for longer walks. Rows are not independent, since walks that meet on the same draw
// coincide from there on. Memory: 4·n·ω·log₂(longest walk) bytes.

import type { Graph } from '../../structure/index.js';
import { Random } from '../../tensor/index.js';
import { DEFAULT_ALPHA, requireAlpha } from './exact.js';
import type { MonteCarloOptions } from './monte-carlo.js';
import { type PageRankRows, rowsFromEnds } from './rows.js';

/** Walks are truncated at this many expected lengths, which happens to one in e²⁰. */
const EXPECTED_LENGTHS = 20;

/**
 * π̂ of all nodes from ω walks each.
 *
 * @param options `alpha` defaults to 0.15, `walks` (ω) to 64, `seed` to 42
 * @throws RangeError unless 0 < α ≤ 1 and ω is a positive integer
 */
export function doublingPageRank(
  graph: Graph,
  { alpha = DEFAULT_ALPHA, walks = 64, seed = 42 }: Pick<MonteCarloOptions, 'alpha' | 'walks' | 'seed'> = {},
): PageRankRows {
  requireAlpha(alpha);
  if (!(Number.isInteger(walks) && walks >= 1))
    throw new RangeError(`doubling: walks must be a positive integer, got ${walks}`);
  const random = new Random(seed).split('doubling');
  const n = graph.nodeCount;
  const levels = [singleMoves(graph, walks, random.split('moves'))];
  for (let length = 1; 2 * length < EXPECTED_LENGTHS / alpha; length *= 2)
    levels.push(doubled(levels.at(-1) as Int32Array, walks, length));
  const lengths = random.split('lengths');
  const decay = Math.log(1 - alpha);
  const ends = new Int32Array(n * walks);
  for (let place = 0; place < ends.length; place++) {
    const drawn = alpha === 1 ? 0 : Math.floor(Math.log(1 - lengths.float()) / decay);
    const moves = Math.min(drawn, 2 ** levels.length - 1);
    let node = Math.floor(place / walks);
    let draw = place % walks;
    for (let j = levels.length - 1; j >= 0; j--) {
      if (((moves >> j) & 1) === 0) continue;
      node = (levels[j] as Int32Array)[node * walks + draw] as number;
      draw = (draw + 2 ** j) % walks;
    }
    ends[place] = node;
  }
  for (let u = 0; u < n; u++) ends.subarray(u * walks, (u + 1) * walks).sort();
  return rowsFromEnds(
    Int32Array.from({ length: n }, (_, v) => v),
    ends,
    walks,
  );
}

/** Target of the first move of each walk: [n, ω]. A walk stays at a node without edges. */
function singleMoves(graph: Graph, walks: number, random: Random): Int32Array {
  const { indptr, indices } = graph.successors;
  const { weights, outDegrees } = graph;
  const ends = new Int32Array(graph.nodeCount * walks);
  for (let u = 0; u < graph.nodeCount; u++) {
    const [begin, end] = [indptr[u] as number, indptr[u + 1] as number];
    for (let walk = 0; walk < walks; walk++) {
      let e = begin;
      if (weights) {
        let left = random.float() * (outDegrees[u] as number);
        while (e + 1 < end && left >= (weights[e] as number)) left -= weights[e++] as number;
      } else if (end > begin) e += random.integer(end - begin);
      ends[u * walks + walk] = end > begin ? (indices[e] as number) : u;
    }
  }
  return ends;
}

/** Ends of walks of twice the length, from those of the given length: [n, ω]. */
function doubled(ends: Int32Array, walks: number, length: number): Int32Array {
  return ends.map((node, place) => ends[node * walks + ((place + length) % walks)] as number);
}
