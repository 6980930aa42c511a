// Attention of a few queries over cached keys and values, as generation asks it token by token. The heads that share keys are computed together, four in the lanes of a vector, so that each key is read once for them.
// Caches hold floats, or halves of them ("half").

import { halfOf, halvesAt } from "./half";
import { expNonPositive, multiplyAdd } from "./math";
import { ownScratch } from "./thread";

/** Four neighbouring numbers of a cache. */
// @ts-ignore: decorator
@inline
function numbersAt(half: bool, at: usize): v128 {
  return half ? halvesAt(at) : v128.load(at);
}

/** The four sums of the lanes of four vectors. */
// @ts-ignore: decorator
@inline
function sumsOf(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 1, 4, 5), v128.shuffle<f32>(a, b, 2, 3, 6, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 1, 4, 5), v128.shuffle<f32>(c, d, 2, 3, 6, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 2, 4, 6), v128.shuffle<f32>(ab, cd, 1, 3, 5, 7));
}

/**
 * y ← softmax(scale·q·Kᵀ)·V for q, y [keyHeads·group, queries, depth] and caches [keyHeads, ·, depth], `stride` numbers from head to head. Query i stands at length − queries + i and sees the keys up to there, the last
 * `window` of them when that is above 0. Depth is a multiple of 8. Tasks count key heads times queries.
 */
export function attendCache(
  q: usize, keys: usize, values: usize, y: usize, scratch: usize, scratchBytes: i32, half: i32, group: i32, queries: i32, length: i32, depth: i32, window: i32, stride: i32, scale: f32,
  begin: i32, end: i32,
): void {
  const scores = ownScratch(scratch, scratchBytes);
  const size: usize = half ? 2 : 4;
  for (let task = begin; task < end; task++) {
    const head = task / queries;
    const query = task % queries;
    const stop = length - queries + query + 1;
    const first = window > 0 ? max(0, stop - window) : 0;
    const start = (<usize>head * stride + <usize>first * depth) * size;
    for (let member = 0; member < group; member += 4) {
      // Lanes beyond the group repeat its last head.
      const at = (head * group + member) * queries + query;
      const last = min(3, group - 1 - member);
      const row = <usize>depth << 2, step = <usize>queries * row;
      const q0 = q + <usize>at * row;
      const q1 = q0 + <usize>min(1, last) * step, q2 = q0 + <usize>min(2, last) * step, q3 = q0 + <usize>last * step;
      if (half) weigh(true, q0, q1, q2, q3, keys + start, scores, stop - first, depth, scale);
      else weigh(false, q0, q1, q2, q3, keys + start, scores, stop - first, depth, scale);
      const y0 = y + (q0 - q), y1 = y + (q1 - q), y2 = y + (q2 - q), y3 = y + (q3 - q);
      if (half) collect(true, y0, y1, y2, y3, values + start, scores, stop - first, depth);
      else collect(false, y0, y1, y2, y3, values + start, scores, stop - first, depth);
    }
  }
}

/** scores[count][4] ← softmax over the keys of scale·q·k, a lane a head. */
// @ts-ignore: decorator
@inline
function weigh(half: bool, q0: usize, q1: usize, q2: usize, q3: usize, keys: usize, scores: usize, count: i32, depth: i32, scale: f32): void {
  const size: usize = half ? 2 : 4;
  const factor = f32x4.splat(scale);
  let most = f32x4.splat(-f32.MAX_VALUE);
  const row = <usize>depth * size, bytes = <usize>depth << 2;
  let key = 0;
  // Two keys at a time share the loads of the queries.
  for (; key + 2 <= count; key += 2, keys += 2 * row) {
    let a = f32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
    for (let i: usize = 0; i < bytes; i += 16) {
      const at = keys + (half ? i >> 1 : i);
      const k = numbersAt(half, at), l = numbersAt(half, at + row);
      let own = v128.load(q0 + i);
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
    const score = f32x4.mul(sumsOf(a, b, c, d), factor), next = f32x4.mul(sumsOf(e, f, g, h), factor);
    v128.store(scores + (<usize>key << 4), score);
    v128.store(scores + (<usize>key << 4), next, 16);
    most = f32x4.max(most, f32x4.max(score, next));
  }
  if (key < count) {
    let a = f32x4.splat(0), b = a, c = a, d = a;
    for (let i: usize = 0; i < bytes; i += 16) {
      const k = numbersAt(half, keys + (half ? i >> 1 : i));
      a = multiplyAdd(k, v128.load(q0 + i), a);
      b = multiplyAdd(k, v128.load(q1 + i), b);
      c = multiplyAdd(k, v128.load(q2 + i), c);
      d = multiplyAdd(k, v128.load(q3 + i), d);
    }
    const score = f32x4.mul(sumsOf(a, b, c, d), factor);
    v128.store(scores + (<usize>key << 4), score);
    most = f32x4.max(most, score);
  }
  let total = f32x4.splat(0);
  for (let at = scores, stop = scores + (<usize>count << 4); at < stop; at += 16) {
    const weight = expNonPositive(f32x4.sub(v128.load(at), most));
    v128.store(at, weight);
    total = f32x4.add(total, weight);
  }
  const inverse = f32x4.div(f32x4.splat(1), total);
  for (let at = scores, stop = scores + (<usize>count << 4); at < stop; at += 16) v128.store(at, f32x4.mul(v128.load(at), inverse));
}

/** Keys whose values are collected at a time, so that they stay in the first-level cache. */
const KEYS = 64;

/** y ← Σ weight·value for four heads, eight numbers at a time. */
// @ts-ignore: decorator
@inline
function collect(half: bool, y0: usize, y1: usize, y2: usize, y3: usize, values: usize, weights: usize, count: i32, depth: i32): void {
  const row = <usize>depth * (half ? 2 : 4);
  for (let key = 0; key < count; key += KEYS) {
    const stop = weights + (<usize>min(KEYS, count - key) << 4);
    for (let i: usize = 0, bytes = <usize>depth << 2; i < bytes; i += 32) {
      let a0 = f32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
      // Lanes beyond the group write the same place as the last: what was there is read before any is written.
      if (key > 0) {
        a0 = v128.load(y0 + i);
        a1 = v128.load(y0 + i, 16);
        b0 = v128.load(y1 + i);
        b1 = v128.load(y1 + i, 16);
        c0 = v128.load(y2 + i);
        c1 = v128.load(y2 + i, 16);
        d0 = v128.load(y3 + i);
        d1 = v128.load(y3 + i, 16);
      }
      let value = values + (half ? i >> 1 : i);
      for (let at = weights; at < stop; at += 16, value += row) {
        const v0 = numbersAt(half, value), v1 = numbersAt(half, value + (half ? 8 : 16));
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
      v128.store(y0 + i, a0);
      v128.store(y0 + i, a1, 16);
      v128.store(y1 + i, b0);
      v128.store(y1 + i, b1, 16);
      v128.store(y2 + i, c0);
      v128.store(y2 + i, c1, 16);
      v128.store(y3 + i, d0);
      v128.store(y3 + i, d1, 16);
    }
    values += KEYS * row;
    weights += KEYS << 4;
  }
}

/** Appends rows of x [heads, count, depth] behind `start` rows of a cache [heads, ·, depth], `stride` numbers from head to head, as floats or halves. Tasks count heads. */
export function appendCache(x: usize, cache: usize, half: i32, count: i32, depth: i32, start: i32, stride: i32, begin: i32, end: i32): void {
  for (let head = begin; head < end; head++) {
    const from = x + ((<usize>head * count * depth) << 2);
    const to = cache + ((<usize>head * stride + <usize>start * depth) << (half ? 1 : 2));
    if (half) for (let i = 0; i < count * depth; i++) store<u16>(to + (<usize>i << 1), halfOf(load<u32>(from + (<usize>i << 2))));
    else memory.copy(to, from, (<usize>count * depth) << 2);
  }
}
