// Where a sparse matrix stores elements, in compressed-sparse-row form.

import { keep, type Tensor, tensor } from '../tensor/index.js';
import { Segments } from './segments.js';

/** The places of stored elements, without their values: fixed, and shared by matrices. */
export class SparsePattern {
  /** The stored elements of each row. */
  readonly segments: Segments;
  #indices: Tensor | undefined;
  #transposed: { pattern: SparsePattern; permutation: Tensor } | undefined;

  /**
   * @param indptr row r holds elements indptr[r] … indptr[r+1] − 1.
   * @param indices the column of each element.
   * @throws Error when the two disagree; RangeError when a column is outside.
   */
  constructor(
    readonly rows: number,
    readonly columns: number,
    readonly indptr: Int32Array,
    readonly indices: Int32Array,
  ) {
    if (!(indptr instanceof Int32Array && indices instanceof Int32Array))
      throw new TypeError('SparsePattern: expected offsets and columns as Int32Array');
    this.segments = new Segments(indptr);
    if (indptr.length !== rows + 1 || this.segments.size !== indices.length) {
      throw new Error(
        `SparsePattern: ${indptr.length} offsets ending at ${this.segments.size} do not describe ${rows} rows of ${indices.length} elements`,
      );
    }
    for (let element = 0; element < indices.length; element++) {
      const column = indices[element] as number;
      if (column < 0 || column >= columns)
        throw new RangeError(`SparsePattern: column ${column} of element ${element} is outside 0…${columns - 1}`);
    }
  }

  /** Number of stored elements. */
  get nnz(): number {
    return this.indices.length;
  }

  /** Columns as an i32 tensor [nnz]. */
  get indexTensor(): Tensor {
    this.#indices ??= keep(tensor(this.indices));
    return this.#indices;
  }

  /** The transposed pattern, and the position of each of its elements in this one. Made once. */
  transposed(): { pattern: SparsePattern; permutation: Tensor } {
    if (!this.#transposed) {
      const { indptr, indices, order } = transposePattern(this);
      const pattern = new SparsePattern(this.columns, this.rows, indptr, indices);
      this.#transposed = { pattern, permutation: keep(tensor(order)) };
    }
    return this.#transposed;
  }
}

/** Counting sort of the elements by column. */
function transposePattern({ rows, columns, indptr, indices }: SparsePattern) {
  const starts = new Int32Array(columns + 1);
  for (const column of indices) starts[column + 1] = (starts[column + 1] as number) + 1;
  for (let column = 0; column < columns; column++)
    starts[column + 1] = (starts[column + 1] as number) + (starts[column] as number);
  const next = starts.slice();
  const transposed = new Int32Array(indices.length);
  const order = new Int32Array(indices.length);
  for (let row = 0; row < rows; row++) {
    for (let element = indptr[row] as number; element < (indptr[row + 1] as number); element++) {
      const column = indices[element] as number;
      const at = next[column] as number;
      next[column] = at + 1;
      transposed[at] = row;
      order[at] = element;
    }
  }
  return { indptr: starts, indices: transposed, order };
}
