// Pools of training pairs, filled by samplers while workers train on those of another pool (Zhu et
// al., "GraphVite", WWW 2019). A task is a block to train or a share of the next pool to fill, so
// that threads without a block help the samplers. Every task's draws depend on the key and its
// number alone.

import { logVector, multiplyAdd, sigmoidVector, softplusVector, sumLanes } from "./math";
import { Optional } from "./optional";
import { ownScratch } from "./thread";
import { drawAlias, seedStream, stepOf } from "./walks";

/** Words of a block's task: see `trainBlock`. */
const BLOCK_WORDS = 8;
/** Where the streams of samplers begin; those of blocks lie below. */
const SAMPLERS: u64 = 1 << 40;
/** Streams of the samplers of an episode. */
const EPISODE_STREAMS: u64 = 4096;
/** The loss is measured on every 64th pair. */
const MEASURED = 63;
/** Largest change of a coordinate in a step of a layout, over the rate. */
const STEP: f32 = 5;
/** Keeps the repulsion of two points at one place finite. */
const APART: f32 = 0.1;

// @ts-ignore: decorator
@inline
function sigmoid(x: f32): f32 {
  return f32x4.extract_lane(sigmoidVector(f32x4.splat(x)), 0);
}

// @ts-ignore: decorator
@inline
function softplus(x: f32): f32 {
  return f32x4.extract_lane(softplusVector(f32x4.splat(x)), 0);
}

/**
 * One sample of the loss −weight·log σ(±v·c): v ← v − step·(g·c + λ·v), c ← c − step·(g·v + λ·c)
 * with g = σ(v·c) − label and both right sides of before the step. Returns the loss, times `weight`
 * by the caller.
 */
// @ts-ignore: decorator
@inline
function attractByProduct(v: usize, c: usize, bytes: usize, label: f32, step: f32, decay: f32, measured: bool): f32 {
  let sum = f32x4.splat(0);
  for (let k: usize = 0; k < bytes; k += 16) sum = multiplyAdd(v128.load(v + k), v128.load(c + k), sum);
  const logit = min<f32>(30, max<f32>(-30, sumLanes(sum)));
  const g = f32x4.splat(step * (label - sigmoid(logit)));
  const kept = f32x4.splat(1 - step * decay);
  for (let k: usize = 0; k < bytes; k += 16) {
    const before = v128.load(v + k);
    const other = v128.load(c + k);
    v128.store(v + k, multiplyAdd(g, other, f32x4.mul(before, kept)));
    v128.store(c + k, multiplyAdd(g, before, f32x4.mul(other, kept)));
  }
  return measured ? softplus(label > 0 ? -logit : logit) : 0;
}

/**
 * One sample of a layout, with f = 1/(1 + |v − c|²) the probability of an edge: a step along the
 * gradient of log f, or of log(1 − f) for a pair without one. Each coordinate moves by at most
 * STEP·step.
 */
// @ts-ignore: decorator
@inline
function attractByDistance(v: usize, c: usize, bytes: usize, label: f32, step: f32, measured: bool): f32 {
  if (v == c) return 0;
  let sum = f32x4.splat(0);
  for (let k: usize = 0; k < bytes; k += 16) {
    const apart = f32x4.sub(v128.load(v + k), v128.load(c + k));
    sum = multiplyAdd(apart, apart, sum);
  }
  const squared = sumLanes(sum);
  const pull: f32 = label > 0 ? -2 / (1 + squared) : 2 / ((APART + squared) * (1 + squared));
  const g = f32x4.splat(pull);
  const largest = f32x4.splat(STEP);
  const rate = f32x4.splat(step);
  for (let k: usize = 0; k < bytes; k += 16) {
    const a = v128.load(v + k);
    const b = v128.load(c + k);
    const free = f32x4.mul(g, f32x4.sub(a, b));
    const move = f32x4.mul(rate, f32x4.max(f32x4.neg(largest), f32x4.min(largest, free)));
    v128.store(v + k, f32x4.add(a, move));
    v128.store(c + k, f32x4.sub(b, move));
  }
  if (!measured) return 0;
  const edge: f32 = 1 / (1 + squared);
  return -f32x4.extract_lane(logVector(f32x4.splat(max<f32>(1e-7, label > 0 ? edge : 1 - edge))), 0);
}

/**
 * Trains the pairs of a block in order. Its task: [first pair, pair behind the last, first row of
 * its heads in `vertices`, first row of its tails in `contexts`, part of the tails, first batch,
 * batches between two of its own, stream]. Pairs are (head, tail), counted from the first row of
 * their part. Negatives come before the pair itself and from the part of the tails alone. The rate
 * falls with the number of the batch among all `batches`. losses [tasks, 2]: sum and number.
 */
function trainBlock(
  task: usize, pairs: usize, vertices: usize, contexts: usize, d: i32, probabilities: usize, aliases: usize, bounds: usize, byDistance: i32, negatives: i32, weight: f32, rate: f32, decay: f32, batch: i32, batches: f32, key0: i32, key1: i32, losses: usize,
): void {
  const bytes = <usize>d << 2;
  const first = load<i32>(task);
  const end = load<i32>(task, 4);
  const heads = vertices + <usize>load<i32>(task, 8) * bytes;
  const tails = contexts + <usize>load<i32>(task, 12) * bytes;
  const part = load<i32>(task, 16);
  const low = load<i32>(bounds + (<usize>part << 2));
  const count = load<i32>(bounds + (<usize>part << 2), 4) - low;
  seedStream(key0, key1, <u64>load<i32>(task, 28));
  let total: f64 = 0;
  let measured: f64 = 0;
  let number = load<i32>(task, 20);
  for (let start = first; start < end; start += batch, number += load<i32>(task, 24)) {
    const step = rate * max<f32>(1 - <f32>number / batches, 1e-4);
    const last = min(end, start + batch);
    for (let pair = start; pair < last; pair++) {
      const at = pairs + (<usize>pair << 3);
      const v = heads + <usize>load<i32>(at) * bytes;
      const tail = tails + <usize>load<i32>(at, 4) * bytes;
      const measure = ((pair - first) & MEASURED) == 0;
      let loss: f32 = 0;
      for (let m = 0; m < negatives; m++) {
        const c = tails + <usize>drawAlias(probabilities, aliases, low, count) * bytes;
        loss += weight * (byDistance
          ? c == tail ? <f32>0 : attractByDistance(v, c, bytes, 0, step * weight, measure)
          : attractByProduct(v, c, bytes, 0, step * weight, decay, measure));
      }
      loss += byDistance
        ? attractByDistance(v, tail, bytes, 1, step, measure)
        : attractByProduct(v, tail, bytes, 1, step, decay, measure);
      if (measure) {
        total += loss / (1 + <f32>negatives * weight);
        measured += 1;
      }
    }
  }
  store<f64>(losses, total);
  store<f64>(losses, measured, 8);
}

/**
 * One sampler's share of a pool. Sampler s of S fills places [⌊s·c/S⌋, ⌊(s + 1)·c/S⌋) of the c of
 * every block, and ends when all are full: pairs for full blocks are dropped. A walk starts with an
 * edge drawn by weight and has `length` edges, fewer at a node without successors; its pairs are
 * all (xⱼ, xⱼ₊ₜ) with t ≤ reach. The o-th pair of a share of m places goes to column o mod shuffle,
 * row ⌊o/shuffle⌋ of a table read column by column. counts [parts²]: pairs drawn for each block,
 * those dropped included. Gives up when a block stays open for `patience` draws; places then hold
 * −1.
 */
function fillShare(
  sampler: i32, samplers: i32, pool: usize, starts: usize, parts: i32, partOf: usize, bounds: usize, sources: usize, indptr: usize, indices: usize, edgeProbabilities: usize, edgeAliases: usize, rowProbabilities: usize, rowAliases: usize, entries: i32, length: i32, reach: i32, shuffle: i32, back: f32, away: f32, patience: f32, key0: i32, key1: i32, episode: i32, counts: usize, scratch: usize,
): void {
  const cells = parts * parts;
  const chain = ownScratch(scratch, ((length + 1) + cells) << 2);
  const filled = chain + (<usize>(length + 1) << 2);
  seedStream(key0, key1, SAMPLERS + <u64>episode * EPISODE_STREAMS + <u64>sampler);
  let open = 0;
  let capacity: f64 = 0;
  for (let cell = 0; cell < cells; cell++) {
    store<i32>(filled + (<usize>cell << 2), 0);
    store<i32>(counts + (<usize>cell << 2), 0);
    const size = shareEnd(starts, cell, sampler + 1, samplers) - shareEnd(starts, cell, sampler, samplers);
    open += i32(size > 0);
    capacity += size;
  }
  const biased = back != 1 || away != 1;
  const most = capacity * patience + 1000 * patience;
  let drawn: f64 = 0;
  while (open > 0 && drawn < most) {
    const entry = <usize>drawAlias(edgeProbabilities, edgeAliases, 0, entries);
    store<i32>(chain, load<i32>(sources + (entry << 2)));
    store<i32>(chain, load<i32>(indices + (entry << 2)), 4);
    let nodes = 2;
    if (reach > 1)
      for (; nodes <= length; nodes++) {
        const node = load<i32>(chain + (<usize>(nodes - 1) << 2));
        const before = biased ? load<i32>(chain + (<usize>(nodes - 2) << 2)) : -1;
        const next = stepOf(indptr, indices, rowProbabilities, rowAliases, node, before, back, away);
        if (next < 0) break;
        store<i32>(chain + (<usize>nodes << 2), next);
      }
    for (let j = 0; j < nodes - 1; j++) {
      const head = load<i32>(chain + (<usize>j << 2));
      const row = <i32>load<u8>(partOf + head);
      for (let t = 1; t <= min(reach, nodes - 1 - j); t++) {
        const tail = load<i32>(chain + (<usize>(j + t) << 2));
        const column = <i32>load<u8>(partOf + tail);
        const cell = row * parts + column;
        drawn += 1;
        store<i32>(counts + (<usize>cell << 2), load<i32>(counts + (<usize>cell << 2)) + 1);
        const from = shareEnd(starts, cell, sampler, samplers);
        const size = shareEnd(starts, cell, sampler + 1, samplers) - from;
        const order = load<i32>(filled + (<usize>cell << 2));
        if (order == size) continue;
        store<i32>(filled + (<usize>cell << 2), order + 1);
        open -= i32(order + 1 == size);
        const place = pool + (<usize>(from + shuffledPlace(order, size, shuffle)) << 3);
        store<i32>(place, head - load<i32>(bounds + (<usize>row << 2)));
        store<i32>(place, tail - load<i32>(bounds + (<usize>column << 2)), 4);
      }
    }
  }
  for (let cell = 0; open > 0 && cell < cells; cell++) {
    const from = shareEnd(starts, cell, sampler, samplers);
    const size = shareEnd(starts, cell, sampler + 1, samplers) - from;
    for (let order = load<i32>(filled + (<usize>cell << 2)); order < size; order++)
      store<i32>(pool + (<usize>(from + shuffledPlace(order, size, shuffle)) << 3), -1);
  }
}

/** Where the share of the samplers before `sampler` ends in a block's places. */
// @ts-ignore: decorator
@inline
function shareEnd(starts: usize, cell: i32, sampler: i32, samplers: i32): i32 {
  const start = load<i32>(starts + (<usize>cell << 2));
  const size = load<i32>(starts + (<usize>cell << 2), 4) - start;
  return start + <i32>((<i64>size * <i64>sampler) / <i64>samplers);
}

/** Place of the o-th of `size` pairs in a table of `columns`, read column by column. */
// @ts-ignore: decorator
@inline
function shuffledPlace(o: i32, size: i32, columns: i32): i32 {
  if (columns == 1) return o;
  const column = o % columns;
  return column * (size / columns) + min(column, size % columns) + o / columns;
}

/**
 * Tasks [begin, end): blocks to train first, then shares to fill, of which the first is sampler
 * `firstSampler`. See `trainBlock` and `fillShare`.
 */
export function trainWhileSampling(
  tasks: usize, blocks: i32, pairs: Optional, vertices: Optional, contexts: Optional, d: i32, probabilities: Optional, aliases: Optional, bounds: usize, byDistance: i32, negatives: i32, weight: f32, rate: f32, decay: f32, batch: i32, batches: f32, losses: usize, firstSampler: i32, samplers: i32, pool: Optional, starts: Optional, parts: i32, partOf: usize, sources: Optional, indptr: usize, indices: usize, edgeProbabilities: Optional, edgeAliases: Optional, rowProbabilities: Optional, rowAliases: Optional, entries: i32, length: i32, reach: i32, shuffle: i32, back: f32, away: f32, patience: f32, episode: i32, counts: Optional, key0: i32, key1: i32, scratch: usize, begin: i32, end: i32,
): void {
  for (let task = begin; task < end; task++) {
    if (task < blocks) {
      trainBlock(
        tasks + <usize>(task * BLOCK_WORDS << 2), pairs, vertices, contexts, d, probabilities, aliases, bounds, byDistance, negatives, weight, rate, decay, batch, batches, key0, key1, losses + (<usize>task << 4),
      );
      continue;
    }
    const sampler = firstSampler + task - blocks;
    fillShare(
      sampler, samplers, pool, starts, parts, partOf, bounds, sources, indptr, indices, edgeProbabilities, edgeAliases, rowProbabilities, rowAliases, entries, length, reach, shuffle, back, away, patience, key0, key1, episode, counts + (<usize>(sampler * parts * parts) << 2), scratch,
    );
  }
}
