// Weights in blocks of 32 with one scale each, as GGUF's Q8_0 and Q4_0 have them, times activations quantised to blocks of bytes likewise, which are kept as 16-bit numbers so that products need not widen them again and again. Scales and quanta lie apart: quanta [n, k] bytes (or nibbles, two a byte: element
// j of a block in the low, j + 16 in the high half of byte j), scales [n, k/32] floats.

import { multiplyAdd, sumLanes } from "./math";

/** Quantises rows of x[m, k] to blocks of 32 whole numbers of 16 bits in −127…127: scale max|x|/127. Tasks count blocks. */
export function quantizeBlocks(x: usize, quanta: usize, scales: usize, begin: i32, end: i32): void {
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
    for (let i: usize = 0; i < 32; i += 8) {
      const lo = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(source + 4 * i), factor)));
      const hi = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(source + 4 * i, 16), factor)));
      v128.store(target + 2 * i, i16x8.narrow_i32x4_s(lo, hi));
    }
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

/**
 * y[m, n] = Σ over blocks of activationScale·weightScale·(integer dot product): weights of 8 bits, or of 4 when `nibbles`. Tasks count rows of the weights.
 */
// @ts-ignore: decorator
@inline
function blockProduct(
  nibbles: bool, a: usize, aScales: usize, w: usize, wScales: usize, y: usize, m: i32, n: i32, blocks: i32, begin: i32, end: i32,
): void {
  const size: usize = nibbles ? 16 : 32;
  const low = i8x16.splat(15), eight = i8x16.splat(8);
  for (let column = begin; column < end; column++) {
    const weights = w + <usize>column * blocks * size;
    const scales = wScales + ((<usize>column * blocks) << 2);
    // Four rows of activations share the unpacking of each block of weights.
    for (let row = 0; row < m; row += 4) {
      const stride = <usize>blocks << 6;
      const rows = min(4, m - row);
      const a0 = a + <usize>row * stride;
      const a1 = a + <usize>(row + min(1, rows - 1)) * stride;
      const a2 = a + <usize>(row + min(2, rows - 1)) * stride;
      const a3 = a + <usize>(row + min(3, rows - 1)) * stride;
      const f0 = aScales + ((<usize>row * blocks) << 2);
      const f1 = aScales + ((<usize>(row + min(1, rows - 1)) * blocks) << 2);
      const f2 = aScales + ((<usize>(row + min(2, rows - 1)) * blocks) << 2);
      const f3 = aScales + ((<usize>(row + min(3, rows - 1)) * blocks) << 2);
      let t0 = f32x4.splat(0), t1 = t0, t2 = t0, t3 = t0;
      for (let block = 0; block < blocks; block++) {
        const at = <usize>block << 6;
        const word = <usize>block << 2;
        let w0: v128, w1: v128, w2: v128, w3: v128;
        if (nibbles) {
          const bytes = v128.load(weights + <usize>block * 16);
          const lo = i8x16.sub(v128.and(bytes, low), eight);
          const hi = i8x16.sub(i8x16.shr_u(bytes, 4), eight);
          w0 = i16x8.extend_low_i8x16_s(lo);
          w1 = i16x8.extend_high_i8x16_s(lo);
          w2 = i16x8.extend_low_i8x16_s(hi);
          w3 = i16x8.extend_high_i8x16_s(hi);
        } else {
          const from = weights + (<usize>block << 5);
          w0 = v128.load8x8_s(from);
          w1 = v128.load8x8_s(from, 8);
          w2 = v128.load8x8_s(from, 16);
          w3 = v128.load8x8_s(from, 24);
        }
        const scale = load<f32>(scales + word);
        t0 = multiplyAdd(f32x4.convert_i32x4_s(dotBlock(a0 + at, w0, w1, w2, w3)), f32x4.splat(scale * load<f32>(f0 + word)), t0);
        if (rows > 1) {
          t1 = multiplyAdd(f32x4.convert_i32x4_s(dotBlock(a1 + at, w0, w1, w2, w3)), f32x4.splat(scale * load<f32>(f1 + word)), t1);
          t2 = multiplyAdd(f32x4.convert_i32x4_s(dotBlock(a2 + at, w0, w1, w2, w3)), f32x4.splat(scale * load<f32>(f2 + word)), t2);
          t3 = multiplyAdd(f32x4.convert_i32x4_s(dotBlock(a3 + at, w0, w1, w2, w3)), f32x4.splat(scale * load<f32>(f3 + word)), t3);
        }
      }
      const target = y + ((<usize>row * n + column) << 2);
      const next = <usize>n << 2;
      store<f32>(target, sumLanes(t0));
      if (rows > 1) store<f32>(target + next, sumLanes(t1));
      if (rows > 2) store<f32>(target + 2 * next, sumLanes(t2));
      if (rows > 3) store<f32>(target + 3 * next, sumLanes(t3));
    }
  }
}

export function matmulQ8(a: usize, aScales: usize, w: usize, wScales: usize, y: usize, m: i32, n: i32, blocks: i32, begin: i32, end: i32): void {
  blockProduct(false, a, aScales, w, wScales, y, m, n, blocks, begin, end);
}

export function matmulQ4(a: usize, aScales: usize, w: usize, wScales: usize, y: usize, m: i32, n: i32, blocks: i32, begin: i32, end: i32): void {
  blockProduct(true, a, aScales, w, wScales, y, m, n, blocks, begin, end);
}
