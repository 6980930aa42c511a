// What stands between int8 convolutions: pools, sums, products with one factor a channel, tables,
// sums of two images and joins of their channels, on images [n, h, w, pitch] as in
// int8-convolution.ts. A quantum q stands for scale·(q − zero).
//
// Results are clamp(round(value) + zeroOut) in lowest…highest, where a value counts steps of the
// result.

import { Requantization, roundQuanta } from "./int8-convolution";
import { ownTile } from "./thread";

// @ts-ignore: decorator
@inline
function entry(table: usize, index: i32): i32 {
  return load<i32>(table + (<usize>index << 2));
}

/** Largest quanta of each window; windows as in pool.ts. Tasks count rows of the result. */
export function maxPoolInt8(
  x: usize, y: usize, windows: usize, height: i32, width: i32, outHeight: i32, outWidth: i32, pitch: i32, begin: i32, end: i32,
): void {
  const columns = windows + (<usize>(2 * outHeight) << 2);
  for (let task = begin; task < end; task++) {
    const image = task / outHeight;
    const i = task - image * outHeight;
    const plane = x + <usize>image * height * width * pitch;
    const top = entry(windows, 2 * i), bottom = entry(windows, 2 * i + 1);
    let target = y + <usize>(task * outWidth) * pitch;
    for (let j = 0; j < outWidth; j++) {
      const left = entry(columns, 2 * j), right = entry(columns, 2 * j + 1);
      for (let c = 0; c < pitch; c += 16) {
        let best = i8x16.splat(-128);
        for (let row = top; row < bottom; row++) {
          let at = plane + <usize>(row * width + left) * pitch + c;
          for (let column = left; column < right; column++, at += pitch) best = i8x16.max_s(best, v128.load(at));
        }
        v128.store(target + c, best);
      }
      target += pitch;
    }
  }
}

/** Sums of 16 channels over a row of `count` pixels are added to the 64 bytes at `sums`. */
// @ts-ignore: decorator
@inline
function addPixels(at: usize, count: i32, pitch: i32, sums: usize): void {
  // 256 quanta fit 16 bits.
  for (let from = 0; from < count; from += 256) {
    let low = i16x8.splat(0), high = low;
    for (let stop = min(count, from + 256), p = from; p < stop; p++, at += pitch) {
      const quanta = v128.load(at);
      low = i16x8.add(low, i16x8.extend_low_i8x16_s(quanta));
      high = i16x8.add(high, i16x8.extend_high_i8x16_s(quanta));
    }
    v128.store(sums, i32x4.add(v128.load(sums), i32x4.extend_low_i16x8_s(low)));
    v128.store(sums, i32x4.add(v128.load(sums, 16), i32x4.extend_high_i16x8_s(low)), 16);
    v128.store(sums, i32x4.add(v128.load(sums, 32), i32x4.extend_low_i16x8_s(high)), 32);
    v128.store(sums, i32x4.add(v128.load(sums, 48), i32x4.extend_high_i16x8_s(high)), 48);
  }
}

// @ts-ignore: decorator
@inline
function clearSums(sums: usize): void {
  memory.fill(sums, 0, 64);
}

/**
 * Means of windows: (Σ q − count·zeroIn)·scale/divisor, where a divisor of 0 stands for the number
 * of pixels of the window. Tasks count rows of the result.
 */
export function averagePoolInt8(
  x: usize, y: usize, windows: usize, scale: f32, zero: i32, requantization: usize, divisor: i32, height: i32, width: i32, outHeight: i32,
  outWidth: i32, pitch: i32, begin: i32, end: i32,
): void {
  const to = changetype<Requantization>(requantization);
  const columns = windows + (<usize>(2 * outHeight) << 2);
  const sums = ownTile();
  for (let task = begin; task < end; task++) {
    const image = task / outHeight;
    const i = task - image * outHeight;
    const plane = x + <usize>image * height * width * pitch;
    const top = entry(windows, 2 * i), bottom = entry(windows, 2 * i + 1);
    let target = y + <usize>(task * outWidth) * pitch;
    for (let j = 0; j < outWidth; j++) {
      const left = entry(columns, 2 * j), right = entry(columns, 2 * j + 1);
      const count = (bottom - top) * (right - left);
      const factor = f32x4.splat(scale / <f32>(divisor == 0 ? count : divisor));
      const origin = i32x4.splat(count * zero);
      for (let c = 0; c < pitch; c += 16) {
        clearSums(sums);
        for (let row = top; row < bottom; row++) addPixels(plane + <usize>(row * width + left) * pitch + c, right - left, pitch, sums);
        storeQuanta(
          target + c, f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(v128.load(sums), origin)), factor),
          f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(v128.load(sums, 16), origin)), factor),
          f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(v128.load(sums, 32), origin)), factor),
          f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(v128.load(sums, 48), origin)), factor), to);
      }
      target += pitch;
    }
  }
}

/** Sixteen values, rounded and clamped. */
// @ts-ignore: decorator
@inline
function storeQuanta(target: usize, a: v128, b: v128, c: v128, d: v128, to: Requantization): void {
  const low = i16x8.narrow_i32x4_s(roundQuanta(a, to), roundQuanta(b, to));
  v128.store(target, i8x16.narrow_i16x8_s(low, i16x8.narrow_i32x4_s(roundQuanta(c, to), roundQuanta(d, to))));
}

/**
 * y[n, channels] f32 = scale·(Σ q − pixels·zero) over the pixels of an image. Tasks count images
 * times blocks of 16 channels.
 */
export function sumPixelsInt8(x: usize, y: usize, scale: f32, zero: i32, channels: i32, pixels: i32, pitch: i32, begin: i32, end: i32): void {
  const blocks = pitch >> 4;
  const sums = ownTile();
  for (let task = begin; task < end; task++) {
    const image = task / blocks;
    const c = (task - image * blocks) << 4;
    clearSums(sums);
    addPixels(x + <usize>image * pixels * pitch + c, pixels, pitch, sums);
    const target = y + (<usize>(image * channels + c) << 2);
    for (let k = 0, count = min(16, channels - c); k < count; k++)
      store<f32>(target + (<usize>k << 2), <f32>(load<i32>(sums + (<usize>k << 2)) - pixels * zero) * scale);
  }
}

/** Four quanta from place `at` on, less their zero, as floats. */
// @ts-ignore: decorator
@inline
function lanes(quanta: v128, zero: v128, high: bool): v128 {
  return f32x4.convert_i32x4_s(i32x4.sub(high ? i32x4.extend_high_i16x8_s(quanta) : i32x4.extend_low_i16x8_s(quanta), zero));
}

/**
 * x times one float for each image and channel: (q − zero)·gate[n, c]·scale, as gates of squeeze
 * and excitation ask. Tasks count rows of `width` pixels, `rows` of an image.
 */
export function gateInt8(
  x: usize, gate: usize, y: usize, scale: f32, zero: i32, requantization: usize, channels: i32, rows: i32, width: i32, pitch: i32, begin: i32,
  end: i32,
): void {
  const to = changetype<Requantization>(requantization);
  const zeros = i32x4.splat(zero);
  const scales = f32x4.splat(scale);
  const last = ownTile();
  for (let task = begin; task < end; task++) {
    const own = gate + (<usize>(task / rows * channels) << 2);
    const whole = channels & ~15;
    // The gates of the last channels, with zeros behind.
    memory.fill(last, 0, 64);
    memory.copy(last, own + (<usize>whole << 2), <usize>(channels - whole) << 2);
    let at = <usize>(task * width) * pitch;
    for (let p = 0; p < width; p++, at += pitch) {
      for (let c = 0; c < pitch; c += 16) {
        const g = c < whole ? own + (<usize>c << 2) : last;
        const quanta = v128.load(x + at + c);
        const low = i16x8.extend_low_i8x16_s(quanta), high = i16x8.extend_high_i8x16_s(quanta);
        storeQuanta(
          y + at + c, f32x4.mul(f32x4.mul(lanes(low, zeros, false), scales), v128.load(g)),
          f32x4.mul(f32x4.mul(lanes(low, zeros, true), scales), v128.load(g, 16)),
          f32x4.mul(f32x4.mul(lanes(high, zeros, false), scales), v128.load(g, 32)),
          f32x4.mul(f32x4.mul(lanes(high, zeros, true), scales), v128.load(g, 48)), to);
      }
    }
  }
}

/**
 * y = table[x], byte by byte, where the table begins with what −128 becomes. Tasks are 16 bytes.
 */
export function tableInt8(x: usize, table: usize, y: usize, begin: i32, end: i32): void {
  const from = table + 128;
  for (let at = <usize>begin << 4, stop = <usize>end << 4; at < stop; at += 4) {
    store<i8>(y + at, load<i8>(from + <usize>load<i8>(x + at)));
    store<i8>(y + at, load<i8>(from + <usize>load<i8>(x + at, 1)), 1);
    store<i8>(y + at, load<i8>(from + <usize>load<i8>(x + at, 2)), 2);
    store<i8>(y + at, load<i8>(from + <usize>load<i8>(x + at, 3)), 3);
  }
}

/** (a − zeroA)·scaleA + (b − zeroB)·scaleB. Tasks are 16 bytes. */
export function addInt8(
  a: usize, b: usize, y: usize, scaleA: f32, zeroA: i32, scaleB: f32, zeroB: i32, requantization: usize, begin: i32, end: i32,
): void {
  const to = changetype<Requantization>(requantization);
  const za = i32x4.splat(zeroA), zb = i32x4.splat(zeroB);
  const sa = f32x4.splat(scaleA), sb = f32x4.splat(scaleB);
  for (let at = <usize>begin << 4, stop = <usize>end << 4; at < stop; at += 16) {
    const p = v128.load(a + at), q = v128.load(b + at);
    const pl = i16x8.extend_low_i8x16_s(p), ph = i16x8.extend_high_i8x16_s(p);
    const ql = i16x8.extend_low_i8x16_s(q), qh = i16x8.extend_high_i8x16_s(q);
    storeQuanta(
      y + at, f32x4.add(f32x4.mul(lanes(pl, za, false), sa), f32x4.mul(lanes(ql, zb, false), sb)),
      f32x4.add(f32x4.mul(lanes(pl, za, true), sa), f32x4.mul(lanes(ql, zb, true), sb)),
      f32x4.add(f32x4.mul(lanes(ph, za, false), sa), f32x4.mul(lanes(qh, zb, false), sb)),
      f32x4.add(f32x4.mul(lanes(ph, za, true), sa), f32x4.mul(lanes(qh, zb, true), sb)), to);
  }
}

/**
 * Channels of x become the channels from `first` on of y, requantised: (q − zero)·scale. Tasks
 * count pixels.
 */
export function joinInt8(
  x: usize, y: usize, scale: f32, zero: i32, requantization: usize, channels: i32, first: i32, pitch: i32, outPitch: i32, begin: i32, end: i32,
): void {
  const to = changetype<Requantization>(requantization);
  const zeros = i32x4.splat(zero);
  const scales = f32x4.splat(scale);
  const rest = ownTile();
  for (let pixel = begin; pixel < end; pixel++) {
    const source = x + <usize>pixel * pitch;
    const target = y + <usize>pixel * outPitch + first;
    for (let c = 0; c < channels; c += 16) {
      const quanta = v128.load(source + c);
      const low = i16x8.extend_low_i8x16_s(quanta), high = i16x8.extend_high_i8x16_s(quanta);
      const whole = c + 16 <= channels;
      storeQuanta(
        whole ? target + c : rest, f32x4.mul(lanes(low, zeros, false), scales), f32x4.mul(lanes(low, zeros, true), scales),
        f32x4.mul(lanes(high, zeros, false), scales), f32x4.mul(lanes(high, zeros, true), scales), to);
      if (!whole) memory.copy(target + c, rest, channels - c);
    }
  }
}
