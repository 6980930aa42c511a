// Spatial operators by name: what moves information between the pixels of a block. Blocks choose
// from this table; whatever the operator, the block around it stays the same.

import {
  add,
  averagePool2d,
  concatenate,
  maximum,
  maxPool2d,
  multiply,
  pad,
  type Random,
  relu,
  slice,
  subtract,
  type Tensor,
  tanh,
  zeros,
} from '../tensor/index.js';
import { Activation, type ActivationName } from './activation.js';
import { Conv2d } from './convolution.js';
import type { Layer, Sequence } from './layer.js';
import { WindowAttention, type WindowPattern } from './map-windows.js';
import { BatchNorm2d } from './normalization.js';

/** Options of spatial operators; each reads those that concern it. */
export interface SpatialOptions {
  /** Side of the neighbourhood, odd. Default: 3. */
  readonly kernel?: number;
  /** Every which row and column of the result is kept. Default: 1. */
  readonly stride?: number;
  /**
   * `average-pool`: whether pixels beyond the border count as zeros, so that the divisor is
   * kernel². Default: false.
   */
  readonly countPadding?: boolean;
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

/** x with its outermost rows and columns repeated `reach` times on each side. */
function bordered(x: Tensor, reach: number): Tensor {
  const repeated = (y: Tensor, axis: 2 | 3): Tensor => {
    const length = y.shape[axis] as number;
    const line = (at: number) =>
      axis === 2 ? slice(y, null, null, [at, at + 1]) : slice(y, null, null, null, [at, at + 1]);
    const [first, last] = [line(0), line(length - 1)];
    const edge = (own: Tensor) => Array.from({ length: reach }, () => own);
    return concatenate([...edge(first), y, ...edge(last)], axis);
  };
  return repeated(repeated(x, 2), 3);
}

/**
 * Max pooling whose kernel² pixels each lie up to one pixel off their place: y = max over t of
 * x(p + t + Δ), Δ = tanh(W ∗ x), between pixels by bilinear interpolation; beyond the border lies
 * the nearest pixel. W begins at 0, where it is max pooling.
 */
class DeformablePool implements Layer {
  /** W: offsets down, then right, of each place of the kernel. */
  readonly offsets: Conv2d;

  constructor(
    channels: number,
    readonly kernel: number,
    readonly stride: number,
    random: Random,
  ) {
    this.offsets = new Conv2d(channels, 2 * kernel ** 2, kernel, random, { padding: (kernel - 1) / 2 });
    for (const weight of [this.offsets.weight, this.offsets.bias as Tensor]) weight.assign(zeros(weight.shape));
  }

  /** x [n, channels, h, w] → [n, channels, ⌈h/stride⌉, ⌈w/stride⌉]. */
  forward(x: Tensor): Tensor {
    const { kernel, stride } = this;
    const [, , height, width] = x.shape as [number, number, number, number];
    const offsets = tanh(this.offsets.forward(x));
    const around = bordered(x, (kernel - 1) / 2 + 1);
    const pixel = (row: number, column: number) =>
      slice(around, null, null, [row, row + height], [column, column + width]);
    const places = Array.from({ length: kernel ** 2 }, (_, at) => {
      const [row, column] = [Math.floor(at / kernel), at % kernel];
      const [down, right] = [at, kernel ** 2 + at].map((own) => thirds(slice(offsets, null, [own, own + 1])));
      const rows = (down as Tensor[]).map((share, y) =>
        multiply(
          share,
          mixture(
            right as Tensor[],
            [0, 1, 2].map((x0) => pixel(row + y, column + x0)),
          ),
        ),
      );
      return rows.reduce((a, b) => add(a, b));
    });
    return subsampled(
      places.reduce((a, b) => maximum(a, b)),
      stride,
    );
  }
}

/** Shares of the pixel before, at and after an offset in (−1, 1): (−Δ)₊, 1 − |Δ|, Δ₊. */
function thirds(offset: Tensor): [Tensor, Tensor, Tensor] {
  const [before, after] = [relu(multiply(offset, -1)), relu(offset)];
  return [before, subtract(1, add(before, after)), after];
}

const mixture = (shares: readonly Tensor[], parts: readonly Tensor[]): Tensor =>
  parts.map((part, at) => multiply(part, shares[at] as Tensor)).reduce((a, b) => add(a, b));

/**
 * The operators, [n, channels, h, w] → [n, channels, ⌈h/stride⌉, ⌈w/stride⌉]: `none` passes pixels
 * on, `convolution` mixes channels too, `depthwise` is a convolution for each channel, the pools
 * have none of these weights (`deformable-pool` learns where it looks), `shift` moves groups of
 * channels (Wu et al. 2018), `window-attention` is multi-head attention.
 */
const operators = {
  none: (_channels, _random, { stride }) => without((x) => subsampled(x, stride)),
  convolution: (channels, random, { kernel, stride }) =>
    new Conv2d(channels, channels, kernel, random, { stride, padding: (kernel - 1) / 2, bias: false }),
  depthwise: (channels, random, { kernel, stride }) =>
    new Conv2d(channels, channels, kernel, random, {
      stride,
      padding: (kernel - 1) / 2,
      groups: channels,
      bias: false,
    }),
  'max-pool': (_channels, _random, { kernel, stride }) =>
    without((x) => maxPool2d(x, kernel, { stride, padding: (kernel - 1) / 2 })),
  'average-pool': (_channels, _random, { kernel, stride, countPadding }) =>
    without((x) => averagePool2d(x, kernel, { stride, padding: (kernel - 1) / 2, countPadding })),
  'deformable-pool': (channels, random, { kernel, stride }) => new DeformablePool(channels, kernel, stride, random),
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
  { kernel = 3, stride = 1, countPadding = false, heads = 1, window = 7, patterns = ['close'] }: SpatialOptions = {},
): Layer {
  if (!Object.hasOwn(operators, name))
    throw new RangeError(`spatial operator "${name}" is not known; there are ${spatialOperators.join(', ')}`);
  if (!(Number.isInteger(kernel) && kernel % 2 === 1))
    throw new RangeError(`spatialOperator: the kernel must be odd, got ${kernel}`);
  return operators[name](channels, random, { kernel, stride, countPadding, heads, window, patterns });
}

/**
 * What a block has between its 1×1 convolutions: a spatial operator, or `hybrid`, which is a
 * convolution of a map halved by averages where the stride is 2, and max pooling elsewhere.
 */
export type BlockOperator = SpatialOperator | 'hybrid';

/** Names of the operators of blocks. */
export const blockOperators: readonly BlockOperator[] = [...spatialOperators, 'hybrid'];

/** Options of `blockOperator`. */
export interface BlockOperatorOptions extends Pick<SpatialOptions, 'kernel' | 'stride'> {
  /** After the norm of a convolution. Default: `relu`. */
  readonly activation?: ActivationName;
}

/**
 * Means of 2×2 pixels: [n, channels, h, w] → [n, channels, ⌈h/2⌉, ⌈w/2⌉]. The last row or column of
 * an odd number has means of its own pixels alone, as pooling with a ceiling gives.
 */
export function halved(x: Tensor): Tensor {
  const [, , height, width] = x.shape as [number, number, number, number];
  const tall = height % 2 === 0 ? x : concatenate([x, slice(x, null, null, [height - 1, height])], 2);
  const even = width % 2 === 0 ? tall : concatenate([tall, slice(tall, null, null, null, [width - 1, width])], 3);
  return averagePool2d(even, 2);
}

/**
 * The operator of a block with what follows it: convolutions have batch norm and an activation,
 * the others, which have no weights or attend, have neither. Means count pixels beyond the border.
 *
 * @throws RangeError as `spatialOperator` does, or for `hybrid` with another stride than 1 or 2
 */
export function blockOperator(
  name: BlockOperator,
  channels: number,
  random: Random,
  { kernel = 3, stride = 1, activation = 'relu' }: BlockOperatorOptions = {},
): Sequence {
  if (name === 'hybrid') {
    if (stride === 1) return [spatialOperator('max-pool', channels, random, { kernel })];
    if (stride !== 2) throw new RangeError(`blockOperator: hybrid has the strides 1 and 2, got ${stride}`);
    return [without(halved), ...blockOperator('convolution', channels, random, { kernel, activation })];
  }
  const own = spatialOperator(name, channels, random, { kernel, stride, countPadding: true });
  const isConvolution = name === 'convolution' || name === 'depthwise';
  return isConvolution ? [own, new BatchNorm2d(channels), new Activation(activation)] : [own];
}
