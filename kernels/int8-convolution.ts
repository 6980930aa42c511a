// int8 convolutions with channels last: images [n, h, w, pitch], where a pixel's channels fill
// `pitch` bytes, a multiple of 16. The padding behind the last channel may hold anything, as the
// weights there are zero.
//
// y = clamp(round(acc·scale[o] + shift[o] + residual·residualScale) + zeroOut) in lowest…highest,
// where acc = Σ x·w of the quanta; what the zero points add is in `shift`. Pixels outside the image
// are those of `pad`, one pixel of zero points.

import { dot16, dotSeven, isWide, MR, NR, padded, sumPairs, tile4x8 } from "./int8";
import { ownScratch, ownTile } from "./thread";
import { Optional } from "./optional";

/**
 * Sizes of a convolution as they lie in memory. Tasks count blocks of `pixelBlock` output pixels.
 */
@unmanaged
class Geometry {
  images: i32;
  height: i32;
  width: i32;
  outHeight: i32;
  outWidth: i32;
  kernelHeight: i32;
  kernelWidth: i32;
  strideY: i32;
  strideX: i32;
  padTop: i32;
  padLeft: i32;
  channels: i32;
  pitch: i32;
  filters: i32;
  outPitch: i32;
  dilationY: i32;
  dilationX: i32;
  /** First channel that is read, and the first that is written, of a group. */
  firstIn: i32;
  firstOut: i32;
  pixelBlock: i32;
}

/** How int32 sums are requantised to int8. */
@unmanaged
export class Requantization {
  zeroOut: i32;
  lowest: i32;
  highest: i32;
}

/** 1.5·2²³: a float of at most 2²² added to it is rounded to an integer in its low bits. */
const ROUNDER: f32 = 12582912;

/** Four sums scaled, rounded to whole numbers and clamped, as 32 bits each. */
// @ts-ignore: decorator
@inline
function requantize(total: v128, scale: v128, shift: v128, residual: usize, residualScale: v128, to: Requantization): v128 {
  let value = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(total), scale), shift);
  if (residual != 0) {
    const words = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(residual)));
    value = f32x4.add(value, f32x4.mul(f32x4.convert_i32x4_s(words), residualScale));
  }
  return roundQuanta(value, to);
}

/** Four values in steps of the result, rounded to whole numbers and clamped, as 32 bits each. */
// @ts-ignore: decorator
@inline
export function roundQuanta(value: v128, to: Requantization): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(value, f32x4.splat(<f32>(to.lowest - to.zeroOut))), f32x4.splat(<f32>(to.highest - to.zeroOut)));
  return i32x4.sub(f32x4.add(clamped, f32x4.splat(ROUNDER)), i32x4.splat(reinterpret<i32>(ROUNDER) - to.zeroOut));
}

/** Addresses of what the taps of an output pixel read: pixels of the image, or `pad` outside. */
// @ts-ignore: decorator
@inline
function windowAt(g: Geometry, x: usize, pixel: i32, pad: usize, table: usize): void {
  const line = pixel / g.outWidth;
  const image = line / g.outHeight;
  const left = (pixel - line * g.outWidth) * g.strideX - g.padLeft;
  const top = (line - image * g.outHeight) * g.strideY - g.padTop;
  const plane = x + g.firstIn + <usize>image * g.height * g.width * g.pitch;
  for (let row = top, bottom = top + g.kernelHeight * g.dilationY; row < bottom; row += g.dilationY) {
    const inside = <u32>row < <u32>g.height;
    for (let column = left, right = left + g.kernelWidth * g.dilationX; column < right; column += g.dilationX) {
      const within = inside && <u32>column < <u32>g.width;
      store<u32>(table, <u32>(within ? plane + <usize>(row * g.width + column) * g.pitch : pad));
      table += 4;
    }
  }
}

/** Bytes of packed filters that stay in L1 while a block of pixels passes. */
const PANEL_BYTES: i32 = 16384;

/**
 * Full convolution as a product: windows of a block of pixels, brought side by side into working
 * memory, times the packed filters, whose k is tap after tap with the channels of each padded to a
 * multiple of 4. `sevenBit` says that x lies in 0…127. Of `scratchBytes` a thread a block takes two
 * for each k of its windows, and a few.
 */
export function convolveInt8(
  x: usize, packed: usize, scale: usize, shift: usize, pad: usize, residual: Optional, y: usize, residualScale: f32, requantization: usize, sevenBit: i32,
  scratch: usize, scratchBytes: i32, geometry: usize, begin: i32, end: i32,
): void {
  const own = ownScratch(scratch, scratchBytes);
  if (sevenBit) convolvePixels<u8>(x, packed, scale, shift, pad, residual, y, residualScale, requantization, own, geometry, begin, end);
  else convolvePixels<i8>(x, packed, scale, shift, pad, residual, y, residualScale, requantization, own, geometry, begin, end);
}

function convolvePixels<T>(
  x: usize, packed: usize, scale: usize, shift: usize, pad: usize, residual: usize, y: usize, residualScale: f32, requantization: usize, windows: usize,
  geometry: usize, begin: i32, end: i32,
): void {
  const g = changetype<Geometry>(geometry);
  const to = changetype<Requantization>(requantization);
  const depth = g.kernelHeight * g.kernelWidth * padded(g.channels);
  const panelBytes = depth * NR;
  const panels = (g.filters + NR - 1) / NR;
  const together = max(1, PANEL_BYTES / panelBytes);
  const pixels = g.images * g.outHeight * g.outWidth;
  const residualScales = f32x4.splat(residualScale);
  // A pixel is its own window where the filters are pointwise and the product reads int8.
  const inPlace = !isWide<T>() && g.firstIn == 0 && g.kernelHeight * g.kernelWidth * g.strideY * g.strideX == 1 && g.height == g.outHeight && g.width == g.outWidth;
  const stride = inPlace ? <usize>g.pitch : <usize>depth << (isWide<T>() ? 1 : 0);
  const out = ownTile();
  const grouped = g.firstOut > 0;
  for (let task = begin; task < end; task++) {
    const first = task * g.pixelBlock;
    const last = min(pixels, first + g.pixelBlock);
    // The last tile may lack pixels: read in working memory, where what lies behind is ours.
    for (let pixel = inPlace ? last - (last - first) % MR : first; pixel < last; pixel++)
      copyWindow<T>(g, x, pixel, pad, windows + <usize>(pixel - first) * stride);
    for (let block = 0; block < panels; block += together) {
      const stop = min(panels, block + together);
      for (let pixel = first; pixel < last; pixel += MR) {
        const count = min(MR, last - pixel);
        const rows = inPlace && count == MR ? x + <usize>pixel * stride : windows + <usize>(pixel - first) * stride;
        for (let panel = block; panel < stop; panel++) {
          tile4x8<T>(rows, stride, packed + <usize>panel * panelBytes, depth >> 2, out);
          const s0 = v128.load(scale + (<usize>panel << 5)), s1 = v128.load(scale + (<usize>panel << 5), 16);
          const h0 = v128.load(shift + (<usize>panel << 5)), h1 = v128.load(shift + (<usize>panel << 5), 16);
          let at = <usize>pixel * g.outPitch + g.firstOut + <usize>panel * NR;
          // The next group's channels lie behind the last of a group.
          const part = grouped && panel == panels - 1 ? g.filters - panel * NR : NR;
          for (let sums = out; sums < out + <usize>count * 32; sums += 32) {
            const before = residual != 0 ? residual + at : 0;
            const words = i16x8.narrow_i32x4_s(
              requantize(v128.load(sums), s0, h0, before, residualScales, to), requantize(v128.load(sums, 16), s1, h1, before != 0 ? before + 4 : 0, residualScales, to));
            const quanta = i8x16.narrow_i16x8_s(words, words);
            if (part == NR) v128.store64_lane(y + at, quanta, 0);
            else storeFirst(y + at, quanta, part);
            at += g.outPitch;
          }
        }
      }
    }
  }
}

/** The first `count` < 8 bytes of `quanta`. */
function storeFirst(target: usize, quanta: v128, count: i32): void {
  let bytes = i64x2.extract_lane(quanta, 0);
  for (let k = 0; k < count; k++, bytes >>= 8) store<u8>(target + k, <u8>bytes);
}

/**
 * The window of an output pixel, as the product reads it; up to 15 elements behind it are
 * overwritten.
 */
function copyWindow<T>(g: Geometry, x: usize, pixel: i32, pad: usize, target: usize): void {
  const table = ownTile();
  const channels = padded(g.channels);
  windowAt(g, x, pixel, pad, table);
  for (let tap = 0; tap < g.kernelHeight * g.kernelWidth; tap++) {
    const source = <usize>load<u32>(table + (<usize>tap << 2));
    for (let c = 0; c < channels; c += 16) {
      const quanta = v128.load(source + c);
      storeQuanta<T>(target, c >> 4, quanta);
    }
    target += <usize>channels << (isWide<T>() ? 1 : 0);
  }
}

/**
 * Depthwise convolution, 16 channels at a time: the input rows of a window are interleaved by
 * fours, column by column, so that one instruction sums four taps of a channel; each column then
 * serves all windows that hold it. packed: for each 16 channels, column of the filter and four of
 * its rows (the last padded with zeros) 64 bytes, the four weights of a channel side by side. A
 * thread's part of scratch holds 128 bytes for each four rows of each column. Tasks count output
 * rows.
 */
export function depthwiseInt8(
  x: usize, packed: usize, scale: usize, shift: usize, pad: usize, y: usize, requantization: usize, sevenBit: i32, scratch: usize, scratchBytes: i32,
  geometry: usize, begin: i32, end: i32,
): void {
  const own = ownScratch(scratch, scratchBytes);
  if (sevenBit) depthwiseRows<u8>(x, packed, scale, shift, pad, y, requantization, own, geometry, begin, end);
  else depthwiseRows<i8>(x, packed, scale, shift, pad, y, requantization, own, geometry, begin, end);
}

function depthwiseRows<T>(
  x: usize, packed: usize, scale: usize, shift: usize, pad: usize, y: usize, requantization: usize, columns: usize, geometry: usize, begin: i32, end: i32,
): void {
  const g = changetype<Geometry>(geometry);
  const to = changetype<Requantization>(requantization);
  const fours = (g.kernelHeight + 3) >> 2;
  const columnBytes = <usize>fours * (isWide<T>() ? 128 : 64);
  // Columns that a window reads lie side by side, but for those that are apart.
  const together = g.dilationX == 1;
  const run = together ? <usize>g.kernelWidth * columnBytes : columnBytes;
  const skip = <usize>g.dilationX * columnBytes;
  const none = f32x4.splat(0);
  for (let task = begin; task < end; task++) {
    const image = task / g.outHeight;
    const top = (task - image * g.outHeight) * g.strideY - g.padTop;
    const plane = x + <usize>image * g.height * g.width * g.pitch;
    let w = packed;
    for (let c = 0; c < g.pitch; c += 16) {
      interleaveRows<T>(g, plane + c, top, pad + c, columns);
      const h = <usize>c << 2;
      let target = y + <usize>(task * g.outWidth) * g.outPitch + c;
      for (let j = 0; j < g.outWidth; j++) {
        const from = columns + <usize>(j * g.strideX) * columnBytes;
        const stop = from + (together ? run : <usize>g.kernelWidth * skip);
        let s0 = i32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
        if (!isWide<T>()) {
          for (let first = from, v = w; first < stop; first += skip) {
            for (let at = first; at < first + run; at += 64, v += 64) {
              s0 = dotSeven(v128.load(v), v128.load(at), s0);
              s1 = dotSeven(v128.load(v, 16), v128.load(at, 16), s1);
              s2 = dotSeven(v128.load(v, 32), v128.load(at, 32), s2);
              s3 = dotSeven(v128.load(v, 48), v128.load(at, 48), s3);
            }
            if (together) break;
          }
        } else {
          let r0 = s0, r1 = s0, r2 = s0, r3 = s0;
          for (let first = from, v = w; first < stop; first += skip) {
            for (let at = first; at < first + run; at += 128, v += 64) {
              s0 = dot16(v128.load8x8_s(v), v128.load(at), s0);
              r0 = dot16(v128.load8x8_s(v, 8), v128.load(at, 16), r0);
              s1 = dot16(v128.load8x8_s(v, 16), v128.load(at, 32), s1);
              r1 = dot16(v128.load8x8_s(v, 24), v128.load(at, 48), r1);
              s2 = dot16(v128.load8x8_s(v, 32), v128.load(at, 64), s2);
              r2 = dot16(v128.load8x8_s(v, 40), v128.load(at, 80), r2);
              s3 = dot16(v128.load8x8_s(v, 48), v128.load(at, 96), s3);
              r3 = dot16(v128.load8x8_s(v, 56), v128.load(at, 112), r3);
            }
            if (together) break;
          }
          s0 = sumPairs(s0, r0);
          s1 = sumPairs(s1, r1);
          s2 = sumPairs(s2, r2);
          s3 = sumPairs(s3, r3);
        }
        const low = i16x8.narrow_i32x4_s(
          requantize(s0, v128.load(scale + h), v128.load(shift + h), 0, none, to), requantize(s1, v128.load(scale + h, 16), v128.load(shift + h, 16), 0, none, to));
        const high = i16x8.narrow_i32x4_s(
          requantize(s2, v128.load(scale + h, 32), v128.load(shift + h, 32), 0, none, to), requantize(s3, v128.load(scale + h, 48), v128.load(shift + h, 48), 0, none, to));
        v128.store(target, i8x16.narrow_i16x8_s(low, high));
        target += g.outPitch;
      }
      w += <usize>(g.kernelWidth * fours) << 6;
    }
  }
}

/**
 * Columns of a row of windows, from the left padding on: for every four of their rows, the quanta
 * of a channel side by side. `x` and `pad` point to the first of the 16 channels.
 */
function interleaveRows<T>(g: Geometry, x: usize, top: i32, pad: usize, target: usize): void {
  const pitch = <usize>g.pitch;
  const size: usize = isWide<T>() ? 128 : 64;
  const fours = (g.kernelHeight + 3) >> 2;
  const step = size * fours;
  const width = (g.outWidth - 1) * g.strideX + (g.kernelWidth - 1) * g.dilationX + 1;
  const empty = v128.load(pad);
  for (let four = 0; four < fours; four++) {
    const row = top + four * 4 * g.dilationY;
    let column = -g.padLeft;
    let at = target + size * four;
    for (; column < 0; column++, at += step) storeInterleaved<T>(at, empty, empty, empty, empty);
    let a = rowAt(g, x, row), b = rowAt(g, x, row + g.dilationY);
    let c = rowAt(g, x, row + 2 * g.dilationY), d = rowAt(g, x, row + 3 * g.dilationY);
    // Rows outside the image stand still on the pad.
    const p: usize = a ? pitch : 0, q: usize = b ? pitch : 0, r: usize = c ? pitch : 0, s: usize = d ? pitch : 0;
    if (!a) a = pad;
    if (!b) b = pad;
    if (!c) c = pad;
    if (!d) d = pad;
    for (const stop = min(g.width, width - g.padLeft); column < stop; column++, at += step) {
      storeInterleaved<T>(at, v128.load(a), v128.load(b), v128.load(c), v128.load(d));
      a += p;
      b += q;
      c += r;
      d += s;
    }
    for (; column < width - g.padLeft; column++, at += step) storeInterleaved<T>(at, empty, empty, empty, empty);
  }
}

// @ts-ignore: decorator
@inline
function rowAt(g: Geometry, x: usize, row: i32): usize {
  return <u32>row < <u32>g.height ? x + <usize>(row * g.width) * g.pitch : 0;
}

// @ts-ignore: decorator
@inline
function storeInterleaved<T>(target: usize, a: v128, b: v128, c: v128, d: v128): void {
  const p = interleaveLow(a, b), q = interleaveLow(c, d), r = interleaveHigh(a, b), s = interleaveHigh(c, d);
  storeQuanta<T>(target, 0, v128.shuffle<i16>(p, q, 0, 8, 1, 9, 2, 10, 3, 11));
  storeQuanta<T>(target, 1, v128.shuffle<i16>(p, q, 4, 12, 5, 13, 6, 14, 7, 15));
  storeQuanta<T>(target, 2, v128.shuffle<i16>(r, s, 0, 8, 1, 9, 2, 10, 3, 11));
  storeQuanta<T>(target, 3, v128.shuffle<i16>(r, s, 4, 12, 5, 13, 6, 14, 7, 15));
}

/** Sixteen int8 as the product reads them: at place `at` of them. */
// @ts-ignore: decorator
@inline
function storeQuanta<T>(target: usize, at: usize, quanta: v128): void {
  if (isWide<T>()) {
    v128.store(target + at * 32, i16x8.extend_low_i8x16_s(quanta));
    v128.store(target + at * 32, i16x8.extend_high_i8x16_s(quanta), 16);
  } else {
    v128.store(target + at * 16, quanta);
  }
}

// @ts-ignore: decorator
@inline
function interleaveLow(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// @ts-ignore: decorator
@inline
function interleaveHigh(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/**
 * Floats with channels first to quanta with channels last: x[n, c, h, w] → y[n, outHeight,
 * outWidth, outPitch], where element c·taps + tap of a pixel is clamp(round(x/scale) + zero) of
 * what that tap of its window reads: a 1×1 window brings an image into the layout of this file,
 * larger ones keep a first layer of few channels from multiplying padding. Tasks count output rows.
 */
export function windowsInt8(x: usize, y: usize, scale: f32, zero: i32, sevenBit: i32, geometry: usize, begin: i32, end: i32): void {
  const g = changetype<Geometry>(geometry);
  const taps = g.kernelHeight * g.kernelWidth;
  const inverse: f32 = 1 / scale;
  const lowest = sevenBit ? 0 : -128;
  for (let task = begin; task < end; task++) {
    const image = task / g.outHeight;
    const i = task % g.outHeight;
    const line = y + <usize>task * g.outWidth * g.outPitch;
    memory.fill(line, 0, <usize>g.outWidth * g.outPitch);
    for (let place = 0; place < g.channels * taps; place++) {
      const tap = place % taps;
      const row = i * g.strideY + tap / g.kernelWidth - g.padTop;
      const plane = x + (<usize>((image * g.channels + place / taps) * g.height + row) * g.width << 2);
      const inside = <u32>row < <u32>g.height;
      let column = tap % g.kernelWidth - g.padLeft;
      let target = line + place;
      const stop = target + <usize>g.outWidth * g.outPitch;
      while (target < stop) {
        // Four places at once, as far as the row's floats reach.
        if (inside && g.strideX <= 2 && column >= 0 && column + 8 <= g.width && target + 3 * g.outPitch < stop) {
          const at = plane + (<usize>column << 2);
          const values = g.strideX == 1 ? v128.load(at) : v128.shuffle<i32>(v128.load(at), v128.load(at, 16), 0, 2, 4, 6);
          const rounded = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(values, f32x4.splat(inverse))));
          const quanta = i32x4.min_s(i32x4.max_s(i32x4.add(rounded, i32x4.splat(zero)), i32x4.splat(lowest)), i32x4.splat(127));
          v128.store8_lane(target, quanta, 0);
          v128.store8_lane(target + g.outPitch, quanta, 4);
          v128.store8_lane(target + 2 * g.outPitch, quanta, 8);
          v128.store8_lane(target + 3 * g.outPitch, quanta, 12);
          column += 4 * g.strideX;
          target += 4 * g.outPitch;
          continue;
        }
        const value = inside && <u32>column < <u32>g.width ? <i32>nearest<f32>(load<f32>(plane + (<usize>column << 2)) * inverse) : 0;
        store<i8>(target, <i8>max(lowest, min(127, value + zero)));
        column += g.strideX;
        target += g.outPitch;
      }
    }
  }
}

/**
 * Dequantises int8 with channels last to floats with channels first: y[n, c, pixels] = scale·(x[n,
 * pixels, pitch] − zero). Tasks count planes.
 */
export function dequantizeInt8(x: usize, y: usize, scale: f32, zero: i32, channels: i32, pixels: i32, pitch: i32, begin: i32, end: i32): void {
  for (let task = begin; task < end; task++) {
    let source = x + <usize>(task / channels) * pixels * pitch + task % channels;
    for (let target = y + (<usize>task * pixels << 2), stop = target + (<usize>pixels << 2); target < stop; target += 4) {
      store<f32>(target, scale * <f32>(load<i8>(source) - zero));
      source += pitch;
    }
  }
}
