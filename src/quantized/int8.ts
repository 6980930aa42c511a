// int8 matrices with a scale for each output: the product of quantised linear layers.

import { type Activation, activations, cpu, type Device } from '../engine/index.js';
import { emptyTensor, formatShape, keep, requireDType, scope, type Tensor, tensor } from '../tensor/index.js';

/** Bytes of a packed int8 matrix [rows, columns]: panels of 8 rows, columns in fours. */
export function packedBytes(rows: number, columns: number): number {
  return Math.ceil(rows / 8) * 8 * Math.ceil(columns / 4) * 4;
}

/**
 * Bits of quantised activations: 8 for −127…127, exact on every host; 7 for 0…127 with a zero
 * point, for the relaxed dot product, which is faster.
 */
export type ActivationBits = 8 | 7;

/**
 * Symmetric int8 quantisation of each row: q = round(w/s) in −127…127 with s = max|w|/127, ties to
 * even.
 *
 * @param weights [rows, …]
 * @returns quanta in the order of the weights, and a scale for each row
 * @throws Error when a weight is not finite.
 */
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

/**
 * An int8 weight matrix [rows, columns], packed for products with dynamically quantised
 * activations.
 */
export class Int8Matrix {
  /** Output features. */
  readonly rows: number;
  /** Input features. */
  readonly columns: number;
  /** Scale of each row [rows]: weight ≈ scale·int8. */
  readonly scales: Tensor;
  readonly #packed: Tensor;
  readonly #sums: Tensor;

  constructor(weights: Tensor) {
    if (weights.rank !== 2) throw new Error(`Int8Matrix: expected a matrix, got ${formatShape(weights.shape)}`);
    [this.rows, this.columns] = weights.shape as [number, number];
    const { quanta, scales } = quantizeInt8(weights);
    this.scales = keep(tensor(scales));
    this.#packed = keep(emptyTensor([packedBytes(this.rows, this.columns)], 'i8'));
    this.#sums = keep(emptyTensor([this.rows], 'i32'));
    const source = tensor(quanta, [this.rows, this.columns]);
    cpu.run('packInt8', { b: source, packed: this.#packed, sums: this.#sums, n: this.rows, k: this.columns });
    source.dispose();
  }

  /**
   * activation(x·Wᵀ + bias). Each row of x is quantised by its own range.
   *
   * @param x f32 [m, columns]
   * @param options bias [rows]; activation, default none; bits, default 8
   * @returns f32 [m, rows]
   */
  multiply(
    x: Tensor,
    { bias, activation = 'none', bits = 8 }: { bias?: Tensor; activation?: Activation; bits?: ActivationBits } = {},
  ): Tensor {
    requireDType('Int8Matrix', 'f32', x);
    if (x.rank !== 2 || x.shape[1] !== this.columns)
      throw new Error(`Int8Matrix: expected [m, ${this.columns}], got ${formatShape(x.shape)}`);
    const y = emptyTensor([x.shape[0] as number, this.rows], 'f32');
    this.write(cpu, x, y, bias, activation, bits);
    return y;
  }

  /** `multiply` into a given tensor of any device, such as one that records a plan. */
  write(
    device: Device,
    x: Tensor,
    y: Tensor,
    bias: Tensor | undefined,
    activation: Activation,
    bits: ActivationBits,
  ): void {
    const m = x.shape[0] as number;
    const sevenBit = Number(bits === 7);
    scope(() => {
      const q = emptyTensor([m, 2 * Math.ceil(this.columns / 4) * 4], 'i8', device);
      const scales = emptyTensor([m], 'f32', device);
      const zeros = bits === 7 ? emptyTensor([m], 'i32', device) : null;
      device.run('quantizeRows', { x, q, scales, zeros, m, k: this.columns, sevenBit });
      device.run('gemmInt8', {
        a: q,
        packed: this.#packed,
        sums: this.#sums,
        rowScale: scales,
        zero: zeros,
        columnScale: this.scales,
        bias: bias ?? null,
        y,
        m,
        n: this.rows,
        k: this.columns,
        sevenBit,
        activation: activations[activation],
      });
    });
  }
}
