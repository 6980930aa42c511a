// Weight matrices for products, in memory or in a file.

import { gatherRows, linear, type Tensor, tensor } from '../../tensor/index.js';

/** A matrix [rows, columns] for products x·Wᵀ. */
export interface WeightMatrix {
  /** Output features. */
  readonly rows: number;
  /** Input features. */
  readonly columns: number;
  /** Bytes in memory, all of which a product reads. */
  readonly bytes: number;
  /** x [m, columns] → [m, rows] */
  multiply(x: Tensor): Tensor;
  /** Rows by index as float32 [n, columns]. */
  rowsAt(rows: ArrayLike<number>): Tensor;
  /** Preloads a matrix of a file when the memory budget allows. */
  load?(): void;
}

/** Whether every pass reads a matrix, or only passes whose router chooses it (experts). */
export type WeightUse = 'always' | 'chosen';

/** A matrix in a file. */
export interface StoredWeights {
  readonly rows: number;
  readonly columns: number;
  /** Bytes in memory. */
  readonly bytes: number;
  readonly use: WeightUse;
  /** Reads all rows, or rows [from, to). */
  read(rows?: readonly [from: number, to: number]): LoadedMatrix;
}

/** A matrix in memory. */
export interface LoadedMatrix extends WeightMatrix {
  dispose(): void;
}

/** A float32 matrix. */
export class DenseMatrix implements WeightMatrix {
  readonly rows: number;
  readonly columns: number;

  constructor(readonly values: Tensor) {
    [this.rows, this.columns] = values.shape as [number, number];
  }

  get bytes(): number {
    return 4 * this.values.size;
  }

  multiply(x: Tensor): Tensor {
    return linear(x, this.values);
  }

  rowsAt(rows: ArrayLike<number>): Tensor {
    return gatherRows(this.values, tensor(Int32Array.from(rows)));
  }

  /** Frees the values. */
  dispose(): void {
    this.values.dispose();
  }
}
