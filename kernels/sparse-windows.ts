// Sparse filters of any size on images, channels outermost: Y[o, p] = Σ w[o, c, tap]·x[c, p + tap].
// An image is copied once into zero-padded planes, split by stride into phases
// (kernels/depthwise.ts), so that every weight reads contiguous pixels at a fixed offset from the
// output's: with these offsets a filter of any size is a sparse product over pixels.

import { Activation } from "./activation";
import { activateTile, blocksOfTile, highest, lowest } from "./channel-major";
import { activatePlane, padPlane, paddedBytes, planeByTaps, word, Word } from "./depthwise";
import { multiplyAdd } from "./math";
import { ownScratch } from "./thread";
import { Optional } from "./optional";

/** Copies planes of x into padded ones, one after the other. Tasks count planes. */
export function padPlanes(x: usize, padded: usize, geometry: usize, begin: i32, end: i32): void {
  const plane = <usize>(word(geometry, Word.Height) * word(geometry, Word.Width)) << 2;
  const bytes = paddedBytes(geometry);
  for (let task = begin; task < end; task++) {
    const target = padded + <usize>task * bytes;
    memory.fill(target, 0, bytes);
    padPlane(x + <usize>task * plane, target, geometry);
  }
}

/**
 * Tasks count rows of the output. Offsets [stored] lead in bytes from an output pixel's place in
 * the first padded plane to the pixel that a weight multiplies. A tile that leaves its row is
 * computed in `scratch`, rows × width floats for each thread.
 */
// @ts-ignore: decorator
@inline
function windows(
  height: i32, width: i32, indptr: usize, offsets: usize, values: usize, bias: usize, padded: usize, y: usize, rows: i32, activation: i32, scratch: usize, geometry: usize, begin: i32, end: i32,
): void {
  const outWidth = word(geometry, Word.OutWidth);
  const stride = <usize>(word(geometry, Word.OutHeight) * outWidth) << 2;
  const pitch = word(geometry, Word.Pitch);
  const low = lowest(activation), high = highest(activation);
  const spare = ownScratch(scratch, (rows * width) << 2);
  const spareStride = <usize>width << 2;
  for (let row = begin; row < end; row++) {
    const target = y + (<usize>(row * outWidth) << 2);
    for (let i = 0; i < outWidth; i += width) {
      const count = outWidth - i;
      const whole = count >= width;
      const to = whole ? target + (<usize>i << 2) : spare;
      blocksOfTile(height, width, padded + (<usize>(row * pitch + i) << 2), indptr, offsets, values, bias, to, rows, width, whole ? stride : spareStride, low, high);
      if (!whole) copyPart(spare, target + (<usize>i << 2), rows, count, spareStride, stride);
    }
    if (activation > Activation.Relu6) activateTile(target, rows, outWidth, stride, activation);
  }
}

/** Copies the first pixels of every row of a tile to where they belong. */
function copyPart(from: usize, to: usize, rows: i32, count: i32, fromStride: usize, toStride: usize): void {
  for (let row = 0; row < rows; row++, from += fromStride, to += toStride)
    for (let i = 0; i < count; i++) store<f32>(to + (<usize>i << 2), load<f32>(from + (<usize>i << 2)));
}

export function sparseWindows1(indptr: usize, offsets: usize, values: usize, bias: Optional, padded: usize, y: usize, rows: i32, activation: i32, scratch: usize, geometry: usize, begin: i32, end: i32): void {
  windows(1, 16, indptr, offsets, values, bias, padded, y, rows, activation, scratch, geometry, begin, end);
}

export function sparseWindows2(indptr: usize, offsets: usize, values: usize, bias: Optional, padded: usize, y: usize, rows: i32, activation: i32, scratch: usize, geometry: usize, begin: i32, end: i32): void {
  windows(2, 16, indptr, offsets, values, bias, padded, y, rows, activation, scratch, geometry, begin, end);
}

export function sparseWindows4(indptr: usize, offsets: usize, values: usize, bias: Optional, padded: usize, y: usize, rows: i32, activation: i32, scratch: usize, geometry: usize, begin: i32, end: i32): void {
  windows(4, 8, indptr, offsets, values, bias, padded, y, rows, activation, scratch, geometry, begin, end);
}

export function sparseWindows8(indptr: usize, offsets: usize, values: usize, bias: Optional, padded: usize, y: usize, rows: i32, activation: i32, scratch: usize, geometry: usize, begin: i32, end: i32): void {
  windows(8, 4, indptr, offsets, values, bias, padded, y, rows, activation, scratch, geometry, begin, end);
}

/**
 * Depthwise filters of which groups of `height` channels keep the same taps: indptr [groups + 1];
 * offsets [taps of all groups] in bytes within a padded plane; values hold, group by group, the
 * kept taps of each channel side by side. Tasks count channels. `scratch` holds a padded plane for
 * each thread.
 */
export function depthwiseTaps(
  indptr: usize, offsets: usize, values: usize, bias: Optional, x: usize, y: usize, height: i32, scratch: usize, geometry: usize, begin: i32, end: i32,
): void {
  const plane = <usize>(word(geometry, Word.Height) * word(geometry, Word.Width)) << 2;
  const outHeight = word(geometry, Word.OutHeight);
  const outWidth = word(geometry, Word.OutWidth);
  const activation = word(geometry, Word.Activation);
  const pitch = <usize>word(geometry, Word.Pitch) << 2;
  const padded = ownScratch(scratch, <i32>paddedBytes(geometry));
  memory.fill(padded, 0, paddedBytes(geometry));
  const low = lowest(activation), high = highest(activation);
  for (let channel = begin; channel < end; channel++) {
    padPlane(x + <usize>channel * plane, padded, geometry);
    const group = channel / height;
    const first = load<i32>(indptr + (<usize>group << 2));
    const taps = load<i32>(indptr + (<usize>group << 2), 4) - first;
    const filter = values + (<usize>(first * height + (channel - group * height) * taps) << 2);
    const shift = bias != 0 ? v128.load32_splat(bias + (<usize>channel << 2)) : f32x4.splat(0);
    const target = y + (<usize>(channel * outHeight * outWidth) << 2);
    planeByTaps(padded, filter, false, offsets + (<usize>first << 2), taps, target, outHeight, outWidth, pitch, shift, low, high);
    if (activation > Activation.Relu6) activatePlane(target, outHeight * outWidth, activation);
  }
}

/** Four floats from `row` on, of `rows`. */
// @ts-ignore: decorator
@inline
function fourRows(bias: usize, row: i32, rows: i32): v128 {
  if (bias == 0) return f32x4.splat(0);
  const at = bias + (<usize>row << 2);
  if (row + 4 <= rows) return v128.load(at);
  let result = v128.load32_zero(at);
  if (row + 1 < rows) result = v128.load_lane<f32>(at, result, 1, 4);
  if (row + 2 < rows) result = v128.load_lane<f32>(at, result, 2, 8);
  return result;
}

/** Stores up to four floats from `row` on, of `rows`. */
// @ts-ignore: decorator
@inline
export function storeRows(y: usize, row: i32, rows: i32, sums: v128): void {
  const at = y + (<usize>row << 2);
  if (row + 4 <= rows) {
    v128.store(at, sums);
    return;
  }
  if (row < rows) v128.store_lane<f32>(at, sums, 0);
  if (row + 1 < rows) v128.store_lane<f32>(at, sums, 1, 4);
  if (row + 2 < rows) v128.store_lane<f32>(at, sums, 2, 8);
}

/**
 * A single pixel: the lanes of a vector are four rows of a block. Offsets hold columns times 4.
 * Tasks count blocks.
 */
export function sparseVector4(indptr: usize, offsets: usize, values: usize, bias: Optional, x: usize, y: usize, rows: i32, activation: i32, begin: i32, end: i32): void {
  const low = lowest(activation), high = highest(activation);
  let entry = load<i32>(indptr + (<usize>begin << 2));
  for (let block = begin; block < end; block++) {
    const stop = load<i32>(indptr + (<usize>block << 2), 4);
    let value = values + (<usize>entry << 4);
    let at = offsets + (<usize>entry << 2);
    let s = fourRows(bias, block << 2, rows), t = f32x4.splat(0), u = t, v = t;
    for (; entry + 4 <= stop; entry += 4, value += 64, at += 16) {
      s = multiplyAdd(v128.load32_splat(x + <usize>load<u32>(at)), v128.load(value), s);
      t = multiplyAdd(v128.load32_splat(x + <usize>load<u32>(at, 4)), v128.load(value, 16), t);
      u = multiplyAdd(v128.load32_splat(x + <usize>load<u32>(at, 8)), v128.load(value, 32), u);
      v = multiplyAdd(v128.load32_splat(x + <usize>load<u32>(at, 12)), v128.load(value, 48), v);
    }
    for (; entry < stop; entry++, value += 16, at += 4) s = multiplyAdd(v128.load32_splat(x + <usize>load<u32>(at)), v128.load(value), s);
    s = f32x4.add(f32x4.add(s, t), f32x4.add(u, v));
    storeRows(y, block << 2, rows, f32x4.pmin(f32x4.pmax(s, low), high));
  }
  if (activation > Activation.Relu6) activatePlane(y + (<usize>begin << 4), min(end << 2, rows) - (begin << 2), activation);
}

export function sparseVector8(indptr: usize, offsets: usize, values: usize, bias: Optional, x: usize, y: usize, rows: i32, activation: i32, begin: i32, end: i32): void {
  const low = lowest(activation), high = highest(activation);
  let entry = load<i32>(indptr + (<usize>begin << 2));
  for (let block = begin; block < end; block++) {
    const stop = load<i32>(indptr + (<usize>block << 2), 4);
    const row = block << 3;
    let value = values + (<usize>entry << 5);
    let at = offsets + (<usize>entry << 2);
    let s = fourRows(bias, row, rows), t = row + 4 < rows ? fourRows(bias, row + 4, rows) : f32x4.splat(0);
    let u = f32x4.splat(0), v = u;
    for (; entry + 2 <= stop; entry += 2, value += 64, at += 8) {
      let p = v128.load32_splat(x + <usize>load<u32>(at));
      s = multiplyAdd(p, v128.load(value), s);
      t = multiplyAdd(p, v128.load(value, 16), t);
      p = v128.load32_splat(x + <usize>load<u32>(at, 4));
      u = multiplyAdd(p, v128.load(value, 32), u);
      v = multiplyAdd(p, v128.load(value, 48), v);
    }
    if (entry < stop) {
      const p = v128.load32_splat(x + <usize>load<u32>(at));
      s = multiplyAdd(p, v128.load(value), s);
      t = multiplyAdd(p, v128.load(value, 16), t);
      entry++;
    }
    storeRows(y, row, rows, f32x4.pmin(f32x4.pmax(f32x4.add(s, u), low), high));
    if (row + 4 < rows) storeRows(y, row + 4, rows, f32x4.pmin(f32x4.pmax(f32x4.add(t, v), low), high));
  }
  if (activation > Activation.Relu6) activatePlane(y + (<usize>begin << 5), min(end << 3, rows) - (begin << 3), activation);
}
