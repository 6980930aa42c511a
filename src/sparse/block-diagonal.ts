// Products with block-diagonal matrices: a matrix for each group of columns.

import {
  apply,
  formatShape,
  matmul,
  type Op,
  onlyGradient,
  permute,
  reshape,
  type Shape,
  sizeOf,
  type Tensor,
  transpose,
} from '../tensor/index.js';

const blockDiagonalOp: Op = {
  name: 'blockDiagonal',
  multiplyAdds: ([, w], output) => sizeOf(output) * ((w as Shape)[1] as number),
  infer: ([x, w]) => {
    const [blocks, , outer] = (w as Tensor).shape as [number, number, number];
    return [{ shape: [(x as Tensor).shape[0] as number, blocks * outer], dtype: 'f32' }];
  },
  compute(device, [x, w], [y]) {
    const [blocks, inner, outer] = (w as Tensor).shape as [number, number, number];
    const rows = (x as Tensor).shape[0] as number;
    device.run('blockDiagonal', { x: x as Tensor, w: w as Tensor, y: y as Tensor, blocks, inner, outer, rows });
  },
  vjp: (backward) => {
    const [x, w] = backward.inputs as [Tensor, Tensor];
    const g = onlyGradient(backward);
    const [blocks, inner, outer] = w.shape as [number, number, number];
    const rows = x.shape[0] as number;
    const columns = (of: Tensor, width: number, axes: readonly number[]) =>
      permute(reshape(of, [rows, blocks, width]), axes);
    return [
      backward.needed[0] ? apply(blockDiagonalOp, [g, transpose(w, 1, 2)]) : undefined,
      backward.needed[1] ? matmul(columns(x, inner, [1, 2, 0]), columns(g, outer, [1, 0, 2])) : undefined,
    ];
  },
};

/**
 * x·diag(W₀, W₁, …): the columns of block e times Wₑ.
 *
 * @param x [n, blocks·k]
 * @param w [blocks, k, m]
 * @returns [n, blocks·m]
 */
export function blockDiagonalMatmul(x: Tensor, w: Tensor): Tensor {
  if (x.rank !== 2 || w.rank !== 3 || x.shape[1] !== (w.shape[0] as number) * (w.shape[1] as number))
    throw new Error(
      `blockDiagonalMatmul: the columns of x ${formatShape(x.shape)} are not those of the blocks w ${formatShape(w.shape)}`,
    );
  return apply(blockDiagonalOp, [x, w]);
}
