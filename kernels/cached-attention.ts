// Attention of a few queries over cached keys and values, as decoding needs it token by token. The
// heads that share keys are computed together, four in the lanes of a vector, and keys come in
// blocks that stay in the first-level cache: each is read once for all of them. Caches hold floats,
// or halves of them ("half"), which are widened block by block.

import { halfOf, halvesAt } from "./half";
import { expNonPositive, multiplyAdd } from "./math";
import { ownScratch } from "./thread";

/** Keys of a block. */
const KEYS: i32 = 64;

/** The four sums of the lanes of four vectors. */
// @ts-ignore: decorator
@inline
function sumsOf(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 1, 4, 5), v128.shuffle<f32>(a, b, 2, 3, 6, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 1, 4, 5), v128.shuffle<f32>(c, d, 2, 3, 6, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 2, 4, 6), v128.shuffle<f32>(ab, cd, 1, 3, 5, 7));
}

/**
 * Rows of a block as floats: where they are, or widened to `wide`. `numbers` is a multiple of 8.
 */
// @ts-ignore: decorator
@inline
function floatsOf(half: i32, at: usize, numbers: i32, wide: usize): usize {
  if (!half) return at;
  for (let i: usize = 0; i < <usize>numbers; i += 8) {
    v128.store(wide + (i << 2), halvesAt(at + (i << 1)));
    v128.store(wide + (i << 2), halvesAt(at + (i << 1) + 8), 16);
  }
  return wide;
}

/**
 * y ← softmax(scale·q·Kᵀ)·V for q, y [keyHeads·group, queries, depth] and caches [keyHeads, ·,
 * depth], `stride` numbers from head to head. Query i stands at length − queries + i and sees the
 * keys up to there, the last `window` of them when that is above 0. Depth is a multiple of 8. Tasks
 * count key heads times queries. Scratch: 16 bytes for each key and four heads, and a block of keys
 * as floats.
 */
export function attendCache(
  q: usize, keys: usize, values: usize, y: usize, scratch: usize, scratchBytes: i32, half: i32, group: i32, queries: i32, length: i32, depth: i32, window: i32, stride: i32, scale: f32,
  begin: i32, end: i32,
): void {
  const wide = ownScratch(scratch, scratchBytes);
  const scores = wide + ((<usize>KEYS * depth) << 2);
  const size: usize = half ? 2 : 4;
  const row = <usize>depth << 2;
  // From one head of the group to the next.
  const step = <usize>queries * row;
  for (let task = begin; task < end; task++) {
    const head = task / queries;
    const query = task % queries;
    const stop = length - queries + query + 1;
    const first = window > 0 ? max(0, stop - window) : 0;
    const count = stop - first;
    const start = (<usize>head * stride + <usize>first * depth) * size;
    const own = <usize>(head * group * queries + query) * row;
    for (let key = 0; key < count; key += KEYS) {
      const some = min(KEYS, count - key);
      const block = floatsOf(half, keys + start + <usize>(key * depth) * size, some * depth, wide);
      for (let member = 0; member < group; member += 4)
        weigh(q + own + <usize>member * step, step, min(4, group - member), block, scores + (<usize>((member >> 2) * count + key) << 4), some, depth, scale);
    }
    for (let member = 0; member < group; member += 4) normalize(scores + (<usize>((member >> 2) * count) << 4), count);
    for (let key = 0; key < count; key += KEYS) {
      const some = min(KEYS, count - key);
      const block = floatsOf(half, values + start + <usize>(key * depth) * size, some * depth, wide);
      for (let member = 0; member < group; member += 4)
        collect(y + own + <usize>member * step, step, min(4, group - member), block, scores + (<usize>((member >> 2) * count + key) << 4), some, depth, key > 0);
    }
  }
}

/** scores[count][4] ← scale·q·k, a lane a head; lanes beyond `heads` repeat the last. */
function weigh(q: usize, step: usize, heads: i32, keys: usize, scores: usize, count: i32, depth: i32, scale: f32): void {
  const q1 = q + <usize>min(1, heads - 1) * step, q2 = q + <usize>min(2, heads - 1) * step, q3 = q + <usize>(heads - 1) * step;
  const factor = f32x4.splat(scale);
  const row = <usize>depth << 2;
  let key = 0;
  // Two keys at a time share the loads of the queries.
  for (; key + 2 <= count; key += 2, keys += 2 * row) {
    let a = f32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
    for (let i: usize = 0; i < row; i += 16) {
      const k = v128.load(keys + i), l = v128.load(keys + i + row);
      let own = v128.load(q + i);
      a = multiplyAdd(k, own, a);
      e = multiplyAdd(l, own, e);
      own = v128.load(q1 + i);
      b = multiplyAdd(k, own, b);
      f = multiplyAdd(l, own, f);
      own = v128.load(q2 + i);
      c = multiplyAdd(k, own, c);
      g = multiplyAdd(l, own, g);
      own = v128.load(q3 + i);
      d = multiplyAdd(k, own, d);
      h = multiplyAdd(l, own, h);
    }
    v128.store(scores + (<usize>key << 4), f32x4.mul(sumsOf(a, b, c, d), factor));
    v128.store(scores + (<usize>key << 4), f32x4.mul(sumsOf(e, f, g, h), factor), 16);
  }
  if (key == count) return;
  let a = f32x4.splat(0), b = a, c = a, d = a;
  for (let i: usize = 0; i < row; i += 16) {
    const k = v128.load(keys + i);
    a = multiplyAdd(k, v128.load(q + i), a);
    b = multiplyAdd(k, v128.load(q1 + i), b);
    c = multiplyAdd(k, v128.load(q2 + i), c);
    d = multiplyAdd(k, v128.load(q3 + i), d);
  }
  v128.store(scores + (<usize>key << 4), f32x4.mul(sumsOf(a, b, c, d), factor));
}

/** scores[count][4] ← softmax over the keys, lane by lane. */
function normalize(scores: usize, count: i32): void {
  const stop = scores + (<usize>count << 4);
  let most = v128.load(scores);
  for (let at = scores; at < stop; at += 16) most = f32x4.max(most, v128.load(at));
  let total = f32x4.splat(0);
  for (let at = scores; at < stop; at += 16) {
    const weight = expNonPositive(f32x4.sub(v128.load(at), most));
    v128.store(at, weight);
    total = f32x4.add(total, weight);
  }
  const inverse = f32x4.div(f32x4.splat(1), total);
  for (let at = scores; at < stop; at += 16) v128.store(at, f32x4.mul(v128.load(at), inverse));
}

/**
 * y (+)= Σ weight·value for up to four heads, eight numbers at a time. Lanes beyond `heads` make
 * what the last makes, and write it to the same place.
 */
function collect(y: usize, step: usize, heads: i32, values: usize, weights: usize, count: i32, depth: i32, more: bool): void {
  const y1 = y + <usize>min(1, heads - 1) * step, y2 = y + <usize>min(2, heads - 1) * step, y3 = y + <usize>(heads - 1) * step;
  const row = <usize>depth << 2;
  const stop = weights + (<usize>count << 4);
  for (let i: usize = 0; i < row; i += 32) {
    let a0 = f32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
    if (more) {
      a0 = v128.load(y + i);
      a1 = v128.load(y + i, 16);
      b0 = v128.load(y1 + i);
      b1 = v128.load(y1 + i, 16);
      c0 = v128.load(y2 + i);
      c1 = v128.load(y2 + i, 16);
      d0 = v128.load(y3 + i);
      d1 = v128.load(y3 + i, 16);
    }
    let value = values + i;
    for (let at = weights; at < stop; at += 16, value += row) {
      const v0 = v128.load(value), v1 = v128.load(value, 16);
      const w = v128.load(at);
      let own = v128.shuffle<f32>(w, w, 0, 0, 0, 0);
      a0 = multiplyAdd(own, v0, a0);
      a1 = multiplyAdd(own, v1, a1);
      own = v128.shuffle<f32>(w, w, 1, 1, 1, 1);
      b0 = multiplyAdd(own, v0, b0);
      b1 = multiplyAdd(own, v1, b1);
      own = v128.shuffle<f32>(w, w, 2, 2, 2, 2);
      c0 = multiplyAdd(own, v0, c0);
      c1 = multiplyAdd(own, v1, c1);
      own = v128.shuffle<f32>(w, w, 3, 3, 3, 3);
      d0 = multiplyAdd(own, v0, d0);
      d1 = multiplyAdd(own, v1, d1);
    }
    v128.store(y + i, a0);
    v128.store(y + i, a1, 16);
    v128.store(y1 + i, b0);
    v128.store(y1 + i, b1, 16);
    v128.store(y2 + i, c0);
    v128.store(y2 + i, c1, 16);
    v128.store(y3 + i, d0);
    v128.store(y3 + i, d1, 16);
  }
}

/**
 * Appends rows of x [heads, count, depth] behind `start` rows of a cache [heads, ·, depth],
 * `stride` numbers from head to head, as floats or halves. Tasks count heads.
 */
export function appendCache(x: usize, cache: usize, half: i32, count: i32, depth: i32, start: i32, stride: i32, begin: i32, end: i32): void {
  for (let head = begin; head < end; head++) {
    const from = x + ((<usize>head * count * depth) << 2);
    const to = cache + ((<usize>head * stride + <usize>start * depth) << (half ? 1 : 2));
    if (half) for (let i = 0; i < count * depth; i++) store<u16>(to + (<usize>i << 1), halfOf(load<u32>(from + (<usize>i << 2))));
    else memory.copy(to, from, (<usize>count * depth) << 2);
  }
}
