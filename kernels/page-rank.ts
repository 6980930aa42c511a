// Personalised PageRank by random walks: a walk stops at each node with probability α, else moves along an edge drawn by weight. A walk's draws depend on the key, its source, its number and its step alone, so every engine makes the same walks.

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

/** The neighbour that a draw picks from row [first, first + count): an index, or for weighted edges one of the two targets of an alias column (probability, target, other target), side by side so that a draw reads one place of memory. */
// @ts-ignore: decorator
@inline
function pick(indices: usize, columns: usize, first: i32, count: i32, word: u64): i32 {
  const entry = <usize>(first + <i32>below(word, <u32>count));
  if (columns == 0) return load<i32>(indices + (entry << 2));
  const column = columns + entry * 12;
  return unitOf(word) < load<f32>(column) ? load<i32>(column, 4) : load<i32>(column, 8);
}

/**
 * Ends of `walks` walks from each source, ascending: ends [sources, walks]. All walks of a block of sources advance together, step by step, so that reads of one walk do not wait for those of another. A walk stops at a node without edges.
 * `threshold` is α·2³². Tasks count blocks of `perBlock` sources; `scratch` holds 12 bytes for each of perBlock·walks walks, for each thread.
 */
export function walkEnds(
  indptr: usize, indices: usize, columns: Optional, sources: usize, ends: usize, count: i32, walks: i32, perBlock: i32, threshold: i32, key0: i32, key1: i32, scratch: usize, begin: i32, end: i32,
): void {
  const key = keyOf(key0, key1);
  const hashes = ownScratch(scratch, perBlock * walks * 12);
  const live = hashes + ((<usize>perBlock * walks) << 3);
  for (let block = begin; block < end; block++) {
    const first = block * perBlock;
    const last = min(count, first + perBlock);
    let alive = (last - first) * walks;
    const base = ends + ((<usize>first * walks) << 2);
    for (let own = 0, slot = 0; own < last - first; own++) {
      const source = load<i32>(sources + (<usize>(first + own) << 2));
      for (let walk = 0; walk < walks; walk++, slot++) {
        store<i32>(live + (<usize>slot << 2), slot);
        store<i32>(base + (<usize>slot << 2), source);
        store<u64>(hashes + (<usize>slot << 3), walkHash(key, source, walk));
      }
    }
    for (let step = 0; alive > 0; step++) {
      let kept = 0;
      for (let i = 0; i < alive; i++) {
        const slot = load<i32>(live + (<usize>i << 2));
        const place = base + (<usize>slot << 2);
        const node = load<i32>(place);
        const word = drawOf(load<u64>(hashes + (<usize>slot << 3)), step, 0);
        if (<u32>(word >> 32) < <u32>threshold) continue;
        const row = load<i32>(indptr + (<usize>node << 2));
        const degree = load<i32>(indptr + (<usize>node << 2), 4) - row;
        if (degree == 0) continue;
        store<i32>(place, pick(indices, columns, row, degree, mixWord(word + 0x9e3779b97f4a7c15)));
        store<i32>(live + (<usize>kept << 2), slot);
        kept += 1;
      }
      alive = kept;
    }
    for (let own = 0; own < last - first; own++) sortInts(base + ((<usize>own * walks) << 2), walks);
  }
}

/** Shell sort. */
function sortInts(values: usize, n: i32): void {
  let gap = 1;
  while (gap < n) gap = 3 * gap + 1;
  for (gap /= 3; gap > 0; gap /= 3) {
    for (let i = gap; i < n; i++) {
      const value = load<i32>(values + (<usize>i << 2));
      let j = i;
      for (; j >= gap; j -= gap) {
        const before = load<i32>(values + (<usize>(j - gap) << 2));
        if (before <= value) break;
        store<i32>(values + (<usize>j << 2), before);
      }
      store<i32>(values + (<usize>j << 2), value);
    }
  }
}

/**
 * Moves walkers [begin, end) once. A walker is four integers: source, place, walk, step. Places below `nodes` are nodes, of which rows 0 … are first …; others are units of large nodes, the rows from `unitRow` on being those of number rank mod ranks. At a node the
 * walk may stop, which turns its place into −1 − place; at a unit it moves on without a step.
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
    if (atNode && <u32>(word >> 32) < <u32>threshold) {
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
    const next = pick(indices, columns, start, degree, mixWord(word + 0x9e3779b97f4a7c15));
    store<i32>(walker, next, 4);
    // The step ends where a node is reached.
    if (next < nodes) store<i32>(walker, load<i32>(walker, 12) + 1, 12);
  }
}
