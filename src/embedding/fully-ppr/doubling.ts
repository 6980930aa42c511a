// Walks by doubling, the baseline of pipelines of single moves: a walk of length 2ʲ⁺¹ is the
// concatenation of two of length 2ʲ, so a walk takes as many rounds as its length has bits.
// Bahmani, Chakrabarti, Xin, "Fast Personalized PageRank on MapReduce", SIGMOD 2011.
//
// Each node draws ω single moves, once; move t of its walk i is draw i + t (mod ω) of the node that
// the walk has reached. A walk of up to ω moves never uses a draw twice, so rows are unbiased
// except for longer walks. Rows are not independent, since walks that meet on the same draw
// coincide from there on. Memory: 4·n·ω·log₂(longest walk) bytes.

import { fillAlias, type Graph, memo } from '../../structure/index.js';
import { Random } from '../../tensor/index.js';
import { DEFAULT_ALPHA, requireAlpha } from './exact.js';
import type { MonteCarloOptions } from './monte-carlo.js';
import { allNodes, type PageRankRows, rowsFromEnds } from './rows.js';

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
  const uniform = uniformNumbers(new Random(seed).split('doubling'));
  const n = graph.nodeCount;
  const levels = [singleMoves(graph, walks, uniform)];
  for (let length = 1; 2 * length < EXPECTED_LENGTHS / alpha; length *= 2)
    levels.push(doubled(levels.at(-1) as Int32Array, walks, length));
  const longest = (1 << levels.length) - 1;
  const ends = new Int32Array(n * walks);
  for (let u = 0; u < n; u++) {
    const own = ends.subarray(u * walks, (u + 1) * walks);
    for (let walk = 0; walk < walks; walk++) {
      const moves = Math.min(longest, movesOf(uniform, alpha));
      let node = u;
      let draw = walk;
      for (let j = levels.length - 1; j >= 0; j--) {
        if (((moves >> j) & 1) === 0) continue;
        node = (levels[j] as Int32Array)[node * walks + draw] as number;
        draw = (draw + (1 << j)) % walks;
      }
      own[walk] = node;
    }
    own.sort();
  }
  return rowsFromEnds(allNodes(n), ends, walks);
}

/** Moves of a walk before it stops. */
function movesOf(uniform: () => number, alpha: number): number {
  return alpha === 1 ? 0 : Math.floor(Math.log(1 - uniform()) / Math.log(1 - alpha));
}

/**
 * Uniform numbers in [0, 1) by sfc32 (Doty-Humphrey's small fast counting generator): some
 * nanoseconds each, where a counter-based stream would dominate the time of this baseline.
 */
function uniformNumbers(random: Random): () => number {
  let [a, b, c, counter] = [random.word() | 0, random.word() | 0, random.word() | 0, 1];
  const next = () => {
    const word = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + word) | 0;
    return (word >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}

/** Alias tables of the edges of a weighted graph, by `fillAlias`. */
function aliasTables(graph: Graph, weights: Float32Array) {
  const { indptr, nnz } = graph.successors;
  const tables = { probabilities: new Float32Array(nnz), aliases: new Int32Array(nnz) };
  for (let u = 0; u < graph.nodeCount; u++) {
    const [begin, end] = [indptr[u] as number, indptr[u + 1] as number];
    let total = 0;
    for (let e = begin; e < end; e++) total += weights[e] as number;
    if (end > begin) fillAlias(weights, begin, end, total, tables.probabilities, tables.aliases);
  }
  return tables;
}

/** Target of the first move of each walk: [n, ω]. A walk stays at a node without edges. */
function singleMoves(graph: Graph, walks: number, uniform: () => number): Int32Array {
  const { indptr, indices } = graph.successors;
  const { weights } = graph;
  const tables = weights && memo(graph, 'aliasTables', () => aliasTables(graph, weights));
  const ends = new Int32Array(graph.nodeCount * walks);
  for (let u = 0; u < graph.nodeCount; u++) {
    const [begin, end] = [indptr[u] as number, indptr[u + 1] as number];
    for (let walk = 0; walk < walks; walk++) {
      if (end === begin) {
        ends[u * walks + walk] = u;
        continue;
      }
      let e = begin + Math.floor(uniform() * (end - begin));
      if (tables && uniform() >= (tables.probabilities[e] as number)) e = begin + (tables.aliases[e] as number);
      ends[u * walks + walk] = indices[e] as number;
    }
  }
  return ends;
}

/** Ends of walks of twice the length, from those of the given length: [n, ω]. */
function doubled(ends: Int32Array, walks: number, length: number): Int32Array {
  const longer = new Int32Array(ends.length);
  const shift = length % walks;
  for (let row = 0; row < ends.length; row += walks)
    for (let draw = 0; draw < walks; draw++) {
      const next = draw + shift < walks ? draw + shift : draw + shift - walks;
      longer[row + draw] = ends[(ends[row + draw] as number) * walks + next] as number;
    }
  return longer;
}
