// Experts of which a token computes single neurons: ReLU behind the gate leaves most of them at 0.

import { RowMatrix } from '../../quantized/index.js';
import { gatherRows, matmul, type Tensor, tensor, transpose } from '../../tensor/index.js';
import type { WeightMatrix } from './matrix.js';
import { StoredMatrix } from './store.js';

/**
 * A down projection that is stored by neuron, Wᵀ [columns, rows]: what a neuron adds to the output
 * lies together.
 */
export class ByNeuron implements WeightMatrix {
  readonly rows: number;
  readonly columns: number;

  /** @param stored Wᵀ */
  constructor(readonly stored: WeightMatrix) {
    [this.rows, this.columns] = [stored.columns, stored.rows];
  }

  get bytes(): number {
    return this.stored.bytes;
  }

  #all(): Tensor {
    const all = Int32Array.from({ length: this.columns }, (_, i) => i);
    return rowsOf(this.stored)?.dequantize() ?? this.stored.rowsAt(all);
  }

  multiply(x: Tensor): Tensor {
    return rowsOf(this.stored)?.multiplyTransposed(x) ?? matmul(x, this.#all());
  }

  rowsAt(rows: ArrayLike<number>): Tensor {
    return gatherRows(transpose(this.#all()), tensor(Int32Array.from(rows)));
  }

  load(): void {
    this.stored.load?.();
  }
}

/** The stored matrix behind a weight matrix; undefined for those that are in memory for good. */
export function storedOf(matrix: WeightMatrix): StoredMatrix | undefined {
  if (matrix instanceof ByNeuron) return storedOf(matrix.stored);
  return matrix instanceof StoredMatrix ? matrix : undefined;
}

/** Whether single rows of a matrix can be used. */
export function isByRow(matrix: WeightMatrix): boolean {
  return matrix instanceof RowMatrix || (matrix instanceof StoredMatrix && matrix.weights.byRow === true);
}

/** The rows of a matrix, read when they are not in memory. */
export function rowsOf(matrix: WeightMatrix): RowMatrix | undefined {
  const loaded = matrix instanceof StoredMatrix ? matrix.store.get(matrix) : matrix;
  return loaded instanceof RowMatrix ? loaded : undefined;
}
