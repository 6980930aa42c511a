// int8 convolutions: NHWC activations with one scale for each tensor, weights with one for each
// filter.
//
// With x = sₓ·(q − zₓ) and w = s_o·p: y/s_y + z_y = (sₓ·s_o/s_y)·Σ q·p − (sₓ·s_o/s_y)·zₓ·Σ p +
// bias/s_y + z_y, rounded and clamped. Jacob et al., "Quantization and Training of Neural Networks
// for Efficient Integer-Arithmetic-Only Inference", CVPR 2018 (there with the scale as an integer
// and a shift; here in f32).

import { cpu, type Device, type Int8Geometry } from '../engine/index.js';
import { emptyTensor, formatShape, keep, requireDType, sameShape, type Tensor, tensor } from '../tensor/index.js';
import { type ActivationBits, packedBytes, quantizeInt8 } from './int8.js';

/**
 * Scale and zero point of activations: value = scale·(quantum − zero), quanta in −128…127, or 0…127
 * with 7 bits.
 */
export interface Quantization {
  /** Step between adjacent quanta, > 0. */
  readonly scale: number;
  /** Quantum that stands for 0. */
  readonly zero: number;
  /** Bits of the quanta. */
  readonly bits: ActivationBits;
}

const limits = { 8: [-128, 127], 7: [0, 127] } as const;

/**
 * The affine quantisation of a range of values; the range is widened to hold 0, which it represents
 * exactly.
 */
export function quantizationOf(low: number, high: number, bits: ActivationBits = 8): Quantization {
  const [lowest, highest] = limits[bits];
  const [least, most] = [Math.min(low, 0), Math.max(high, 0)];
  if (!Number.isFinite(most - least)) throw new Error(`quantizationOf: the range ${low}…${high} is not finite`);
  const scale = most > least ? (most - least) / (highest - lowest) : 1;
  const zero = Math.max(lowest, Math.min(highest, lowest - Math.round(least / scale)));
  return { scale, zero, bits };
}

/** Bytes of a pixel: its channels, rounded up to the 16 that a kernel reads at a time. */
export function pitchOf(channels: number): number {
  return Math.ceil(channels / 16) * 16;
}

type Pair = readonly [y: number, x: number];

/** Options of `Int8Convolution`. */
export interface Int8ConvolutionOptions {
  /** Default 1 × 1. */
  readonly stride?: Pair;
  /** Default 0 × 0. */
  readonly padding?: Pair;
  /** Pixels from tap to tap; default 1 × 1. */
  readonly dilation?: Pair;
  /** Default 1; as many as channels and filters are depthwise. */
  readonly groups?: number;
  /** Quantisation of the input. */
  readonly input: Quantization;
  /** Quantisation of the output. */
  readonly output: Quantization;
  /**
   * Quantisation of a tensor that is added before the activation; not for depthwise convolutions.
   */
  readonly residual?: Quantization;
  /** Folded into the clamp; default none. */
  readonly activation?: 'none' | 'relu' | 'relu6';
}

/** Capacity of the kernels' table of tap addresses. */
const MAXIMUM_TAPS = 128;

/**
 * activation(x ∗ w + bias + residual) in int8: x i8 [n, h, w, pitch] → i8 [n, h′, w′, pitch′],
 * where a pitch is the number of channels rounded up to a multiple of 16. Bytes beyond the last
 * channel are undefined, and are multiplied by zero weights alone.
 */
export class Int8Convolution {
  /** Whether there are kernels for weights of this shape. */
  static supports([filters = 0, , kernelHeight = 0, kernelWidth = 0, ...rest]: readonly number[], groups: number) {
    if (rest.length > 0 || kernelHeight * kernelWidth === 0) return false;
    return kernelHeight * kernelWidth <= MAXIMUM_TAPS && filters % groups === 0;
  }

  /** Output channels. */
  readonly filters: number;
  /** Input channels. */
  readonly channels: number;
  /** Height and width of the kernel. */
  readonly kernel: Pair;
  readonly #inGroup: number;
  /** What each group multiplies by; depthwise ones are one. */
  readonly #parts: readonly Part[];
  readonly #pad: Tensor;

  /** @param weights f32 [filters, channels / groups, kh, kw]; @param bias f32 [filters]. */
  constructor(
    weights: Tensor,
    bias: Tensor | undefined,
    readonly options: Int8ConvolutionOptions,
  ) {
    const { groups = 1, residual } = options;
    const [filters, inGroup, kernelHeight, kernelWidth] = weights.shape as [number, number, number, number];
    [this.filters, this.channels, this.kernel] = [filters, inGroup * groups, [kernelHeight, kernelWidth]];
    this.#inGroup = inGroup;
    if (!Int8Convolution.supports(weights.shape, groups) || (this.depthwise && residual))
      throw new Error(
        `Int8Convolution: expected weights [o, c / groups, kh, kw] of at most ${MAXIMUM_TAPS} taps, and no residual where they are depthwise, got ${formatShape(weights.shape)} in ${groups}`,
      );
    const { quanta, scales } = quantizeInt8(weights);
    const count = this.depthwise ? 1 : groups;
    const size = filters / count;
    this.#parts = Array.from({ length: count }, (_, group): Part => {
      const [from, to] = [group * size, (group + 1) * size];
      const own = quanta.subarray((from * quanta.length) / filters, (to * quanta.length) / filters);
      const { scale, shift } = requantization(own, scales.subarray(from, to), bias?.view().subarray(from, to), options);
      const packed = this.depthwise
        ? packDepthwise(own, filters, this.kernel)
        : packFull(own, size, inGroup, kernelHeight * kernelWidth);
      return { packed: keep(packed), scale: keep(tensor(scale)), shift: keep(tensor(shift)) };
    });
    this.#pad = keep(tensor(new Int8Array(pitchOf(this.channels)).fill(options.input.zero)));
  }

  /** Whether each filter reads a channel of its own. */
  get depthwise(): boolean {
    return this.filters > 1 && this.#inGroup === 1 && this.channels === this.filters;
  }

  /** Weights of a filter: multiply-adds for each value of the result. */
  get weightsPerFilter(): number {
    return this.#inGroup * this.kernel[0] * this.kernel[1];
  }

  /** Shape of the result for x [n, h, w, pitch]. */
  outputShape([n = 1, height = 1, width = 1]: readonly number[]): readonly [number, number, number, number] {
    const { stride = [1, 1], padding = [0, 0], dilation = [1, 1] } = this.options;
    const size = (input: number, axis: 0 | 1) =>
      Math.floor((input + 2 * padding[axis] - (this.kernel[axis] - 1) * dilation[axis] - 1) / stride[axis]) + 1;
    return [n, size(height, 0), size(width, 1), pitchOf(this.filters)];
  }

  /**
   * @param x i8 [n, h, w, pitch]
   * @param residual i8 of the output's shape, where the options have one
   * @returns i8 [n, h′, w′, pitch′]
   * @throws Error when a shape does not fit.
   */
  forward(x: Tensor, residual?: Tensor): Tensor {
    requireDType('Int8Convolution', 'i8', x);
    if (x.rank !== 4 || x.shape[3] !== pitchOf(this.channels))
      throw new Error(`Int8Convolution: expected [n, h, w, ${pitchOf(this.channels)}], got ${formatShape(x.shape)}`);
    const y = emptyTensor([...this.outputShape(x.shape)], 'i8');
    if (!residual !== !this.options.residual || (residual && !sameShape(residual.shape, y.shape)))
      throw new Error(`Int8Convolution: the residual must be given as in the options, ${formatShape(y.shape)}`);
    this.write(cpu, x, residual, y);
    return y;
  }

  /** `forward` into a given tensor of any device, such as one that records a plan. */
  write(device: Device, x: Tensor, residual: Tensor | undefined, y: Tensor): void {
    const { stride = [1, 1], padding = [0, 0], dilation = [1, 1], input, output } = this.options;
    const { residual: added, activation } = this.options;
    const [lowest, highest] = limitsOf(output, activation);
    this.#parts.forEach((part, group) => {
      const [channels, filters] = this.depthwise
        ? [this.channels, this.filters]
        : [this.#inGroup, this.filters / this.#parts.length];
      const geometry = int8Geometry(x.shape, y.shape, {
        ...{ kernel: this.kernel, stride, padding, dilation, channels, filters },
        ...{ firstIn: group * channels, firstOut: group * filters },
      });
      const args = {
        ...{ x, ...part, pad: this.#pad, residual: residual ?? null, y, geometry },
        residualScale: added ? added.scale / output.scale : 0,
        sevenBit: Number(input.bits === 7),
        requantization: { zero: output.zero, lowest, highest },
      };
      if (this.depthwise) device.run('depthwiseInt8', args);
      else device.run('convolveInt8', args);
    });
  }
}

/** Packed filters of a group, and what their sums are multiplied by and added to. */
interface Part {
  readonly packed: Tensor;
  readonly scale: Tensor;
  readonly shift: Tensor;
}

/**
 * Sizes of a convolution from x [images, height, width, pitch] to y [images, outHeight, outWidth,
 * outPitch].
 */
function int8Geometry(
  x: readonly number[],
  y: readonly number[],
  sizes: Omit<Windows, 'output'> & {
    readonly channels: number;
    readonly filters: number;
    readonly dilation?: Pair;
    readonly firstIn?: number;
    readonly firstOut?: number;
  },
): Int8Geometry {
  const [images, height, width, pitch] = x as [number, number, number, number];
  const [, outHeight, outWidth, outPitch] = y as [number, number, number, number];
  const [kernelHeight, kernelWidth] = sizes.kernel;
  const [strideY, strideX] = sizes.stride;
  const [padTop, padLeft] = sizes.padding;
  const { channels, filters, dilation = [1, 1], firstIn = 0, firstOut = 0 } = sizes;
  const [dilationY, dilationX] = dilation;
  return {
    images,
    height,
    width,
    outHeight,
    outWidth,
    kernelHeight,
    kernelWidth,
    strideY,
    strideX,
    padTop,
    padLeft,
    channels,
    pitch,
    filters,
    outPitch,
    dilationY,
    dilationX,
    firstIn,
    firstOut,
  };
}

/** Lowest and highest quantum of values, or of those that an activation gives. */
export function limitsOf(
  { bits, zero, scale }: Quantization,
  activation: 'none' | 'relu' | 'relu6' = 'none',
): readonly [lowest: number, highest: number] {
  const [lowest, highest] = limits[bits];
  if (activation === 'none') return [lowest, highest];
  return [zero, activation === 'relu' ? highest : Math.min(highest, zero + Math.round(6 / scale))];
}

/** scale[o] and shift[o] of the equation above, padded by zeros to the pitch. */
function requantization(
  quanta: Int8Array,
  scales: Float32Array,
  bias: ArrayLike<number> | undefined,
  { input, output, residual }: Int8ConvolutionOptions,
) {
  const filters = scales.length;
  const weights = quanta.length / filters;
  const scale = new Float32Array(pitchOf(filters));
  const shift = new Float32Array(pitchOf(filters));
  for (let o = 0; o < filters; o++) {
    const sum = quanta.subarray(o * weights, (o + 1) * weights).reduce((total, quantum) => total + quantum, 0);
    const factor = ((scales[o] as number) * input.scale) / output.scale;
    scale[o] = factor;
    shift[o] = (bias?.[o] ?? 0) / output.scale - factor * input.zero * sum;
    if (residual) shift[o] = (shift[o] as number) - (residual.scale * residual.zero) / output.scale;
  }
  return { scale, shift };
}

/** Filters for `convolveInt8`: tap after tap, the channels of each padded to a multiple of 4. */
function packFull(quanta: Int8Array, filters: number, channels: number, taps: number): Tensor {
  const padded = Math.ceil(channels / 4) * 4;
  const ordered = new Int8Array(filters * taps * padded);
  for (let o = 0; o < filters; o++)
    for (let c = 0; c < channels; c++)
      for (let tap = 0; tap < taps; tap++)
        ordered[(o * taps + tap) * padded + c] = quanta[(o * channels + c) * taps + tap] as number;
  const source = tensor(ordered, [filters, taps * padded]);
  const packed = emptyTensor([packedBytes(filters, taps * padded)], 'i8');
  const sums = emptyTensor([filters], 'i32');
  cpu.run('packInt8', { b: source, packed, sums, n: filters, k: taps * padded });
  source.dispose();
  sums.dispose();
  return packed;
}

/**
 * Filters for `depthwiseInt8`: for each 16 channels, column and four rows, the four weights of a
 * channel side by side.
 */
function packDepthwise(quanta: Int8Array, channels: number, [height, width]: Pair): Tensor {
  const fours = Math.ceil(height / 4);
  const packed = new Int8Array(pitchOf(channels) * width * fours * 4);
  for (let c = 0; c < channels; c++)
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) {
        const group = ((Math.floor(c / 16) * width + column) * fours + Math.floor(row / 4)) * 64;
        packed[group + (c % 16) * 4 + (row % 4)] = quanta[(c * height + row) * width + column] as number;
      }
  return tensor(packed);
}

/** Sliding windows over the pixels of an image. */
export interface Windows {
  /** Height and width of a window. */
  readonly kernel: Pair;
  /** Step between windows. */
  readonly stride: Pair;
  /** Rows and columns of padding on each side. */
  readonly padding: Pair;
  /** Height and width of the output. */
  readonly output: Pair;
}

/**
 * Quantises and unrolls windows (im2col): x f32 [n, c, h, w] → y i8 [n, …output, pitch of c·taps],
 * where byte c·taps + tap of a pixel is what that tap of its window reads.
 */
export function writeWindows(device: Device, x: Tensor, y: Tensor, windows: Windows, to: Quantization): void {
  const [images, channels, height, width] = x.shape as [number, number, number, number];
  const { kernel, stride, padding, output } = windows;
  const pitch = y.shape[3] as number;
  const input = [images, height, width, pitch];
  const geometry = int8Geometry(input, [images, ...output, pitch], {
    kernel,
    stride,
    padding,
    channels,
    filters: channels,
  });
  device.run('windowsInt8', { x, y, scale: to.scale, zero: to.zero, sevenBit: Number(to.bits === 7), geometry });
}

/** Dequantises: x i8 [n, h, w, pitch] → y f32 [n, c, h, w]. */
export function writeFloats(device: Device, x: Tensor, y: Tensor, from: Quantization): void {
  const [images, channels, height, width] = y.shape as [number, number, number, number];
  device.run('dequantizeInt8', {
    x,
    y,
    scale: from.scale,
    zero: from.zero,
    images,
    channels,
    pixels: height * width,
    pitch: x.shape[3] as number,
  });
}
