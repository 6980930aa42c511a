// Depthwise convolution: each channel with a filter of its own. A task copies one plane into a
// zero-padded one that stays in cache, split by stride into phases (a phase holds every stride-th
// row and column), so that every tap reads contiguous pixels at a fixed offset. Then tiles of 8
// vectors of output run over the taps. The gradient of the input is the same loop with the filter
// reversed and zeros put between the pixels where the stride was above 1.

import { activate, Activation } from "./activation";
import { multiplyAdd, sumLanes } from "./math";
import { ownScratch } from "./thread";
import { Optional } from "./optional";

/** Words of the geometry that src/engine/cpu/convolution.ts writes. */
export enum Word {
  Channels, Images, Height, Width, OutHeight, OutWidth, KernelHeight, KernelWidth, StepY, StepX, PadTop, PadLeft, DilationY, DilationX,
  /** Input pixels lie so far apart, with zeros between. */
  SpreadY, SpreadX,
  /** 1 reads the filter from its end. */
  Reversed,
  Activation,
  /** Rows and floats a row of one phase of the padded plane. */
  PhaseRows, Pitch,
  /**
   * Phases of the padded plane down and across: the strides, or 1 where a kernel takes strides in
   * its own way.
   */
  PhasesY, PhasesX,
}

// @ts-ignore: decorator
@inline
export function word(geometry: usize, index: i32): i32 {
  return load<i32>(geometry + (<usize>index << 2));
}

/** Bytes of the padded plane. */
// @ts-ignore: decorator
@inline
export function paddedBytes(geometry: usize): usize {
  const phases = word(geometry, Word.PhasesY) * word(geometry, Word.PhasesX);
  return <usize>(phases * word(geometry, Word.PhaseRows) * word(geometry, Word.Pitch)) << 2;
}

/** Writes the byte offset of each tap within the padded plane. */
function tapOffsets(geometry: usize, offsets: usize): void {
  const stepY = word(geometry, Word.PhasesY);
  const stepX = word(geometry, Word.PhasesX);
  const pitch = word(geometry, Word.Pitch);
  const phase = word(geometry, Word.PhaseRows) * pitch;
  for (let ky = 0; ky < word(geometry, Word.KernelHeight); ky++) {
    const y = ky * word(geometry, Word.DilationY);
    for (let kx = 0; kx < word(geometry, Word.KernelWidth); kx++, offsets += 4) {
      const x = kx * word(geometry, Word.DilationX);
      store<i32>(offsets, (((y % stepY) * stepX + x % stepX) * phase + y / stepY * pitch + x / stepX) << 2);
    }
  }
}

/** Copies a plane into the padded one, whose other pixels are zero already. */
export function padPlane(source: usize, padded: usize, geometry: usize): void {
  const height = word(geometry, Word.Height);
  const width = word(geometry, Word.Width);
  const stepY = word(geometry, Word.PhasesY);
  const stepX = word(geometry, Word.PhasesX);
  const left = word(geometry, Word.PadLeft);
  const spreadX = word(geometry, Word.SpreadX);
  const phaseRows = word(geometry, Word.PhaseRows);
  const pitch = word(geometry, Word.Pitch);
  for (let iy = 0; iy < height; iy++, source += <usize>width << 2) {
    const y = iy * word(geometry, Word.SpreadY) + word(geometry, Word.PadTop);
    if (y < 0 || y / stepY >= phaseRows) continue;
    const row = padded + ((<usize>((y % stepY) * stepX * phaseRows + y / stepY) * pitch) << 2);
    if (stepX == 1 && spreadX == 1) {
      const first = max(0, -left);
      const count = min(width - first, pitch - left - first);
      copyRow(source + (<usize>first << 2), row + (<usize>(left + first) << 2), count);
    } else if (stepX == 2 && spreadX == 1) {
      for (let phase = 0; phase < 2; phase++) {
        const first = max((phase - left) & 1, phase - left);
        copyEverySecond(source + (<usize>first << 2), row + ((<usize>(phase * phaseRows * pitch) + (first + left) / 2) << 2), min((width - first + 1) / 2, pitch - (first + left) / 2));
      }
    } else {
      for (let ix = 0; ix < width; ix++) {
        const x = ix * spreadX + left;
        if (x >= 0 && x / stepX < pitch) store<f32>(row + ((<usize>(x % stepX * phaseRows * pitch) + x / stepX) << 2), load<f32>(source + (<usize>ix << 2)));
      }
    }
  }
}

/** Rows are short: a loop is faster than the call behind `memory.copy`. */
function copyRow(source: usize, target: usize, count: i32): void {
  let i = 0;
  for (; i + 4 <= count; i += 4, source += 16, target += 16) v128.store(target, v128.load(source));
  for (; i < count; i++, source += 4, target += 4) store<f32>(target, load<f32>(source));
}

function copyEverySecond(source: usize, target: usize, count: i32): void {
  let i = 0;
  for (; i + 5 <= count; i += 4) {
    v128.store(target, v128.shuffle<f32>(v128.load(source), v128.load(source, 16), 0, 2, 4, 6));
    source += 32;
    target += 16;
  }
  for (; i < count; i++, source += 8, target += 4) store<f32>(target, load<f32>(source));
}

/**
 * y[n, c] = activation(filter[c] ∗ x[n, c] + bias[c]); tasks count (image, channel). `scratch`
 * holds the padded plane and the tap offsets for each thread.
 */
export function depthwise(
  x: usize, filters: usize, bias: Optional, y: usize, scratch: usize, scratchBytes: i32, geometry: usize, begin: i32, end: i32,
): void {
  const channels = word(geometry, Word.Channels);
  const plane = <usize>(word(geometry, Word.Height) * word(geometry, Word.Width)) << 2;
  const outHeight = word(geometry, Word.OutHeight);
  const outWidth = word(geometry, Word.OutWidth);
  const taps = word(geometry, Word.KernelHeight) * word(geometry, Word.KernelWidth);
  const activation = word(geometry, Word.Activation);
  const pitch = <usize>word(geometry, Word.Pitch) << 2;
  const reversed = word(geometry, Word.Reversed) != 0;
  const padded = ownScratch(scratch, scratchBytes);
  const offsets = padded + paddedBytes(geometry);
  memory.fill(padded, 0, paddedBytes(geometry));
  tapOffsets(geometry, offsets);
  const threeByThree = word(geometry, Word.KernelHeight) == 3 && word(geometry, Word.KernelWidth) == 3;
  // Without activation the limits are infinite.
  const low = f32x4.splat(activation == Activation.Relu || activation == Activation.Relu6 ? 0 : -Infinity);
  const high = f32x4.splat(activation == Activation.Relu6 ? 6 : Infinity);
  const dense = word(geometry, Word.StepY) == 1 && word(geometry, Word.StepX) == 1 && word(geometry, Word.DilationY) == 1 && word(geometry, Word.DilationX) == 1;
  const halving = word(geometry, Word.StepX) == 2 && word(geometry, Word.PhasesX) == 1;
  for (let task = begin; task < end; task++) {
    const channel = task % channels;
    padPlane(x + <usize>task * plane, padded, geometry);
    const filter = filters + (<usize>(channel * taps) << 2);
    const shift = bias != 0 ? v128.load32_splat(bias + (<usize>channel << 2)) : f32x4.splat(0);
    const target = y + ((<usize>(task * outHeight) * outWidth) << 2);
    if (threeByThree && halving) plane3x3Halving(padded, filter, reversed, target, outHeight, outWidth, pitch, shift, low, high);
    else if (threeByThree && dense) plane3x3(padded, filter, reversed, target, outHeight, outWidth, pitch, shift, low, high);
    else planeByTaps(padded, filter, reversed, offsets, taps, target, outHeight, outWidth, pitch, shift, low, high);
    if (activation > Activation.Relu6) activatePlane(target, outHeight * outWidth, activation);
  }
}

/**
 * Applies an activation in place: a call among a tile's sums would make the compiler keep them in
 * memory.
 */
export function activatePlane(at: usize, size: i32, activation: i32): void {
  const stop = at + (<usize>size << 2);
  for (; at + 16 <= stop; at += 16) v128.store(at, activate(activation, v128.load(at)));
  for (; at < stop; at += 4) v128.store_lane<f32>(at, activate(activation, v128.load32_zero(at)), 0);
}

/**
 * 3×3 at stride 1: tiles of 4 rows × 4 pixels, so that each vector loaded serves up to three rows.
 */
function plane3x3(padded: usize, filter: usize, reversed: bool, y: usize, height: i32, width: i32, pitch: usize, shift: v128, low: v128, high: v128): void {
  const step: isize = reversed ? -4 : 4;
  let at = reversed ? filter + 32 : filter;
  const w0 = v128.load32_splat(at); at += step;
  const w1 = v128.load32_splat(at); at += step;
  const w2 = v128.load32_splat(at); at += step;
  const w3 = v128.load32_splat(at); at += step;
  const w4 = v128.load32_splat(at); at += step;
  const w5 = v128.load32_splat(at); at += step;
  const w6 = v128.load32_splat(at); at += step;
  const w7 = v128.load32_splat(at); at += step;
  const w8 = v128.load32_splat(at);
  const row = <usize>width << 2;
  for (let j = 0; j < height; j += 4) {
    for (let i = 0; i < width; i += 4) {
      let p = padded + <usize>j * pitch + (<usize>i << 2);
      let a = v128.load(p);
      let s0 = multiplyAdd(a, w0, shift);
      a = v128.load(p, 4);
      s0 = multiplyAdd(a, w1, s0);
      a = v128.load(p, 8);
      s0 = multiplyAdd(a, w2, s0);
      p += pitch;
      a = v128.load(p);
      s0 = multiplyAdd(a, w3, s0);
      let s1 = multiplyAdd(a, w0, shift);
      a = v128.load(p, 4);
      s0 = multiplyAdd(a, w4, s0);
      s1 = multiplyAdd(a, w1, s1);
      a = v128.load(p, 8);
      s0 = multiplyAdd(a, w5, s0);
      s1 = multiplyAdd(a, w2, s1);
      p += pitch;
      a = v128.load(p);
      s0 = multiplyAdd(a, w6, s0);
      s1 = multiplyAdd(a, w3, s1);
      let s2 = multiplyAdd(a, w0, shift);
      a = v128.load(p, 4);
      s0 = multiplyAdd(a, w7, s0);
      s1 = multiplyAdd(a, w4, s1);
      s2 = multiplyAdd(a, w1, s2);
      a = v128.load(p, 8);
      s0 = multiplyAdd(a, w8, s0);
      s1 = multiplyAdd(a, w5, s1);
      s2 = multiplyAdd(a, w2, s2);
      p += pitch;
      a = v128.load(p);
      s1 = multiplyAdd(a, w6, s1);
      s2 = multiplyAdd(a, w3, s2);
      let s3 = multiplyAdd(a, w0, shift);
      a = v128.load(p, 4);
      s1 = multiplyAdd(a, w7, s1);
      s2 = multiplyAdd(a, w4, s2);
      s3 = multiplyAdd(a, w1, s3);
      a = v128.load(p, 8);
      s1 = multiplyAdd(a, w8, s1);
      s2 = multiplyAdd(a, w5, s2);
      s3 = multiplyAdd(a, w2, s3);
      p += pitch;
      a = v128.load(p);
      s2 = multiplyAdd(a, w6, s2);
      s3 = multiplyAdd(a, w3, s3);
      a = v128.load(p, 4);
      s2 = multiplyAdd(a, w7, s2);
      s3 = multiplyAdd(a, w4, s3);
      a = v128.load(p, 8);
      s2 = multiplyAdd(a, w8, s2);
      s3 = multiplyAdd(a, w5, s3);
      p += pitch;
      s3 = multiplyAdd(v128.load(p), w6, s3);
      s3 = multiplyAdd(v128.load(p, 4), w7, s3);
      s3 = multiplyAdd(v128.load(p, 8), w8, s3);
      const target = y + <usize>j * row + (<usize>i << 2);
      const columns = min(4, width - i);
      storePixels(target, s0, columns, low, high);
      if (j + 1 < height) storePixels(target + row, s1, columns, low, high);
      if (j + 2 < height) storePixels(target + 2 * row, s2, columns, low, high);
      if (j + 3 < height) storePixels(target + 3 * row, s3, columns, low, high);
    }
  }
}

/** 3×3 at stride 2: two vectors of a row hold four pixels each of their even and odd columns. */
function plane3x3Halving(
  padded: usize, filter: usize, reversed: bool, y: usize, height: i32, width: i32, pitch: usize, shift: v128, low: v128, high: v128,
): void {
  const step: isize = reversed ? -4 : 4;
  let at = reversed ? filter + 32 : filter;
  const w0 = v128.load32_splat(at); at += step;
  const w1 = v128.load32_splat(at); at += step;
  const w2 = v128.load32_splat(at); at += step;
  const w3 = v128.load32_splat(at); at += step;
  const w4 = v128.load32_splat(at); at += step;
  const w5 = v128.load32_splat(at); at += step;
  const w6 = v128.load32_splat(at); at += step;
  const w7 = v128.load32_splat(at); at += step;
  const w8 = v128.load32_splat(at);
  for (let j = 0; j < height; j++) {
    const row = padded + 2 * <usize>j * pitch;
    for (let i = 0; i < width; i += 4) {
      let p = row + (<usize>i << 3);
      let a = v128.load(p), b = v128.load(p, 16);
      let s = multiplyAdd(v128.shuffle<f32>(a, b, 0, 2, 4, 6), w0, shift);
      let t = f32x4.mul(v128.shuffle<f32>(a, b, 1, 3, 5, 7), w1);
      s = multiplyAdd(v128.shuffle<f32>(v128.load(p, 8), v128.load(p, 24), 0, 2, 4, 6), w2, s);
      p += pitch;
      a = v128.load(p); b = v128.load(p, 16);
      t = multiplyAdd(v128.shuffle<f32>(a, b, 0, 2, 4, 6), w3, t);
      s = multiplyAdd(v128.shuffle<f32>(a, b, 1, 3, 5, 7), w4, s);
      t = multiplyAdd(v128.shuffle<f32>(v128.load(p, 8), v128.load(p, 24), 0, 2, 4, 6), w5, t);
      p += pitch;
      a = v128.load(p); b = v128.load(p, 16);
      s = multiplyAdd(v128.shuffle<f32>(a, b, 0, 2, 4, 6), w6, s);
      t = multiplyAdd(v128.shuffle<f32>(a, b, 1, 3, 5, 7), w7, t);
      s = multiplyAdd(v128.shuffle<f32>(v128.load(p, 8), v128.load(p, 24), 0, 2, 4, 6), w8, s);
      storePixels(y + (<usize>(j * width + i) << 2), f32x4.add(s, t), min(4, width - i), low, high);
    }
  }
}

/**
 * Any taps: tiles of 8 vectors, 4 rows × 8 pixels, or 1 row × 32 pixels where there are fewer than
 * 4 rows.
 */
export function planeByTaps(
  padded: usize, filter: usize, reversed: bool, offsets: usize, taps: i32, y: usize, height: i32, width: i32, pitch: usize, shift: v128, low: v128, high: v128,
): void {
  const step: isize = reversed ? -4 : 4;
  const start = reversed ? filter + (<usize>(taps - 1) << 2) : filter;
  const tall = height >= 4;
  const tileHeight = tall ? 4 : 1;
  const tileWidth = tall ? 8 : 32;
  const down = tall ? pitch : 32;
  const outRow = <usize>width << 2;
  const outDown = tall ? outRow : 32;
  for (let j = 0; j < height; j += tileHeight) {
    for (let i = 0; i < width; i += tileWidth) {
      const tile = padded + <usize>j * pitch + (<usize>i << 2);
      let s0 = shift, s1 = shift, s2 = shift, s3 = shift, s4 = shift, s5 = shift, s6 = shift, s7 = shift;
      let weight = start;
      const stop = offsets + (<usize>taps << 2);
      for (let offset = offsets; offset < stop; offset += 4, weight += step) {
        const w = v128.load32_splat(weight);
        let p = tile + <usize>load<i32>(offset);
        s0 = multiplyAdd(w, v128.load(p), s0);
        s1 = multiplyAdd(w, v128.load(p, 16), s1);
        p += down;
        s2 = multiplyAdd(w, v128.load(p), s2);
        s3 = multiplyAdd(w, v128.load(p, 16), s3);
        p += down;
        s4 = multiplyAdd(w, v128.load(p), s4);
        s5 = multiplyAdd(w, v128.load(p, 16), s5);
        p += down;
        s6 = multiplyAdd(w, v128.load(p), s6);
        s7 = multiplyAdd(w, v128.load(p, 16), s7);
      }
      let target = y + <usize>j * outRow + (<usize>i << 2);
      const rows = tall ? height - j : 4;
      const columns = width - i;
      const advance = tall ? 0 : 8;
      storePair(target, s0, s1, columns, low, high);
      target += outDown;
      if (rows > 1) storePair(target, s2, s3, columns - advance, low, high);
      target += outDown;
      if (rows > 2) storePair(target, s4, s5, columns - 2 * advance, low, high);
      target += outDown;
      if (rows > 3) storePair(target, s6, s7, columns - 3 * advance, low, high);
    }
  }
}

function storePair(target: usize, first: v128, second: v128, columns: i32, low: v128, high: v128): void {
  if (columns > 0) storePixels(target, first, columns, low, high);
  if (columns > 4) storePixels(target + 16, second, columns - 4, low, high);
}

// @ts-ignore: decorator
@inline
function storePixels(target: usize, values: v128, columns: i32, low: v128, high: v128): void {
  values = f32x4.pmin(f32x4.pmax(values, low), high);
  if (columns >= 4) {
    v128.store(target, values);
    return;
  }
  v128.store_lane<f32>(target, values, 0);
  if (columns > 1) v128.store_lane<f32>(target, values, 1, 4);
  if (columns > 2) v128.store_lane<f32>(target, values, 2, 8);
}

/**
 * Gradient of the filters: result[c, tap] = Σ over images and pixels of gradient·(padded input at
 * the tap). Tasks count channels. `scratch` holds the padded plane, a plane of the gradient with
 * rows of whole vectors, and the tap offsets for each thread.
 */
export function depthwiseFilterGradient(
  x: usize, gradient: usize, result: usize, scratch: usize, scratchBytes: i32, geometry: usize, begin: i32, end: i32,
): void {
  const channels = word(geometry, Word.Channels);
  const images = word(geometry, Word.Images);
  const plane = <usize>(word(geometry, Word.Height) * word(geometry, Word.Width)) << 2;
  const outHeight = word(geometry, Word.OutHeight);
  const outWidth = word(geometry, Word.OutWidth);
  const taps = word(geometry, Word.KernelHeight) * word(geometry, Word.KernelWidth);
  const pitch = <usize>word(geometry, Word.Pitch) << 2;
  const wholeWidth = (outWidth + 3) & ~3;
  const padded = ownScratch(scratch, scratchBytes);
  const wide = padded + paddedBytes(geometry);
  const offsets = wide + (<usize>(outHeight * wholeWidth) << 2);
  memory.fill(padded, 0, offsets - padded);
  tapOffsets(geometry, offsets);
  for (let channel = begin; channel < end; channel++) {
    const target = result + (<usize>(channel * taps) << 2);
    memory.fill(target, 0, <usize>taps << 2);
    for (let image = 0; image < images; image++) {
      const index = <usize>(image * channels + channel);
      padPlane(x + index * plane, padded, geometry);
      const source = gradient + ((index * outHeight * outWidth) << 2);
      for (let j = 0; j < outHeight; j++) copyRow(source + (<usize>(j * outWidth) << 2), wide + (<usize>(j * wholeWidth) << 2), outWidth);
      for (let tap = 0; tap < taps; tap += 8) tapDots(wide, padded, offsets, target, tap, taps, outHeight, <usize>wholeWidth << 2, pitch);
    }
  }
}

/**
 * Adds the products of up to 8 taps from `tap` on. Taps that do not exist repeat the last and are
 * dropped.
 */
function tapDots(gradient: usize, padded: usize, offsets: usize, result: usize, tap: i32, taps: i32, height: i32, rowBytes: usize, pitch: usize): void {
  const last = taps - 1;
  const p0 = padded + tapAt(offsets, tap, last), p1 = padded + tapAt(offsets, tap + 1, last);
  const p2 = padded + tapAt(offsets, tap + 2, last), p3 = padded + tapAt(offsets, tap + 3, last);
  const p4 = padded + tapAt(offsets, tap + 4, last), p5 = padded + tapAt(offsets, tap + 5, last);
  const p6 = padded + tapAt(offsets, tap + 6, last), p7 = padded + tapAt(offsets, tap + 7, last);
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  for (let j = 0; j < height; j++) {
    const row = <usize>j * pitch;
    for (let i: usize = 0; i < rowBytes; i += 16) {
      const g = v128.load(gradient + i);
      const at = row + i;
      s0 = multiplyAdd(g, v128.load(p0 + at), s0);
      s1 = multiplyAdd(g, v128.load(p1 + at), s1);
      s2 = multiplyAdd(g, v128.load(p2 + at), s2);
      s3 = multiplyAdd(g, v128.load(p3 + at), s3);
      s4 = multiplyAdd(g, v128.load(p4 + at), s4);
      s5 = multiplyAdd(g, v128.load(p5 + at), s5);
      s6 = multiplyAdd(g, v128.load(p6 + at), s6);
      s7 = multiplyAdd(g, v128.load(p7 + at), s7);
    }
    gradient += rowBytes;
  }
  const target = result + (<usize>tap << 2);
  addTo(target, 0, s0, tap, taps);
  addTo(target, 1, s1, tap, taps);
  addTo(target, 2, s2, tap, taps);
  addTo(target, 3, s3, tap, taps);
  addTo(target, 4, s4, tap, taps);
  addTo(target, 5, s5, tap, taps);
  addTo(target, 6, s6, tap, taps);
  addTo(target, 7, s7, tap, taps);
}

// @ts-ignore: decorator
@inline
function tapAt(offsets: usize, tap: i32, last: i32): usize {
  return <usize>load<i32>(offsets + (<usize>min(tap, last) << 2));
}

// @ts-ignore: decorator
@inline
function addTo(target: usize, index: i32, sum: v128, tap: i32, taps: i32): void {
  const at = target + (<usize>index << 2);
  if (tap + index < taps) store<f32>(at, load<f32>(at) + sumLanes(sum));
}
