// The linear layer.

import { SparseMatrix, spmm } from '../sparse/index.js';
import { add, linear, type Random, requireChoice, type Tensor, zeros } from '../tensor/index.js';
import { batchedLinear } from './batched.js';
import { kaimingUniform, xavierUniform } from './initializers.js';
import { parameter } from './module.js';

/** Options of a linear layer. */
export interface LinearOptions {
  /** Whether to add b. Default: true. */
  readonly bias?: boolean;
  /**
   * `kaiming`: PyTorch's initial values, W and b from U(−1/√in, 1/√in). `xavier`: Glorot's uniform
   * W, b = 0. Default: `kaiming`.
   */
  readonly init?: 'kaiming' | 'xavier';
}

/**
 * y = x·Wᵀ + b.
 *
 * A sparse input [n, in], such as a bag of words, costs time proportional to its stored elements.
 */
export class Linear {
  /** W [outFeatures, inFeatures]. */
  weight: Tensor;
  /** b [outFeatures]. */
  bias: Tensor | undefined;

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    random: Random,
    { bias = true, init = 'kaiming' }: LinearOptions = {},
  ) {
    requireChoice('Linear', 'init', init, ['kaiming', 'xavier']);
    const bound = 1 / Math.sqrt(inFeatures);
    const draw = init === 'xavier' ? xavierUniform : kaimingUniform;
    this.weight = parameter(draw(random, [outFeatures, inFeatures]));
    if (bias)
      this.bias = parameter(init === 'xavier' ? zeros([outFeatures]) : random.uniform([outFeatures], -bound, bound));
  }

  /**
   * x […, in] or sparse [n, in] → […, out], then ReLU if asked for. Weights may be batched, see
   * `withWeights`.
   *
   * @throws Error for a sparse input with batched weights.
   */
  forward(x: Tensor | SparseMatrix, activation: 'none' | 'relu' = 'none'): Tensor {
    const batched = this.weight.rank === 3 || this.bias?.rank === 2;
    if (!(x instanceof SparseMatrix)) return (batched ? batchedLinear : linear)(x, this.weight, this.bias, activation);
    if (batched) throw new Error('Linear: sparse inputs take one set of weights at a time');
    requireChoice('Linear', 'the activation', activation, ['none', 'relu']);
    const product = spmm(x, this.weight, { transposeX: true });
    const y = this.bias ? add(product, this.bias) : product;
    return activation === 'relu' ? y.relu() : y;
  }
}
