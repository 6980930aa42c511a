// Eight-bit integer products: C[m, n] = Σₖ a[m, k]·b[n, k] in 32 bits, then scaled. Tiles are 4 rows of A × 8 of B.
//
// B is packed in panels of 8 rows, four k of a row side by side, so that each sum stays in lanes of its own. Plain SIMD multiplies 16-bit numbers and adds them in pairs, exact for all bytes but
// −128·−128 pairs: A is widened to 16 bits beforehand. The relaxed dot product takes 16 bytes at once, but hosts agree only where its second operand lies in 0…127, so that kernel is for activations
// of 7 bits without sign (T = u8 below, against i8).

import { activate } from "./activation";
import { ownTile } from "./thread";
import { Optional } from "./optional";

/** Rows of A in a tile, and rows of B in a panel. */
export const MR: i32 = 4;
export const NR: i32 = 8;

/** k as it lies in memory: padded with zeros to a multiple of 4. */
// @ts-ignore: decorator
@inline
export function padded(k: i32): i32 {
  return (k + 3) & ~3;
}

/** Whether A lies in memory as 16-bit numbers: else as bytes. */
// @ts-ignore: decorator
@inline
export function isWide<T>(): bool {
  return isSigned<T>() || !ASC_FEATURE_RELAXED_SIMD;
}

/** Packs panels [begin, end) of B [n, k]: k in fours, for each four bytes of 8 rows; zeros fill up k and rows. sums[n] = Σₖ b[n, k]. Tasks count panels. */
export function packInt8(b: usize, packed: usize, sums: usize, n: i32, k: i32, begin: i32, end: i32): void {
  const fours = padded(k) >> 2;
  for (let panel = begin; panel < end; panel++) {
    for (let r = 0; r < NR; r++) {
      const row = panel * NR + r;
      let total = 0;
      for (let four = 0; four < fours; four++) {
        const target = packed + <usize>((panel * fours + four) * NR + r) * 4;
        for (let i = 0; i < 4; i++) {
          const at = four * 4 + i;
          const value = row < n && at < k ? load<i8>(b + <usize>row * k + at) : 0;
          store<i8>(target + i, value);
          total += value;
        }
      }
      if (row < n) store<i32>(sums + (<usize>row << 2), total);
    }
  }
}

// @ts-ignore: decorator
@inline
export function dot16(a: v128, b: v128, sum: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(a, b));
}

/** sum + the products of 16 bytes, added by fours; b lies in 0…127. Written as the 16-bit product and a pairwise sum, since the one instruction for both makes V8 load a constant each time. */
// @ts-ignore: decorator
@inline
export function dotSeven(a: v128, b: v128, sum: v128): v128 {
  return i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(i16x8.relaxed_dot_i8x16_i7x16_s(a, b)));
}

/** Sums of neighbouring lanes. */
// @ts-ignore: decorator
@inline
export function sumPairs(a: v128, b: v128): v128 {
  return i32x4.add(v128.shuffle<i32>(a, b, 0, 2, 4, 6), v128.shuffle<i32>(a, b, 1, 3, 5, 7));
}

/** sum + products of bytes of the panel and of A; `low` says which of them lies in 0…127. */
// @ts-ignore: decorator
@inline
function dotBytes(low: bool, panel: v128, a: v128, sum: v128): v128 {
  return low ? dotSeven(a, panel, sum) : dotSeven(panel, a, sum);
}

/** Four rows of bytes of A times a panel, where hosts multiply bytes: sums to `out` [4][8]. `lowPanel`: the panel's bytes lie in 0…127, else those of A do. */
// @ts-ignore: decorator
@inline
export function byteTile(lowPanel: bool, a: usize, stride: usize, b: usize, fours: i32, out: usize): void {
  const a1 = a + stride, a2 = a1 + stride, a3 = a2 + stride;
  let s00 = i32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
  for (let at: usize = 0, stop = <usize>fours << 2; at < stop; at += 4) {
    const p = v128.load(b);
    const q = v128.load(b, 16);
    let x = v128.load32_splat(a + at);
    s00 = dotBytes(lowPanel, p, x, s00);
    s01 = dotBytes(lowPanel, q, x, s01);
    x = v128.load32_splat(a1 + at);
    s10 = dotBytes(lowPanel, p, x, s10);
    s11 = dotBytes(lowPanel, q, x, s11);
    x = v128.load32_splat(a2 + at);
    s20 = dotBytes(lowPanel, p, x, s20);
    s21 = dotBytes(lowPanel, q, x, s21);
    x = v128.load32_splat(a3 + at);
    s30 = dotBytes(lowPanel, p, x, s30);
    s31 = dotBytes(lowPanel, q, x, s31);
    b += 32;
  }
  storeTile(out, s00, s01, s10, s11, s20, s21, s30, s31);
}

/** Stores a tile [4][8]. */
// @ts-ignore: decorator
@inline
export function storeTile(out: usize, s00: v128, s01: v128, s10: v128, s11: v128, s20: v128, s21: v128, s30: v128, s31: v128): void {
  v128.store(out, s00);
  v128.store(out, s01, 16);
  v128.store(out, s10, 32);
  v128.store(out, s11, 48);
  v128.store(out, s20, 64);
  v128.store(out, s21, 80);
  v128.store(out, s30, 96);
  v128.store(out, s31, 112);
}

/** Four rows of A, `stride` bytes apart, times a panel of B: sums to `out` [4][8]. */
export function tile4x8<T>(a: usize, stride: usize, b: usize, fours: i32, out: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (!isWide<T>()) {
      byteTile(false, a, stride, b, fours, out);
      return;
    }
  }
  const a1 = a + stride, a2 = a1 + stride, a3 = a2 + stride;
  for (let half = 0; half < 2; half++) {
    let s00 = i32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
    let w = b;
    for (let at: usize = 0, stop = <usize>fours << 3; at < stop; at += 8) {
      const p = v128.load8x8_s(w);
      const q = v128.load8x8_s(w, 8);
      let x = v128.load64_splat(a + at);
      s00 = dot16(p, x, s00);
      s01 = dot16(q, x, s01);
      x = v128.load64_splat(a1 + at);
      s10 = dot16(p, x, s10);
      s11 = dot16(q, x, s11);
      x = v128.load64_splat(a2 + at);
      s20 = dot16(p, x, s20);
      s21 = dot16(q, x, s21);
      x = v128.load64_splat(a3 + at);
      s30 = dot16(p, x, s30);
      s31 = dot16(q, x, s31);
      w += 32;
    }
    v128.store(out, sumPairs(s00, s01));
    v128.store(out, sumPairs(s10, s11), 32);
    v128.store(out, sumPairs(s20, s21), 64);
    v128.store(out, sumPairs(s30, s31), 96);
    b += 16;
    out += 16;
  }
}

/** One row of A times a panel of B. */
function tile1x8<T>(a: usize, b: usize, fours: i32, out: usize): void {
  let s0 = i32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
  if (!isWide<T>()) {
    for (let stop = a + (<usize>fours << 2); a < stop; a += 4) {
      const x = v128.load32_splat(a);
      s0 = dotSeven(v128.load(b), x, s0);
      s1 = dotSeven(v128.load(b, 16), x, s1);
      b += 32;
    }
    v128.store(out, s0);
    v128.store(out, s1, 16);
    return;
  }
  for (let stop = a + (<usize>fours << 3); a < stop; a += 8) {
    const x = v128.load64_splat(a);
    s0 = dot16(v128.load8x8_s(b), x, s0);
    s1 = dot16(v128.load8x8_s(b, 8), x, s1);
    s2 = dot16(v128.load8x8_s(b, 16), x, s2);
    s3 = dot16(v128.load8x8_s(b, 24), x, s3);
    b += 32;
  }
  v128.store(out, sumPairs(s0, s1));
  v128.store(out, sumPairs(s2, s3), 16);
}

/** Panels of B that a task takes: they stay in cache while the rows pass. */
const PANELS: i32 = 8;

/**
 * y[m, n] = activation(rowScale[m]·columnScale[n]·(Σ a·b − zero[m]·sums[n]) + bias[n]) as floats, with A as `quantizeRows` writes it. `sevenBit` says that A lies in 0…127. `bias` may be 0. Tasks count
 * blocks of 8 panels times blocks of 4 rows, the latter innermost.
 */
export function gemmInt8(
  a: usize, packed: usize, sums: usize, rowScale: usize, zero: Optional, columnScale: usize, bias: Optional, y: usize, m: i32, n: i32, k: i32,
  sevenBit: i32, activation: i32, begin: i32, end: i32,
): void {
  if (sevenBit) gemmRows<u8>(a, packed, sums, rowScale, zero, columnScale, bias, y, m, n, k, activation, begin, end);
  else gemmRows<i8>(a, packed, sums, rowScale, zero, columnScale, bias, y, m, n, k, activation, begin, end);
}

function gemmRows<T>(
  a: usize, packed: usize, sums: usize, rowScale: usize, zero: usize, columnScale: usize, bias: usize, y: usize, m: i32, n: i32, k: i32, activation: i32,
  begin: i32, end: i32,
): void {
  const fours = padded(k) >> 2;
  const stride = <usize>padded(k) << (isWide<T>() ? 1 : 0);
  const panels = (n + NR - 1) / NR;
  const blocks = (m + MR - 1) / MR;
  const out = ownTile();
  for (let task = begin; task < end; task++) {
    const first = task / blocks * PANELS;
    const row = task % blocks * MR;
    const rows = min(MR, m - row);
    for (let panel = first; panel < min(panels, first + PANELS); panel++) {
      const b = packed + <usize>panel * fours * 32;
      const from = a + <usize>row * stride;
      if (rows == MR) tile4x8<T>(from, stride, b, fours, out);
      else for (let r = 0; r < rows; r++) tile1x8<T>(from + <usize>r * stride, b, fours, out + <usize>r * 32);
      for (let half = 0; half < NR; half += 4) {
        const column = panel * NR + half;
        const columns = min(4, n - column);
        if (columns <= 0) break;
        for (let r = 0; r < rows; r++)
          storeScaled(out + <usize>(r * NR + half) * 4, row + r, column, columns, sums, rowScale, zero, columnScale, bias, y, n, activation);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function storeScaled(
  tile: usize, row: i32, column: i32, columns: i32, sums: usize, rowScale: usize, zero: usize, columnScale: usize, bias: usize, y: usize, n: i32,
  activation: i32,
): void {
  const scale = load<f32>(rowScale + (<usize>row << 2));
  const shift = zero != 0 ? load<i32>(zero + (<usize>row << 2)) : 0;
  const target = y + ((<usize>row * n + column) << 2);
  const at = <usize>column << 2;
  if (columns == 4) {
    let total = v128.load(tile);
    if (shift != 0) total = i32x4.sub(total, i32x4.mul(v128.load(sums + at), i32x4.splat(shift)));
    let value = f32x4.mul(f32x4.convert_i32x4_s(total), f32x4.mul(v128.load(columnScale + at), f32x4.splat(scale)));
    if (bias != 0) value = f32x4.add(value, v128.load(bias + at));
    v128.store(target, activate(activation, value));
    return;
  }
  for (let j = 0; j < columns; j++) {
    const place = at + (<usize>j << 2);
    const total = load<i32>(tile + (<usize>j << 2)) - (shift != 0 ? shift * load<i32>(sums + place) : 0);
    let value = <f32>total * (load<f32>(columnScale + place) * scale);
    if (bias != 0) value += load<f32>(bias + place);
    store<f32>(target + (<usize>j << 2), f32x4.extract_lane(activate(activation, f32x4.splat(value)), 0));
  }
}

/**
 * Quantises rows of x[m, k]: symmetric to −127…127 with scale max|x|/127, or for `sevenBit` to 0…127 with scale (max − min)/127 and a zero point that stands for 0. Rows of q hold 16-bit numbers or
 * bytes, as the product reads them. Tasks count rows.
 */
export function quantizeRows(x: usize, q: usize, scales: usize, zeros: Optional, k: i32, sevenBit: i32, begin: i32, end: i32): void {
  if (sevenBit) quantizeRowsTo<u8>(x, q, scales, zeros, k, begin, end);
  else quantizeRowsTo<i8>(x, q, scales, zeros, k, begin, end);
}

function quantizeRowsTo<T>(x: usize, q: usize, scales: usize, zeros: usize, k: i32, begin: i32, end: i32): void {
  const wide = isWide<T>();
  const stride = <usize>padded(k) << (wide ? 1 : 0);
  const least = isSigned<T>() ? -127 : 0;
  for (let row = begin; row < end; row++) {
    const source = x + (<usize>row * k << 2);
    const target = q + <usize>row * stride;
    let low: f32 = 0, high: f32 = 0;
    let lows = f32x4.splat(0), highs = lows;
    let i = 0;
    for (; i + 4 <= k; i += 4) {
      const value = v128.load(source + (<usize>i << 2));
      lows = f32x4.pmin(lows, value);
      highs = f32x4.pmax(highs, value);
    }
    for (; i < k; i++) {
      const value = load<f32>(source + (<usize>i << 2));
      low = min(low, value);
      high = max(high, value);
    }
    low = min(low, min(min(f32x4.extract_lane(lows, 0), f32x4.extract_lane(lows, 1)), min(f32x4.extract_lane(lows, 2), f32x4.extract_lane(lows, 3))));
    high = max(high, max(max(f32x4.extract_lane(highs, 0), f32x4.extract_lane(highs, 1)), max(f32x4.extract_lane(highs, 2), f32x4.extract_lane(highs, 3))));
    const range = isSigned<T>() ? max(high, -low) : high - low;
    const scale: f32 = range > 0 ? range / 127 : 1;
    const inverse: f32 = 1 / scale;
    const zero = isSigned<T>() ? 0 : <i32>nearest<f32>(-low * inverse);
    const factor = f32x4.splat(inverse);
    for (i = 0; i + 4 <= k; i += 4) {
      const rounded = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(source + (<usize>i << 2)), factor)));
      const value = i32x4.min_s(i32x4.max_s(i32x4.add(rounded, i32x4.splat(zero)), i32x4.splat(least)), i32x4.splat(127));
      const words = i16x8.narrow_i32x4_s(value, value);
      if (wide) v128.store64_lane(target + (<usize>i << 1), words, 0);
      else v128.store32_lane(target + i, i8x16.narrow_i16x8_s(words, words), 0);
    }
    for (; i < padded(k); i++) {
      const value = i < k ? max(least, min(127, <i32>nearest<f32>(load<f32>(source + (<usize>i << 2)) * inverse) + zero)) : 0;
      if (wide) store<i16>(target + (<usize>i << 1), <i16>value);
      else store<i8>(target + i, <i8>value);
    }
    store<f32>(scales + (<usize>row << 2), scale);
    if (zeros != 0) store<i32>(zeros + (<usize>row << 2), zero);
  }
}
