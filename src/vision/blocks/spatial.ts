// Spatial operators by name: what moves information between the pixels of a block. Blocks choose
// from this table; whatever the operator, the block around it stays the same.

import { Conv2d, type Layer } from '../../nn/index.js';
import { averagePool2d, concatenate, maxPool2d, pad, type Random, slice, type Tensor } from '../../tensor/index.js';
import { WindowAttention, type WindowPattern } from './windows.js';

/** Options of spatial operators; each reads those that concern it. */
export interface SpatialOptions {
  /** Side of the neighbourhood, odd. Default: 3. */
  readonly kernel?: number;
  /** Every which row and column of the result is kept. Default: 1. */
  readonly stride?: number;
  /** `window-attention`: number of heads. Default: 1. */
  readonly heads?: number;
  /** `window-attention`: side of a window, 0 for the whole map. Default: 7. */
  readonly window?: number;
  /** `window-attention`: patterns that are summed. Default: `close`. */
  readonly patterns?: readonly WindowPattern[];
}

type Make = (channels: number, random: Random, options: Required<SpatialOptions>) => Layer;

const without = (forward: (x: Tensor) => Tensor): Layer => ({ forward });

/** Every `stride`-th row and column. */
const subsampled = (x: Tensor, stride: number): Tensor =>
  stride === 1 ? x : slice(x, null, null, [0, x.shape[2] as number, stride], [0, x.shape[3] as number, stride]);

/**
 * Channels in kernel² equal groups, each moved by one of the offsets of the kernel; what is left
 * over stays with the centre. Pixels from beyond the border are 0.
 */
function shifted(x: Tensor, kernel: number, stride: number): Tensor {
  const [, channels, height, width] = x.shape as [number, number, number, number];
  const [reach, offsets] = [(kernel - 1) / 2, kernel ** 2];
  const group = Math.floor(channels / offsets);
  const centre = (offsets - 1) / 2;
  const around = pad(x, [
    [0, 0],
    [0, 0],
    [reach, reach],
    [reach, reach],
  ]);
  let first = 0;
  const parts = Array.from({ length: offsets }, (_, at) => {
    const end = first + (at === centre ? channels - group * (offsets - 1) : group);
    const [top, left] = [Math.floor(at / kernel), at % kernel];
    const part = slice(around, null, [first, end], [top, top + height, stride], [left, left + width, stride]);
    first = end;
    return part;
  });
  return concatenate(
    parts.filter(({ size }) => size > 0),
    1,
  );
}

/**
 * The operators, [n, channels, h, w] → [n, channels, ⌈h/stride⌉, ⌈w/stride⌉]: `none` passes pixels
 * on, `shift` moves groups of channels (Wu et al. 2018), `depthwise` is a convolution for each
 * channel, the pools have none of these weights, `window-attention` is multi-head attention.
 */
const operators = {
  none: (_channels, _random, { stride }) => without((x) => subsampled(x, stride)),
  depthwise: (channels, random, { kernel, stride }) =>
    new Conv2d(channels, channels, kernel, random, {
      stride,
      padding: (kernel - 1) / 2,
      groups: channels,
      bias: false,
    }),
  'max-pool': (_channels, _random, { kernel, stride }) =>
    without((x) => maxPool2d(x, kernel, { stride, padding: (kernel - 1) / 2 })),
  'average-pool': (_channels, _random, { kernel, stride }) =>
    without((x) => averagePool2d(x, kernel, { stride, padding: (kernel - 1) / 2, countPadding: false })),
  shift: (_channels, _random, { kernel, stride }) => without((x) => shifted(x, kernel, stride)),
  'window-attention': (channels, random, { stride, heads, window, patterns }) => {
    if (stride !== 1) throw new RangeError(`window-attention has no stride, got ${stride}`);
    return new WindowAttention(channels, { heads, window, patterns }, random);
  },
} as const satisfies Record<string, Make>;

/** Name of a spatial operator. */
export type SpatialOperator = keyof typeof operators;

/** Names of the spatial operators. */
export const spatialOperators = Object.keys(operators) as readonly SpatialOperator[];

/**
 * Makes a spatial operator: [n, channels, h, w] → [n, channels, ⌈h/stride⌉, ⌈w/stride⌉].
 *
 * @throws RangeError for an unknown name, an even kernel, or a stride that it does not have
 */
export function spatialOperator(
  name: SpatialOperator,
  channels: number,
  random: Random,
  { kernel = 3, stride = 1, heads = 1, window = 7, patterns = ['close'] }: SpatialOptions = {},
): Layer {
  if (!Object.hasOwn(operators, name))
    throw new RangeError(`spatial operator "${name}" is not known; there are ${spatialOperators.join(', ')}`);
  if (!(Number.isInteger(kernel) && kernel % 2 === 1))
    throw new RangeError(`spatialOperator: the kernel must be odd, got ${kernel}`);
  return operators[name](channels, random, { kernel, stride, heads, window, patterns });
}
