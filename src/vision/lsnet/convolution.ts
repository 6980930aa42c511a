// The LS convolution: a large static kernel perceives, a small dynamic kernel aggregates.
//
//   ω = GroupNorm(W₄·ReLU(W₃·(D₇ₓ₇ ∗ ReLU(W₁·x))))                        3×3 weights for each pixel and each of C/8 groups of channels
//   y[c, h, w] = Σ_uv ω[c mod C/8, 3u + v, h, w]·x[c, h + u − 1, w + v − 1], then norm, plus x

import { BatchNorm2d, Conv2d, GroupNorm, type Mode } from '../../nn/index.js';
import { add, aggregate, type Random, relu, reshape, type Tensor } from '../../tensor/index.js';
import type { ConvNorm } from '../blocks/conv-norm.js';
import { convNorm, copyWeights, depthwise, type FormOptions, type Merging } from './parts.js';

const GROUP = 8;

/** Large-kernel perception and small-kernel aggregation. */
export class LSConv implements Merging<LSConv> {
  readonly reduce: ConvNorm;
  readonly perceive: ConvNorm;
  readonly mix: ConvNorm;
  readonly weights: Conv2d;
  readonly weightNorm: GroupNorm;
  readonly norm: BatchNorm2d;

  constructor(
    readonly channels: number,
    random: Random,
    { form = 'training' }: FormOptions = {},
  ) {
    if (channels % GROUP !== 0) throw new Error(`LSConv: channels must be a multiple of ${GROUP}, got ${channels}`);
    const [half, groups] = [channels / 2, channels / GROUP];
    this.reduce = convNorm(channels, half, random, { form });
    this.perceive = depthwise(half, 7, random, { form });
    this.mix = convNorm(half, half, random, { form });
    this.weights = new Conv2d(half, 9 * groups, 1, random);
    this.weightNorm = new GroupNorm(groups, 9 * groups);
    this.norm = new BatchNorm2d(channels);
  }

  /** ω [n, C/8, 9, h, w]. */
  weightsOf(x: Tensor, mode: Mode): Tensor {
    const seen = this.perceive.forward(relu(this.reduce.forward(x, mode)), mode);
    const weights = this.weightNorm.forward(this.weights.forward(relu(this.mix.forward(seen, mode))));
    const [n, , height, width] = x.shape as [number, number, number, number];
    return reshape(weights, [n, this.channels / GROUP, 9, height, width]);
  }

  forward(x: Tensor, mode: Mode): Tensor {
    return add(this.norm.forward(aggregate(x, this.weightsOf(x, mode)), mode), x);
  }

  mergeInto(target: LSConv): void {
    this.reduce.mergeInto(target.reduce);
    this.perceive.mergeInto(target.perceive);
    this.mix.mergeInto(target.mix);
    copyWeights(this.weights, target.weights);
    copyWeights(this.weightNorm, target.weightNorm);
    copyWeights(this.norm, target.norm);
  }
}
