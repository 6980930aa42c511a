// Convolution layers. Weights have PyTorch's shapes and start as PyTorch's do: U(−1/√fan-in, 1/√fan-in).

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

/** x [n, inChannels, h, w] → [n, outChannels, h′, w′]; weight [outChannels, inChannels / groups, kh, kw]. See `conv2d`. */
export class Conv2d {
  weight: Tensor;
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

  forward(x: Tensor): Tensor {
    return (this.weight.rank === 5 ? batchedConv2d : conv2d)(x, this.weight, this.bias, this.options);
  }
}

/** x [n, inChannels, h, w] → [n, outChannels, h′, w′]; weight [inChannels, outChannels / groups, kh, kw]. See `convTranspose2d`. */
export class ConvTranspose2d {
  weight: Tensor;
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

  forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight, this.bias, this.options);
  }
}

/** x [n, inChannels, length] → [n, outChannels, length′]; weight [outChannels, inChannels / groups, kernel]. See `conv1d`. */
export class Conv1d {
  weight: Tensor;
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

  forward(x: Tensor): Tensor {
    return conv1d(x, this.weight, this.bias, this.options);
  }
}
