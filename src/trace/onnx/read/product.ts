// Matrix products.

import { add, matmul, multiply } from '../../../tensor/index.js';
import type { NodeReader, NodeReaders } from './node.js';

const gemm: NodeReader = (node) => {
  const product = matmul(node.tensor(0), node.tensor(1), {
    transposeA: node.int('transA', 0) === 1,
    transposeB: node.int('transB', 0) === 1,
  });
  const [alpha, beta] = [node.float('alpha', 1), node.float('beta', 1)];
  const scaled = alpha === 1 ? product : multiply(product, alpha);
  const bias = node.optional(2);
  return bias ? add(scaled, beta === 1 ? bias : multiply(bias, beta)) : scaled;
};

export const productReaders: NodeReaders = {
  Gemm: gemm,
  MatMul: (node) => matmul(node.tensor(0), node.tensor(1)),
};
