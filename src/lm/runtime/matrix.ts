// Weight matrices for products, in memory or in a file.

import { gatherRows, linear, type Tensor, tensor } from '../../tensor/index.js';

/** A matrix [rows, columns] for products x·Wᵀ. */
export interface WeightMatrix {
  readonly rows: number;
  readonly columns: number;
  /** Bytes that a product reads. */
  readonly bytes: number;
  /** x [m, columns] → [m, rows] */
  multiply(x: Tensor): Tensor;
  /** Some rows as floats [n, columns]. */
  rowsAt(rows: ArrayLike<number>): Tensor;
  /** Reads it ahead where it lies in a file and there is room. */
  load?(): void;
}

/** How often a matrix is read: in every pass, or only when it is chosen, as an expert is. */
export type WeightUse = 'always' | 'chosen';

/** A matrix in a file. */
export interface StoredWeights {
  readonly rows: number;
  readonly columns: number;
  /** Bytes that it takes in memory. */
  readonly bytes: number;
  readonly use: WeightUse;
  /** Reads it, or rows [from, to) of it. */
  read(rows?: readonly [from: number, to: number]): LoadedMatrix;
}

export interface LoadedMatrix extends WeightMatrix {
  dispose(): void;
}

/** A matrix of floats. */
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

  dispose(): void {
    this.values.dispose();
  }
}
