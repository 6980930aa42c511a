// A convolution and its batch norm, and how the two become one convolution.

import { BatchNorm2d, Conv2d, type Mode } from '../../nn/index.js';
import {
  add,
  type ConvolutionOptions,
  multiply,
  type Random,
  reshape,
  rsqrt,
  subtract,
  type Tensor,
} from '../../tensor/index.js';

/** y = x·scale + shift for each channel, which is what a batch norm does with its running statistics: scale = γ/√(var + ε), shift = β − mean·scale. */
export function affineOf(norm: BatchNorm2d): { scale: Tensor; shift: Tensor } {
  const scale = multiply(norm.weight, rsqrt(add(norm.runningVariance, norm.epsilon)));
  return { scale, shift: subtract(norm.bias, multiply(norm.runningMean, scale)) };
}

export interface ConvNormShape extends ConvolutionOptions {
  readonly kernel?: number;
  /** `none` leaves a convolution with a bias. */
  readonly norm?: 'batch' | 'none';
  /** Whether the convolution under a norm has a bias too. */
  readonly bias?: boolean;
  readonly epsilon?: number;
}

/** norm(conv(x)), or for inference the convolution that does both. Padding keeps the size at stride 1 unless given. */
export class ConvNorm {
  readonly conv: Conv2d;
  readonly norm: BatchNorm2d | undefined;

  constructor(
    inChannels: number,
    outChannels: number,
    random: Random,
    { kernel = 1, norm = 'batch', bias = false, epsilon = 1e-5, ...options }: ConvNormShape = {},
  ) {
    this.conv = new Conv2d(inChannels, outChannels, kernel, random, {
      padding: (kernel - 1) >> 1,
      ...options,
      bias: bias || norm === 'none',
    });
    if (norm === 'batch') this.norm = new BatchNorm2d(outChannels, { epsilon });
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const y = this.conv.forward(x);
    return this.norm?.forward(y, mode) ?? y;
  }

  /** Weight and bias with the norm folded in, by output channel: W·scale and b·scale + shift. */
  folded(): { weight: Tensor; bias: Tensor | undefined } {
    const { weight, bias } = this.conv;
    if (!this.norm) return { weight, bias };
    const { scale, shift } = affineOf(this.norm);
    return {
      weight: multiply(weight, reshape(scale, [-1, 1, 1, 1])),
      bias: bias ? add(multiply(bias, scale), shift) : shift,
    };
  }

  mergeInto(target: ConvNorm): void {
    const { weight, bias } = this.folded();
    target.conv.weight.assign(weight);
    if (bias) target.conv.bias?.assign(bias);
  }
}
