// Weights in blocks of 32 along their rows, as GGUF's formats have them, times activations that are
// quantised to int8 in blocks.
//
// A matrix lies in panels of 8 rows, so that sums stay in lanes of their own and memory is read in
// one stream. For each block of 32 columns a panel has 8 scales (f32), for some kinds 8 more
// numbers, then the quanta of the rows interleaved, four bytes of each: int8 quanta are those of
// columns 4g … 4g + 3; 4-bit quanta are those of columns 4g … in the low and 16 + 4g … in the high
// nibbles. Kinds:
//   int4    scale·(q − 8), q in 0 … 15
//   uint4   scale·q − offset, q in 0 … 15
//   int8    scale·q, q in −127 … 127
//   uint5   scale·q − offset, q in 0 … 31, a byte each
//   int6    scale·(q − 32), q in 0 … 63, a byte each, with a scale for each half of a block
//
// Where the host has an int8 dot product (relaxed SIMD) and the quanta fit its second operand,
// activations are int8; else they are widened to int16.

import { int8Tile, dot16, storeTile, sumPairs, tile4x8 } from "./int8";
import { multiplyAdd } from "./math";
import { ownTile } from "./thread";

export const INT4 = 0, INT8 = 2;
const UINT4 = 1, UINT5 = 3, INT6 = 4;

/** Rows of a panel. */
const ROWS = 8;

// @ts-ignore: decorator
@inline
function is4Bit(kind: i32): bool {
  return kind <= UINT4;
}

// @ts-ignore: decorator
@inline
function hasOffsets(kind: i32): bool {
  return kind == UINT4 || kind == UINT5;
}

/** Bytes of a panel's block before its quanta. */
// @ts-ignore: decorator
@inline
export function headBytes(kind: i32): usize {
  return hasOffsets(kind) || kind == INT6 ? 64 : 32;
}

/** Bytes of a panel's block. */
// @ts-ignore: decorator
@inline
export function blockBytes(kind: i32): usize {
  return headBytes(kind) + (is4Bit(kind) ? 128 : 256);
}

/** Whether activations for a kind are int16. */
// @ts-ignore: decorator
@inline
export function isWide(kind: i32): bool {
  return kind == INT8 || !ASC_FEATURE_RELAXED_SIMD;
}

/**
 * Four int8 activations, repeated, times the nibbles of four rows: at most 2·15·127 a lane, so that
 * eight such sums fit 16 bits.
 */
// @ts-ignore: decorator
@inline
function lowProduct(a: v128, words: v128): v128 {
  return i16x8.relaxed_dot_i8x16_i7x16_s(a, v128.and(words, i8x16.splat(15)));
}

// @ts-ignore: decorator
@inline
function highProduct(a: v128, words: v128): v128 {
  return i16x8.relaxed_dot_i8x16_i7x16_s(a, v128.and(i16x8.shr_u(words, 4), i8x16.splat(15)));
}

/** Products of a block of activations with the nibbles of four rows. */
// @ts-ignore: decorator
@inline
function nibbleDots(w: usize, a: usize): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    const p0 = v128.load(w), p1 = v128.load(w, 32), p2 = v128.load(w, 64), p3 = v128.load(w, 96);
    let s = i16x8.add(lowProduct(v128.load32_splat(a), p0), highProduct(v128.load32_splat(a, 16), p0));
    let t = i16x8.add(lowProduct(v128.load32_splat(a, 4), p1), highProduct(v128.load32_splat(a, 20), p1));
    s = i16x8.add(s, i16x8.add(lowProduct(v128.load32_splat(a, 8), p2), highProduct(v128.load32_splat(a, 24), p2)));
    t = i16x8.add(t, i16x8.add(lowProduct(v128.load32_splat(a, 12), p3), highProduct(v128.load32_splat(a, 28), p3)));
    return i32x4.extadd_pairwise_i16x8_s(i16x8.add(s, t));
  }
  // Nibbles stay where they are in their 16 bits; their sums are shifted once.
  const p0 = v128.load(w), p1 = v128.load(w, 32), p2 = v128.load(w, 64), p3 = v128.load(w, 96);
  const first = i32x4.add(
    i32x4.add(maskedProduct(p0, 0x000f, v128.load32_splat(a)), maskedProduct(p1, 0x000f, v128.load32_splat(a, 16))),
    i32x4.add(maskedProduct(p2, 0x000f, v128.load32_splat(a, 32)), maskedProduct(p3, 0x000f, v128.load32_splat(a, 48))),
  );
  const second = i32x4.add(
    i32x4.add(maskedProduct(p0, 0x00f0, v128.load32_splat(a, 4)), maskedProduct(p1, 0x00f0, v128.load32_splat(a, 20))),
    i32x4.add(maskedProduct(p2, 0x00f0, v128.load32_splat(a, 36)), maskedProduct(p3, 0x00f0, v128.load32_splat(a, 52))),
  );
  const third = i32x4.add(
    i32x4.add(maskedProduct(p0, 0x0f00, v128.load32_splat(a, 8)), maskedProduct(p1, 0x0f00, v128.load32_splat(a, 24))),
    i32x4.add(maskedProduct(p2, 0x0f00, v128.load32_splat(a, 40)), maskedProduct(p3, 0x0f00, v128.load32_splat(a, 56))),
  );
  const fourth = i32x4.add(
    i32x4.add(lastProduct(p0, v128.load32_splat(a, 12)), lastProduct(p1, v128.load32_splat(a, 28))),
    i32x4.add(lastProduct(p2, v128.load32_splat(a, 44)), lastProduct(p3, v128.load32_splat(a, 60))),
  );
  return i32x4.add(i32x4.add(first, fourth), i32x4.add(i32x4.shr_s(second, 4), i32x4.shr_s(third, 8)));
}

// @ts-ignore: decorator
@inline
function maskedProduct(words: v128, mask: i16, a: v128): v128 {
  return i32x4.dot_i16x8_s(v128.and(words, i16x8.splat(mask)), a);
}

// @ts-ignore: decorator
@inline
function lastProduct(words: v128, a: v128): v128 {
  return i32x4.dot_i16x8_s(i16x8.shr_u(words, 12), a);
}

/**
 * Eight int8 activations times the quanta of four rows: two sums of 2·63·127 are what 16 bits hold.
 */
// @ts-ignore: decorator
@inline
function pairDots(w: usize, a: usize): v128 {
  return i32x4.extadd_pairwise_i16x8_s(
    i16x8.add(i16x8.relaxed_dot_i8x16_i7x16_s(v128.load32_splat(a), v128.load(w)), i16x8.relaxed_dot_i8x16_i7x16_s(v128.load32_splat(a, 4), v128.load(w, 32))),
  );
}

/** Products of half a block of activations with the byte-wide quanta of four rows. */
// @ts-ignore: decorator
@inline
function halfDots(wide: bool, w: usize, a: usize): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (!wide) return i32x4.add(pairDots(w, a), pairDots(w + 64, a + 8));
  }
  const x0 = v128.load64_splat(a), x1 = v128.load64_splat(a, 8), x2 = v128.load64_splat(a, 16), x3 = v128.load64_splat(a, 24);
  const s = dot16(v128.load8x8_s(w), x0, dot16(v128.load8x8_s(w, 32), x1, dot16(v128.load8x8_s(w, 64), x2, i32x4.dot_i16x8_s(v128.load8x8_s(w, 96), x3))));
  const t = dot16(v128.load8x8_s(w, 8), x0, dot16(v128.load8x8_s(w, 40), x1, dot16(v128.load8x8_s(w, 72), x2, i32x4.dot_i16x8_s(v128.load8x8_s(w, 104), x3))));
  return sumPairs(s, t);
}

/** Products of a block of activations with four rows of a kind other than int6. */
// @ts-ignore: decorator
@inline
export function blockDots(kind: i32, w: usize, a: usize): v128 {
  if (is4Bit(kind)) return nibbleDots(w, a);
  return i32x4.add(halfDots(isWide(kind), w, a), halfDots(isWide(kind), w + 128, a + (isWide(kind) ? 32 : 16)));
}

/**
 * total + the dequantised integer products of four rows: `head` is where their scales lie, `sum`
 * that of the activations' quanta.
 */
// @ts-ignore: decorator
@inline
export function addScaled(kind: i32, dots: v128, head: usize, scale: f32, sum: i32, total: v128): v128 {
  if (kind == INT4) dots = i32x4.sub(dots, i32x4.splat(sum << 3));
  if (kind == INT6) dots = i32x4.sub(dots, i32x4.splat(sum << 5));
  total = multiplyAdd(f32x4.convert_i32x4_s(dots), f32x4.mul(v128.load(head), f32x4.splat(scale)), total);
  if (hasOffsets(kind)) total = multiplyAdd(v128.load(head, 32), f32x4.splat(-scale * <f32>sum), total);
  return total;
}

/** One row of activations times a panel. */
// @ts-ignore: decorator
@inline
export function rowTimesPanel(kind: i32, a: usize, scales: usize, sums: usize, w: usize, blocks: i32, y: usize, columns: i32): void {
  let t0 = f32x4.splat(0), t1 = t0;
  for (let block = 0; block < blocks; block++) {
    const scale = load<f32>(scales);
    const q = w + headBytes(kind);
    if (kind == INT6) {
      const middle = a + (isWide(kind) ? 32 : 16);
      t0 = addScaled(kind, halfDots(isWide(kind), q, a), w, scale, load<i32>(sums), t0);
      t1 = addScaled(kind, halfDots(isWide(kind), q + 16, a), w + 16, scale, load<i32>(sums), t1);
      t0 = addScaled(kind, halfDots(isWide(kind), q + 128, middle), w + 32, scale, load<i32>(sums, 4), t0);
      t1 = addScaled(kind, halfDots(isWide(kind), q + 144, middle), w + 48, scale, load<i32>(sums, 4), t1);
    } else {
      const sum = load<i32>(sums) + load<i32>(sums, 4);
      t0 = addScaled(kind, blockDots(kind, q, a), w, scale, sum, t0);
      t1 = addScaled(kind, blockDots(kind, q + 16, a), w + 16, scale, sum, t1);
    }
    w += blockBytes(kind);
    a += isWide(kind) ? 64 : 32;
    scales += 4;
    sums += 8;
  }
  storeRow(t0, t1, y, columns);
}

/** The first `columns` of eight numbers. */
// @ts-ignore: decorator
@inline
export function storeRow(t0: v128, t1: v128, y: usize, columns: i32): void {
  if (columns == ROWS) {
    v128.store(y, t0);
    v128.store(y, t1, 16);
    return;
  }
  const tile = ownTile();
  v128.store(tile, t0);
  v128.store(tile, t1, 16);
  memory.copy(y, tile, <usize>columns << 2);
}

/**
 * Four rows of activations, `stride` bytes apart, times the nibbles of a panel's block: sums to
 * `out` [4][8].
 */
function nibbleTile(w: usize, a: usize, stride: usize, out: usize): void {
  const a1 = a + stride, a2 = a1 + stride, a3 = a2 + stride;
  let s00 = i32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
  if (ASC_FEATURE_RELAXED_SIMD) {
    for (let at: usize = 0; at < 16; at += 4, w += 32) {
      const p = v128.load(w), q = v128.load(w, 16);
      for (let half = 0; half < 2; half++) {
        const own = v128.and(half ? i16x8.shr_u(p, 4) : p, i8x16.splat(15));
        const next = v128.and(half ? i16x8.shr_u(q, 4) : q, i8x16.splat(15));
        const from = at + (<usize>half << 4);
        let x = v128.load32_splat(a + from);
        s00 = i16x8.add(s00, i16x8.relaxed_dot_i8x16_i7x16_s(x, own));
        s01 = i16x8.add(s01, i16x8.relaxed_dot_i8x16_i7x16_s(x, next));
        x = v128.load32_splat(a1 + from);
        s10 = i16x8.add(s10, i16x8.relaxed_dot_i8x16_i7x16_s(x, own));
        s11 = i16x8.add(s11, i16x8.relaxed_dot_i8x16_i7x16_s(x, next));
        x = v128.load32_splat(a2 + from);
        s20 = i16x8.add(s20, i16x8.relaxed_dot_i8x16_i7x16_s(x, own));
        s21 = i16x8.add(s21, i16x8.relaxed_dot_i8x16_i7x16_s(x, next));
        x = v128.load32_splat(a3 + from);
        s30 = i16x8.add(s30, i16x8.relaxed_dot_i8x16_i7x16_s(x, own));
        s31 = i16x8.add(s31, i16x8.relaxed_dot_i8x16_i7x16_s(x, next));
      }
    }
    s00 = i32x4.extadd_pairwise_i16x8_s(s00);
    s01 = i32x4.extadd_pairwise_i16x8_s(s01);
    s10 = i32x4.extadd_pairwise_i16x8_s(s10);
    s11 = i32x4.extadd_pairwise_i16x8_s(s11);
    s20 = i32x4.extadd_pairwise_i16x8_s(s20);
    s21 = i32x4.extadd_pairwise_i16x8_s(s21);
    s30 = i32x4.extadd_pairwise_i16x8_s(s30);
    s31 = i32x4.extadd_pairwise_i16x8_s(s31);
  } else {
    for (let at: usize = 0; at < 64; at += 16, w += 32) {
      let p = v128.load(w), q = v128.load(w, 16);
      for (let i: usize = 0; i < 4; i++) {
        const own = v128.and(p, i16x8.splat(15)), next = v128.and(q, i16x8.splat(15));
        const from = at + (i << 2);
        let x = v128.load32_splat(a + from);
        s00 = dot16(own, x, s00);
        s01 = dot16(next, x, s01);
        x = v128.load32_splat(a1 + from);
        s10 = dot16(own, x, s10);
        s11 = dot16(next, x, s11);
        x = v128.load32_splat(a2 + from);
        s20 = dot16(own, x, s20);
        s21 = dot16(next, x, s21);
        x = v128.load32_splat(a3 + from);
        s30 = dot16(own, x, s30);
        s31 = dot16(next, x, s31);
        p = i16x8.shr_u(p, 4);
        q = i16x8.shr_u(q, 4);
      }
    }
  }
  storeTile(out, s00, s01, s10, s11, s20, s21, s30, s31);
}

/** The same for `groups` times four quanta of 0 … 63 and int8 activations. */
function smallByteTile(w: usize, a: usize, stride: usize, groups: i32, out: usize): void {
  int8Tile(true, a, stride, w, groups, out);
}

// @ts-ignore: decorator
@inline
function tile(kind: i32, w: usize, a: usize, stride: usize, groups: i32, out: usize): void {
  if (is4Bit(kind)) nibbleTile(w, a, stride, out);
  else if (isWide(kind)) tile4x8<i8>(a, stride, w, groups, out);
  else if (ASC_FEATURE_RELAXED_SIMD) smallByteTile(w, a, stride, groups, out);
}

/**
 * Adds a tile of integer products to a tile of sums. `sums` lies 8·blocks bytes apart for each row,
 * `scales` half as much.
 */
// @ts-ignore: decorator
@inline
function addTile(kind: i32, dots: usize, head: usize, scales: usize, sums: usize, half: i32, blocks: i32, totals: usize): void {
  for (let row: usize = 0; row < 4; row++) {
    const at = row << 5;
    const scale = load<f32>(scales + ((row * blocks) << 2));
    const own = sums + ((row * blocks) << 3);
    const sum = kind == INT6 ? load<i32>(own + (<usize>half << 2)) : load<i32>(own) + load<i32>(own, 4);
    v128.store(totals + at, addScaled(kind, v128.load(dots + at), head, scale, sum, v128.load(totals + at)));
    v128.store(totals + at, addScaled(kind, v128.load(dots + at, 16), head + 16, scale, sum, v128.load(totals + at, 16)), 16);
  }
}

/** Four rows of activations times a panel. */
// @ts-ignore: decorator
@inline
export function rowsTimesPanel(kind: i32, a: usize, scales: usize, sums: usize, w: usize, blocks: i32, y: usize, n: i32, columns: i32): void {
  const dots = ownTile();
  const totals = dots + 128;
  const size: usize = isWide(kind) ? 64 : 32;
  const stride = <usize>blocks * size;
  memory.fill(totals, 0, 128);
  for (let block = 0; block < blocks; block++) {
    const q = w + headBytes(kind);
    if (kind == INT6) {
      tile(kind, q, a, stride, 4, dots);
      addTile(kind, dots, w, scales, sums, 0, blocks, totals);
      tile(kind, q + 128, a + (size >> 1), stride, 4, dots);
      addTile(kind, dots, w + 32, scales, sums, 1, blocks, totals);
    } else {
      tile(kind, q, a, stride, 8, dots);
      addTile(kind, dots, w, scales, sums, 0, blocks, totals);
    }
    w += blockBytes(kind);
    a += size;
    scales += 4;
    sums += 8;
  }
  for (let row: usize = 0; row < 4; row++) memory.copy(y + ((row * n) << 2), totals + (row << 5), <usize>columns << 2);
}

/**
 * y[m, n] = x·Wᵀ for activations as `quantizeBlocks` writes them for the kind. Tasks count panels.
 */
// @ts-ignore: decorator
@inline
function product(kind: i32, a: usize, scales: usize, sums: usize, w: usize, y: usize, m: i32, n: i32, blocks: i32, begin: i32, end: i32): void {
  const row = <usize>blocks * (isWide(kind) ? 64 : 32);
  for (let panel = begin; panel < end; panel++) {
    const own = w + <usize>panel * blocks * blockBytes(kind);
    const columns = min(ROWS, n - panel * ROWS);
    const target = y + (<usize>panel << 5);
    let i = 0;
    for (; i + 4 <= m; i += 4)
      rowsTimesPanel(kind, a + <usize>i * row, scales + ((<usize>i * blocks) << 2), sums + ((<usize>i * blocks) << 3), own, blocks, target + ((<usize>i * n) << 2), n, columns);
    for (; i < m; i++)
      rowTimesPanel(kind, a + <usize>i * row, scales + ((<usize>i * blocks) << 2), sums + ((<usize>i * blocks) << 3), own, blocks, target + ((<usize>i * n) << 2), columns);
  }
}

export function matmulInt4(a: usize, scales: usize, sums: usize, w: usize, y: usize, m: i32, n: i32, blocks: i32, begin: i32, end: i32): void {
  product(INT4, a, scales, sums, w, y, m, n, blocks, begin, end);
}

export function matmulUint4(a: usize, scales: usize, sums: usize, w: usize, y: usize, m: i32, n: i32, blocks: i32, begin: i32, end: i32): void {
  product(UINT4, a, scales, sums, w, y, m, n, blocks, begin, end);
}

export function matmulInt8(a: usize, scales: usize, sums: usize, w: usize, y: usize, m: i32, n: i32, blocks: i32, begin: i32, end: i32): void {
  product(INT8, a, scales, sums, w, y, m, n, blocks, begin, end);
}

export function matmulUint5(a: usize, scales: usize, sums: usize, w: usize, y: usize, m: i32, n: i32, blocks: i32, begin: i32, end: i32): void {
  product(UINT5, a, scales, sums, w, y, m, n, blocks, begin, end);
}

export function matmulInt6(a: usize, scales: usize, sums: usize, w: usize, y: usize, m: i32, n: i32, blocks: i32, begin: i32, end: i32): void {
  product(INT6, a, scales, sums, w, y, m, n, blocks, begin, end);
}

/**
 * Quantises rows of x to int8 in blocks of 32, q in −127 … 127 with scale max|x|/127, laid out as
 * products with weights of a kind read them; sums[block] = those of its two halves. Tasks count
 * blocks.
 */
export function quantizeBlocks(x: usize, quanta: usize, scales: usize, sums: usize, kind: i32, begin: i32, end: i32): void {
  const wide = isWide(kind);
  const interleaved = wide && is4Bit(kind);
  for (let block = begin; block < end; block++) {
    const source = x + (<usize>block << 7);
    const target = quanta + (<usize>block << (wide ? 6 : 5));
    let largest = f32x4.splat(0);
    for (let i: usize = 0; i < 128; i += 16) largest = f32x4.max(largest, f32x4.abs(v128.load(source + i)));
    const peak = max(
      max(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)), max(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3)),
    );
    store<f32>(scales + (<usize>block << 2), peak / 127);
    const factor = f32x4.splat(peak > 0 ? 127 / peak : 0);
    const v0 = wordsAt(source, factor), v1 = wordsAt(source + 32, factor), v2 = wordsAt(source + 64, factor), v3 = wordsAt(source + 96, factor);
    store<i32>(sums + (<usize>block << 3), sumWords(v0, v1));
    store<i32>(sums + (<usize>block << 3), sumWords(v2, v3), 4);
    if (interleaved) {
      v128.store(target, v128.shuffle<i16>(v0, v2, 0, 2, 8, 10, 1, 3, 9, 11));
      v128.store(target, v128.shuffle<i16>(v0, v2, 4, 6, 12, 14, 5, 7, 13, 15), 16);
      v128.store(target, v128.shuffle<i16>(v1, v3, 0, 2, 8, 10, 1, 3, 9, 11), 32);
      v128.store(target, v128.shuffle<i16>(v1, v3, 4, 6, 12, 14, 5, 7, 13, 15), 48);
    } else if (wide) {
      v128.store(target, v0);
      v128.store(target, v1, 16);
      v128.store(target, v2, 32);
      v128.store(target, v3, 48);
    } else {
      v128.store(target, i8x16.narrow_i16x8_s(v0, v1));
      v128.store(target, i8x16.narrow_i16x8_s(v2, v3), 16);
    }
  }
}

/** Eight floats times a factor as int16. */
// @ts-ignore: decorator
@inline
function wordsAt(source: usize, factor: v128): v128 {
  return i16x8.narrow_i32x4_s(
    i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(source), factor))), i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(source, 16), factor))),
  );
}

/** Sum of sixteen int16 of at most 127. */
// @ts-ignore: decorator
@inline
function sumWords(a: v128, b: v128): i32 {
  const pairs = i32x4.extadd_pairwise_i16x8_s(i16x8.add(a, b));
  return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1) + i32x4.extract_lane(pairs, 2) + i32x4.extract_lane(pairs, 3);
}
