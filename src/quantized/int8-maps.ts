// What stands between int8 convolutions, on images i8 [n, h, w, pitch] whose bytes stand for
// scale·(q − zero): pools, sums of pixels, gates, functions by table, additions and joins. Each
// writes into a given tensor of any device, such as one that records a plan.

import type { Device, Windows } from '../engine/index.js';
import type { Tensor } from '../tensor/index.js';
import { limitsOf, type Quantization } from './int8-convolution.js';

type Clamp = 'none' | 'relu' | 'relu6';

/** Where results are clamped, as kernels read it. */
function requantizationOf(to: Quantization, activation: Clamp = 'none') {
  const [lowest, highest] = limitsOf(to, activation);
  return { zero: to.zero, lowest, highest };
}

const sizesOf = (x: Tensor) => {
  const [images, height, width, pitch] = x.shape as [number, number, number, number];
  return { images, height, width, pitch };
};

/** Windows along both axes of a pool. */
export interface PoolAxes {
  /** Windows along the height. */
  readonly rows: Windows;
  /** Windows along the width. */
  readonly columns: Windows;
}

/** Largest quanta of windows; the quantisation stays. */
export function writeLargest(device: Device, x: Tensor, y: Tensor, { rows, columns }: PoolAxes): void {
  device.run('maxPoolInt8', { x, y, ...sizesOf(x), rows, columns });
}

/**
 * Means of windows.
 *
 * @param divisor of the sums; 0 for the number of pixels of a window
 */
export function writeMeans(
  device: Device,
  x: Tensor,
  y: Tensor,
  { rows, columns, divisor }: PoolAxes & { readonly divisor: number },
  from: Quantization,
  to: Quantization,
): void {
  const [scale, { zero }] = [from.scale / to.scale, from];
  const requantization = requantizationOf(to);
  device.run('averagePoolInt8', { x, y, ...sizesOf(x), rows, columns, scale, zero, divisor, requantization });
}

/** Sums over the pixels of each image divided by a number: y f32 [n, c, 1, 1]. */
export function writePixelSums(device: Device, x: Tensor, y: Tensor, divisor: number, from: Quantization): void {
  const { images, height, width, pitch } = sizesOf(x);
  const [scale, channels] = [from.scale / divisor, y.shape[1] as number];
  device.run('sumPixelsInt8', { x, y, scale, zero: from.zero, images, channels, pixels: height * width, pitch });
}

/** x times gate f32 [n, c, 1, 1]. */
export function writeGated(
  device: Device,
  x: Tensor,
  gate: Tensor,
  y: Tensor,
  from: Quantization,
  to: Quantization,
): void {
  const { images, height, width, pitch } = sizesOf(x);
  const [scale, channels] = [from.scale / to.scale, gate.shape[1] as number];
  const requantization = requantizationOf(to);
  device.run('gateInt8', {
    x,
    gate,
    y,
    scale,
    zero: from.zero,
    requantization,
    channels,
    images,
    rows: height,
    width,
    pitch,
  });
}

/** A function of each value: `table` i8 [256] begins with what −128 becomes. */
export function writeMapped(device: Device, x: Tensor, table: Tensor, y: Tensor): void {
  device.run('tableInt8', { x, table, y, bytes: x.size });
}

/** A quantised image, and what its bytes stand for. */
export interface QuantizedImage {
  /** i8 [n, h, w, pitch]. */
  readonly x: Tensor;
  /** What its bytes stand for. */
  readonly from: Quantization;
}

/** activation(a + b). */
export function writeSum(
  device: Device,
  [a, b]: readonly [QuantizedImage, QuantizedImage],
  y: Tensor,
  to: Quantization,
  activation: Clamp = 'none',
): void {
  device.run('addInt8', {
    ...{ a: a.x, scaleA: a.from.scale / to.scale, zeroA: a.from.zero },
    ...{ b: b.x, scaleB: b.from.scale / to.scale, zeroB: b.from.zero },
    ...{ y, requantization: requantizationOf(to, activation), bytes: y.size },
  });
}

/** Channels of images one behind the other; `channels` are those of each. */
export function writeJoined(
  device: Device,
  images: readonly QuantizedImage[],
  channels: readonly number[],
  y: Tensor,
  to: Quantization,
): void {
  let first = 0;
  images.forEach(({ x, from }, i) => {
    const { pitch } = sizesOf(x);
    device.run('joinInt8', {
      ...{ x, y, scale: from.scale / to.scale, zero: from.zero, requantization: requantizationOf(to) },
      ...{ channels: channels[i] as number, first, pitch, outPitch: y.shape[3] as number, pixels: x.size / pitch },
    });
    first += channels[i] as number;
  });
}
