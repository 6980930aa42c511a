// Convolution over volumes: the taps along the depth become channels of a convolution over planes.

import { formatShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { conv2d } from './convolution.js';
import { concatenate } from './joining.js';
import { pad, permute, reshape, slice } from './layout.js';

/** A number for all three axes, or `[depth, vertical, horizontal]`. */
export type Triple = number | readonly [number, number, number];

/** Options of `conv3d`. */
export interface Convolution3dOptions {
  /** Default 1. */
  readonly stride?: Triple;
  /** Zeros on each side. Default 0. */
  readonly padding?: Triple;
  /** Default 1. */
  readonly dilation?: Triple;
}

/** The numbers for the three axes. @throws TypeError unless there are one or three */
export function triple(value: Triple): readonly [number, number, number] {
  if (typeof value === 'number') return [value, value, value];
  if (!Array.isArray(value) || value.length !== 3)
    throw new TypeError(`expected a number or [depth, vertical, horizontal], got ${JSON.stringify(value)}`);
  return value as unknown as readonly [number, number, number];
}

/**
 * Convolution over volumes, as `conv2d` over one more axis:
 *
 * y[n, o, i, …] = Σ over c, u, … of w[o, c, u, …]·x[n, c, i·stride + u·dilation − padding, …] +
 * b[o].
 *
 * @param x [n, channels, depth, height, width]
 * @param weight [filters, channels, kernelDepth, kernelHeight, kernelWidth]
 * @param bias [filters]
 * @returns [n, filters, depth′, height′, width′]
 * @throws Error naming the shapes when they do not fit
 */
export function conv3d(x: Tensor, weight: Tensor, bias?: Tensor, options: Convolution3dOptions = {}): Tensor {
  const [step, ...strides] = triple(options.stride ?? 1);
  const [border, ...borders] = triple(options.padding ?? 0);
  const [gap, ...gaps] = triple(options.dilation ?? 1);
  const [images = 0, channels, depth = 0] = x.shape;
  const [filters = 0, inner = 0, taps = 0, ...kernel] = weight.shape;
  if (x.rank !== 5 || weight.rank !== 5 || channels !== inner)
    throw new Error(
      `conv3d: expected x [n, c, d, h, w] and weight [o, c, kd, kh, kw], got ${formatShape(x.shape)} and ${formatShape(weight.shape)}`,
    );
  const isWhole = (value: number, least: number) => Number.isInteger(value) && value >= least;
  if (!isWhole(step, 1) || !isWhole(gap, 1) || !isWhole(border, 0) || taps < 1)
    throw new RangeError(
      `conv3d: stride, dilation and kernel must be positive integers and padding none below 0, got ${step}, ${gap}, ${taps} and ${border} along the depth`,
    );
  const out = Math.floor((depth + 2 * border - gap * (taps - 1) - 1) / step) + 1;
  if (out < 1) throw new Error(`conv3d: a kernel of depth ${taps} does not fit ${depth} planes with padding ${border}`);
  const padded =
    border === 0
      ? x
      : pad(x, [
          [0, 0],
          [0, 0],
          [border, border],
          [0, 0],
          [0, 0],
        ]);
  const read = Array.from({ length: taps }, (_, u) =>
    slice(padded, null, null, [u * gap, u * gap + (out - 1) * step + 1, step]),
  );
  // [n, kd·c, d′, h, w] → planes [n·d′, kd·c, h, w].
  const joined = permute(concatenate(read, 1), [0, 2, 1, 3, 4]);
  const planes = reshape(joined, [images * out, taps * inner, ...joined.shape.slice(3)]);
  const rows = reshape(permute(weight, [0, 2, 1, 3, 4]), [filters, taps * inner, ...kernel]);
  const y = conv2d(planes, rows, bias, {
    stride: strides as [number, number],
    padding: borders as [number, number],
    dilation: gaps as [number, number],
  });
  return permute(reshape(y, [images, out, ...y.shape.slice(1)]), [0, 2, 1, 3, 4]);
}
