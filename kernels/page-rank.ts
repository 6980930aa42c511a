// Personalised PageRank by random walks: a walk stops at each node with probability α, else moves
// along an edge drawn by weight. A walk's draws depend on the key, its source, its number and its
// step alone, so every engine makes the same walks.

import { below, mixWord, unitOf } from "./walks";
import { ownScratch } from "./thread";
import { Optional } from "./optional";

/** Where the draws of a walk begin. */
// @ts-ignore: decorator
@inline
function walkHash(key: u64, source: i32, walk: i32): u64 {
  return mixWord(key ^ (((<u64><u32>source << 32) | <u64><u32>walk) * 0x9e3779b97f4a7c15));
}

// @ts-ignore: decorator
@inline
function drawOf(hash: u64, step: i32, unit: i32): u64 {
  return mixWord(hash + <u64><u32>step * 0xd1b54a32d192ed03 + <u64><u32>unit * 0x8cb92ba72f3d8dd7);
}

// @ts-ignore: decorator
@inline
function keyOf(key0: i32, key1: i32): u64 {
  return (<u64><u32>key0 << 32) | <u64><u32>key1;
}

/**
 * The neighbour that a draw picks from row [first, first + count): an index, or for weighted edges
 * one of the two targets of an alias column (probability, target, other target), side by side so
 * that a draw reads one place of memory. The high half of the word picks the column; its low half
 * is that of the stop test, so the coin of the alias is a word of its own.
 */
// @ts-ignore: decorator
@inline
function pick(indices: usize, columns: usize, first: i32, count: i32, word: u64): i32 {
  const entry = <usize>(first + <i32>below(word, <u32>count));
  if (columns == 0) return load<i32>(indices + (entry << 2));
  const column = columns + entry * 12;
  return unitOf(mixWord(word + 0x9e3779b97f4a7c15)) < load<f32>(column) ? load<i32>(column, 4) : load<i32>(column, 8);
}

/** Bits of a digit of the radix sort of ends. */
const MOST_DIGIT_BITS = 10;

/**
 * Ends of `walks` walks from each source, ascending: ends [sources, walks]. All walks of a block of
 * sources advance together, step by step, without a branch that depends on a draw, so that the
 * reads of many walks are under way at once: a walk that stops is not copied to the list of live
 * ones. A walk stops at a node without edges. `threshold` is α·2³². Tasks count blocks of
 * `perBlock` sources; `scratch` holds, for each thread, 16 bytes for each of perBlock·walks walks
 * and 4 for each value of a digit.
 */
export function walkEnds(
  indptr: usize, indices: usize, columns: Optional, sources: usize, ends: usize, nodes: i32, count: i32, walks: i32, perBlock: i32, threshold: i32, key0: i32, key1: i32, scratch: usize, begin: i32, end: i32,
): void {
  const key = keyOf(key0, key1);
  const most = perBlock * walks;
  const hashes = ownScratch(scratch, (most << 4) + (4 << MOST_DIGIT_BITS));
  const live = hashes + (<usize>most << 3);
  const table = live + (<usize>most << 3);
  for (let block = begin; block < end; block++) {
    const first = block * perBlock;
    const last = min(count, first + perBlock);
    const total = (last - first) * walks;
    const base = ends + ((<usize>first * walks) << 2);
    for (let own = 0, slot = 0; own < last - first; own++) {
      const source = load<i32>(sources + (<usize>(first + own) << 2));
      for (let walk = 0; walk < walks; walk++, slot++) {
        store<i32>(live + (<usize>slot << 2), slot);
        store<i32>(base + (<usize>slot << 2), source);
        store<u64>(hashes + (<usize>slot << 3), walkHash(key, source, walk));
      }
    }
    let alive = total;
    for (let step = 0; alive > 0; step++)
      alive = columns == 0
        ? stepAll(indptr, indices, 0, hashes, base, live, alive, step, threshold)
        : stepAll(indptr, indices, columns, hashes, base, live, alive, step, threshold);
    sortRows(base, last - first, walks, nodes, hashes, live, table);
  }
}

/** One step of the live walks of a block; the number of those that go on. */
// @ts-ignore: decorator
@inline
function stepAll(
  indptr: usize, indices: usize, columns: usize, hashes: usize, base: usize, live: usize, alive: i32, step: i32, threshold: i32,
): i32 {
  let kept = 0;
  for (let i = 0; i < alive; i++) {
    const slot = load<i32>(live + (<usize>i << 2));
    const place = base + (<usize>slot << 2);
    const node = load<i32>(place);
    const word = drawOf(load<u64>(hashes + (<usize>slot << 3)), step, 0);
    const row = load<i32>(indptr + (<usize>node << 2));
    const degree = load<i32>(indptr + (<usize>node << 2), 4) - row;
    const goes = i32(<u32>word >= <u32>threshold) & i32(degree != 0);
    // A walk that stops reads the first edge of the graph.
    const next = pick(indices, columns, row & -goes, degree & -goes, word);
    store<i32>(place, select(next, node, goes));
    store<i32>(live + (<usize>kept << 2), slot);
    kept += goes;
  }
  return kept;
}

/** Radix sort of `rows` rows of `width` ids below `nodes`, all rows at once. */
function sortRows(base: usize, rows: i32, width: i32, nodes: i32, from: usize, to: usize, table: usize): void {
  const total = rows * width;
  const bits = 32 - <i32>clz(max(1, nodes - 1));
  const passes = (bits + MOST_DIGIT_BITS - 1) / MOST_DIGIT_BITS;
  const digit = (bits + passes - 1) / passes;
  const size: usize = <usize>4 << digit;
  const mask: u32 = (<u32>1 << digit) - 1;
  for (let row = 0, slot = 0; row < rows; row++)
    for (let i = 0; i < width; i++, slot++)
      store<u64>(from + (<usize>slot << 3), (<u64>row << 32) | load<u32>(base + (<usize>slot << 2)));
  for (let pass = 0; pass < passes; pass++) {
    const shift = <u64>(pass * digit);
    memory.fill(table, 0, size);
    for (let i = 0; i < total; i++) {
      const counter = table + (<usize>(<u32>(load<u64>(from + (<usize>i << 3)) >> shift) & mask) << 2);
      store<i32>(counter, load<i32>(counter) + 1);
    }
    prefixSums(table, 1 << digit);
    for (let i = 0; i < total; i++) {
      const entry = load<u64>(from + (<usize>i << 3));
      const counter = table + (<usize>(<u32>(entry >> shift) & mask) << 2);
      const at = load<i32>(counter);
      store<i32>(counter, at + 1);
      store<u64>(to + (<usize>at << 3), entry);
    }
    const swapped = from;
    from = to;
    to = swapped;
  }
  // The last digit is the row; each has the same number of entries.
  for (let row = 0; row < rows; row++) store<i32>(to + (<usize>row << 2), row * width);
  for (let i = 0; i < total; i++) {
    const entry = load<u64>(from + (<usize>i << 3));
    const counter = to + (<usize>(entry >> 32) << 2);
    const at = load<i32>(counter);
    store<i32>(counter, at + 1);
    store<u32>(base + (<usize>at << 2), <u32>entry);
  }
}

/** Replaces counts by the sums of those before. */
function prefixSums(table: usize, n: i32): void {
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const count = load<i32>(table + (<usize>i << 2));
    store<i32>(table + (<usize>i << 2), sum);
    sum += count;
  }
}

/**
 * Moves walkers [begin, end) once. A walker is four integers: source, place, walk, step. Places
 * below `nodes` are nodes, of which rows 0 … are first …; others are units of large nodes, the rows
 * from `unitRow` on being those of number rank mod ranks. At a node the walk may stop, which
 * replaces its place by −1 − place; at a unit it moves on without a step.
 */
export function advanceWalkers(
  walkers: usize, indptr: usize, indices: usize, columns: Optional, nodes: i32, first: i32, unitRow: i32, ranks: i32, threshold: i32, key0: i32, key1: i32, begin: i32, end: i32,
): void {
  const key = keyOf(key0, key1);
  for (let i = begin; i < end; i++) {
    const walker = walkers + (<usize>i << 4);
    const place = load<i32>(walker, 4);
    const atNode = place < nodes;
    const word = drawOf(walkHash(key, load<i32>(walker), load<i32>(walker, 8)), load<i32>(walker, 12), atNode ? 0 : place);
    if (atNode && <u32>word < <u32>threshold) {
      store<i32>(walker, -1 - place, 4);
      continue;
    }
    const row = atNode ? place - first : unitRow + (place - nodes) / ranks;
    const start = load<i32>(indptr + (<usize>row << 2));
    const degree = load<i32>(indptr + (<usize>row << 2), 4) - start;
    if (degree == 0) {
      store<i32>(walker, -1 - place, 4);
      continue;
    }
    const next = pick(indices, columns, start, degree, word);
    store<i32>(walker, next, 4);
    // The step ends where a node is reached.
    if (next < nodes) store<i32>(walker, load<i32>(walker, 12) + 1, 12);
  }
}
