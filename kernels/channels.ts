// Per-channel statistics and maps of x[images, channels, pixels], as batch normalisation needs
// them.

import { activate } from "./activation";
import { multiplyAdd, sumLanes } from "./math";
import { Optional } from "./optional";
import { RUN } from "./reduce";

/**
 * mean[c], rest[c] and variance[c] (biased) over images and pixels. The mean is mean + rest, what
 * f32 holds of it and what that lacks. Tasks count channels.
 */
export function channelMoments(
  x: usize, mean: usize, rest: usize, variance: usize, images: i32, channels: i32, pixels: i32, begin: i32, end: i32,
): void {
  const share: f64 = 1 / (<f64>images * <f64>pixels);
  const stride = (<usize>channels * pixels) << 2;
  for (let channel = begin; channel < end; channel++) {
    const first = x + ((<usize>channel * pixels) << 2);
    let pivot = load<f32>(first);
    let moments = momentsAround(pivot, first, images, stride, pixels, share);
    if (isFar(moments)) {
      pivot += <f32>f64x2.extract_lane(moments, 0);
      moments = momentsAround(pivot, first, images, stride, pixels, share);
    }
    const offset = f64x2.extract_lane(moments, 0);
    const exact = <f64>pivot + offset;
    const held = <f32>exact;
    store<f32>(mean + (<usize>channel << 2), held);
    store<f32>(rest + (<usize>channel << 2), <f32>(exact - <f64>held));
    store<f32>(variance + (<usize>channel << 2), varianceOf(moments));
  }
}

/**
 * Means of x − pivot and of its square over `images` runs of n floats, `stride` bytes apart, as two
 * f64.
 */
function momentsAround(pivot: f32, x: usize, images: i32, stride: usize, n: i32, share: f64): v128 {
  let sums = f64x2.splat(0);
  for (let image = 0; image < images; image++, x += stride) sums = f64x2.add(sums, centredSums(x, pivot, n));
  return f64x2.mul(sums, f64x2.splat(share));
}

/**
 * Whether moments around a pivot say that it is more than two deviations from the mean, so that
 * their difference loses digits: then they are taken again around the mean.
 */
// @ts-ignore: decorator
@inline
export function isFar(moments: v128): bool {
  const offset = f64x2.extract_lane(moments, 0);
  return offset * offset > 0.8 * f64x2.extract_lane(moments, 1);
}

/** mean(d²) − (mean d)². */
// @ts-ignore: decorator
@inline
export function varianceOf(moments: v128): f32 {
  const offset = f64x2.extract_lane(moments, 0);
  return <f32>max(f64x2.extract_lane(moments, 1) - offset * offset, 0);
}

/** Σ (x − mean) and Σ (x − mean)² of n contiguous floats, as two f64. */
export function centredSums(x: usize, mean: f32, n: i32): v128 {
  const shift = f32x4.splat(mean);
  let total = f64x2.splat(0);
  for (; n > 0; n -= RUN) {
    const stop = x + (<usize>min(n, RUN) << 2);
    let s0 = f32x4.splat(0), s1 = s0, q0 = s0, q1 = s0;
    for (; x + 32 <= stop; x += 32) {
      const d0 = f32x4.sub(v128.load(x), shift);
      const d1 = f32x4.sub(v128.load(x, 16), shift);
      s0 = f32x4.add(s0, d0);
      s1 = f32x4.add(s1, d1);
      q0 = multiplyAdd(d0, d0, q0);
      q1 = multiplyAdd(d1, d1, q1);
    }
    let sum = sumLanes(f32x4.add(s0, s1));
    let squares = sumLanes(f32x4.add(q0, q1));
    for (; x < stop; x += 4) {
      const d = load<f32>(x) - mean;
      sum += d;
      squares += d * d;
    }
    total = f64x2.add(total, f64x2.replace_lane(f64x2.splat(sum), 1, squares));
  }
  return total;
}

/**
 * y = activation((x − center[c])·scale[c] + shift[c]), where no `center` is 0. Tasks count (image,
 * channel).
 */
export function channelAffine(
  x: usize, center: Optional, scale: usize, shift: usize, y: usize, channels: i32, pixels: i32, activation: i32, begin: i32, end: i32,
): void {
  for (let row = begin; row < end; row++) {
    const channel = <usize>(row % channels) << 2;
    const middle = center != 0 ? v128.load32_splat(center + channel) : f32x4.splat(0);
    const factor = v128.load32_splat(scale + channel);
    const addend = v128.load32_splat(shift + channel);
    let at = (<usize>row * pixels) << 2;
    const stop = at + (<usize>pixels << 2);
    for (; at + 16 <= stop; at += 16) {
      const value = multiplyAdd(f32x4.sub(v128.load(x + at), middle), factor, addend);
      v128.store(y + at, activate(activation, value));
    }
    for (; at < stop; at += 4) {
      const value = multiplyAdd(f32x4.sub(v128.load32_zero(x + at), middle), factor, addend);
      v128.store_lane<f32>(y + at, activate(activation, value), 0);
    }
  }
}

/**
 * sums[c] = Σ g and products[c] = Σ g·(x − mean − rest)·inverse over images and pixels. Tasks count
 * channels. `rest` is what the f32 mean lacks: see `channelMoments`.
 */
export function channelProducts(
  g: usize, x: usize, mean: usize, rest: usize, inverse: usize, sums: usize, products: usize, images: i32, channels: i32, pixels: i32, begin: i32, end: i32,
): void {
  for (let channel = begin; channel < end; channel++) {
    const at = <usize>channel << 2;
    const shift = v128.load32_splat(mean + at);
    let total: f64 = 0;
    let product: f64 = 0;
    let offset: f64 = 0;
    for (let image = 0; image < images; image++) {
      let place = (<usize>(image * channels + channel) * pixels) << 2;
      const stop = place + (<usize>pixels << 2);
      let s = f32x4.splat(0), p = s, d = s;
      for (; place + 16 <= stop; place += 16) {
        const value = v128.load(g + place);
        const centred = f32x4.sub(v128.load(x + place), shift);
        s = f32x4.add(s, value);
        d = f32x4.add(d, centred);
        p = multiplyAdd(value, centred, p);
      }
      for (; place < stop; place += 4) {
        const value = v128.load32_zero(g + place);
        const centred = f32x4.replace_lane(f32x4.splat(0), 0, load<f32>(x + place) - load<f32>(mean + at));
        s = f32x4.add(s, value);
        d = f32x4.add(d, centred);
        p = multiplyAdd(value, centred, p);
      }
      total += sumLanes(s);
      product += sumLanes(p);
      offset += sumLanes(d);
    }
    offset /= <f64>images * <f64>pixels;
    store<f32>(rest + at, <f32>offset);
    store<f32>(sums + at, <f32>total);
    store<f32>(products + at, <f32>((product - offset * total) * load<f32>(inverse + at)));
  }
}

/**
 * dx = γ·inverse·(g − sums/m − (x − mean − rest)·inverse·products/m) with m = images·pixels. Tasks
 * count (image, channel).
 */
export function batchNormGradient(
  g: usize, x: usize, mean: usize, rest: usize, inverse: usize, gamma: usize, sums: usize, products: usize, dx: usize, images: i32, channels: i32,
  pixels: i32, begin: i32, end: i32,
): void {
  const share: f32 = 1 / (<f32>images * <f32>pixels);
  for (let row = begin; row < end; row++) {
    const channel = <usize>(row % channels) << 2;
    const s = load<f32>(inverse + channel);
    const scale = load<f32>(gamma + channel) * s;
    // dx = scale·g + slope·(x − mean) + shift.
    const slope: f32 = -scale * s * load<f32>(products + channel) * share;
    const shift: f32 = -scale * load<f32>(sums + channel) * share - slope * load<f32>(rest + channel);
    const scaleVector = f32x4.splat(scale), slopeVector = f32x4.splat(slope), shiftVector = f32x4.splat(shift);
    const center = v128.load32_splat(mean + channel);
    let at = (<usize>row * pixels) << 2;
    const stop = at + (<usize>pixels << 2);
    for (; at + 16 <= stop; at += 16) {
      const centred = f32x4.sub(v128.load(x + at), center);
      v128.store(dx + at, multiplyAdd(scaleVector, v128.load(g + at), multiplyAdd(slopeVector, centred, shiftVector)));
    }
    for (; at < stop; at += 4) {
      const centred = f32x4.sub(v128.load32_zero(x + at), center);
      v128.store_lane<f32>(dx + at, multiplyAdd(scaleVector, v128.load32_zero(g + at), multiplyAdd(slopeVector, centred, shiftVector)), 0);
    }
  }
}
