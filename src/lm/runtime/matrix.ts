// Weight matrices for products, in memory or in a file.

import { BlockMatrix } from '../../quantized/index.js';
import { add, gatherRows, linear, matmul, putAlong, scatterAddRows, type Tensor, tensor } from '../../tensor/index.js';

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
  /** A matrix of a file as it is in memory, read when it is not. */
  resident?(): LoadedMatrix;
  /** A matrix of a file if it is in memory. */
  held?(): LoadedMatrix | undefined;
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
  /** Whether single rows can be used once it is in memory. */
  readonly byRow?: boolean;
  /** Where all its bytes lie together, if the file is open: they may be read on another thread. */
  readonly range?: undefined | { readonly descriptor: number; readonly position: number; readonly name: string };
  /** Memory for those bytes. */
  stage?(): Tensor;
  /** The matrix of the staged bytes, whose memory it takes or frees. */
  finish?(staged: Tensor): LoadedMatrix;
  /** Reads all rows, or rows [from, to). */
  read(rows?: readonly [from: number, to: number]): LoadedMatrix;
}

/** A matrix in memory. */
export interface LoadedMatrix extends WeightMatrix {
  dispose(): void;
}

/** x·Wᵀ for matrices of equal columns, in one call of the thread pool where their format allows. */
export function multiplyAll(matrices: readonly WeightMatrix[], x: Tensor): Tensor[] {
  // Within a small budget, reading one may evict another: then one after the other.
  const areHeld = matrices.every((matrix) => !matrix.held || matrix.held());
  const loaded = areHeld ? matrices.map((matrix) => matrix.resident?.() ?? matrix) : [];
  const blocks = loaded.filter((matrix) => matrix instanceof BlockMatrix);
  return blocks.length === matrices.length
    ? BlockMatrix.multiplyAll(blocks, x)
    : matrices.map((matrix) => matrix.multiply(x));
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

/** Rows of a matrix that were kept, with their indices. */
export interface KeptRows {
  /** Index of each row, ascending. */
  readonly rows: Int32Array;
  /** The rows [kept, columns]. */
  readonly values: WeightMatrix;
}

/** L·R + S, S of a few rows: L [rows, r], R [r, columns]. */
export class LowRankMatrix implements WeightMatrix {
  readonly rows: number;
  readonly columns: number;

  /** @param kept S; none when left out */
  constructor(
    readonly left: WeightMatrix,
    readonly right: WeightMatrix,
    readonly kept?: KeptRows,
  ) {
    [this.rows, this.columns] = [left.rows, right.columns];
  }

  get bytes(): number {
    return this.left.bytes + this.right.bytes + (this.kept ? this.kept.values.bytes + 4 * this.kept.rows.length : 0);
  }

  multiply(x: Tensor): Tensor {
    const dense = this.left.multiply(this.right.multiply(x));
    if (!this.kept) return dense;
    const [count, { rows, values }] = [x.shape[0] as number, this.kept];
    const positions = new Int32Array(count * rows.length);
    for (let i = 0; i < count; i++) positions.set(rows, i * rows.length);
    return add(dense, putAlong(values.multiply(x), tensor(positions, [count, rows.length]), this.rows));
  }

  rowsAt(rows: ArrayLike<number>): Tensor {
    const chosen = this.left.rowsAt(rows);
    const result = matmul(chosen, this.right.rowsAt(Array.from({ length: this.right.rows }, (_, i) => i)));
    const places = Array.from(rows, (row) => this.kept?.rows.indexOf(row) ?? -1);
    const from = places.flatMap((place, i) => (place < 0 ? [] : [[place, i] as const]));
    if (from.length === 0) return result;
    const sparse = (this.kept as KeptRows).values.rowsAt(from.map(([place]) => place));
    return add(result, scatterAddRows(sparse, tensor(Int32Array.from(from, ([, i]) => i)), rows.length));
  }

  load(): void {
    for (const part of [this.left, this.right, this.kept?.values]) part?.load?.();
  }
}
