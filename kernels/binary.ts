// Numbers of one bit, −1 and 1: products by exclusive or and counting, and sums of planes of bits
// by carry-save adders.

import { ownScratch, ownTile } from "./thread";

/**
 * Signs of rows of x[rows, k] as bits (1 for x < 0), each row in whole vectors of 128; bits past k
 * are 0. Tasks count rows.
 */
export function packSigns(x: usize, bits: usize, k: i32, begin: i32, end: i32): void {
  const vectors = (k + 127) / 128;
  for (let row = begin; row < end; row++) {
    const source = x + ((<usize>row * k) << 2);
    const target = bits + ((<usize>row * vectors) << 4);
    for (let word = 0; word < vectors * 4; word++) {
      let value: u32 = 0;
      const count = min(32, k - word * 32);
      let i = 0;
      for (; i + 4 <= count; i += 4) {
        const at = source + (<usize>(word * 32 + i) << 2);
        value |= <u32>i32x4.bitmask(f32x4.lt(v128.load(at), f32x4.splat(0))) << i;
      }
      for (; i < count; i++) if (load<f32>(source + (<usize>(word * 32 + i) << 2)) < 0) value |= <u32>1 << i;
      store<u32>(target + (<usize>word << 2), value);
    }
  }
}

/** Vectors whose byte counts are added before they would overflow: 8 a vector. */
const FLUSH: i32 = 31;

/**
 * y[m, n] = k − 2·(differing bits of row m of A and row n of B). Tile of 2×4 rows. Tasks count
 * pairs of rows of A.
 */
export function matmulBits(a: usize, b: usize, y: usize, m: i32, n: i32, k: i32, begin: i32, end: i32): void {
  const vectors = (k + 127) / 128;
  const stride = <usize>vectors << 4;
  for (let pair = begin; pair < end; pair++) {
    const row = pair * 2;
    const second = min(row + 1, m - 1);
    for (let column = 0; column < n; column += 4) {
      const last = n - 1;
      let a0 = a + <usize>row * stride, a1 = a + <usize>second * stride;
      let b0 = b + <usize>column * stride, b1 = b + <usize>min(column + 1, last) * stride;
      let b2 = b + <usize>min(column + 2, last) * stride, b3 = b + <usize>min(column + 3, last) * stride;
      let s00 = i32x4.splat(0), s01 = s00, s02 = s00, s03 = s00, s10 = s00, s11 = s00, s12 = s00, s13 = s00;
      for (let done = 0; done < vectors; done += FLUSH) {
        let c00 = i32x4.splat(0), c01 = c00, c02 = c00, c03 = c00, c10 = c00, c11 = c00, c12 = c00, c13 = c00;
        const stop = a0 + (<usize>min(FLUSH, vectors - done) << 4);
        while (a0 < stop) {
          const p = v128.load(a0), q = v128.load(a1);
          let r = v128.load(b0);
          c00 = i8x16.add(c00, i8x16.popcnt(v128.xor(p, r)));
          c10 = i8x16.add(c10, i8x16.popcnt(v128.xor(q, r)));
          r = v128.load(b1);
          c01 = i8x16.add(c01, i8x16.popcnt(v128.xor(p, r)));
          c11 = i8x16.add(c11, i8x16.popcnt(v128.xor(q, r)));
          r = v128.load(b2);
          c02 = i8x16.add(c02, i8x16.popcnt(v128.xor(p, r)));
          c12 = i8x16.add(c12, i8x16.popcnt(v128.xor(q, r)));
          r = v128.load(b3);
          c03 = i8x16.add(c03, i8x16.popcnt(v128.xor(p, r)));
          c13 = i8x16.add(c13, i8x16.popcnt(v128.xor(q, r)));
          a0 += 16; a1 += 16; b0 += 16; b1 += 16; b2 += 16; b3 += 16;
        }
        s00 = addCounts(s00, c00); s01 = addCounts(s01, c01); s02 = addCounts(s02, c02); s03 = addCounts(s03, c03);
        s10 = addCounts(s10, c10); s11 = addCounts(s11, c11); s12 = addCounts(s12, c12); s13 = addCounts(s13, c13);
      }
      const columns = min(4, n - column);
      storeSums(y + ((<usize>row * n + column) << 2), k, columns, s00, s01, s02, s03);
      if (second > row) storeSums(y + ((<usize>second * n + column) << 2), k, columns, s10, s11, s12, s13);
    }
  }
}

// @ts-ignore: decorator
@inline
function addCounts(sum: v128, bytes: v128): v128 {
  return i32x4.add(sum, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(bytes)));
}

function storeSums(y: usize, k: i32, columns: i32, s0: v128, s1: v128, s2: v128, s3: v128): void {
  const p = i32x4.add(v128.shuffle<i32>(s0, s1, 0, 4, 2, 6), v128.shuffle<i32>(s0, s1, 1, 5, 3, 7));
  const q = i32x4.add(v128.shuffle<i32>(s2, s3, 0, 4, 2, 6), v128.shuffle<i32>(s2, s3, 1, 5, 3, 7));
  const total = i32x4.add(v128.shuffle<i32>(p, q, 0, 1, 4, 5), v128.shuffle<i32>(p, q, 2, 3, 6, 7));
  const value = f32x4.convert_i32x4_s(i32x4.sub(i32x4.splat(k), i32x4.shl(total, 1)));
  if (columns == 4) v128.store(y, value);
  else {
    v128.store_lane<f32>(y, value, 0);
    if (columns > 1) v128.store_lane<f32>(y, value, 1, 4);
    if (columns > 2) v128.store_lane<f32>(y, value, 2, 8);
  }
}

// @ts-ignore: decorator
@inline
function majority(a: v128, b: v128, partial: v128, c: v128): v128 {
  return v128.bitselect(c, a, partial);
}

/**
 * Sums of planes: y[filter, pixel] = Σ over chosen planes of ±1, where bit p of a plane is 1 for −1
 * at pixel p. Planes are `vectors` vectors of 128 pixels each. For every filter, indptr holds the
 * ends of two lists of offsets in a tile (16 bytes a plane): planes to add, then planes to
 * subtract, each filled up to a multiple of 16 with the plane of zeros that follows the last one.
 * totals [filters, 2]: planes in both lists, planes in the second.
 *
 * Counts are kept in slices of bits, one carry-save adder a plane: 4 and `slices` more hold 2^(4 +
 * slices) − 1. To subtract, all slices are complemented before and after, which adds to −1 − count.
 * Tasks count (vector, filter); `scratch` holds planes + 1 vectors for each thread.
 */
export function sumPlanes(
  bits: usize, indptr: usize, offsets: usize, totals: usize, y: usize, planes: i32, filters: i32, vectors: i32, pixels: i32, slices: i32, scratch: usize, begin: i32, end: i32,
): void {
  const state = ownTile();
  const tile = ownScratch(scratch, (planes + 1) << 4);
  const top = <usize>(4 + slices) << 4;
  const zero = i32x4.splat(0);
  let copied = -1;
  for (let task = begin; task < end; task++) {
    const vector = task / filters;
    const filter = task % filters;
    if (vector != copied) {
      for (let plane = 0; plane < planes; plane++) v128.store(tile + (<usize>plane << 4), v128.load(bits + ((<usize>plane * vectors + vector) << 4)));
      v128.store(tile + (<usize>planes << 4), zero);
      copied = vector;
    }
    for (let slice: usize = 0; slice < top; slice += 16) v128.store(state + slice, zero);
    let i = load<i32>(indptr + (<usize>filter << 3));
    for (let list: usize = 1; list <= 2; list++) {
      const last = load<i32>(indptr + (<usize>filter << 3) + (list << 2));
      addPlanes(state, state, slices, tile, offsets, i, last);
      i = last;
      for (let slice: usize = 0; slice < top; slice += 16) v128.store(state + slice, v128.not(v128.load(state + slice)));
    }
    const total = load<i32>(totals + (<usize>filter << 3));
    const subtracted = i32x4.splat(load<i32>(totals + (<usize>filter << 3), 4));
    const modulus = i32x4.splat((16 << slices) - 1);
    const target = y + ((<usize>filter * pixels + vector * 128) << 2);
    const count = min(128, pixels - vector * 128);
    // Bit j of 32-bit lane l belongs to pixel 32·l + j.
    for (let j = 0; j < 32; j++) {
      const value = v128.and(i32x4.add(valuesOf(state, 4 + slices, j), subtracted), modulus);
      const result = f32x4.convert_i32x4_s(i32x4.sub(i32x4.splat(total), i32x4.shl(value, 1)));
      const at = target + (<usize>j << 2);
      if (j < count) v128.store_lane<f32>(at, result, 0);
      if (j + 32 < count) v128.store_lane<f32>(at, result, 1, 128);
      if (j + 64 < count) v128.store_lane<f32>(at, result, 2, 256);
      if (j + 96 < count) v128.store_lane<f32>(at, result, 3, 384);
    }
  }
}

/**
 * Adds the planes at offsets [first, last), in bytes of a tile, to counts in slices of bits, four
 * and `upper` more of them: from `source` to `state`, which may be the same. Whole groups of 16
 * planes are added: eight full adders, four, two, one; what is left over of weight 16 ripples up,
 * once in 16 planes, so that those slices leave the registers to the others.
 */
export function addPlanes(source: usize, state: usize, upper: i32, tile: usize, offsets: usize, first: i32, last: i32): void {
  let n1 = v128.load(source), n2 = v128.load(source, 16), n4 = v128.load(source, 32), n8 = v128.load(source, 48);
  const rest = <usize>(4 + upper) << 4;
  let from = source;
  for (let i = first; i + 16 <= last; i += 16) {
    let c: v128, t: v128;
    let twosA: v128, twosB: v128, foursA: v128, foursB: v128, eightsA: v128, eightsB: v128;
    let a = planeAt(tile, offsets, i), b = planeAt(tile, offsets, i + 1);
    t = v128.xor(a, b); twosA = majority(a, b, t, n1); n1 = v128.xor(t, n1);
    a = planeAt(tile, offsets, i + 2); b = planeAt(tile, offsets, i + 3);
    t = v128.xor(a, b); twosB = majority(a, b, t, n1); n1 = v128.xor(t, n1);
    t = v128.xor(twosA, twosB); foursA = majority(twosA, twosB, t, n2); n2 = v128.xor(t, n2);
    a = planeAt(tile, offsets, i + 4); b = planeAt(tile, offsets, i + 5);
    t = v128.xor(a, b); twosA = majority(a, b, t, n1); n1 = v128.xor(t, n1);
    a = planeAt(tile, offsets, i + 6); b = planeAt(tile, offsets, i + 7);
    t = v128.xor(a, b); twosB = majority(a, b, t, n1); n1 = v128.xor(t, n1);
    t = v128.xor(twosA, twosB); foursB = majority(twosA, twosB, t, n2); n2 = v128.xor(t, n2);
    t = v128.xor(foursA, foursB); eightsA = majority(foursA, foursB, t, n4); n4 = v128.xor(t, n4);
    a = planeAt(tile, offsets, i + 8); b = planeAt(tile, offsets, i + 9);
    t = v128.xor(a, b); twosA = majority(a, b, t, n1); n1 = v128.xor(t, n1);
    a = planeAt(tile, offsets, i + 10); b = planeAt(tile, offsets, i + 11);
    t = v128.xor(a, b); twosB = majority(a, b, t, n1); n1 = v128.xor(t, n1);
    t = v128.xor(twosA, twosB); foursA = majority(twosA, twosB, t, n2); n2 = v128.xor(t, n2);
    a = planeAt(tile, offsets, i + 12); b = planeAt(tile, offsets, i + 13);
    t = v128.xor(a, b); twosA = majority(a, b, t, n1); n1 = v128.xor(t, n1);
    a = planeAt(tile, offsets, i + 14); b = planeAt(tile, offsets, i + 15);
    t = v128.xor(a, b); twosB = majority(a, b, t, n1); n1 = v128.xor(t, n1);
    t = v128.xor(twosA, twosB); foursB = majority(twosA, twosB, t, n2); n2 = v128.xor(t, n2);
    t = v128.xor(foursA, foursB); eightsB = majority(foursA, foursB, t, n4); n4 = v128.xor(t, n4);
    t = v128.xor(eightsA, eightsB); c = majority(eightsA, eightsB, t, n8); n8 = v128.xor(t, n8);
    for (let slice: usize = 64; slice < rest; slice += 16) {
      const bits = v128.load(from + slice);
      v128.store(state + slice, v128.xor(bits, c));
      c = v128.and(bits, c);
    }
    from = state;
  }
  if (from != state) for (let slice: usize = 64; slice < rest; slice += 16) v128.store(state + slice, v128.load(from + slice));
  v128.store(state, n1);
  v128.store(state, n2, 16);
  v128.store(state, n4, 32);
  v128.store(state, n8, 48);
}

/** The counts of four pixels: bit j of 32-bit lane l belongs to pixel 32·l + j. */
// @ts-ignore: decorator
@inline
export function valuesOf(state: usize, slices: i32, j: i32): v128 {
  const one = i32x4.splat(1);
  let value = v128.and(i32x4.shr_u(v128.load(state), j), one);
  for (let slice = 1; slice < slices; slice++)
    value = v128.or(value, i32x4.shl(v128.and(i32x4.shr_u(v128.load(state + (<usize>slice << 4)), j), one), slice));
  return value;
}

// @ts-ignore: decorator
@inline
function planeAt(tile: usize, offsets: usize, i: i32): v128 {
  return v128.load(tile + <usize>load<u32>(offsets + (<usize>i << 2)));
}
