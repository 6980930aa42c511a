// Reductions of a [outer, n, inner] view over its middle axis. The axis is cut into fixed blocks,
// each giving one partial result, and further calls reduce the partials: work for threads even
// where outer·inner is small, the same bits for any thread count, and an error that grows with the
// block rather than with n.

import { expNonPositive, logVector, maxLanes, sumLanes } from "./math";

enum Reduce { Sum, Max, Min, Peak }

/** Floats that are added in f32; the sums of longer runs are added in f64. */
export const RUN: i32 = 4096;

/** Columns of a tile in the inner > 1 case: 4 accumulators of 4 lanes. */
const TILE: i32 = 16;

// @ts-ignore: decorator
@inline
function start(op: i32): v128 {
  return op == Reduce.Sum ? f32x4.splat(0) : op == Reduce.Min ? f32x4.splat(Infinity) : f32x4.splat(-Infinity);
}

// @ts-ignore: decorator
@inline
function combine(op: i32, a: v128, b: v128): v128 {
  if (op == Reduce.Peak) return f32x4.pmax(a, b);
  return op == Reduce.Sum ? f32x4.add(a, b) : op == Reduce.Max ? f32x4.max(a, b) : f32x4.min(a, b);
}

// @ts-ignore: decorator
@inline
function combineLanes(op: i32, v: v128): f32 {
  if (op == Reduce.Sum) return sumLanes(v);
  return op == Reduce.Min ? -maxLanes(f32x4.neg(v)) : maxLanes(v);
}

// @ts-ignore: decorator
@inline
function reduceRun(op: i32, x: usize, n: i32): f32 {
  let r0 = start(op), r1 = r0, r2 = r0, r3 = r0;
  const stop = x + (<usize>n << 2);
  for (; x + 64 <= stop; x += 64) {
    r0 = combine(op, r0, v128.load(x));
    r1 = combine(op, r1, v128.load(x, 16));
    r2 = combine(op, r2, v128.load(x, 32));
    r3 = combine(op, r3, v128.load(x, 48));
  }
  r0 = combine(op, combine(op, r0, r1), combine(op, r2, r3));
  for (; x + 16 <= stop; x += 16) r0 = combine(op, r0, v128.load(x));
  let result = combineLanes(op, r0);
  for (; x < stop; x += 4) {
    const value = load<f32>(x);
    result = op == Reduce.Sum ? result + value : op == Reduce.Min ? min(result, value) : max(result, value);
  }
  return result;
}

/**
 * y[outer, blocks, inner] = reduce of each block of `block` along the middle axis of
 * x[outer, n, inner], over `divisor`. Tasks [begin, end) count (outer, block, tile of 16 columns).
 */
// @ts-ignore: decorator
@inline
function reduce(op: i32, x: usize, y: usize, n: i32, inner: i32, block: i32, divisor: f32, begin: i32, end: i32): void {
  const blocks = max(1, (n + block - 1) / block);
  const tiles = (inner + TILE - 1) / TILE;
  const row = <usize>inner << 2;
  const quotient = f32x4.splat(divisor);
  for (let task = begin; task < end; task++) {
    const tile = task % tiles;
    const part = (task / tiles) % blocks;
    const outer = task / tiles / blocks;
    const first = part * block;
    const count = min(block, n - first);
    const source = x + (((<usize>outer * n + first) * inner + tile * TILE) << 2);
    const target = y + (((<usize>outer * blocks + part) * inner + tile * TILE) << 2);
    if (inner == 1) {
      store<f32>(target, reduceRun(op, source, count) / divisor);
      continue;
    }
    const width = min(TILE, inner - tile * TILE);
    if (width == TILE) {
      let r0 = start(op), r1 = r0, r2 = r0, r3 = r0;
      let at = source;
      for (let i = 0; i < count; i++) {
        r0 = combine(op, r0, v128.load(at));
        r1 = combine(op, r1, v128.load(at, 16));
        r2 = combine(op, r2, v128.load(at, 32));
        r3 = combine(op, r3, v128.load(at, 48));
        at += row;
      }
      v128.store(target, f32x4.div(r0, quotient));
      v128.store(target, f32x4.div(r1, quotient), 16);
      v128.store(target, f32x4.div(r2, quotient), 32);
      v128.store(target, f32x4.div(r3, quotient), 48);
    } else {
      for (let column = 0; column < width; column++) {
        let at = source + (<usize>column << 2);
        let r = start(op);
        for (let i = 0; i < count; i++) {
          r = combine(op, r, v128.load32_zero(at));
          at += row;
        }
        v128.store_lane<f32>(target + (<usize>column << 2), f32x4.div(r, quotient), 0);
      }
    }
  }
}

export function sum(x: usize, y: usize, n: i32, inner: i32, block: i32, divisor: f32, begin: i32, end: i32): void {
  reduce(Reduce.Sum, x, y, n, inner, block, divisor, begin, end);
}

export function max_(x: usize, y: usize, n: i32, inner: i32, block: i32, divisor: f32, begin: i32, end: i32): void {
  reduce(Reduce.Max, x, y, n, inner, block, divisor, begin, end);
}

export function min_(x: usize, y: usize, n: i32, inner: i32, block: i32, divisor: f32, begin: i32, end: i32): void {
  reduce(Reduce.Min, x, y, n, inner, block, divisor, begin, end);
}

/**
 * Position (i32) of the largest element of x·sign along the middle axis, the first of equals; NaN
 * counts as largest. Tasks count (outer, inner).
 */
export function argmax(x: usize, y: usize, n: i32, inner: i32, sign: f32, begin: i32, end: i32): void {
  const row = <usize>inner << 2;
  for (let task = begin; task < end; task++) {
    let at = x + ((<usize>(task / inner) * n * inner + task % inner) << 2);
    let best = sign * load<f32>(at);
    let position = 0;
    for (let i = 1; i < n; i++) {
      at += row;
      const value = sign * load<f32>(at);
      if (value > best || (value != value && best == best)) {
        best = value;
        position = i;
      }
    }
    store<i32>(y + (<usize>task << 2), position);
  }
}

/** y[r] = log Σⱼ exp x[r, j] for rows [begin, end); ±∞ where that is the largest of a row. */
export function logSumExp(x: usize, y: usize, n: i32, begin: i32, end: i32): void {
  for (let row = begin; row < end; row++) {
    store<f32>(y + (<usize>row << 2), rowLogSumExp(x + ((<usize>row * n) << 2), n));
  }
}

/** log Σⱼ exp xⱼ of n contiguous floats. */
function rowLogSumExp(x: usize, n: i32): f32 {
  const largest = rowPeak(x, n);
  if (abs(largest) == Infinity) return reduceRun(Reduce.Max, x, n);
  return largest + logOfSum(sumExponentials(x, n, largest));
}

/** Logarithm of a sum. */
export function logOfSum(sum: f32): f32 {
  return f32x4.extract_lane(logVector(f32x4.splat(sum)), 0);
}

/** Σⱼ exp(xⱼ − shift) of n contiguous floats, none above `shift`. */
export function sumExponentials(x: usize, n: i32, shift: f32): f32 {
  if (n <= RUN) return exponentials(x, 0, n, shift, false);
  let total: f64 = 0;
  for (; n > 0; n -= RUN, x += RUN << 2) total += sumExponentials(x, min(RUN, n), shift);
  return <f32>total;
}

/** The same for at most `RUN` floats; `keep` stores the terms in y. */
// @ts-ignore: decorator
@inline
export function exponentials(x: usize, y: usize, n: i32, shift: f32, keep: bool): f32 {
  const shiftVector = f32x4.splat(shift);
  let total = f32x4.splat(0);
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    const at = <usize>i << 2;
    const e0 = expNonPositive(f32x4.sub(v128.load(x + at), shiftVector));
    const e1 = expNonPositive(f32x4.sub(v128.load(x + at, 16), shiftVector));
    total = f32x4.add(total, f32x4.add(e0, e1));
    if (keep) {
      v128.store(y + at, e0);
      v128.store(y + at, e1, 16);
    }
  }
  for (; i + 4 <= n; i += 4) {
    const at = <usize>i << 2;
    const e = expNonPositive(f32x4.sub(v128.load(x + at), shiftVector));
    total = f32x4.add(total, e);
    if (keep) v128.store(y + at, e);
  }
  let sum = sumLanes(total);
  for (; i < n; i++) {
    const at = <usize>i << 2;
    const e = expNonPositive(f32x4.sub(v128.load32_zero(x + at), shiftVector));
    sum += f32x4.extract_lane(e, 0);
    if (keep) v128.store_lane<f32>(y + at, e, 0);
  }
  return sum;
}

/**
 * Largest of n contiguous floats by the one-instruction maximum, which may lose a NaN: for shifts
 * of exponents, whose sum finds the NaN again.
 */
export function rowPeak(x: usize, n: i32): f32 {
  return reduceRun(Reduce.Peak, x, n);
}
