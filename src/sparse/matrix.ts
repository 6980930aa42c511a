// Sparse matrices in compressed-sparse-row form. The pattern (where elements are stored) is fixed
// and shared; values are a tensor like any other, so a matrix can be a graph's adjacency, a
// hypergraph's incidence or a pruned layer's weights.

import { gatherKnownRows, keep, multiply, requireDType, type Tensor, tensor } from '../tensor/index.js';
import { requireIndices, requireLimit, shown } from './indices.js';
import { spmm } from './ops.js';
import { SparsePattern } from './pattern.js';
import { Segments } from './segments.js';

/** Stable counting sort: positions in ascending order of their keys, 0 ≤ key < `limit`. */
function countingSort(keys: ArrayLike<number>, limit: number, order?: Int32Array): Int32Array {
  const next = new Int32Array(limit + 1);
  for (let i = 0; i < keys.length; i++) {
    const key = (keys[i] as number) + 1;
    next[key] = (next[key] as number) + 1;
  }
  for (let key = 0; key < limit; key++) next[key + 1] = (next[key + 1] as number) + (next[key] as number);
  const sorted = new Int32Array(keys.length);
  for (let i = 0; i < keys.length; i++) {
    const element = order ? (order[i] as number) : i;
    const key = keys[element] as number;
    const at = next[key] as number;
    next[key] = at + 1;
    sorted[at] = element;
  }
  return sorted;
}

/** A sparse matrix [rows, columns] in compressed-sparse-row form, differentiable in its values. */
export class SparseMatrix {
  #transposed: SparseMatrix | undefined;

  /** @param values one for each stored element, [nnz]; all 1 when left out. */
  constructor(
    readonly pattern: SparsePattern,
    readonly values?: Tensor,
  ) {
    if (!(pattern instanceof SparsePattern)) throw new TypeError(`SparseMatrix: expected a SparsePattern of this copy`);
    if (values) requireDType('SparseMatrix', 'f32', values);
    if (values && (values.rank !== 1 || values.size !== pattern.nnz)) {
      throw new Error(`SparseMatrix: expected ${pattern.nnz} values, got ${values}`);
    }
  }

  /** Number of rows. */
  get rows(): number {
    return this.pattern.rows;
  }

  /** Number of columns. */
  get columns(): number {
    return this.pattern.columns;
  }

  /** Stored elements, explicit zeros among them. */
  get nnz(): number {
    return this.pattern.nnz;
  }

  /**
   * From coordinates in any order; values at repeated coordinates are added.
   *
   * @throws Error unless the lists have one length; RangeError when a coordinate is no integer or
   * outside, or when a finite value or a sum of such is beyond the range of f32.
   */
  static fromCoordinates(
    rows: number,
    columns: number,
    rowOf: ArrayLike<number>,
    columnOf: ArrayLike<number>,
    values?: ArrayLike<number>,
  ): SparseMatrix {
    if (rowOf.length !== columnOf.length || (values && values.length !== rowOf.length)) {
      throw new Error(
        `SparseMatrix: ${rowOf.length} rows, ${columnOf.length} columns and ${values?.length ?? rowOf.length} values do not pair up`,
      );
    }
    requireLimit('SparseMatrix', 'rows', rows);
    requireLimit('SparseMatrix', 'columns', columns);
    requireIndices('SparseMatrix', 'row', rowOf, rows);
    requireIndices('SparseMatrix', 'column', columnOf, columns);
    const order = countingSort(rowOf, rows, countingSort(columnOf, columns));
    const indptr = new Int32Array(rows + 1);
    const indices = new Int32Array(order.length);
    const summed = new Float32Array(order.length);
    let stored = 0;
    let previousRow = -1;
    for (const i of order) {
      const row = rowOf[i] as number;
      const column = columnOf[i] as number;
      const value = values ? (values[i] as number) : 1;
      if (row === previousRow && column === indices[stored - 1]) {
        summed[stored - 1] = (summed[stored - 1] as number) + value;
        continue;
      }
      previousRow = row;
      indices[stored] = column;
      summed[stored++] = value;
      indptr[row + 1] = (indptr[row + 1] as number) + 1;
    }
    for (let row = 0; row < rows; row++) indptr[row + 1] = (indptr[row + 1] as number) + (indptr[row] as number);
    const pattern = new SparsePattern(rows, columns, indptr, indices.slice(0, stored));
    const kept = summed.subarray(0, stored);
    requireFinite(kept, indptr, indices, values);
    return new SparseMatrix(pattern, kept.every((value) => value === 1) ? undefined : keep(tensor(kept)));
  }

  /** From the non-zero elements of a [rows, columns] tensor. */
  static fromDense(x: Tensor): SparseMatrix {
    requireDType('SparseMatrix.fromDense', 'f32', x);
    if (x.rank !== 2) throw new Error(`SparseMatrix.fromDense: expected [rows, columns], got ${x}`);
    const [rows, columns] = x.shape as [number, number];
    const values = x.view();
    const stored = Array.from(values.keys()).filter((i) => values[i] !== 0);
    return SparseMatrix.fromCoordinates(
      rows,
      columns,
      stored.map((i) => Math.floor(i / columns)),
      stored.map((i) => i % columns),
      stored.map((i) => values[i] as number),
    );
  }

  /** The matrix as a tensor [rows, columns], without gradients. */
  toDense(): Tensor {
    const dense = new Float32Array(this.rows * this.columns);
    const values = this.values?.view();
    for (let row = 0; row < this.rows; row++) {
      for (
        let element = this.pattern.indptr[row] as number;
        element < (this.pattern.indptr[row + 1] as number);
        element++
      ) {
        const at = row * this.columns + (this.pattern.indices[element] as number);
        dense[at] = (dense[at] as number) + (values?.[element] ?? 1);
      }
    }
    return tensor(dense, [this.rows, this.columns]);
  }

  /** The transpose; its pattern, and the values of a constant matrix, are made once. */
  transpose(): SparseMatrix {
    if (!this.#transposed) {
      const { pattern, permutation } = this.pattern.transposed();
      this.#transposed = new SparseMatrix(pattern, this.values && keep(gatherKnownRows(this.values, permutation)));
    }
    return this.#transposed;
  }

  /** This matrix times a dense one: [columns, d] → [rows, d]. */
  matmul(x: Tensor): Tensor {
    return spmm(this, x);
  }

  /**
   * diag(left)·this·diag(right), left [rows] and right [columns]; a side left out is the identity.
   * Differentiable in all three.
   */
  scale(left?: Tensor, right?: Tensor): SparseMatrix {
    const factors = [
      this.values,
      left && gatherKnownRows(requireLength('left', left, this.rows), this.pattern.segments.ids),
      right && gatherKnownRows(requireLength('right', right, this.columns), this.pattern.indexTensor),
    ].filter((factor) => factor !== undefined);
    if (factors.length === 0) return this;
    return new SparseMatrix(
      this.pattern,
      factors.reduce((product, factor) => multiply(product, factor)),
    );
  }

  /** The given rows, in that order; differentiable in the values. */
  selectRows(rows: ArrayLike<number>): SparseMatrix {
    requireIndices('SparseMatrix.selectRows', 'row', rows, this.rows);
    const { indptr, indices } = this.pattern;
    const picked = Segments.fromSizes(Array.from(rows, (row) => (indptr[row + 1] as number) - (indptr[row] as number)));
    const elements = new Int32Array(picked.size);
    Array.from(rows).forEach((row, i) => {
      const at = picked.offsets[i] as number;
      for (let element = indptr[row] as number; element < (indptr[row + 1] as number); element++)
        elements[at + element - (indptr[row] as number)] = element;
    });
    const pattern = new SparsePattern(
      rows.length,
      this.columns,
      picked.offsets,
      elements.map((element) => indices[element] as number),
    );
    return new SparseMatrix(pattern, this.values && gatherKnownRows(this.values, tensor(elements)));
  }

  /** The matrix without its empty columns, and the indices of those left, ascending. */
  compactColumns(): { matrix: SparseMatrix; columns: Int32Array } {
    const columns = Int32Array.from(new Set(this.pattern.indices)).sort();
    const renumbered = new Map(Array.from(columns, (column, at) => [column, at]));
    const indices = this.pattern.indices.map((column) => renumbered.get(column) as number);
    return {
      matrix: new SparseMatrix(new SparsePattern(this.rows, columns.length, this.pattern.indptr, indices), this.values),
      columns,
    };
  }

  /** Sums of the stored values of each row. */
  rowSums(): Float32Array {
    const values = this.values?.view();
    return Float32Array.from({ length: this.rows }, (_, row) => {
      let total = 0;
      for (
        let element = this.pattern.indptr[row] as number;
        element < (this.pattern.indptr[row + 1] as number);
        element++
      )
        total += values?.[element] ?? 1;
      return total;
    });
  }
}

/** @throws RangeError for an element that is not finite although the values are. */
function requireFinite(
  summed: Float32Array,
  indptr: Int32Array,
  indices: Int32Array,
  values: ArrayLike<number> | undefined,
): void {
  const at = values ? summed.findIndex((value) => !Number.isFinite(value)) : -1;
  if (!values || at < 0) return;
  const wrong = Array.prototype.findIndex.call(values, (value) => typeof value !== 'number');
  if (wrong >= 0) throw new TypeError(`SparseMatrix: value ${wrong} is ${shown(values[wrong])}, expected a number`);
  if (!Array.prototype.every.call(values, Number.isFinite)) return;
  const row = indptr.findIndex((_, r) => at < (indptr[r + 1] as number));
  throw new RangeError(
    `SparseMatrix: the value at row ${row}, column ${indices[at]} is beyond the range of f32 (3.4e38)`,
  );
}

function requireLength(side: string, factors: Tensor, length: number): Tensor {
  if (factors.rank !== 1 || factors.size !== length)
    throw new Error(`SparseMatrix.scale: the ${side} side needs ${length} factors, got ${factors}`);
  return factors;
}
