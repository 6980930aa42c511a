// Convolution layers. Weights have PyTorch's shapes and initial distribution,
// U(−1/√fan-in, 1/√fan-in).

import {
  type Convolution1dOptions,
  type ConvolutionOptions,
  conv1d,
  conv2d,
  convTranspose2d,
  type Pair,
  pair,
  type Random,
  type Shape,
  type Tensor,
  type TransposedConvolutionOptions,
} from '../tensor/index.js';
import { batchedConv2d } from './batched.js';
import { fans, kaimingUniform } from './initializers.js';
import { parameter } from './module.js';

interface Weights {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
}

function initial(random: Random, shape: Shape, outChannels: number, bias: boolean): Weights {
  const bound = 1 / Math.sqrt(fans(shape).fanIn);
  return {
    weight: parameter(kaimingUniform(random, shape)),
    bias: bias ? parameter(random.uniform([outChannels], -bound, bound)) : undefined,
  };
}

/**
 * 2-D convolution of images, see `conv2d`. `options.bias`: whether to add a bias. Default: true.
 */
export class Conv2d {
  /** [outChannels, inChannels / groups, kh, kw]. */
  weight: Tensor;
  /** [outChannels]. */
  bias: Tensor | undefined;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    readonly kernelSize: Pair,
    random: Random,
    readonly options: ConvolutionOptions & { readonly bias?: boolean } = {},
  ) {
    const shape = [outChannels, inChannels / (options.groups ?? 1), ...pair(kernelSize)];
    ({ weight: this.weight, bias: this.bias } = initial(random, shape, outChannels, options.bias ?? true));
  }

  /**
   * x [n, inChannels, h, w] → [n, outChannels, h′, w′]. Weights may be batched, see `withWeights`.
   */
  forward(x: Tensor): Tensor {
    return (this.weight.rank === 5 ? batchedConv2d : conv2d)(x, this.weight, this.bias, this.options);
  }
}

/**
 * Transposed 2-D convolution, see `convTranspose2d`. `options.bias`: whether to add a bias.
 * Default: true.
 */
export class ConvTranspose2d {
  /** [inChannels, outChannels / groups, kh, kw]. */
  weight: Tensor;
  /** [outChannels]. */
  bias: Tensor | undefined;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    readonly kernelSize: Pair,
    random: Random,
    readonly options: TransposedConvolutionOptions & { readonly bias?: boolean } = {},
  ) {
    const shape = [inChannels, outChannels / (options.groups ?? 1), ...pair(kernelSize)];
    ({ weight: this.weight, bias: this.bias } = initial(random, shape, outChannels, options.bias ?? true));
  }

  /** x [n, inChannels, h, w] → [n, outChannels, h′, w′]. */
  forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight, this.bias, this.options);
  }
}

/**
 * 1-D convolution of sequences, see `conv1d`. `options.bias`: whether to add a bias. Default: true.
 */
export class Conv1d {
  /** [outChannels, inChannels / groups, kernelSize]. */
  weight: Tensor;
  /** [outChannels]. */
  bias: Tensor | undefined;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    readonly kernelSize: number,
    random: Random,
    readonly options: Convolution1dOptions & { readonly bias?: boolean } = {},
  ) {
    const shape = [outChannels, inChannels / (options.groups ?? 1), kernelSize];
    ({ weight: this.weight, bias: this.bias } = initial(random, shape, outChannels, options.bias ?? true));
  }

  /** x [n, inChannels, length] → [n, outChannels, length′]. */
  forward(x: Tensor): Tensor {
    return conv1d(x, this.weight, this.bias, this.options);
  }
}
