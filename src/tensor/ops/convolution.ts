// Convolutions over NCHW images. The operation is linear in the input and in the filters, so it and
// its two gradients are each other's gradients, to any order.

import { activations, type ConvolutionSizes } from '../../engine/index.js';
import { apply, type Op, onlyGradient, requireDType } from '../apply.js';
import { formatShape, type Shape, sizeOf } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { reshape } from './layout.js';
import { sum } from './reduce.js';

/** A number for both axes, or `[vertical, horizontal]`. */
export type Pair = number | readonly [number, number];

/** Options of `conv2d`. */
export interface ConvolutionOptions {
  /** Default 1. */
  readonly stride?: Pair;
  /**
   * Zeros on each side (default 0); `'same'` gives ⌈size / stride⌉ with the surplus after, as
   * ONNX's SAME_UPPER.
   */
  readonly padding?: Pair | 'same';
  /** Default 1. */
  readonly dilation?: Pair;
  /**
   * Groups of channels that are convolved separately (default 1); as many as channels is depthwise.
   */
  readonly groups?: number;
}

/** Attributes of a convolution: all options resolved for the sizes of its images. */
export interface ConvolutionAttributes {
  /** Step between windows: rows, columns. */
  readonly stride: readonly [number, number];
  /** Top and left; bottom and right follow from the output's size. */
  readonly padding: readonly [number, number];
  /** Distance between taps of the kernel: rows, columns. */
  readonly dilation: readonly [number, number];
  /** Groups of channels that are convolved separately. */
  readonly groups: number;
  /** Height and width of the input and of the output. */
  readonly input: readonly [number, number];
  /** Height and width of the output. */
  readonly output: readonly [number, number];
}

/** The numbers for both axes. @throws TypeError unless there are one or two. */
export function pair(value: Pair): readonly [number, number] {
  if (typeof value === 'number') return [value, value];
  if (!Array.isArray(value) || value.length !== 2)
    throw new TypeError(`expected a number or [vertical, horizontal], got ${JSON.stringify(value)}`);
  return value as unknown as readonly [number, number];
}

/** Sizes in the order that devices take them. */
export function convolutionSizes(
  x: Shape,
  w: Shape,
  { stride, padding, dilation, groups, input, output }: ConvolutionAttributes,
): ConvolutionSizes {
  const [images] = x as [number];
  const [filters, channels, kernelHeight, kernelWidth] = w as [number, number, number, number];
  const [height, width] = input;
  const [outHeight, outWidth] = output;
  const [strideY, strideX] = stride;
  const [padTop, padLeft] = padding;
  const [dilationY, dilationX] = dilation;
  return {
    images,
    channels: channels * groups,
    height,
    width,
    filters,
    kernelHeight,
    kernelWidth,
    outHeight,
    outWidth,
    strideY,
    strideX,
    padTop,
    padLeft,
    dilationY,
    dilationX,
    groups,
  };
}

/** Multiply-adds of a convolution: one filter of `weight` for each value of `result`. */
export function convolutionCount(result: Shape, weight: Shape): number {
  return sizeOf(result) * sizeOf(weight.slice(1));
}

/** The operation behind `conv2d` and `conv1d`. */
export const convolutionOp: Op<ConvolutionAttributes> = {
  name: 'convolution',
  multiplyAdds: ([, weight], output) => convolutionCount(output, weight as Shape),
  infer: ([x, w], { output }) => [
    { shape: [(x as Tensor).shape[0] as number, (w as Tensor).shape[0] as number, ...output], dtype: 'f32' },
  ],
  compute: (device, [x, w, bias], [y], attributes) =>
    device.run('convolution', {
      x: x as Tensor,
      w: w as Tensor,
      bias: bias ?? null,
      residual: null,
      y: y as Tensor,
      sizes: convolutionSizes((x as Tensor).shape, (w as Tensor).shape, attributes),
      activation: activations.none,
    }),
  vjp: (backward) => {
    const [x, w] = backward.inputs as [Tensor, Tensor];
    const g = onlyGradient(backward);
    const { needed, attributes } = backward;
    return [
      needed[0] ? apply(transposedConvolutionOp, [g, w], attributes) : undefined,
      needed[1] ? apply(filterGradientOp, [x, g], { ...attributes, filter: w.shape }) : undefined,
      needed[2] ? sum(g, [0, 2, 3]) : undefined,
    ];
  },
};

/** The transposed convolution: the gradient of a convolution's input. */
export const transposedConvolutionOp: Op<ConvolutionAttributes> = {
  name: 'transposedConvolution',
  multiplyAdds: ([x, weight]) => convolutionCount(x as Shape, weight as Shape),
  infer: ([g, w], { input, groups }) => [
    { shape: [(g as Tensor).shape[0] as number, ((w as Tensor).shape[1] as number) * groups, ...input], dtype: 'f32' },
  ],
  compute: (device, [g, w, bias], [x], attributes) =>
    device.run('convolutionInputGradient', {
      gradient: g as Tensor,
      w: w as Tensor,
      bias: bias ?? null,
      dx: x as Tensor,
      sizes: convolutionSizes((g as Tensor).shape, (w as Tensor).shape, attributes),
    }),
  vjp: (backward) => {
    const [g, w] = backward.inputs as [Tensor, Tensor];
    const gradient = onlyGradient(backward);
    const { needed, attributes } = backward;
    return [
      needed[0] ? apply(convolutionOp, [gradient, w], attributes) : undefined,
      needed[1] ? apply(filterGradientOp, [gradient, g], { ...attributes, filter: w.shape }) : undefined,
      needed[2] ? sum(gradient, [0, 2, 3]) : undefined,
    ];
  },
};

const filterGradientOp: Op<ConvolutionAttributes & { readonly filter: Shape }> = {
  name: 'convolutionFilterGradient',
  multiplyAdds: ([, g], weight) => convolutionCount(g as Shape, weight),
  infer: (_, { filter }) => [{ shape: filter, dtype: 'f32' }],
  compute: (device, [x, g], [w], attributes) =>
    device.run('convolutionFilterGradient', {
      x: x as Tensor,
      gradient: g as Tensor,
      dw: w as Tensor,
      sizes: convolutionSizes((x as Tensor).shape, attributes.filter, attributes),
    }),
  vjp: (backward) => {
    const [x, g] = backward.inputs as [Tensor, Tensor];
    const gradient = onlyGradient(backward);
    const { needed, attributes } = backward;
    return [
      needed[0] ? apply(transposedConvolutionOp, [g, gradient], attributes) : undefined,
      needed[1] ? apply(convolutionOp, [x, gradient], attributes) : undefined,
    ];
  },
};

function requirePositive(operation: string, name: string, values: readonly number[], least = 1): void {
  if (values.some((value) => !Number.isInteger(value) || value < least))
    throw new RangeError(
      `${operation}: ${name} must be ${least ? 'positive' : 'non-negative'} integers, got ${values.join('×')}`,
    );
}

/**
 * Convolution over images (cross-correlation, as in PyTorch):
 *
 * y[n, o, i, j] = Σ over c, ky, kx of w[o, c, ky, kx]·x[n, c, i·stride + ky·dilation − padding, …]
 * + b[o], zeros outside the image.
 *
 * @param x [n, channels, height, width]
 * @param weight [filters, channels / groups, kernelHeight, kernelWidth]
 * @param bias [filters]
 * @returns [n, filters, ⌊(height + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1, …]
 * @throws Error naming the shapes when channels, groups or sizes do not fit.
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor, options: ConvolutionOptions = {}): Tensor {
  requireDType('conv2d', 'f32', x, weight, ...(bias ? [bias] : []));
  const attributes = convolutionAttributes(x.shape, weight.shape, options);
  const [filters] = weight.shape as [number];
  if (bias && bias.size !== filters) throw new Error(`conv2d: bias has ${bias.size} elements, expected ${filters}`);
  return apply(convolutionOp, bias ? [x, weight, bias] : [x, weight], attributes);
}

/**
 * The attributes of a convolution of images x [n, c, h, w] with filters w [o, c / groups, kh, kw].
 *
 * @throws Error naming the shapes when channels, groups or sizes do not fit.
 */
export function convolutionAttributes(x: Shape, weight: Shape, options: ConvolutionOptions): ConvolutionAttributes {
  const stride = pair(options.stride ?? 1);
  const dilation = pair(options.dilation ?? 1);
  const groups = options.groups ?? 1;
  if (x.length !== 4 || weight.length !== 4)
    throw new Error(
      `conv2d: expected x [n, c, h, w] and weight [o, c, kh, kw], got ${formatShape(x)} and ${formatShape(weight)}`,
    );
  const [, channels, height, width] = x as [number, number, number, number];
  const [filters, filterChannels, kernelHeight, kernelWidth] = weight as [number, number, number, number];
  requirePositive('conv2d', 'stride, dilation and groups', [...stride, ...dilation, groups]);
  requirePositive('conv2d', 'the sizes of the kernel', [kernelHeight, kernelWidth]);
  if (filterChannels * groups !== channels || filters % groups !== 0)
    throw new Error(
      `conv2d: ${channels} input channels in ${groups} groups do not fit weight ${formatShape(weight)} (expected [multiple of ${groups}, ${channels / groups}, kh, kw])`,
    );
  const input = [height, width] as const;
  const reach = [(kernelHeight - 1) * dilation[0] + 1, (kernelWidth - 1) * dilation[1] + 1] as const;
  const output: [number, number] = [0, 0];
  const padding: [number, number] = [0, 0];
  for (const axis of [0, 1] as const) {
    if (options.padding === 'same') {
      output[axis] = Math.ceil(input[axis] / stride[axis]);
      padding[axis] = Math.max(0, (output[axis] - 1) * stride[axis] + reach[axis] - input[axis]) >> 1;
    } else {
      padding[axis] = pair(options.padding ?? 0)[axis];
      output[axis] = Math.floor((input[axis] + 2 * padding[axis] - reach[axis]) / stride[axis]) + 1;
    }
  }
  requirePositive('conv2d', 'padding', padding, 0);
  if (output[0] < 1 || output[1] < 1)
    throw new Error(
      `conv2d: a kernel that reaches over ${reach.join('×')} does not fit an image of ${height}×${width} with padding ${padding.join('×')}`,
    );
  return { stride, padding, dilation, groups, input, output };
}

/** Options of `convTranspose2d`. */
export interface TransposedConvolutionOptions {
  /** Default 1. */
  readonly stride?: Pair;
  /** Default 0. */
  readonly padding?: Pair;
  /**
   * Rows and columns added at the far side (default 0), as several sizes may have the same
   * convolution.
   */
  readonly outputPadding?: Pair;
  /** Default 1. */
  readonly dilation?: Pair;
  /** Default 1. */
  readonly groups?: number;
}

/**
 * The transposed convolution: each input pixel adds w·x to a window of the output.
 *
 * @param x [n, channels, height, width]
 * @param weight [channels, filters / groups, kernelHeight, kernelWidth], as PyTorch's
 * ConvTranspose2d
 * @param bias [filters]
 * @returns [n, filters, (height − 1)·stride − 2·padding + dilation·(kernel − 1) + outputPadding +
 * 1, …]
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  options: TransposedConvolutionOptions = {},
): Tensor {
  const stride = pair(options.stride ?? 1);
  const padding = pair(options.padding ?? 0);
  const extra = pair(options.outputPadding ?? 0);
  const dilation = pair(options.dilation ?? 1);
  const groups = options.groups ?? 1;
  requireDType('convTranspose2d', 'f32', x, weight, ...(bias ? [bias] : []));
  requirePositive('convTranspose2d', 'stride, dilation and groups', [...stride, ...dilation, groups]);
  requirePositive('convTranspose2d', 'padding', [...padding, ...extra], 0);
  if (x.rank !== 4 || weight.rank !== 4 || x.shape[1] !== weight.shape[0] || (x.shape[1] as number) % groups !== 0)
    throw new Error(
      `convTranspose2d: expected x [n, c, h, w] and weight [c, o, kh, kw], got ${formatShape(x.shape)} and ${formatShape(weight.shape)}`,
    );
  requirePositive('convTranspose2d', 'the sizes of the kernel', weight.shape.slice(2));
  if ([0, 1].some((axis) => (extra[axis] as number) >= Math.max(stride[axis] as number, dilation[axis] as number)))
    throw new RangeError(
      `convTranspose2d: outputPadding ${extra.join('×')} must be below the stride or the dilation, ${stride.join('×')} and ${dilation.join('×')}`,
    );
  const filters = (weight.shape[1] as number) * groups;
  if (bias && bias.size !== filters)
    throw new Error(`convTranspose2d: bias has ${bias.size} elements, expected ${filters}`);
  const output = [x.shape[2] as number, x.shape[3] as number] as const;
  const size = (axis: 0 | 1) =>
    (output[axis] - 1) * stride[axis] -
    2 * padding[axis] +
    dilation[axis] * ((weight.shape[2 + axis] as number) - 1) +
    extra[axis] +
    1;
  const input = [size(0), size(1)] as const;
  if (input[0] < 1 || input[1] < 1) throw new Error(`convTranspose2d: the output would be ${input.join('×')}`);
  return apply(transposedConvolutionOp, bias ? [x, weight, bias] : [x, weight], {
    stride,
    padding,
    dilation,
    groups,
    input,
    output,
  });
}

/** Options of `conv1d`. */
export interface Convolution1dOptions {
  /** Default 1. */
  readonly stride?: number;
  /**
   * Zeros on each side (default 0); `'causal'` puts dilation·(kernel − 1) before, for an output of
   * the input's length.
   */
  readonly padding?: number | 'same' | 'causal';
  /** Default 1. */
  readonly dilation?: number;
  /** Default 1. */
  readonly groups?: number;
}

/**
 * Convolution over sequences.
 *
 * @param x [n, channels, length]
 * @param weight [filters, channels / groups, kernel]
 * @param bias [filters]
 * @returns [n, filters, length′]
 * @throws Error naming the shapes when they do not fit.
 */
export function conv1d(x: Tensor, weight: Tensor, bias?: Tensor, options: Convolution1dOptions = {}): Tensor {
  requireDType('conv1d', 'f32', x, weight, ...(bias ? [bias] : []));
  if (x.rank !== 3 || weight.rank !== 3)
    throw new Error(
      `conv1d: expected x [n, c, length] and weight [o, c, k], got ${formatShape(x.shape)} and ${formatShape(weight.shape)}`,
    );
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  requirePositive('conv1d', 'stride, dilation and groups', [stride, dilation, groups]);
  const rows = (t: Tensor) => reshape(t, [t.shape[0] as number, t.shape[1] as number, 1, t.shape[2] as number]);
  const flat = (y: Tensor) => reshape(y, [y.shape[0] as number, y.shape[1] as number, y.shape[3] as number]);
  const along = { stride: [1, stride], dilation: [1, dilation], groups } as const;
  if (padding !== 'causal')
    return flat(conv2d(rows(x), rows(weight), bias, { ...along, padding: padding === 'same' ? 'same' : [0, padding] }));
  const length = x.shape[2] as number;
  const [filters, , kernel] = weight.shape as [number, number, number];
  if (stride !== 1) throw new Error(`conv1d: causal padding needs stride 1, got ${stride}`);
  if ((weight.shape[1] as number) * groups !== x.shape[1] || filters % groups !== 0)
    throw new Error(
      `conv1d: ${formatShape(x.shape)} in ${groups} groups does not fit weight ${formatShape(weight.shape)}`,
    );
  requirePositive('conv1d', 'the sizes of the sequence and the kernel', [length, kernel]);
  if (bias && bias.size !== filters) throw new Error(`conv1d: bias has ${bias.size} elements, expected ${filters}`);
  const size = [1, length] as const;
  const attributes = { ...along, padding: [0, dilation * (kernel - 1)] as const, input: size, output: size };
  return flat(apply(convolutionOp, bias ? [rows(x), rows(weight), bias] : [rows(x), rows(weight)], attributes));
}
