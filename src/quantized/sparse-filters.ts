// Sparse filters in int8: weights with one scale for each output channel, activations quantised by
// the range of the whole input as they are copied. Sums of 32 bits become floats again.
//
//   y = activation(s_x·s_o·Σ q_w·(q_x − z_x) + bias)
//
// Input and output are float32: between sparse layers nothing has to be converted.

import { type Activation, activations, type ConvolutionSizes, cpu, type Device, regionAt } from '../engine/index.js';
import { EntryOffsets, packFilters, packTaps } from '../sparse/filters.js';
import {
  type ConvolutionOptions,
  convolutionAttributes,
  convolutionSizes,
  emptyTensor,
  formatShape,
  keep,
  type Tensor,
  tensor,
} from '../tensor/index.js';
import { quantizeInt8 } from './int8.js';
import type { Quantization } from './int8-convolution.js';

/** Least and largest quantum by number of bits. */
const limits = { 8: [-128, 127], 7: [0, 127] } as const;

/** A linear layer as a convolution of one pixel. */
function onePixel(filters: number, channels: number): ConvolutionSizes {
  return {
    ...{
      images: 1,
      channels,
      height: 1,
      width: 1,
      filters,
      kernelHeight: 1,
      kernelWidth: 1,
      outHeight: 1,
      outWidth: 1,
    },
    ...{ strideY: 1, strideX: 1, padTop: 0, padLeft: 0, dilationY: 1, dilationX: 1, groups: 1 },
  };
}

/** The entries of blocks in pairs: an odd last one is joined by one with weights of zero. */
function pairsOf(indptr: Int32Array, entriesOf: (entry: number) => number[], zeros: number[]) {
  const ends = [0];
  const order: number[] = [];
  const values: number[] = [];
  for (let block = 0; block + 1 < indptr.length; block++) {
    const [first, end] = [indptr[block] as number, indptr[block + 1] as number];
    for (let entry = first; entry < end; entry += 2) {
      const second = Math.min(entry + 1, end - 1);
      order.push(entry, second);
      const [a, b] = [entriesOf(entry), entry + 1 < end ? entriesOf(second) : zeros];
      a.forEach((value, r) => {
        values.push(value, b[r] as number);
      });
    }
    ends.push(order.length / 2);
  }
  return { ends: Int32Array.from(ends), order, values: Int8Array.from(values) };
}

/**
 * Sparse int8 filters [out, in, k, k], depthwise ones [channels, 1, k, k], or those of linear
 * layers [out, in].
 */
export class Int8SparseFilters {
  readonly #indptr: Tensor;
  readonly #values: Tensor;
  readonly #scale: Tensor;
  readonly #pairs: number;
  readonly #offsets: EntryOffsets;
  readonly #columns: Tensor;
  readonly #linear: boolean;
  readonly #shape: readonly number[];

  /**
   * @param weights f32
   * @param height output channels that share their entries: 2 or 4, of depthwise filters any number
   * @param input quantisation of the input
   */
  constructor(
    weights: Tensor,
    readonly height: number,
    readonly input: Quantization,
    readonly depthwise = false,
  ) {
    if (!depthwise && height !== 2 && height !== 4)
      throw new Error(`Int8SparseFilters: blocks have 2 or 4 rows, not ${height}`);
    if (weights.rank !== 2 && weights.rank !== 4)
      throw new Error(`Int8SparseFilters: expected [out, in] or [out, in, k, k], got ${formatShape(weights.shape)}`);
    this.#linear = weights.rank === 2;
    this.#shape = this.#linear ? [...weights.shape, 1, 1] : weights.shape;
    const { quanta, scales } = quantizeInt8(weights);
    const whole = tensor(Float32Array.from(quanta), this.#shape);
    const { values, ...entries } = depthwise ? packTaps(whole, height) : packFilters(whole, height);
    const {
      ends,
      order,
      values: packed,
    } = depthwise
      ? this.#tapPairs(entries.indptr, values)
      : pairsOf(
          entries.indptr,
          (entry) => [...values.subarray(entry * height, (entry + 1) * height)],
          new Array<number>(height).fill(0),
        );
    whole.dispose();
    this.#pairs = order.length / 2;
    this.#indptr = keep(tensor(ends));
    this.#values = keep(tensor(packed.length > 0 ? packed : new Int8Array(8)));
    this.#scale = keep(tensor(scales.map((scale) => scale * input.scale)));
    const [channels, taps] = [entries.channels, entries.taps].map((all) =>
      Int32Array.from(order, (entry) => all[entry] as number),
    ) as [Int32Array, Int32Array];
    this.#offsets = new EntryOffsets({ channels, taps }, depthwise, 2);
    this.#columns = keep(tensor(channels.map((channel) => 2 * channel)));
  }

  /** Taps of a group in pairs, channel by channel. */
  #tapPairs(indptr: Int32Array, values: Float32Array) {
    const ends = [0];
    const order: number[] = [];
    const packed: number[] = [];
    for (let group = 0; group + 1 < indptr.length; group++) {
      const [first, end] = [indptr[group] as number, indptr[group + 1] as number];
      const count = end - first;
      for (let entry = first; entry < end; entry += 2) order.push(entry, Math.min(entry + 1, end - 1));
      for (let r = 0; r < this.height; r++) {
        const own = [...values.subarray(first * this.height + r * count, first * this.height + (r + 1) * count)];
        packed.push(...own, ...(count % 2 === 1 ? [0] : []));
      }
      ends.push(order.length / 2);
    }
    return { ends: Int32Array.from(ends), order, values: Int8Array.from(packed) };
  }

  /** Stored weights, including zeros inside blocks. */
  get stored(): number {
    return this.#values.size;
  }

  /**
   * activation(w ∗ x + bias) with x quantised: x f32 [n, in, h, w] → [n, out, h′, w′], or [n, in] →
   * [n, out] for weights of linear layers; bias [out].
   */
  convolve(
    x: Tensor,
    options: Omit<ConvolutionOptions, 'groups'> & { readonly bias?: Tensor; readonly activation?: Activation } = {},
  ): Tensor {
    const { bias, activation = 'none', ...geometry } = options;
    if (this.#linear) {
      const y = emptyTensor([x.shape[0] as number, this.#shape[0] as number], 'f32');
      this.write(cpu, x, y, bias, activation);
      return y;
    }
    const groups = this.depthwise ? (this.#shape[0] as number) : 1;
    const sizes = convolutionSizes(
      x.shape,
      this.#shape,
      convolutionAttributes(x.shape, this.#shape, { ...geometry, groups }),
    );
    const y = emptyTensor([sizes.images, sizes.filters, sizes.outHeight, sizes.outWidth], 'f32');
    this.write(cpu, x, y, bias, activation, sizes);
    return y;
  }

  /**
   * `convolve` into a given tensor of any device, such as one that records a plan.
   *
   * @param sizes of the convolution; left out for linear layers
   */
  write(
    device: Device,
    x: Tensor,
    y: Tensor,
    bias: Tensor | undefined,
    activation: Activation,
    sizes?: ConvolutionSizes,
  ): void {
    const images = x.shape[0] as number;
    const { scale, zero, bits } = this.input;
    const [lowest, highest] = limits[bits];
    const shared = {
      ...{ indptr: this.#indptr, values: this.#values, scale: this.#scale, bias: bias ?? null },
      ...{ inverse: 1 / scale, least: lowest - zero, most: highest - zero, stored: this.#pairs },
      activation: activations[activation],
    };
    for (let image = 0; image < images; image++) {
      const from = regionAt(x, (4 * image * x.size) / images);
      const to = regionAt(y, (4 * image * y.size) / images);
      const own = { ...shared, x: from, y: to };
      const [rows, columns] = this.#shape as [number, number];
      if (!sizes && this.height === 4)
        device.run('sparseVectorInt8', { ...own, offsets: this.#columns, rows, columns });
      else {
        const whole = sizes ?? onePixel(rows, columns);
        const windows = { ...own, sizes: { ...whole, images: 1 }, offsets: this.#offsets.of(whole) };
        if (this.depthwise) device.run('sparseTapsInt8', { ...windows, height: this.height });
        else device.run('sparseWindowsInt8', { ...windows, height: this.height as 2 | 4 });
      }
    }
  }
}
