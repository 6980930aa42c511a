// A weight as a sum of Kronecker products, and algebras that are known.

import { formatShape, matmul, permute, reshape, sizeOf, type Tensor, tensor } from '../../tensor/index.js';

/**
 * H = Σₘ Aₘ ⊗ Fₘ over the first two axes of the filters:
 *
 * H[i·s/n + p, j·d/n + q, …] = Σ over m of A[m, i, j]·F[m, p, q, …].
 *
 * One product of n² rows and n columns builds H, and one each gives the gradients of A and F.
 *
 * @param algebra A [n, n, n]
 * @param filters F [n, s/n, d/n, …kernel]
 * @returns H [s, d, …kernel]
 * @throws Error when the shapes do not fit
 */
export function kroneckerSum(algebra: Tensor, filters: Tensor): Tensor {
  const [n = 0, rows, columns] = algebra.shape;
  const [banks, outer = 0, inner = 0, ...kernel] = filters.shape;
  if (algebra.rank !== 3 || rows !== n || columns !== n || filters.rank < 3 || banks !== n)
    throw new Error(
      `kroneckerSum: expected A [n, n, n] and F [n, s/n, d/n, …], got ${formatShape(algebra.shape)} and ${formatShape(filters.shape)}`,
    );
  // [n², s/n·d/n·kernel], a row for each block (i, j) of H.
  const blocks = matmul(reshape(algebra, [n, n * n]), reshape(filters, [n, filters.size / n]), { transposeA: true });
  const parted = reshape(blocks, [n, n, outer, inner * sizeOf(kernel)]);
  return reshape(permute(parted, [0, 2, 1, 3]), [n * outer, n * inner, ...kernel]);
}

/**
 * The inverse arrangement: H [s, d, …kernel] as [n², s/n·d/n·kernel], a row for each block (i, j).
 * It has rank n where H is a Kronecker sum of n terms.
 *
 * @throws Error when n does not divide s and d
 */
export function blockRows(weight: Tensor, n: number): Tensor {
  const [outputs = 0, inputs = 0, ...kernel] = weight.shape;
  if (outputs % n !== 0 || inputs % n !== 0)
    throw new Error(`blockRows: n = ${n} does not divide the first two axes of ${formatShape(weight.shape)}`);
  const parted = reshape(weight, [n, outputs / n, n, (inputs / n) * sizeOf(kernel)]);
  return reshape(permute(parted, [0, 2, 1, 3]), [n * n, weight.size / (n * n)]);
}

/** Which ±Wₘ stands in block (i, j) of the product with a number from the left: ±(m + 1). */
const signedBlocks: Readonly<Record<number, readonly (readonly number[])[]>> = {
  1: [[1]],
  2: [
    [1, -2],
    [2, 1],
  ],
  4: [
    [1, -2, -3, -4],
    [2, 1, -4, 3],
    [3, 4, 1, -2],
    [4, -3, 2, 1],
  ],
};

/**
 * A of the real (n = 1), complex (2) or Hamilton's (4) product: with it a Kronecker sum is a real,
 * complex or quaternion layer.
 *
 * @returns A [n, n, n]
 * @throws RangeError for another n
 */
export function presetAlgebra(n: number): Tensor {
  const blocks = signedBlocks[n];
  if (!blocks) throw new RangeError(`presetAlgebra: known are n = 1 (real), 2 (complex) and 4 (quaternions), got ${n}`);
  const values = new Float32Array(n ** 3);
  blocks.forEach((row, i) => {
    row.forEach((signed, j) => {
      values[((Math.abs(signed) - 1) * n + i) * n + j] = Math.sign(signed);
    });
  });
  return tensor(values, [n, n, n]);
}
