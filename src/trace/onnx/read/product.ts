// Matrix products.

import { add, formatShape, matmul, multiply, reshape, sameShape, type Tensor } from '../../../tensor/index.js';
import { type Operators, operator } from './node.js';

/** α·op(A)·op(B) + β·C. */
const gemm = operator(2, 3, (node) => {
  const options = { transposeA: node.flag('transA'), transposeB: node.flag('transB') };
  const [alpha, beta] = [node.float('alpha', 1), node.float('beta', 1)];
  return (inputs) => {
    const [a, b] = [inputs.floats(0), inputs.floats(1)];
    if (a.rank !== 2 || b.rank !== 2)
      node.fail(`expects matrices, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`);
    const product = matmul(a, b, options);
    const scaled = alpha === 1 ? product : multiply(product, alpha);
    const bias = inputs.optionalFloats(2);
    if (!bias) return scaled;
    const result = add(scaled, beta === 1 ? bias : multiply(bias, beta));
    if (!sameShape(result.shape, product.shape))
      node.fail(`has C ${formatShape(bias.shape)}, which does not broadcast to ${formatShape(product.shape)}`);
    return result;
  };
});

/** The product over the last two axes; vectors are a row on the left and a column on the right. */
function product(a: Tensor, b: Tensor): Tensor {
  const left = a.rank === 1 ? reshape(a, [1, -1]) : a;
  const right = b.rank === 1 ? reshape(b, [-1, 1]) : b;
  const y = matmul(left, right);
  const shape = [
    ...y.shape.slice(0, -2),
    ...(a.rank === 1 ? [] : [y.shape.at(-2) as number]),
    ...(b.rank === 1 ? [] : [y.shape.at(-1) as number]),
  ];
  return sameShape(shape, y.shape) ? y : reshape(y, shape);
}

export const productReaders: Operators = {
  Gemm: gemm,
  MatMul: operator(2, 2, () => (inputs) => product(inputs.floats(0), inputs.floats(1))),
};
