// Products of two sparse matrices.

import { keep, tensor } from '../tensor/index.js';
import { SparseMatrix } from './matrix.js';
import { SparsePattern } from './pattern.js';

/**
 * C = A·B of two sparse matrices as a sparse one, without gradients: Gustavson's algorithm (ACM
 * Transactions on Mathematical Software 4, 1978), row by row, in time proportional to the
 * multiplications. Elements that cancel to 0 stay stored.
 *
 * @param a [m, n]
 * @param b [n, p]
 * @returns [m, p], columns ascending in each row
 * @throws Error when the inner sizes differ; RangeError beyond 2³¹ elements
 */
export function sparseProduct(a: SparseMatrix, b: SparseMatrix): SparseMatrix {
  if (a.columns !== b.rows)
    throw new Error(`sparseProduct: inner sizes differ: [${a.rows}, ${a.columns}] × [${b.rows}, ${b.columns}]`);
  const [left, right] = [a.values?.view(), b.values?.view()];
  // Where a column was last seen: in row r of the first pass as r, of the second as −2 − r.
  const seen = new Int32Array(b.columns).fill(-1);
  const indptr = new Int32Array(a.rows + 1);
  let nnz = 0;
  for (let row = 0; row < a.rows; row++) {
    forEachTerm(a.pattern, b.pattern, row, (column) => {
      if (seen[column] !== row) nnz += 1;
      seen[column] = row;
    });
    indptr[row + 1] = nnz;
    if (indptr[row + 1] !== nnz)
      throw new RangeError(`sparseProduct: the product of ${a.rows} rows has more than 2³¹ elements`);
  }
  const [indices, values] = [new Int32Array(nnz), new Float32Array(nnz)];
  const sums = new Float64Array(b.columns);
  for (let row = 0; row < a.rows; row++) {
    const [from, to] = [indptr[row] as number, indptr[row + 1] as number];
    let at = from;
    forEachTerm(a.pattern, b.pattern, row, (column, e, f) => {
      if (seen[column] !== -2 - row) indices[at++] = column;
      seen[column] = -2 - row;
      sums[column] = (sums[column] as number) + (left ? (left[e] as number) : 1) * (right ? (right[f] as number) : 1);
    });
    indices.subarray(from, to).sort();
    for (let i = from; i < to; i++) {
      const column = indices[i] as number;
      values[i] = sums[column] as number;
      sums[column] = 0;
    }
  }
  return new SparseMatrix(new SparsePattern(a.rows, b.columns, indptr, indices), keep(tensor(values)));
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
