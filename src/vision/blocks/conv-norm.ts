// A convolution with batch norm, and the folding of the two into one convolution.

import { BatchNorm2d, Conv2d, type Mode } from '../../nn/index.js';
import {
  add,
  type ConvolutionOptions,
  multiply,
  type Random,
  relu,
  reshape,
  rsqrt,
  subtract,
  type Tensor,
} from '../../tensor/index.js';

/**
 * Batch norm with running statistics as a per-channel affine map y = x·scale + shift: scale =
 * γ/√(var + ε), shift = β − mean·scale, both [channels].
 */
export function affineOf(norm: BatchNorm2d): { scale: Tensor; shift: Tensor } {
  const scale = multiply(norm.weight, rsqrt(add(norm.runningVariance, norm.epsilon)));
  return { scale, shift: subtract(norm.bias, multiply(norm.runningMean, scale)) };
}

/** Options of `ConvNorm`, with stride, padding, dilation and groups of the convolution. */
export interface ConvNormShape extends ConvolutionOptions {
  /** Kernel size. Default: 1. */
  readonly kernel?: number;
  /** `none` omits the norm and gives the convolution a bias. Default: `batch`. */
  readonly norm?: 'batch' | 'none';
  /** Whether a convolution with a norm has a bias too. Default: false. */
  readonly bias?: boolean;
  /** ε of the batch norm. Default: 1e-5. */
  readonly epsilon?: number;
  /** Weight of a batch in the running statistics. Default: 0.1. */
  readonly momentum?: number;
}

/**
 * norm(conv(x)): x [n, in, h, w] → [n, out, h′, w′]; in the merged form a single convolution with a
 * bias. Default padding: (kernel − 1)/2, which keeps the size at stride 1.
 */
export class ConvNorm {
  /** The convolution W, [out, in/groups, kernel, kernel]. */
  readonly conv: Conv2d;
  /** The norm over output channels; undefined with `norm: 'none'`. */
  readonly norm: BatchNorm2d | undefined;

  constructor(
    inChannels: number,
    outChannels: number,
    random: Random,
    { kernel = 1, norm = 'batch', bias = false, epsilon = 1e-5, momentum = 0.1, ...options }: ConvNormShape = {},
  ) {
    this.conv = new Conv2d(inChannels, outChannels, kernel, random, {
      padding: (kernel - 1) >> 1,
      ...options,
      bias: bias || norm === 'none',
    });
    if (norm === 'batch') this.norm = new BatchNorm2d(outChannels, { epsilon, momentum });
  }

  /** x [n, in, h, w] → norm(W ∗ x) [n, out, h′, w′], then ReLU if asked for. */
  forward(x: Tensor, mode: Mode, activation: 'none' | 'relu' = 'none'): Tensor {
    const y = this.conv.forward(x);
    if (this.norm) return this.norm.forward(y, mode, activation);
    return activation === 'relu' ? relu(y) : y;
  }

  /** Weight and bias with the norm folded in, per output channel: W·scale and b·scale + shift. */
  folded(): { weight: Tensor; bias: Tensor | undefined } {
    const { weight, bias } = this.conv;
    if (!this.norm) return { weight, bias };
    const { scale, shift } = affineOf(this.norm);
    return {
      weight: multiply(weight, reshape(scale, [-1, 1, 1, 1])),
      bias: bias ? add(multiply(bias, scale), shift) : shift,
    };
  }

  /** Writes the folded weight and bias into a `ConvNorm` without a norm. */
  mergeInto(target: ConvNorm): void {
    const { weight, bias } = this.folded();
    target.conv.weight.assign(weight);
    if (bias) target.conv.bias?.assign(bias);
  }
}
