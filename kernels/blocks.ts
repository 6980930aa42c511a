// Weights in blocks of 32 with one scale each, as GGUF's Q8_0 and Q4_0 have them, times activations quantised to blocks of bytes likewise, which are kept as 16-bit numbers so that products need not widen them again and again. Scales and quanta lie apart: quanta [n, k] bytes (or nibbles, two a byte: element
// j of a block in the low, j + 16 in the high half of byte j), scales [n, k/32] floats.

import { dotSeven } from "./int8";
import { multiplyAdd, sumLanes } from "./math";

/** Quantises rows of x[m, k] to blocks of 32 whole numbers of 16 bits in −127…127: scale max|x|/127; sums[block] = scale·Σ of the numbers. Tasks count blocks. */
export function quantizeBlocks(x: usize, quanta: usize, scales: usize, sums: usize, begin: i32, end: i32): void {
  for (let block = begin; block < end; block++) {
    const source = x + (<usize>block << 7);
    const target = quanta + (<usize>block << 6);
    let largest = f32x4.splat(0);
    for (let i: usize = 0; i < 128; i += 16) largest = f32x4.max(largest, f32x4.abs(v128.load(source + i)));
    const peak = max(
      max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)), max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
    );
    store<f32>(scales + (<usize>block << 2), peak / 127);
    const factor = f32x4.splat(peak > 0 ? 127 / peak : 0);
    let total = i32x4.splat(0);
    for (let i: usize = 0; i < 32; i += 8) {
      const lo = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(source + 4 * i), factor)));
      const hi = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(source + 4 * i, 16), factor)));
      total = i32x4.add(total, i32x4.add(lo, hi));
      v128.store(target + 2 * i, i16x8.narrow_i32x4_s(lo, hi));
    }
    store<f32>(sums + (<usize>block << 2), sumLanes(f32x4.convert_i32x4_s(total)) * (peak / 127));
  }
}

/** Sum of the 32 products of a block of activations and one of weights (four vectors of 16-bit numbers), in four lanes. */
// @ts-ignore: decorator
@inline
function dotBlock(a: usize, w0: v128, w1: v128, w2: v128, w3: v128): v128 {
  return i32x4.add(
    i32x4.add(i32x4.dot_i16x8_s(v128.load(a), w0), i32x4.dot_i16x8_s(v128.load(a, 16), w1)),
    i32x4.add(i32x4.dot_i16x8_s(v128.load(a, 32), w2), i32x4.dot_i16x8_s(v128.load(a, 48), w3)),
  );
}

/** The first 16 or last 16 weights of a block, as they are stored: bytes, or nibbles without their offset of 8. */
// @ts-ignore: decorator
@inline
function weightsAt(nibbles: bool, weights: usize, block: i32, part: usize): v128 {
  if (!nibbles) return v128.load(weights + (<usize>block << 5) + (part << 4));
  const bytes = v128.load(weights + (<usize>block << 4));
  return part == 0 ? v128.and(bytes, i8x16.splat(15)) : i8x16.shr_u(bytes, 4);
}

/** Σ of n products of contiguous floats. */
// @ts-ignore: decorator
@inline
function scaleDot(a: usize, b: usize, n: i32): f32 {
  let total = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= n; i += 4) total = multiplyAdd(v128.load(a + (<usize>i << 2)), v128.load(b + (<usize>i << 2)), total);
  let sum = sumLanes(total);
  for (; i < n; i++) sum += load<f32>(a + (<usize>i << 2)) * load<f32>(b + (<usize>i << 2));
  return sum;
}

/**
 * y[m, n] = Σ over blocks of activationScale·weightScale·(integer dot product) − Σ offset·(sum of activations): weights of 8 bits, or of 4 when `nibbles`. `offsets` holds what is taken off a block's weights, one float a block; without
 * it nibbles stand for q − 8 and bytes for themselves. Tasks count rows of the weights.
 */
// @ts-ignore: decorator
@inline
function blockProduct(
  nibbles: bool, a: usize, aScales: usize, aSums: usize, w: usize, wScales: usize, wOffsets: usize, y: usize, m: i32, n: i32, blocks: i32, begin: i32, end: i32,
): void {
  const size: usize = nibbles ? 16 : 32;
  const stride = <usize>blocks << 6;
  const row4 = <usize>blocks << 2;
  for (let column = begin; column < end; column++) {
    const weights = w + <usize>column * blocks * size;
    const scales = wScales + <usize>column * row4;
    const offsets = wOffsets != 0 ? wOffsets + <usize>column * row4 : 0;
    let row = 0;
    // Rows in fours share the unpacking of each block of weights.
    for (; row + 4 <= m; row += 4) {
      const a0 = a + <usize>row * stride;
      const f0 = aScales + <usize>row * row4;
      let t0 = f32x4.splat(0), t1 = t0, t2 = t0, t3 = t0;
      for (let block = 0; block < blocks; block++) {
        const at = a0 + (<usize>block << 6);
        const f = f0 + (<usize>block << 2);
        const lo = weightsAt(nibbles, weights, block, 0), hi = weightsAt(nibbles, weights, block, 1);
        const w0 = i16x8.extend_low_i8x16_s(lo), w1 = i16x8.extend_high_i8x16_s(lo);
        const w2 = i16x8.extend_low_i8x16_s(hi), w3 = i16x8.extend_high_i8x16_s(hi);
        const scale = load<f32>(scales + (<usize>block << 2));
        t0 = multiplyAdd(f32x4.convert_i32x4_s(dotBlock(at, w0, w1, w2, w3)), f32x4.splat(scale * load<f32>(f)), t0);
        t1 = multiplyAdd(f32x4.convert_i32x4_s(dotBlock(at + stride, w0, w1, w2, w3)), f32x4.splat(scale * load<f32>(f + row4)), t1);
        t2 = multiplyAdd(f32x4.convert_i32x4_s(dotBlock(at + 2 * stride, w0, w1, w2, w3)), f32x4.splat(scale * load<f32>(f + 2 * row4)), t2);
        t3 = multiplyAdd(f32x4.convert_i32x4_s(dotBlock(at + 3 * stride, w0, w1, w2, w3)), f32x4.splat(scale * load<f32>(f + 3 * row4)), t3);
      }
      storeSum(nibbles, y, row, column, n, sumLanes(t0), aSums, scales, offsets, blocks);
      storeSum(nibbles, y, row + 1, column, n, sumLanes(t1), aSums, scales, offsets, blocks);
      storeSum(nibbles, y, row + 2, column, n, sumLanes(t2), aSums, scales, offsets, blocks);
      storeSum(nibbles, y, row + 3, column, n, sumLanes(t3), aSums, scales, offsets, blocks);
    }
  }
  // One to three rows are left, such as the one of a token: four rows of weights at a time share its activations.
  for (let row = m & ~3; row < m; row++) {
    let column = begin;
    for (; column + 4 <= end; column += 4) fourColumns(nibbles, a, aScales, aSums, w, wScales, wOffsets, y, row, column, n, blocks);
    for (; column < end; column++) oneColumn(nibbles, a, aScales, aSums, w, wScales, wOffsets, y, row, column, n, blocks);
  }
}

/** One row of activations times one of weights. */
function oneColumn(nibbles: bool, a: usize, aScales: usize, aSums: usize, w: usize, wScales: usize, wOffsets: usize, y: usize, row: i32, column: i32, n: i32, blocks: i32): void {
  const weights = w + <usize>column * blocks * <usize>(nibbles ? 16 : 32);
  const row4 = <usize>blocks << 2;
  let at = a + ((<usize>row * blocks) << 6);
  let f = aScales + <usize>row * row4;
  const scales = wScales + <usize>column * row4;
  let s = scales;
  let t = f32x4.splat(0);
  for (let block = 0; block < blocks; block++, at += 64, f += 4, s += 4) {
    const lo = weightsAt(nibbles, weights, block, 0), hi = weightsAt(nibbles, weights, block, 1);
    const dot = dotBlock(at, i16x8.extend_low_i8x16_s(lo), i16x8.extend_high_i8x16_s(lo), i16x8.extend_low_i8x16_s(hi), i16x8.extend_high_i8x16_s(hi));
    t = multiplyAdd(f32x4.convert_i32x4_s(dot), f32x4.mul(v128.load32_splat(s), v128.load32_splat(f)), t);
  }
  storeSum(nibbles, y, row, column, n, sumLanes(t), aSums, scales, wOffsets != 0 ? wOffsets + <usize>column * row4 : 0, blocks);
}

/** A block of weights times a block of activations, in four lanes. The narrow activations serve nibbles where there is a dot product of bytes: 0…15 fit its second operand on every host. */
// @ts-ignore: decorator
@inline
function product(nibbles: bool, weights: usize, block: i32, narrow0: v128, narrow1: v128, a0: v128, a1: v128, a2: v128, a3: v128): v128 {
  const lo = weightsAt(nibbles, weights, block, 0), hi = weightsAt(nibbles, weights, block, 1);
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (nibbles) return dotSeven(narrow1, hi, dotSeven(narrow0, lo, i32x4.splat(0)));
  }
  return i32x4.add(
    i32x4.add(i32x4.dot_i16x8_s(a0, i16x8.extend_low_i8x16_s(lo)), i32x4.dot_i16x8_s(a1, i16x8.extend_high_i8x16_s(lo))),
    i32x4.add(i32x4.dot_i16x8_s(a2, i16x8.extend_low_i8x16_s(hi)), i32x4.dot_i16x8_s(a3, i16x8.extend_high_i8x16_s(hi))),
  );
}

/** One row of activations times four of weights. */
// @ts-ignore: decorator
@inline
function fourColumns(nibbles: bool, a: usize, aScales: usize, aSums: usize, w: usize, wScales: usize, wOffsets: usize, y: usize, row: i32, column: i32, n: i32, blocks: i32): void {
  const stride = <usize>blocks * <usize>(nibbles ? 16 : 32);
  const row4 = <usize>blocks << 2;
  const w0 = w + <usize>column * stride, w1 = w0 + stride, w2 = w1 + stride, w3 = w2 + stride;
  const scales = wScales + <usize>column * row4;
  let at = a + ((<usize>row * blocks) << 6);
  let f = aScales + <usize>row * row4;
  let s = scales;
  let t0 = f32x4.splat(0), t1 = t0, t2 = t0, t3 = t0;
  for (let block = 0; block < blocks; block++, at += 64, f += 4, s += 4) {
    const a0 = v128.load(at), a1 = v128.load(at, 16), a2 = v128.load(at, 32), a3 = v128.load(at, 48);
    const narrow0 = i8x16.narrow_i16x8_s(a0, a1), narrow1 = i8x16.narrow_i16x8_s(a2, a3);
    const scale = load<f32>(f);
    t0 = multiplyAdd(f32x4.convert_i32x4_s(product(nibbles, w0, block, narrow0, narrow1, a0, a1, a2, a3)), f32x4.splat(scale * load<f32>(s)), t0);
    t1 = multiplyAdd(f32x4.convert_i32x4_s(product(nibbles, w1, block, narrow0, narrow1, a0, a1, a2, a3)), f32x4.splat(scale * load<f32>(s + row4)), t1);
    t2 = multiplyAdd(f32x4.convert_i32x4_s(product(nibbles, w2, block, narrow0, narrow1, a0, a1, a2, a3)), f32x4.splat(scale * load<f32>(s + 2 * row4)), t2);
    t3 = multiplyAdd(f32x4.convert_i32x4_s(product(nibbles, w3, block, narrow0, narrow1, a0, a1, a2, a3)), f32x4.splat(scale * load<f32>(s + 3 * row4)), t3);
  }
  const offsets = wOffsets != 0 ? wOffsets + <usize>column * row4 : 0;
  const next = wOffsets != 0 ? row4 : 0;
  storeSum(nibbles, y, row, column, n, sumLanes(t0), aSums, scales, offsets, blocks);
  storeSum(nibbles, y, row, column + 1, n, sumLanes(t1), aSums, scales + row4, offsets + next, blocks);
  storeSum(nibbles, y, row, column + 2, n, sumLanes(t2), aSums, scales + 2 * row4, offsets + 2 * next, blocks);
  storeSum(nibbles, y, row, column + 3, n, sumLanes(t3), aSums, scales + 3 * row4, offsets + 3 * next, blocks);
}

// @ts-ignore: decorator
@inline
function storeSum(nibbles: bool, y: usize, row: i32, column: i32, n: i32, sum: f32, aSums: usize, scales: usize, offsets: usize, blocks: i32): void {
  const own = aSums + ((<usize>row * blocks) << 2);
  if (offsets != 0) sum -= scaleDot(offsets, own, blocks);
  else if (nibbles) sum -= 8 * scaleDot(scales, own, blocks);
  store<f32>(y + ((<usize>row * n + column) << 2), sum);
}

export function matmulQ8(a: usize, aScales: usize, aSums: usize, w: usize, wScales: usize, wOffsets: usize, y: usize, m: i32, n: i32, blocks: i32, begin: i32, end: i32): void {
  blockProduct(false, a, aScales, aSums, w, wScales, wOffsets, y, m, n, blocks, begin, end);
}

export function matmulQ4(a: usize, aScales: usize, aSums: usize, w: usize, wScales: usize, wOffsets: usize, y: usize, m: i32, n: i32, blocks: i32, begin: i32, end: i32): void {
  blockProduct(true, a, aScales, aSums, w, wScales, wOffsets, y, m, n, blocks, begin, end);
}

/** The same for bytes with two scales a block, one for each half of it: wScales [n, 2·blocks]. */
export function matmulQ8Halves(a: usize, aScales: usize, w: usize, wScales: usize, y: usize, m: i32, n: i32, blocks: i32, begin: i32, end: i32): void {
  for (let column = begin; column < end; column++) {
    const weights = w + ((<usize>column * blocks) << 5);
    for (let row = 0; row < m; row++) {
      let at = a + ((<usize>row * blocks) << 6);
      let f = aScales + ((<usize>row * blocks) << 2);
      let s = wScales + ((<usize>column * blocks) << 3);
      let t = f32x4.splat(0);
      for (let block = 0; block < blocks; block++, at += 64, f += 4, s += 8) {
        const lo = weightsAt(false, weights, block, 0), hi = weightsAt(false, weights, block, 1);
        const first = i32x4.add(i32x4.dot_i16x8_s(v128.load(at), i16x8.extend_low_i8x16_s(lo)), i32x4.dot_i16x8_s(v128.load(at, 16), i16x8.extend_high_i8x16_s(lo)));
        const second = i32x4.add(i32x4.dot_i16x8_s(v128.load(at, 32), i16x8.extend_low_i8x16_s(hi)), i32x4.dot_i16x8_s(v128.load(at, 48), i16x8.extend_high_i8x16_s(hi)));
        const scale = v128.load32_splat(f);
        t = multiplyAdd(f32x4.convert_i32x4_s(first), f32x4.mul(v128.load32_splat(s), scale), t);
        t = multiplyAdd(f32x4.convert_i32x4_s(second), f32x4.mul(v128.load32_splat(s, 4), scale), t);
      }
      store<f32>(y + ((<usize>row * n + column) << 2), sumLanes(t));
    }
  }
}
