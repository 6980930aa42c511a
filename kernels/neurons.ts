// Products with rows of a matrix as they lie in a file, for experts of which a token uses few
// neurons: gate rows are all computed, up rows and down vectors only where the gate is above 0.
//
// A row has `columns` values in GGUF's Q4_0 (blocks of 32 in 18 bytes: a half as scale, nibbles of
// the first 16 values below those of the last 16), Q8_0 (34 bytes: a half, 32 int8), or f32.
// Activations for blocks are quantised as `quantizeBlocks` does for kind 4: int8 in order, or int16
// where the host has no int8 dot product, with a scale a block and the sums of its halves.

import { halfAt } from "./half";
import { loadSome, storeSome } from "./lanes";
import { multiplyAdd } from "./math";
import { Optional } from "./optional";

const F32 = 0, Q4_0 = 2;

/** Bytes of a row. */
// @ts-ignore: decorator
@inline
function rowBytes(format: i32, columns: i32): usize {
  return format == F32 ? <usize>columns << 2 : <usize>(columns >> 5) * (format == Q4_0 ? 18 : 34);
}

// @ts-ignore: decorator
@inline
function laneSum(a: v128): f32 {
  return f32x4.extract_lane(a, 0) + f32x4.extract_lane(a, 1) + (f32x4.extract_lane(a, 2) + f32x4.extract_lane(a, 3));
}

/** Products of 16 bytes of weights with activations, in four sums. */
// @ts-ignore: decorator
@inline
function dot16Bytes(w: v128, x: usize): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    const a = v128.load(x);
    return i32x4.add(
      i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(w), i16x8.extend_low_i8x16_s(a)), i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(w), i16x8.extend_high_i8x16_s(a)),
    );
  }
  return i32x4.add(i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(w), v128.load(x)), i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(w), v128.load(x, 16)));
}

/** Products of a block of nibbles 0 … 15 with activations, in four sums. */
// @ts-ignore: decorator
@inline
function dotNibbles(w: v128, x: usize): v128 {
  const low = v128.and(w, i8x16.splat(15)), high = v128.and(i16x8.shr_u(w, 4), i8x16.splat(15));
  if (ASC_FEATURE_RELAXED_SIMD) {
    return i32x4.extadd_pairwise_i16x8_s(
      i16x8.add(i16x8.relaxed_dot_i8x16_i7x16_s(v128.load(x), low), i16x8.relaxed_dot_i8x16_i7x16_s(v128.load(x, 16), high)),
    );
  }
  return i32x4.add(dot16Bytes(low, x), dot16Bytes(high, x + 32));
}

/** A row times activations. */
function rowDot(format: i32, w: usize, x: usize, scales: usize, sums: usize, columns: i32): f32 {
  let total = f32x4.splat(0);
  if (format == F32) {
    const whole = columns & ~3;
    for (let i = 0; i < whole; i += 4) total = multiplyAdd(v128.load(w + (<usize>i << 2)), v128.load(x + (<usize>i << 2)), total);
    if (whole < columns) total = multiplyAdd(loadSome(w + (<usize>whole << 2), columns - whole), loadSome(x + (<usize>whole << 2), columns - whole), total);
    return laneSum(total);
  }
  const blocks = columns >> 5;
  const step: usize = ASC_FEATURE_RELAXED_SIMD ? 32 : 64;
  if (format == Q4_0) {
    let offset: f32 = 0;
    for (let block = 0; block < blocks; block++, w += 18, x += step, scales += 4, sums += 8) {
      const scale = halfAt(w) * load<f32>(scales);
      total = multiplyAdd(f32x4.convert_i32x4_s(dotNibbles(v128.load(w, 2), x)), f32x4.splat(scale), total);
      offset += scale * <f32>(load<i32>(sums) + load<i32>(sums, 4));
    }
    return laneSum(total) - 8 * offset;
  }
  for (let block = 0; block < blocks; block++, w += 34, x += step, scales += 4) {
    const scale = halfAt(w) * load<f32>(scales);
    const dots = i32x4.add(dot16Bytes(v128.load(w, 2), x), dot16Bytes(v128.load(w, 18), x + (step >> 1)));
    total = multiplyAdd(f32x4.convert_i32x4_s(dots), f32x4.splat(scale), total);
  }
  return laneSum(total);
}

/**
 * y[m, rows] ← x·Wᵀ for some rows of W [·, columns], all where `chosen` is 0. Tasks count rows.
 */
export function rowsProduct(
  w: usize, x: usize, scales: usize, sums: usize, chosen: Optional, y: usize, format: i32, m: i32, rows: i32, columns: i32, begin: i32, end: i32,
): void {
  const size = rowBytes(format, columns);
  const blocks = columns >> 5;
  const each: usize = format == F32 ? <usize>columns << 2 : <usize>blocks * (ASC_FEATURE_RELAXED_SIMD ? 32 : 64);
  for (let i = begin; i < end; i++) {
    const row = w + <usize>(chosen ? load<i32>(chosen + (<usize>i << 2)) : i) * size;
    for (let k = 0; k < m; k++)
      store<f32>(y + (<usize>(k * rows + i) << 2), rowDot(format, row, x + <usize>k * each, scales + (<usize>(k * blocks) << 2), sums + (<usize>(k * blocks) << 3), columns));
  }
}

/**
 * hidden[neurons] ← factor·ReLU(W_gate x) ⊙ (W_up x); up rows of closed gates are not read. Tasks
 * count neurons.
 */
export function gatedNeurons(
  gate: usize, up: usize, x: usize, scales: usize, sums: usize, hidden: usize, format: i32, columns: i32, factor: f32, begin: i32, end: i32,
): void {
  const size = rowBytes(format, columns);
  for (let i = begin; i < end; i++) {
    const open = rowDot(format, gate + <usize>i * size, x, scales, sums, columns);
    const value: f32 = open > 0 ? factor * open * rowDot(format, up + <usize>i * size, x, scales, sums, columns) : 0;
    store<f32>(hidden + (<usize>i << 2), value);
  }
}

/** y += scale·(sixteen bytes), widened. */
// @ts-ignore: decorator
@inline
function addBytes(bytes: v128, scale: v128, y: usize): void {
  const low = i16x8.extend_low_i8x16_s(bytes), high = i16x8.extend_high_i8x16_s(bytes);
  v128.store(y, multiplyAdd(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low)), scale, v128.load(y)));
  v128.store(y, multiplyAdd(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low)), scale, v128.load(y, 16)), 16);
  v128.store(y, multiplyAdd(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high)), scale, v128.load(y, 32)), 32);
  v128.store(y, multiplyAdd(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high)), scale, v128.load(y, 48)), 48);
}

/** y += factor·row for blocks [begin, end) of 32 values. */
function addRow(format: i32, w: usize, factor: f32, y: usize, columns: i32, begin: i32, end: i32): void {
  if (format == F32) {
    const scale = f32x4.splat(factor);
    const stop = min(columns, end << 5);
    for (let i = begin << 5; i < stop; i += 4) {
      const at = <usize>i << 2;
      storeSome(y + at, multiplyAdd(loadSome(w + at, stop - i), scale, loadSome(y + at, stop - i)), stop - i);
    }
    return;
  }
  const size: usize = format == Q4_0 ? 18 : 34;
  w += <usize>begin * size;
  y += <usize>begin << 7;
  for (let block = begin; block < end; block++, w += size, y += 128) {
    const scale = f32x4.splat(factor * halfAt(w));
    const bytes = v128.load(w, 2);
    if (format == Q4_0) {
      addBytes(i8x16.sub(v128.and(bytes, i8x16.splat(15)), i8x16.splat(8)), scale, y);
      addBytes(i8x16.sub(v128.and(i16x8.shr_u(bytes, 4), i8x16.splat(15)), i8x16.splat(8)), scale, y + 64);
    } else {
      addBytes(bytes, scale, y);
      addBytes(v128.load(w, 18), scale, y + 64);
    }
  }
}

/**
 * y[columns] += Σ hidden·row over the neurons whose hidden value is not 0, in their order. Tasks
 * count blocks of 32 columns.
 */
export function addNeurons(w: usize, hidden: usize, y: usize, format: i32, neurons: i32, columns: i32, begin: i32, end: i32): void {
  const size = rowBytes(format, columns);
  for (let i = 0; i < neurons; i++) {
    const value = load<f32>(hidden + (<usize>i << 2));
    if (value != 0) addRow(format, w + <usize>i * size, value, y, columns, begin, end);
  }
}

/** y[rows, columns] ← the values of rows. Tasks count rows. */
export function unpackRows(w: usize, y: usize, format: i32, columns: i32, begin: i32, end: i32): void {
  const size = rowBytes(format, columns);
  for (let i = begin; i < end; i++) {
    const to = y + ((<usize>i * columns) << 2);
    memory.fill(to, 0, <usize>columns << 2);
    addRow(format, w + <usize>i * size, 1, to, columns, 0, (columns + 31) >> 5);
  }
}
