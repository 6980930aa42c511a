// Random walks and the pairs that skip-gram learns from. A walk's draws depend on the key and its
// number alone, so any thread may make any walk.

import { Optional } from "./optional";

/** SplitMix64 (Steele, Lea, Flood 2014): a counter and a finaliser; each walk starts its own. */
let state: u64 = 0;

// @ts-ignore: decorator
@inline
export function mixWord(z: u64): u64 {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// @ts-ignore: decorator
@inline
export function seedStream(key0: i32, key1: i32, stream: u64): void {
  state = mixWord(mixWord((<u64><u32>key0 << 32) | <u64><u32>key1) + stream * 0x9e3779b97f4a7c15);
}

// @ts-ignore: decorator
@inline
export function nextWord(): u64 {
  state += 0x9e3779b97f4a7c15;
  return mixWord(state);
}

/** An integer below n from the high half of a word. */
// @ts-ignore: decorator
@inline
export function below(word: u64, n: u32): u32 {
  return <u32>(((word >> 32) * <u64>n) >> 32);
}

/** A number in [0, 1) from the low half of a word. */
// @ts-ignore: decorator
@inline
export function unitOf(word: u64): f32 {
  return <f32>(<u32>word >> 8) * 5.960464477539063e-8;
}

/** A draw from the alias columns [first, first + count): tables 0 mean equal weights. */
// @ts-ignore: decorator
@inline
export function drawAlias(probabilities: usize, aliases: usize, first: i32, count: i32): i32 {
  const word = nextWord();
  const column = <i32>below(word, <u32>count);
  if (probabilities == 0) return column;
  const at = <usize>(first + column) << 2;
  return unitOf(word) < load<f32>(probabilities + at) ? column : load<i32>(aliases + at);
}

// @ts-ignore: decorator
@inline
function hasNeighbour(indptr: usize, indices: usize, node: i32, wanted: i32): bool {
  let low = load<i32>(indptr + (<usize>node << 2));
  let high = load<i32>(indptr + (<usize>node << 2), 4);
  while (low < high) {
    const middle = (low + high) >>> 1;
    const value = load<i32>(indices + (<usize>middle << 2));
    if (value == wanted) return true;
    if (value < wanted) low = middle + 1;
    else high = middle;
  }
  return false;
}

/**
 * A step from `node` to a neighbour x, with probability ∝ weight(node, x)·α(previous, x): α is
 * `back` for x = previous, 1 for a neighbour of it, `away` otherwise (node2vec's 1/p and 1/q),
 * drawn by rejection; 1 for all where previous is −1. −1 at a node without edges.
 */
// @ts-ignore: decorator
@inline
export function stepOf(
  indptr: usize, indices: usize, probabilities: usize, aliases: usize, node: i32, previous: i32, back: f32, away: f32,
): i32 {
  const row = load<i32>(indptr + (<usize>node << 2));
  const degree = load<i32>(indptr + (<usize>node << 2), 4) - row;
  if (degree == 0) return -1;
  let next = load<i32>(indices + (<usize>(row + drawAlias(probabilities, aliases, row, degree)) << 2));
  if (previous < 0) return next;
  const largest = max<f32>(max<f32>(back, away), 1);
  const smallest = min<f32>(min<f32>(back, away), 1);
  while (true) {
    const threshold = unitOf(nextWord()) * largest;
    if (threshold < smallest) return next;
    const bias = next == previous ? back : hasNeighbour(indptr, indices, previous, next) ? <f32>1 : away;
    if (threshold < bias) return next;
    next = load<i32>(indices + (<usize>(row + drawAlias(probabilities, aliases, row, degree)) << 2));
  }
}

/**
 * Walks [begin, end) of `length` nodes from starts[walk]; −1 after a node without edges. Steps are
 * those of `stepOf`, unbiased when back = away = 1. Walk w uses stream first + w.
 */
export function randomWalks(
  indptr: usize, indices: usize, probabilities: Optional, aliases: Optional, starts: usize, walks: usize, length: i32, back: f32, away: f32, key0: i32, key1: i32, first: i32, begin: i32, end: i32,
): void {
  const biased = back != 1 || away != 1;
  for (let walk = begin; walk < end; walk++) {
    seedStream(key0, key1, <u64>first + <u64>walk);
    const out = walks + ((<usize>walk * length) << 2);
    let node = load<i32>(starts + (<usize>walk << 2));
    let previous = -1;
    store<i32>(out, node);
    let step = 1;
    for (; step < length; step++) {
      const next = stepOf(indptr, indices, probabilities, aliases, node, biased ? previous : -1, back, away);
      if (next < 0) break;
      store<i32>(out + (<usize>step << 2), next);
      previous = node;
      node = next;
    }
    for (; step < length; step++) store<i32>(out + (<usize>step << 2), -1);
  }
}

/**
 * Pairs (centre, context) of each walk, sorted into blocks (part of centre, part of context):
 * counts them for every chunk of walks, or, when `pairs` is not 0, writes them from the places in
 * `counts` on. A centre's window is uniform in 1 … window, or all of `window` when `fixed`. Parts
 * are ranges of nodes: node v lies in part partOf[v] (one byte). counts [chunks, parts²]. Tasks
 * count chunks.
 */
export function walkPairs(
  walks: usize, total: i32, length: i32, perChunk: i32, window: i32, fixed: i32, partOf: usize, parts: i32, counts: usize, pairs: Optional, key0: i32, key1: i32, first: i32, begin: i32, end: i32,
): void {
  for (let chunk = begin; chunk < end; chunk++) {
    const table = counts + ((<usize>chunk * parts * parts) << 2);
    for (let walk = chunk * perChunk; walk < min(total, (chunk + 1) * perChunk); walk++) {
      seedStream(key0, key1, <u64>first + <u64>walk);
      const nodes = walks + ((<usize>walk * length) << 2);
      for (let i = 0; i < length; i++) {
        const centre = load<i32>(nodes + (<usize>i << 2));
        if (centre < 0) break;
        const reach = fixed ? window : 1 + <i32>below(nextWord(), <u32>window);
        const row = <i32>load<u8>(partOf + centre) * parts;
        for (let j = max(0, i - reach); j <= min(length - 1, i + reach); j++) {
          if (j == i) continue;
          const context = load<i32>(nodes + (<usize>j << 2));
          if (context < 0) break;
          const cell = table + (<usize>(row + <i32>load<u8>(partOf + context)) << 2);
          const place = load<i32>(cell);
          store<i32>(cell, place + 1);
          if (pairs != 0) {
            store<i32>(pairs + (<usize>place << 3), centre);
            store<i32>(pairs + (<usize>place << 3), context, 4);
          }
        }
      }
    }
  }
}

/**
 * Edges drawn by weight, sorted into blocks as walkPairs does: the pairs of LINE. Chunk c draws
 * `perChunk` of `total`; sources [entries] and indices [entries] are the ends of each stored edge.
 */
export function edgePairs(
  sources: usize, indices: usize, probabilities: Optional, aliases: Optional, entries: i32, total: i32, perChunk: i32, partOf: usize, parts: i32, counts: usize, pairs: Optional, key0: i32, key1: i32, first: i32, begin: i32, end: i32,
): void {
  for (let chunk = begin; chunk < end; chunk++) {
    const table = counts + ((<usize>chunk * parts * parts) << 2);
    seedStream(key0, key1, <u64>first + <u64>chunk);
    for (let pair = chunk * perChunk; pair < min(total, (chunk + 1) * perChunk); pair++) {
      const entry = <usize>drawAlias(probabilities, aliases, 0, entries);
      const centre = load<i32>(sources + (entry << 2));
      const context = load<i32>(indices + (entry << 2));
      const cell = table + (<usize>(<i32>load<u8>(partOf + centre) * parts + <i32>load<u8>(partOf + context)) << 2);
      const place = load<i32>(cell);
      store<i32>(cell, place + 1);
      if (pairs != 0) {
        store<i32>(pairs + (<usize>place << 3), centre);
        store<i32>(pairs + (<usize>place << 3), context, 4);
      }
    }
  }
}
