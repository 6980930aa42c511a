// The leading singular vectors of a sparse matrix by randomised subspace iteration (Halko,
// Martinsson, Tropp, "Finding Structure with Randomness", SIAM Review 2011).

import { symmetricEigen64 } from '../linalg/index.js';
import { keep, matmul, type Random, scope, type Tensor, tensor } from '../tensor/index.js';
import type { SparseMatrix } from './matrix.js';
import { spmm } from './ops.js';

/** A ≈ U·diag(s)·Vᵀ of rank r. */
export interface TruncatedSvd {
  /** Left singular vectors [m, r]. */
  readonly u: Tensor;
  /** Singular values, descending [r]. */
  readonly s: Float64Array;
  /** Right singular vectors [n, r]. */
  readonly v: Tensor;
}

/** Options of `truncatedSvd`. */
export interface TruncatedSvdOptions {
  /** Directions beyond the rank that the subspace has. Default: 10. */
  readonly oversampling?: number;
  /** Passes A·(Aᵀ·…) that turn the subspace towards the leading vectors. Default: 4. */
  readonly iterations?: number;
}

/** Directions whose length is below this share of the longest count as 0. */
const NEGLIGIBLE = 1e-3;

/**
 * Leading singular vectors of A [m, n]; fewer than `rank` where A has a smaller rank.
 *
 * @throws RangeError unless the rank is a positive integer
 */
export function truncatedSvd(
  matrix: SparseMatrix,
  rank: number,
  random: Random,
  { oversampling = 10, iterations = 4 }: TruncatedSvdOptions = {},
): TruncatedSvd {
  if (!(Number.isInteger(rank) && rank >= 1)) throw new RangeError(`truncatedSvd: the rank is ${rank}`);
  const { rows, columns } = matrix;
  const width = Math.min(rank + oversampling, rows, columns);
  const transposed = matrix.transpose();
  const { u, s, v } = scope(() => {
    let right = orthonormal(random.normal([columns, width])).basis;
    let left = orthonormal(spmm(matrix, right)).basis;
    for (let pass = 0; pass < iterations; pass++) {
      right = orthonormal(spmm(transposed, left)).basis;
      left = orthonormal(spmm(matrix, right)).basis;
    }
    // AᵀQ = V·diag(s)·Wᵀ with the orthonormal Q, so that A ≈ (Q·W)·diag(s)·Vᵀ.
    const { basis, lengths, rotation } = orthonormal(spmm(transposed, left));
    const kept = Math.min(rank, lengths.length);
    return {
      u: keep(firstColumns(matmul(left, rotation), kept)),
      s: lengths.subarray(0, kept),
      v: keep(firstColumns(basis, kept)),
    };
  });
  return { u, s, v };
}

/**
 * Principal directions of the columns of X [n, k] = basis·diag(lengths)·rotationᵀ by the
 * eigenvectors of XᵀX, longest first; negligible ones are left out.
 */
function orthonormal(x: Tensor): { basis: Tensor; lengths: Float64Array; rotation: Tensor } {
  const k = x.shape[1] as number;
  const { values, vectors } = symmetricEigen64(matmul(x, x, { transposeA: true }).view(), k);
  const order = Array.from(values.keys()).sort((a, b) => (values[b] as number) - (values[a] as number));
  const length = (at: number) => Math.sqrt(Math.max(0, values[at] as number));
  const least = NEGLIGIBLE * length(order[0] as number);
  const kept = order.filter((at) => length(at) > least);
  const columnsOf = (scale: (at: number) => number) =>
    tensor(
      Float32Array.from({ length: k * kept.length }, (_, i) => {
        const at = kept[i % kept.length] as number;
        return scale(at) * (vectors[Math.floor(i / kept.length) * k + at] as number);
      }),
      [k, kept.length],
    );
  return {
    basis: matmul(
      x,
      columnsOf((at) => 1 / length(at)),
    ),
    lengths: Float64Array.from(kept, length),
    rotation: columnsOf(() => 1),
  };
}

function firstColumns(x: Tensor, count: number): Tensor {
  const [rows, columns] = x.shape as [number, number];
  const values = x.view();
  const first = new Float32Array(rows * count);
  for (let i = 0; i < rows; i++) first.set(values.subarray(i * columns, i * columns + count), i * count);
  return tensor(first, [rows, count]);
}
