// The affine layer.

import { SparseMatrix, spmm } from '../sparse/index.js';
import { add, linear, type Random, type Tensor, zeros } from '../tensor/index.js';
import { batchedLinear } from './batched.js';
import { kaimingUniform, xavierUniform } from './initializers.js';
import { parameter } from './module.js';

export interface LinearOptions {
  readonly bias?: boolean;
  /** PyTorch's uniform weights and bias, or Glorot's weights and a bias of 0. */
  readonly init?: 'kaiming' | 'xavier';
}

/**
 * y = x·Wᵀ + b, with W [outFeatures, inFeatures] and b [outFeatures] drawn from U(−1/√in, 1/√in).
 *
 * Takes a dense x [·, in], or a sparse one [n, in] such as a bag of words, at the cost of its stored elements alone.
 */
export class Linear {
  weight: Tensor;
  bias: Tensor | undefined;

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    random: Random,
    { bias = true, init = 'kaiming' }: LinearOptions = {},
  ) {
    const bound = 1 / Math.sqrt(inFeatures);
    const draw = init === 'xavier' ? xavierUniform : kaimingUniform;
    this.weight = parameter(draw(random, [outFeatures, inFeatures]));
    if (bias)
      this.bias = parameter(init === 'xavier' ? zeros([outFeatures]) : random.uniform([outFeatures], -bound, bound));
  }

  forward(x: Tensor | SparseMatrix, activation: 'none' | 'relu' = 'none'): Tensor {
    const batched = this.weight.rank === 3 || this.bias?.rank === 2;
    if (!(x instanceof SparseMatrix)) return (batched ? batchedLinear : linear)(x, this.weight, this.bias, activation);
    if (batched) throw new Error('Linear: sparse inputs take one set of weights at a time');
    const product = spmm(x, this.weight, { transposeX: true });
    const y = this.bias ? add(product, this.bias) : product;
    return activation === 'relu' ? y.relu() : y;
  }
}
