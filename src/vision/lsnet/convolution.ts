// The LS convolution: a large static kernel perceives, a small dynamic kernel aggregates.
//
//   ω = GroupNorm(W₄·ReLU(W₃·(D₇ₓ₇ ∗ ReLU(W₁·x))))
//   y[c, h, w] = Σ_uv ω[c mod C/8, 3u + v, h, w]·x[c, h + u − 1, w + v − 1], then norm, plus x
//
// ω holds 3×3 weights for each pixel and each of C/8 channel groups.

import { BatchNorm2d, Conv2d, GroupNorm, type Mode } from '../../nn/index.js';
import { add, aggregate, type Random, relu, reshape, type Tensor } from '../../tensor/index.js';
import type { ConvNorm } from '../blocks/conv-norm.js';
import { convNorm, copyWeights, depthwise, type FormOptions, type Merging } from './parts.js';

/** Channels that share dynamic weights are C/GROUP apart; there are C/GROUP groups. */
const GROUP = 8;

/** Options of `LSConv`. */
export interface LSConvOptions extends FormOptions {
  /** Kernel size of the perception. Default: 7. */
  readonly kernel?: number;
}

/**
 * LS convolution: large-kernel perception (7×7 static) and small-kernel aggregation (3×3 dynamic).
 * [n, channels, h, w] → the same shape. Wang et al., "LSNet: See Large, Focus Small", CVPR 2025.
 */
export class LSConv implements Merging<LSConv> {
  /** W₁: 1×1, C → C/2. */
  readonly reduce: ConvNorm;
  /** D₇ₓ₇: depthwise 7×7 over C/2 channels. */
  readonly perceive: ConvNorm;
  /** W₃: 1×1, C/2 → C/2. */
  readonly mix: ConvNorm;
  /** W₄: 1×1, C/2 → 9·C/8 dynamic weights. */
  readonly weights: Conv2d;
  /** GroupNorm over the nine weights of each channel group. */
  readonly weightNorm: GroupNorm;
  /** Batch norm of the aggregated map. */
  readonly norm: BatchNorm2d;

  constructor(
    readonly channels: number,
    random: Random,
    { form = 'training', kernel = 7 }: LSConvOptions = {},
  ) {
    if (channels % GROUP !== 0) throw new Error(`LSConv: channels must be a multiple of ${GROUP}, got ${channels}`);
    const [half, groups] = [channels / 2, channels / GROUP];
    this.reduce = convNorm(channels, half, random, { form });
    this.perceive = depthwise(half, kernel, random, { form });
    this.mix = convNorm(half, half, random, { form });
    this.weights = new Conv2d(half, 9 * groups, 1, random);
    this.weightNorm = new GroupNorm(groups, 9 * groups);
    this.norm = new BatchNorm2d(channels);
  }

  /** The dynamic weights ω of an input [n, C, h, w]: [n, C/8, 9, h, w]. */
  weightsOf(x: Tensor, mode: Mode): Tensor {
    const perceived = this.perceive.forward(relu(this.reduce.forward(x, mode)), mode);
    const weights = this.weightNorm.forward(this.weights.forward(relu(this.mix.forward(perceived, mode))));
    const [n, , height, width] = x.shape as [number, number, number, number];
    return reshape(weights, [n, this.channels / GROUP, 9, height, width]);
  }

  /** x [n, C, h, w] → x + norm(Σ_uv ω ⊙ shifted x), of the same shape. */
  forward(x: Tensor, mode: Mode): Tensor {
    return add(this.norm.forward(aggregate(x, this.weightsOf(x, mode)), mode), x);
  }

  /**
   * Copies the weights into the merged form, where the norms of the static convolutions are folded.
   */
  mergeInto(target: LSConv): void {
    this.reduce.mergeInto(target.reduce);
    this.perceive.mergeInto(target.perceive);
    this.mix.mergeInto(target.mix);
    copyWeights(this.weights, target.weights);
    copyWeights(this.weightNorm, target.weightNorm);
    copyWeights(this.norm, target.norm);
  }
}
