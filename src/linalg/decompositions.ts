// Small dense linear algebra in double precision, by ml-matrix. Inputs and results are f32 tensors
// unless the name says 64; nothing here is differentiable.

import {
  CholeskyDecomposition,
  EigenvalueDecomposition,
  Matrix,
  QrDecomposition,
  SingularValueDecomposition,
  solve as solveDense,
} from 'ml-matrix';
import { formatShape, matmul, type Random, requireDType, slice, type Tensor, tensor } from '../tensor/index.js';

function toMatrix(operation: string, x: Tensor): Matrix {
  requireDType(operation, 'f32', x);
  if (x.rank !== 2) throw new Error(`${operation}: expected a matrix, got ${formatShape(x.shape)}`);
  const [rows, columns] = x.shape as [number, number];
  const values = x.view();
  const firstInvalid = values.findIndex((value) => !Number.isFinite(value));
  if (firstInvalid >= 0) throw new Error(`${operation}: element ${firstInvalid} is ${values[firstInvalid]}`);
  return Matrix.from1DArray(rows, columns, Array.from(values));
}

function fromMatrix(matrix: Matrix): Tensor {
  return tensor(Float32Array.from(matrix.to1DArray()), [matrix.rows, matrix.columns]);
}

function square(operation: string, x: Tensor): Matrix {
  if (x.rank !== 2 || x.shape[0] !== x.shape[1])
    throw new Error(`${operation}: expected a square matrix, got ${formatShape(x.shape)}`);
  return toMatrix(operation, x);
}

/**
 * Cholesky factor L, lower triangular, with A = L·Lᵀ: [n, n] → [n, n].
 *
 * @throws Error when A is not symmetric and positive definite.
 */
export function cholesky(a: Tensor): Tensor {
  const matrix = square('cholesky', a);
  const tolerance = 1e-5 * Math.max(1, matrix.norm('max'));
  const symmetric = matrix
    .to2DArray()
    .every((row, i) => row.every((value, j) => Math.abs(value - matrix.get(j, i)) <= tolerance));
  if (!symmetric) throw new Error('cholesky: the matrix is not symmetric');
  const decomposition = new CholeskyDecomposition(Matrix.add(matrix, matrix.transpose()).mul(0.5));
  if (!decomposition.isPositiveDefinite()) throw new Error('cholesky: the matrix is not positive definite');
  return fromMatrix(decomposition.lowerTriangularMatrix);
}

/**
 * Reduced QR decomposition A = Q·R: A [m, n] with m ≥ n, Q [m, n] with orthonormal columns, R
 * [n, n] upper triangular.
 *
 * @throws Error when m < n.
 */
export function qr(a: Tensor): { q: Tensor; r: Tensor } {
  const matrix = toMatrix('qr', a);
  if (matrix.rows < matrix.columns)
    throw new Error(`qr: expected at least as many rows as columns, got ${formatShape(a.shape)}`);
  const decomposition = new QrDecomposition(matrix);
  return { q: fromMatrix(decomposition.orthogonalMatrix), r: fromMatrix(decomposition.upperTriangularMatrix) };
}

/**
 * Eigendecomposition of a symmetric matrix [n, n], of which only the lower triangle is read:
 * eigenvalues [n] in ascending order, eigenvectors as columns [n, n].
 *
 * @throws Error when the matrix is not square.
 */
export function symmetricEigen(a: Tensor): { values: Tensor; vectors: Tensor } {
  const { values, vectors } = eigenOf(square('symmetricEigen', a));
  return { values: tensor(Float32Array.from(values)), vectors: fromMatrix(vectors) };
}

/**
 * `symmetricEigen` in double precision, without tensors: values row after row.
 *
 * @throws Error when there are not n² finite values.
 */
export function symmetricEigen64(
  a: ArrayLike<number>,
  n: number,
): { readonly values: Float64Array; readonly vectors: Float64Array } {
  const all = Array.from(a);
  if (all.length !== n * n) throw new Error(`symmetricEigen64: expected ${n}×${n} values, got ${all.length}`);
  const invalid = all.findIndex((value) => !Number.isFinite(value));
  if (invalid >= 0) throw new Error(`symmetricEigen64: element ${invalid} is ${all[invalid]}`);
  const { values, vectors } = eigenOf(Matrix.from1DArray(n, n, all));
  return { values: Float64Array.from(values), vectors: Float64Array.from(vectors.to1DArray()) };
}

/** Mirrors the lower triangle, in place, and decomposes. */
function eigenOf(matrix: Matrix): { readonly values: readonly number[]; readonly vectors: Matrix } {
  const n = matrix.rows;
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) matrix.set(i, j, matrix.get(j, i));
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
  return { values: realEigenvalues, vectors: eigenvectorMatrix };
}

/**
 * Reduced singular value decomposition A = U·diag(s)·Vᵀ, singular values in descending order: A
 * [m, n], U [m, r], s [r], V [n, r], r = min(m, n).
 */
export function svd(a: Tensor): { u: Tensor; s: Tensor; v: Tensor } {
  const matrix = toMatrix('svd', a);
  const r = Math.min(matrix.rows, matrix.columns);
  const decomposition = new SingularValueDecomposition(matrix, { autoTranspose: true });
  const first = (m: Matrix) => fromMatrix(m.subMatrix(0, m.rows - 1, 0, r - 1));
  return {
    u: first(decomposition.leftSingularVectors),
    s: tensor(Float32Array.from(decomposition.diagonal.slice(0, r))),
    v: first(decomposition.rightSingularVectors),
  };
}

/** Columns beside the wanted ones, and powers, of `truncatedSvd`. */
const OVERSAMPLING = 10;
const POWERS = 6;

/**
 * The r largest singular triplets of A [m, n]: U [m, r], s [r], V [n, r]. A matrix with a side of
 * at most 256 is decomposed whole; of a larger one the range is found by a random projection with
 * power iterations (Halko, Martinsson, Tropp 2011), in time O(m·n·r).
 *
 * @param random draws the projection
 * @throws RangeError unless r is from 1 to min(m, n).
 */
export function truncatedSvd(a: Tensor, r: number, random: Random): { u: Tensor; s: Tensor; v: Tensor } {
  const [m = 0, n = 0] = a.shape;
  const smaller = Math.min(m, n);
  if (a.rank !== 2 || !(Number.isInteger(r) && r >= 1 && r <= smaller))
    throw new RangeError(`truncatedSvd: ${r} singular values of a matrix ${formatShape(a.shape)}`);
  const first = ({ u, s, v }: ReturnType<typeof svd>) => ({
    u: slice(u, null, [0, r]),
    s: slice(s, [0, r]),
    v: slice(v, null, [0, r]),
  });
  const width = r + OVERSAMPLING;
  if (smaller <= 256 || width >= smaller) return first(svd(a));
  let { q } = qr(matmul(a, random.normal([n, width])));
  for (let power = 0; power < POWERS; power++) {
    const back = qr(matmul(a, q, { transposeA: true })).q;
    q = qr(matmul(a, back)).q;
  }
  const inner = svd(matmul(q, a, { transposeA: true }));
  return first({ ...inner, u: matmul(q, inner.u) });
}

/**
 * Solves A·X = B, in the least-squares sense where A is not square: A [m, n], B [m, k], X [n, k].
 *
 * @throws Error when A is singular or the numbers of rows differ.
 */
export function solve(a: Tensor, b: Tensor): Tensor {
  const [left, right] = [toMatrix('solve', a), toMatrix('solve', b)];
  if (left.rows !== right.rows)
    throw new Error(`solve: ${formatShape(a.shape)} and ${formatShape(b.shape)} have different numbers of rows`);
  try {
    return fromMatrix(solveDense(left, right));
  } catch (error) {
    throw new Error(`solve: ${(error as Error).message}`);
  }
}
