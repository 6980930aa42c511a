// What graph convolutions share: the interface of a layer, and the product with an operator in the
// cheaper order.

import type { Features, Linear, Mode } from '../../nn/index.js';
import { SparseMatrix, spmm } from '../../sparse/index.js';
import type { Graph } from '../../structure/index.js';
import { add, matmul, type Tensor } from '../../tensor/index.js';

/** A network or layer on node features. Row v of features and results belongs to node v. */
export interface GraphModule {
  /**
   * x [n, in] → [n, out] on a graph of n nodes; a network gives logits, with out the number of
   * classes.
   *
   * @param mode training (with the random stream of dropout) or inference
   */
  forward(x: Features, graph: Graph, mode: Mode): Tensor;
}

/**
 * S·(x·Wᵀ) + b, transforming before propagation unless x is dense and narrower than the result.
 *
 * @param operator S [n, n]
 * @param x [n, in]
 * @returns [n, out]
 */
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
