// What graph convolutions share: a layer's interface, and a product with an operator in the cheaper order.

import type { Features, Linear, Mode } from '../../nn/index.js';
import { SparseMatrix, spmm } from '../../sparse/index.js';
import type { Graph } from '../../structure/index.js';
import { add, matmul, type Tensor } from '../../tensor/index.js';

/** A network or layer on node features: x [n, in] → [n, out]. Row v of the result belongs to node v. */
export interface GraphModule {
  forward(x: Features, graph: Graph, mode: Mode): Tensor;
}

/** S·(x·Wᵀ) + b: transforms first unless that widens dense features. */
export function propagateLinear(operator: SparseMatrix, x: Features, { weight, bias }: Linear): Tensor {
  const [out, inner] = weight.shape as [number, number];
  const y =
    x instanceof SparseMatrix
      ? spmm(operator, spmm(x, weight, { transposeX: true }))
      : inner < out
        ? matmul(spmm(operator, x), weight, { transposeB: true })
        : spmm(operator, matmul(x, weight, { transposeB: true }));
  return bias ? add(y, bias) : y;
}
