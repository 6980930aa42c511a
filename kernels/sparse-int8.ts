// Sparse filters in int8: activations are quantised as they are copied into padded planes, as int16
// less their zero point, so that padding is zero and no correction is left. Entries are taken in
// pairs: the pixels of both are interleaved, and one instruction multiplies and adds them in 32
// bits. Weights are int8 with one scale a row.

import { activate, Activation } from "./activation";
import { activateTile, highest, lowest } from "./channel-major";
import { activatePlane, word, Word } from "./depthwise";
import { dot16 } from "./int8";
import { multiplyAdd } from "./math";
import { storeRows } from "./sparse-windows";
import { ownScratch } from "./thread";
import { Optional } from "./optional";

/** Elements of a padded plane. */
// @ts-ignore: decorator
@inline
function paddedSize(geometry: usize): i32 {
  return word(geometry, Word.PhasesY) * word(geometry, Word.PhasesX) * word(geometry, Word.PhaseRows) * word(geometry, Word.Pitch);
}

/**
 * Planes of int16 quanta less their zero point, clamp(round(x·inverse), lowest, highest), in the
 * padded layout of `padPlanes`. Tasks count planes.
 */
export function quantizePlanes(x: usize, padded: usize, inverse: f32, least: f32, most: f32, geometry: usize, begin: i32, end: i32): void {
  const height = word(geometry, Word.Height), width = word(geometry, Word.Width);
  const stepY = word(geometry, Word.PhasesY), stepX = word(geometry, Word.PhasesX);
  const top = word(geometry, Word.PadTop), left = word(geometry, Word.PadLeft);
  const phaseRows = word(geometry, Word.PhaseRows), pitch = word(geometry, Word.Pitch);
  const bytes = <usize>paddedSize(geometry) << 1;
  const factor = f32x4.splat(inverse), low = f32x4.splat(least), high = f32x4.splat(most);
  for (let task = begin; task < end; task++) {
    const target = padded + <usize>task * bytes;
    memory.fill(target, 0, bytes);
    let source = x + (<usize>(task * height * width) << 2);
    for (let iy = 0; iy < height; iy++, source += <usize>width << 2) {
      const y = iy + top;
      if (y / stepY >= phaseRows) continue;
      const row = target + (<usize>(((y % stepY) * stepX * phaseRows + y / stepY) * pitch) << 1);
      let ix = 0;
      if (stepX == 1) {
        for (; ix + 4 <= width && ix + left + 4 <= pitch; ix += 4)
          v128.store64_lane(row + (<usize>(ix + left) << 1), quantised(v128.load(source + (<usize>ix << 2)), factor, low, high), 0);
      }
      for (; ix < width; ix++) {
        const at = ix + left;
        if (at / stepX >= pitch) break;
        v128.store16_lane(row + (<usize>((at % stepX) * phaseRows * pitch + at / stepX) << 1), quantised(v128.load32_zero(source + (<usize>ix << 2)), factor, low, high), 0);
      }
    }
  }
}

/** Four int16 in the low half. */
// @ts-ignore: decorator
@inline
function quantised(x: v128, factor: v128, low: v128, high: v128): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(f32x4.nearest(f32x4.mul(x, factor)), low), high);
  const whole = i32x4.trunc_sat_f32x4_s(clamped);
  return i16x8.narrow_i32x4_s(whole, whole);
}

/** Stores up to eight pixels of a row: sums·scale + bias, clamped. */
// @ts-ignore: decorator
@inline
function storeEight(at: usize, first: v128, second: v128, scale: usize, bias: usize, row: i32, count: i32, low: v128, high: v128): void {
  const factor = v128.load32_splat(scale + (<usize>row << 2));
  const shift = bias != 0 ? v128.load32_splat(bias + (<usize>row << 2)) : f32x4.splat(0);
  const a = f32x4.pmin(f32x4.pmax(multiplyAdd(f32x4.convert_i32x4_s(first), factor, shift), low), high);
  const b = f32x4.pmin(f32x4.pmax(multiplyAdd(f32x4.convert_i32x4_s(second), factor, shift), low), high);
  storeRows(at, 0, min(count, 4), a);
  if (count > 4) storeRows(at, 4, count, b);
}

/** Entries 2i of eight pixels beside entries 2i + 1: the lower four pixels, or the upper ones. */
// @ts-ignore: decorator
@inline
function lowerPairs(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

// @ts-ignore: decorator
@inline
function upperPairs(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/**
 * Blocks of 2 or 4 rows; tasks count rows of the output, tiles are 8 pixels. indptr [blocks + 1]
 * counts pairs of entries; offsets two a pair, in bytes of int16; values int8 [pairs, height, 2];
 * `scale` the product of both scales, one a row.
 */
// @ts-ignore: decorator
@inline
function windows(
  height: i32, indptr: usize, offsets: usize, values: usize, scale: usize, bias: usize, padded: usize, y: usize, rows: i32, activation: i32, geometry: usize, begin: i32, end: i32,
): void {
  const outWidth = word(geometry, Word.OutWidth);
  const stride = <usize>(word(geometry, Word.OutHeight) * outWidth) << 2;
  const pitch = word(geometry, Word.Pitch);
  const blocks = (rows + height - 1) / height;
  const low = lowest(activation), high = highest(activation);
  for (let line = begin; line < end; line++) {
    for (let i = 0; i < outWidth; i += 8) {
      const source = padded + (<usize>(line * pitch + i) << 1);
      const count = min(8, outWidth - i);
      let pair = load<i32>(indptr);
      let value = values + <usize>pair * (height << 1);
      let at = offsets + (<usize>pair << 3);
      let target = y + (<usize>(line * outWidth + i) << 2);
      for (let block = 0; block < blocks; block++, target += <usize>height * stride) {
        const stop = load<i32>(indptr + (<usize>block << 2), 4);
        const row = block * height;
        let a = i32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
        for (; pair < stop; pair++, at += 8) {
          const p = v128.load(source + <usize>load<u32>(at)), q = v128.load(source + <usize>load<u32>(at, 4));
          const x0 = lowerPairs(p, q), x1 = upperPairs(p, q);
          const w = height == 4 ? v128.load8x8_s(value) : i16x8.extend_low_i8x16_s(v128.load32_zero(value));
          value += height << 1;
          let v = v128.shuffle<i32>(w, w, 0, 0, 0, 0);
          a = dot16(x0, v, a);
          b = dot16(x1, v, b);
          v = v128.shuffle<i32>(w, w, 1, 1, 1, 1);
          c = dot16(x0, v, c);
          d = dot16(x1, v, d);
          if (height == 4) {
            v = v128.shuffle<i32>(w, w, 2, 2, 2, 2);
            e = dot16(x0, v, e);
            f = dot16(x1, v, f);
            v = v128.shuffle<i32>(w, w, 3, 3, 3, 3);
            g = dot16(x0, v, g);
            h = dot16(x1, v, h);
          }
        }
        storeEight(target, a, b, scale, bias, row, count, low, high);
        if (row + 1 < rows) storeEight(target + stride, c, d, scale, bias, row + 1, count, low, high);
        if (height == 4) {
          if (row + 2 < rows) storeEight(target + 2 * stride, e, f, scale, bias, row + 2, count, low, high);
          if (row + 3 < rows) storeEight(target + 3 * stride, g, h, scale, bias, row + 3, count, low, high);
        }
      }
    }
    if (activation > Activation.Relu6) activateTile(y + (<usize>(line * outWidth) << 2), rows, outWidth, stride, activation);
  }
}

export function sparseWindowsInt8By2(indptr: usize, offsets: usize, values: usize, scale: usize, bias: Optional, padded: usize, y: usize, rows: i32, activation: i32, geometry: usize, begin: i32, end: i32): void {
  windows(2, indptr, offsets, values, scale, bias, padded, y, rows, activation, geometry, begin, end);
}

export function sparseWindowsInt8By4(indptr: usize, offsets: usize, values: usize, scale: usize, bias: Optional, padded: usize, y: usize, rows: i32, activation: i32, geometry: usize, begin: i32, end: i32): void {
  windows(4, indptr, offsets, values, scale, bias, padded, y, rows, activation, geometry, begin, end);
}

/**
 * A single pixel of int16 quanta: four rows of a block in the lanes, two entries at a time, stored
 * as for `sparseWindowsInt8By4` with offsets of columns. Tasks count blocks.
 */
export function sparseVectorInt8(indptr: usize, offsets: usize, values: usize, scale: usize, bias: Optional, x: usize, y: usize, rows: i32, activation: i32, begin: i32, end: i32): void {
  for (let block = begin; block < end; block++) {
    let pair = load<i32>(indptr + (<usize>block << 2));
    const stop = load<i32>(indptr + (<usize>block << 2), 4);
    let value = values + (<usize>pair << 3);
    let at = offsets + (<usize>pair << 3);
    let s = i32x4.splat(0), t = s;
    for (; pair + 2 <= stop; pair += 2, at += 16, value += 16) {
      s = dot16(v128.load8x8_s(value), twoQuanta(x, at), s);
      t = dot16(v128.load8x8_s(value, 8), twoQuanta(x, at + 8), t);
    }
    if (pair < stop) s = dot16(v128.load8x8_s(value), twoQuanta(x, at), s);
    const sums = f32x4.convert_i32x4_s(i32x4.add(s, t));
    for (let r = 0; r < 4 && (block << 2) + r < rows; r++) {
      const row = (block << 2) + r;
      const sum = r == 0 ? f32x4.extract_lane(sums, 0) : r == 1 ? f32x4.extract_lane(sums, 1) : r == 2 ? f32x4.extract_lane(sums, 2) : f32x4.extract_lane(sums, 3);
      const shift: f32 = bias != 0 ? load<f32>(bias + (<usize>row << 2)) : 0;
      const value = activate(activation, f32x4.splat(sum * load<f32>(scale + (<usize>row << 2)) + shift));
      store<f32>(y + (<usize>row << 2), f32x4.extract_lane(value, 0));
    }
  }
}

/** The quanta of two entries in every pair of lanes. */
// @ts-ignore: decorator
@inline
function twoQuanta(x: usize, at: usize): v128 {
  return i32x4.splat(<i32>load<u16>(x + <usize>load<u32>(at)) | (<i32>load<u16>(x + <usize>load<u32>(at, 4)) << 16));
}

/**
 * Depthwise filters with shared taps on int16 planes, one after the other: indptr [groups + 1]
 * counts pairs of taps; offsets two a pair, in bytes within a plane; values int8, group by group
 * and channel by channel, two a pair. Tasks count channels.
 */
export function depthwiseTapsInt8(
  indptr: usize, offsets: usize, values: usize, scale: usize, bias: Optional, padded: usize, y: usize, height: i32, geometry: usize, begin: i32, end: i32,
): void {
  const outHeight = word(geometry, Word.OutHeight), outWidth = word(geometry, Word.OutWidth);
  const activation = word(geometry, Word.Activation);
  const pitch = word(geometry, Word.Pitch);
  const bytes = <usize>paddedSize(geometry) << 1;
  const low = lowest(activation), high = highest(activation);
  for (let channel = begin; channel < end; channel++) {
    const group = channel / height;
    const first = load<i32>(indptr + (<usize>group << 2));
    const pairs = load<i32>(indptr + (<usize>group << 2), 4) - first;
    const filter = values + (<usize>(first * height + (channel - group * height) * pairs) << 1);
    const plane = padded + <usize>channel * bytes;
    const result = y + (<usize>(channel * outHeight * outWidth) << 2);
    for (let line = 0; line < outHeight; line++) {
      for (let i = 0; i < outWidth; i += 8) {
        const source = plane + (<usize>(line * pitch + i) << 1);
        let at = offsets + (<usize>first << 3);
        let value = filter;
        let a = i32x4.splat(0), b = a;
        for (let pair = 0; pair < pairs; pair++, at += 8, value += 2) {
          const p = v128.load(source + <usize>load<u32>(at)), q = v128.load(source + <usize>load<u32>(at, 4));
          const w = i16x8.extend_low_i8x16_s(v128.load16_splat(value));
          a = dot16(lowerPairs(p, q), w, a);
          b = dot16(upperPairs(p, q), w, b);
        }
        storeEight(result + (<usize>(line * outWidth + i) << 2), a, b, scale, bias, channel, min(8, outWidth - i), low, high);
      }
    }
    if (activation > Activation.Relu6) activatePlane(result, outHeight * outWidth, activation);
  }
}
