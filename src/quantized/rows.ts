// Matrices whose rows lie as in a file, for products with few of them: experts of which a token
// uses some neurons, and heads of which it needs some logits.

import { cpu } from '../engine/index.js';
import { emptyTensor, keep, linear, matmul, scope, slice, type Tensor, zeros } from '../tensor/index.js';
import { BlockMatrix, blockBytes, blockFormats, type QuantizedFormat, quantizeBlocks } from './blocks.js';

/** Formats of rows: f32, or blocks of 32 as llama.cpp has them. */
export type RowFormat = 'F32' | QuantizedFormat;

/** Tokens up to which a product reads rows one by one. */
const FEW = 8;

const codeOf = (format: RowFormat) => (format === 'F32' ? 0 : blockFormats[format].code);

/** Bytes of a matrix of rows. */
export function rowBytes(format: RowFormat, rows: number, columns: number): number {
  return format === 'F32' ? 4 * rows * columns : blockBytes(format, rows, columns);
}

/** A matrix [rows, columns] of which single rows are read. */
export class RowMatrix {
  /** @param values f32 [rows, columns], or the bytes of blocks, row after row; kept */
  constructor(
    readonly format: RowFormat,
    readonly rows: number,
    readonly columns: number,
    readonly values: Tensor,
  ) {
    if (values.size !== (format === 'F32' ? rows * columns : rowBytes(format, rows, columns)))
      throw new Error(`RowMatrix: ${rows}×${columns} in ${format} does not take ${values.size} numbers`);
    keep(values);
  }

  /** Memory for the values of a matrix, to be filled with the bytes of a file. */
  static stage(format: RowFormat, rows: number, columns: number): Tensor {
    if (format === 'F32') return keep(emptyTensor([rows, columns], 'f32'));
    if (columns % 32 !== 0)
      throw new RangeError(`RowMatrix: columns in ${format} must be a multiple of 32, got ${columns}`);
    return keep(emptyTensor([rowBytes(format, rows, columns)], 'u8'));
  }

  /** From f32 values [rows, columns]. */
  static from(values: Tensor, format: RowFormat): RowMatrix {
    const [rows, columns] = values.shape as [number, number];
    if (format === 'F32') return new RowMatrix(format, rows, columns, values.clone());
    const staged = RowMatrix.stage(format, rows, columns);
    staged.view().set(quantizeBlocks(values.view<Float32Array>(), format));
    return new RowMatrix(format, rows, columns, staged);
  }

  /** Bytes in memory. */
  get bytes(): number {
    return rowBytes(this.format, this.rows, this.columns);
  }

  /** x [m, columns] → x·Wᵀ [m, rows]; activations are quantised to int8 blocks where rows are. */
  multiply(x: Tensor): Tensor {
    const m = x.shape[0] as number;
    if (m <= FEW) return this.#product(x, m, this.rows, null);
    if (this.format === 'F32') return linear(x, this.values);
    const { format, rows, columns } = this;
    const panels = BlockMatrix.fromBytes(this.values.view<Uint8Array>(), format as QuantizedFormat, rows, columns);
    const y = panels.multiply(x);
    panels.dispose();
    return y;
  }

  /** x [1, columns] times some rows, i32 [n] → [1, n]. */
  multiplyRows(x: Tensor, rows: Tensor): Tensor {
    return this.#product(x, 1, rows.size, rows);
  }

  #product(x: Tensor, m: number, rows: number, chosen: Tensor | null): Tensor {
    const y = emptyTensor([m, rows], 'f32');
    const { values: w, columns } = this;
    cpu.run('rowsProduct', { w, x, chosen, y, format: codeOf(this.format), m, rows, columns });
    return y;
  }

  /** h [m, rows] → h·W [m, columns]; of one token only rows whose h is not 0 are read. */
  multiplyTransposed(h: Tensor): Tensor {
    const m = h.shape[0] as number;
    if (m > 1) return matmul(h, this.dequantize());
    const y = zeros([1, this.columns]);
    this.addTo(y, h);
    return y;
  }

  /** y [1, columns] += h·W in place, for h [1, rows]. */
  addTo(y: Tensor, h: Tensor): void {
    const { values: w, rows: neurons, columns } = this;
    cpu.run('addNeurons', { w, hidden: h, y, format: codeOf(this.format), neurons, columns });
  }

  /** All values, f32 [rows, columns]. */
  dequantize(): Tensor {
    if (this.format === 'F32') return this.values;
    const y = emptyTensor([this.rows, this.columns], 'f32');
    const { values: w, rows, columns } = this;
    cpu.run('unpackRows', { w, y, format: codeOf(this.format), rows, columns });
    return y;
  }

  /** Some rows, f32 [n, columns]. */
  rowsAt(rows: ArrayLike<number>): Tensor {
    const y = emptyTensor([rows.length, this.columns], 'f32');
    const each = rowBytes(this.format, 1, this.columns) / (this.format === 'F32' ? 4 : 1);
    const flat = this.values.reshape([this.values.size]);
    for (let i = 0; i < rows.length; i++)
      scope(() => {
        const row = rows[i] as number;
        const one = slice(flat, [row * each, (row + 1) * each]);
        const to = slice(y, [i, i + 1]);
        cpu.run('unpackRows', { w: one, y: to, format: codeOf(this.format), rows: 1, columns: this.columns });
      });
    return y;
  }

  /** Frees the values. */
  dispose(): void {
    this.values.dispose();
  }
}

/** An expert W_down(ReLU(W_gate x) ⊙ W_up x) of which single neurons are computed. */
export interface NeuronExpert {
  /** [neurons, features] */
  readonly gate: RowMatrix;
  /** [neurons, features] */
  readonly up: RowMatrix;
  /** W_downᵀ: what a neuron adds to the output, [neurons, features]. */
  readonly down: RowMatrix;
}

/**
 * factor·ReLU(W_gate x) ⊙ (W_up x) for one token x [1, features] → [1, neurons]; of up, rows whose
 * gate is closed are not read.
 */
export function gatedNeurons({ gate, up }: Pick<NeuronExpert, 'gate' | 'up'>, x: Tensor, factor: number): Tensor {
  const hidden = emptyTensor([1, gate.rows], 'f32');
  cpu.run('gatedNeurons', {
    ...{ gate: gate.values, up: up.values, x, hidden, format: codeOf(gate.format) },
    ...{ columns: gate.columns, factor, neurons: gate.rows },
  });
  return hidden;
}
