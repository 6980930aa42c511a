// Products of two sparse matrices.

import { keep, tensor } from '../tensor/index.js';
import { SparseMatrix } from './matrix.js';
import { SparsePattern } from './pattern.js';

/** What is kept of a product. */
export interface ProductOptions {
  /**
   * Elements kept of each row: those of the largest magnitude, of equals the first. Default: all.
   */
  readonly top?: number;
  /** Largest number of stored elements. Default: 50 million, which take 400 MB. */
  readonly limit?: number;
}

/**
 * C = A·B of two sparse matrices as a sparse one, without gradients: Gustavson's algorithm (ACM
 * Transactions on Mathematical Software 4, 1978), row by row, in time proportional to the
 * multiplications. Elements that cancel to 0 stay stored. Rows are pruned as they are made, so that
 * memory holds what is kept.
 *
 * @param a [m, n]
 * @param b [n, p]
 * @returns [m, p], columns ascending in each row
 * @throws Error when the inner sizes differ; RangeError beyond the limit, before it is computed
 */
export function sparseProduct(
  a: SparseMatrix,
  b: SparseMatrix,
  { top = Number.POSITIVE_INFINITY, limit = 50_000_000 }: ProductOptions = {},
): SparseMatrix {
  if (a.columns !== b.rows)
    throw new Error(`sparseProduct: inner sizes differ: [${a.rows}, ${a.columns}] × [${b.rows}, ${b.columns}]`);
  if (!(top >= 1)) throw new RangeError(`sparseProduct: at least one element of a row is kept, got top ${top}`);
  const indptr = rowStarts(a.pattern, b.pattern, top, limit);
  const nnz = indptr[a.rows] as number;
  const [left, right] = [a.values?.view(), b.values?.view()];
  const [indices, values] = [new Int32Array(nnz), new Float32Array(nnz)];
  const sums = new Float64Array(b.columns);
  const seen = new Int32Array(b.columns).fill(-1);
  const reached = new Int32Array(b.columns);
  for (let row = 0; row < a.rows; row++) {
    let count = 0;
    forEachTerm(a.pattern, b.pattern, row, (column, e, f) => {
      if (seen[column] !== row) {
        seen[column] = row;
        sums[column] = 0;
        reached[count++] = column;
      }
      sums[column] = (sums[column] as number) + (left ? (left[e] as number) : 1) * (right ? (right[f] as number) : 1);
    });
    const kept = count > top ? largest(reached.subarray(0, count), sums, top) : reached.slice(0, count);
    kept.sort().forEach((column, i) => {
      indices[(indptr[row] as number) + i] = column;
      values[(indptr[row] as number) + i] = sums[column] as number;
    });
  }
  return new SparseMatrix(new SparsePattern(a.rows, b.columns, indptr, indices), keep(tensor(values)));
}

/** Multiplications of A·B, from the patterns alone: the work of `sparseProduct`. */
export function productWork(a: SparsePattern, b: SparsePattern): number {
  let work = 0;
  for (const k of a.indices) work += (b.indptr[k + 1] as number) - (b.indptr[k] as number);
  return work;
}

/** Where each row of the product starts. @throws RangeError beyond the limit */
function rowStarts(a: SparsePattern, b: SparsePattern, top: number, limit: number): Int32Array {
  const seen = new Int32Array(b.columns).fill(-1);
  const counts = new Int32Array(a.rows);
  let nnz = 0;
  for (let row = 0; row < a.rows; row++) {
    let count = 0;
    forEachTerm(a, b, row, (column) => {
      if (seen[column] !== row) count += 1;
      seen[column] = row;
    });
    counts[row] = Math.min(count, top);
    nnz += counts[row] as number;
  }
  if (nnz > limit)
    throw new RangeError(
      `sparseProduct: [${a.rows}, ${a.columns}] × [${b.rows}, ${b.columns}] has ${nnz.toLocaleString('en')} elements ` +
        `(${((8 * nnz) / 2 ** 30).toFixed(1)} GiB), the limit is ${limit.toLocaleString('en')}; keep fewer of a row ` +
        'with { top }, or raise { limit }',
    );
  const indptr = new Int32Array(a.rows + 1);
  for (let row = 0; row < a.rows; row++) indptr[row + 1] = (indptr[row] as number) + (counts[row] as number);
  return indptr;
}

/** The columns of the largest |sum|, of equals the smallest. */
function largest(columns: Int32Array, sums: Float64Array, top: number): Int32Array {
  const size = (column: number) => Math.abs(sums[column] as number);
  return Int32Array.from(columns)
    .sort((i, j) => size(j) - size(i) || i - j)
    .slice(0, top);
}

/**
 * Calls `visit` for every term A[row, k]·B[k, column] of a row of the product, with the positions
 * of its factors among the stored elements.
 */
function forEachTerm(
  a: SparsePattern,
  b: SparsePattern,
  row: number,
  visit: (column: number, e: number, f: number) => void,
): void {
  for (let e = a.indptr[row] as number; e < (a.indptr[row + 1] as number); e++) {
    const k = a.indices[e] as number;
    for (let f = b.indptr[k] as number; f < (b.indptr[k + 1] as number); f++) visit(b.indices[f] as number, e, f);
  }
}
