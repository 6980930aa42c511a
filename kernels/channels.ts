// Per-channel statistics and maps of x[images, channels, pixels], as batch normalisation needs
// them.

import { activate } from "./activation";
import { multiplyAdd, sumLanes } from "./math";
import { rowSum } from "./reduce";

/** mean[c] and variance[c] (biased) over images and pixels, in two passes. Tasks count channels. */
export function channelMoments(x: usize, mean: usize, variance: usize, images: i32, channels: i32, pixels: i32, begin: i32, end: i32): void {
  const count = <f64>images * <f64>pixels;
  for (let channel = begin; channel < end; channel++) {
    let total: f64 = 0;
    for (let image = 0; image < images; image++) total += rowSum(x + ((<usize>(image * channels + channel) * pixels) << 2), pixels);
    const centre = <f32>(total / count);
    let squares: f64 = 0;
    for (let image = 0; image < images; image++) squares += centredSquares(x + ((<usize>(image * channels + channel) * pixels) << 2), centre, pixels);
    store<f32>(mean + (<usize>channel << 2), centre);
    store<f32>(variance + (<usize>channel << 2), <f32>(squares / count));
  }
}

/** Σ (x − mean)² of n contiguous floats. */
export function centredSquares(x: usize, mean: f32, n: i32): f32 {
  const shift = f32x4.splat(mean);
  let t0 = f32x4.splat(0), t1 = t0;
  let i = 0;
  for (; i + 8 <= n; i += 8) {
    const d0 = f32x4.sub(v128.load(x + (<usize>i << 2)), shift);
    const d1 = f32x4.sub(v128.load(x + (<usize>i << 2), 16), shift);
    t0 = multiplyAdd(d0, d0, t0);
    t1 = multiplyAdd(d1, d1, t1);
  }
  let total = sumLanes(f32x4.add(t0, t1));
  for (; i < n; i++) {
    const d = load<f32>(x + (<usize>i << 2)) - mean;
    total += d * d;
  }
  return total;
}

/** y = activation(x·scale[c] + shift[c]). Tasks count (image, channel). */
export function channelAffine(x: usize, scale: usize, shift: usize, y: usize, channels: i32, pixels: i32, activation: i32, begin: i32, end: i32): void {
  for (let row = begin; row < end; row++) {
    const channel = <usize>(row % channels) << 2;
    const factor = v128.load32_splat(scale + channel);
    const addend = v128.load32_splat(shift + channel);
    let at = (<usize>row * pixels) << 2;
    const stop = at + (<usize>pixels << 2);
    for (; at + 16 <= stop; at += 16) {
      const value = multiplyAdd(v128.load(x + at), factor, addend);
      v128.store(y + at, activate(activation, value));
    }
    for (; at < stop; at += 4) {
      const value = multiplyAdd(v128.load32_zero(x + at), factor, addend);
      v128.store_lane<f32>(y + at, activate(activation, value), 0);
    }
  }
}

/**
 * sums[c] = Σ g and products[c] = Σ g·(x − mean)·inverse over images and pixels. Tasks count
 * channels.
 */
export function channelProducts(
  g: usize, x: usize, mean: usize, inverse: usize, sums: usize, products: usize, images: i32, channels: i32, pixels: i32, begin: i32, end: i32,
): void {
  for (let channel = begin; channel < end; channel++) {
    const at = <usize>channel << 2;
    const shift = v128.load32_splat(mean + at);
    let total: f64 = 0;
    let product: f64 = 0;
    for (let image = 0; image < images; image++) {
      let offset = (<usize>(image * channels + channel) * pixels) << 2;
      const stop = offset + (<usize>pixels << 2);
      let s = f32x4.splat(0), p = s;
      for (; offset + 16 <= stop; offset += 16) {
        const value = v128.load(g + offset);
        s = f32x4.add(s, value);
        p = multiplyAdd(value, f32x4.sub(v128.load(x + offset), shift), p);
      }
      for (; offset < stop; offset += 4) {
        const value = v128.load32_zero(g + offset);
        s = f32x4.add(s, value);
        p = multiplyAdd(value, f32x4.sub(v128.load32_zero(x + offset), shift), p);
      }
      total += sumLanes(s);
      product += sumLanes(p);
    }
    store<f32>(sums + at, <f32>total);
    store<f32>(products + at, <f32>(product * load<f32>(inverse + at)));
  }
}

/**
 * dx = γ·inverse·(g − sums/m − (x − mean)·inverse·products/m) with m = images·pixels. Tasks count
 * (image, channel).
 */
export function batchNormGradient(
  g: usize, x: usize, mean: usize, inverse: usize, gamma: usize, sums: usize, products: usize, dx: usize, images: i32, channels: i32, pixels: i32,
  begin: i32, end: i32,
): void {
  const share: f32 = 1 / (<f32>images * <f32>pixels);
  for (let row = begin; row < end; row++) {
    const channel = <usize>(row % channels) << 2;
    const s = load<f32>(inverse + channel);
    const scale = load<f32>(gamma + channel) * s;
    // dx = scale·g + slope·x + shift.
    const slope: f32 = -scale * s * load<f32>(products + channel) * share;
    const shift: f32 = -scale * load<f32>(sums + channel) * share - slope * load<f32>(mean + channel);
    const scaleVector = f32x4.splat(scale), slopeVector = f32x4.splat(slope), shiftVector = f32x4.splat(shift);
    let at = (<usize>row * pixels) << 2;
    const stop = at + (<usize>pixels << 2);
    for (; at + 16 <= stop; at += 16) {
      v128.store(dx + at, multiplyAdd(scaleVector, v128.load(g + at), multiplyAdd(slopeVector, v128.load(x + at), shiftVector)));
    }
    for (; at < stop; at += 4) {
      v128.store_lane<f32>(dx + at, multiplyAdd(scaleVector, v128.load32_zero(g + at), multiplyAdd(slopeVector, v128.load32_zero(x + at), shiftVector)), 0);
    }
  }
}
