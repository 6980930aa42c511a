// Matrices of bytes with one scale an output: the product of quantised layers.

import { type Activation, activations, cpu } from '../engine/index.js';
import { emptyTensor, formatShape, keep, requireDType, type Tensor, tensor } from '../tensor/index.js';

/** Bytes of a row of activations: a multiple of what a kernel reads at once. */
const CHUNK = 16;

/** How activations are quantised: to all of −127…127 (exact on every host), or to 0…127 with a zero point for the relaxed dot product, which is faster. */
export type ActivationBits = 8 | 7;

/** Symmetric bytes by row, q = round(w/s) in −127…127 with s = max|w|/127 (ties to even). */
export function quantizeInt8(weights: Tensor): { quanta: Int8Array; scales: Float32Array } {
  requireDType('quantizeInt8', 'f32', weights);
  const rows = weights.shape[0] as number;
  const columns = weights.size / rows;
  const values = weights.view();
  const quanta = new Int8Array(values.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const line = values.subarray(row * columns, (row + 1) * columns);
    const peak = line.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    if (!Number.isFinite(peak)) throw new Error(`quantizeInt8: row ${row} holds a value that is not finite`);
    const scale = peak > 0 ? peak / 127 : 1;
    scales[row] = scale;
    line.forEach((value, i) => {
      quanta[row * columns + i] = roundToEven(value / scale);
    });
  }
  return { quanta, scales };
}

function roundToEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** A weight matrix [rows, columns] of bytes, packed for products with activations that are quantised on the way, row by row. */
export class Int8Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly scales: Tensor;
  readonly #packed: Tensor;
  readonly #sums: Tensor;

  constructor(weights: Tensor) {
    if (weights.rank !== 2) throw new Error(`Int8Matrix: expected a matrix, got ${formatShape(weights.shape)}`);
    [this.rows, this.columns] = weights.shape as [number, number];
    const { quanta, scales } = quantizeInt8(weights);
    this.scales = keep(tensor(scales));
    this.#packed = keep(emptyTensor([Math.ceil(this.rows / 4) * 4, this.stride], 'i8'));
    this.#sums = keep(emptyTensor([this.rows], 'i32'));
    const source = tensor(quanta, [this.rows, this.columns]);
    cpu.run('packInt8', [source, this.#packed, this.#sums, this.rows, this.columns]);
    source.dispose();
  }

  /** Bytes of a row of quantised activations. */
  get stride(): number {
    return Math.ceil(this.columns / CHUNK) * CHUNK;
  }

  /**
   * activation(x·Wᵀ + bias): x f32 [m, columns] → f32 [m, rows]. Rows of x are quantised by their own range.
   */
  multiply(
    x: Tensor,
    { bias, activation = 'none', bits = 8 }: { bias?: Tensor; activation?: Activation; bits?: ActivationBits } = {},
  ): Tensor {
    requireDType('Int8Matrix', 'f32', x);
    if (x.rank !== 2 || x.shape[1] !== this.columns)
      throw new Error(`Int8Matrix: expected [m, ${this.columns}], got ${formatShape(x.shape)}`);
    const m = x.shape[0] as number;
    const q = emptyTensor([m, this.stride], 'i8');
    const scales = emptyTensor([m], 'f32');
    const zeros = bits === 7 ? emptyTensor([m], 'i32') : undefined;
    const y = emptyTensor([m, this.rows], 'f32');
    const sevenBit = Number(bits === 7);
    cpu.run('quantizeRows', [x, q, scales, zeros ?? null, m, this.columns, this.stride, sevenBit]);
    cpu.run('gemmInt8', [
      ...[q, this.#packed, this.#sums, scales, zeros ?? null, this.scales, bias ?? null, y],
      ...[m, this.rows, this.stride, sevenBit, activations[activation]],
    ]);
    for (const temporary of [q, scales, ...(zeros ? [zeros] : [])]) temporary.dispose();
    return y;
  }
}

/** Scale and zero point of bytes: value = scale·(quantum − zero). */
export interface Quantization {
  readonly scale: number;
  readonly zero: number;
}

/** The affine quantisation of a range of values to −128…127; the range is widened to hold 0, which it represents exactly. */
export function quantizationOf(low: number, high: number): Quantization {
  const [least, most] = [Math.min(low, 0), Math.max(high, 0)];
  if (!Number.isFinite(most - least)) throw new Error(`quantizationOf: the range ${low}…${high} is not finite`);
  const scale = most > least ? (most - least) / 255 : 1;
  return { scale, zero: Math.max(-128, Math.min(127, -128 - Math.round(least / scale))) };
}

export interface Int8ConvolutionOptions {
  readonly stride?: number;
  readonly padding?: number;
  readonly input: Quantization;
  readonly output: Quantization;
  /** Folded into the clamp. */
  readonly activation?: 'none' | 'relu';
}

/** A convolution of bytes with channels last, requantised by output channel: x i8 [n, h, w, c] → i8 [n, h′, w′, filters]. Channels are a multiple of 16. */
export class Int8Convolution {
  readonly #packed: Tensor;
  readonly #scale: Tensor;
  readonly #shift: Tensor;
  readonly #pad: Tensor;
  readonly #shape: readonly [filters: number, channels: number, kernelHeight: number, kernelWidth: number];

  /** @param weights f32 [filters, channels, kh, kw]; @param bias f32 [filters]. */
  constructor(
    weights: Tensor,
    bias: Tensor | undefined,
    readonly options: Int8ConvolutionOptions,
  ) {
    const [filters, channels, kernelHeight, kernelWidth] = weights.shape as [number, number, number, number];
    if (weights.rank !== 4 || channels % CHUNK !== 0)
      throw new Error(
        `Int8Convolution: expected weights [o, c, kh, kw] with c a multiple of ${CHUNK}, got ${formatShape(weights.shape)}`,
      );
    this.#shape = [filters, channels, kernelHeight, kernelWidth];
    const { quanta, scales } = quantizeInt8(weights);
    const taps = kernelHeight * kernelWidth;
    // Channels last: tap after tap.
    const ordered = new Int8Array(quanta.length);
    for (let o = 0; o < filters; o++)
      for (let c = 0; c < channels; c++)
        for (let tap = 0; tap < taps; tap++)
          ordered[(o * taps + tap) * channels + c] = quanta[(o * channels + c) * taps + tap] as number;
    const source = tensor(ordered, [filters, taps * channels]);
    this.#packed = keep(emptyTensor([Math.ceil(filters / 4) * 4, taps * channels], 'i8'));
    const sums = emptyTensor([filters], 'i32');
    cpu.run('packInt8', [source, this.#packed, sums, filters, taps * channels]);
    const { input, output } = options;
    const factor = Float32Array.from(scales, (scale) => (scale * input.scale) / output.scale);
    const total = sums.view<Int32Array>();
    const shift = factor.map(
      (scale, o) => (bias ? (bias.view()[o] as number) / output.scale : 0) - scale * input.zero * (total[o] as number),
    );
    const padded = (values: Float32Array) =>
      Float32Array.from({ length: Math.ceil(filters / 4) * 4 }, (_, i) => values[i] ?? 0);
    this.#scale = keep(tensor(padded(factor)));
    this.#shift = keep(tensor(padded(shift)));
    this.#pad = keep(tensor(new Int8Array(channels).fill(input.zero)));
    source.dispose();
    sums.dispose();
  }

  forward(x: Tensor): Tensor {
    requireDType('Int8Convolution', 'i8', x);
    const [filters, channels, kernelHeight, kernelWidth] = this.#shape;
    const { stride = 1, padding = 0, output, activation = 'none' } = this.options;
    if (x.rank !== 4 || x.shape[3] !== channels)
      throw new Error(`Int8Convolution: expected [n, h, w, ${channels}], got ${formatShape(x.shape)}`);
    const [n, height, width] = x.shape as [number, number, number];
    const outHeight = Math.floor((height + 2 * padding - kernelHeight) / stride) + 1;
    const outWidth = Math.floor((width + 2 * padding - kernelWidth) / stride) + 1;
    const y = emptyTensor([n, outHeight, outWidth, filters], 'i8');
    const lowest = activation === 'relu' ? output.zero : -128;
    cpu.run('convolveInt8', [
      ...[x, this.#packed, this.#scale, this.#shift, this.#pad, y, output.zero, lowest, n * outHeight],
      ...[
        height,
        width,
        outHeight,
        outWidth,
        kernelHeight,
        kernelWidth,
        stride,
        stride,
        padding,
        padding,
        channels,
        filters,
      ],
    ]);
    return y;
  }
}
