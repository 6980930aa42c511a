// The blocks of LSNet: token mixers, each followed by a feed-forward layer, the downsampling
// between stages, and the classifier. Feature maps are [n, channels, h, w].

import { SqueezeExcitation } from '../../models/index.js';
import { BatchNorm1d, Linear, type Mode, truncatedNormal } from '../../nn/index.js';
import {
  add,
  matmul,
  multiply,
  pad,
  type Random,
  relu,
  reshape,
  rsqrt,
  subtract,
  type Tensor,
  zeros,
} from '../../tensor/index.js';
import type { ConvNorm } from '../blocks/conv-norm.js';
import type { SpatialAttention } from './attention.js';
import type { LSConv } from './convolution.js';
import { convNorm, copyWeights, depthwise, type FormOptions, type Merging, silence } from './parts.js';

/** Kernel of `StaticMixer`, and what follows it. */
export interface StaticMixerShape {
  /** Kernel size. Default: 3. */
  readonly kernel?: number;
  /** Hidden channels over channels of a feed-forward layer that follows. Default: none follows. */
  readonly feedForward?: number;
}

/** Options of `StaticMixer`. */
export interface StaticMixerOptions extends FormOptions, StaticMixerShape {}

/**
 * x + norm(D ∗ x) with a depthwise kernel D, maybe followed by a feed-forward layer: the baseline
 * token mixer, whose weights do not depend on the input.
 */
export class StaticMixer implements Merging<StaticMixer> {
  /** The depthwise convolution D. */
  readonly conv: ConvNorm;
  /** The feed-forward layer, if one follows. */
  readonly feedForward: FeedForward | undefined;

  constructor(channels: number, random: Random, { kernel = 3, feedForward, ...options }: StaticMixerOptions = {}) {
    this.conv = depthwise(channels, kernel, random, options);
    if (feedForward !== undefined)
      this.feedForward = new FeedForward(channels, random, { ...options, ratio: feedForward });
  }

  /** x [n, channels, h, w] → x + norm(D ∗ x), fed forward, of the same shape. */
  forward(x: Tensor, mode: Mode): Tensor {
    const mixed = add(this.conv.forward(x, mode), x);
    return this.feedForward?.forward(mixed, mode) ?? mixed;
  }

  mergeInto(target: StaticMixer): void {
    this.conv.mergeInto(target.conv);
    if (target.feedForward) this.feedForward?.mergeInto(target.feedForward);
  }
}

/**
 * norm(D₃ ∗ x) + norm(d ⊙ x) + x with depthwise 3×3 and 1×1 kernels (after RepVGG); the merged form
 * is one depthwise 3×3 convolution.
 */
export class ReparametrizedDepthwise implements Merging<ReparametrizedDepthwise> {
  readonly conv: ConvNorm;
  readonly pointwise: ConvNorm | undefined;

  constructor(channels: number, random: Random, { form = 'training' }: FormOptions = {}) {
    this.conv = depthwise(channels, 3, random, { form });
    if (form === 'training') this.pointwise = depthwise(channels, 1, random, { form });
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const y = this.conv.forward(x, mode);
    return this.pointwise ? add(add(y, this.pointwise.forward(x, mode)), x) : y;
  }

  mergeInto(target: ReparametrizedDepthwise): void {
    const [large, small] = [this.conv.folded(), (this.pointwise as ConvNorm).folded()];
    const centre = pad(add(small.weight, 1), [
      [0, 0],
      [0, 0],
      [1, 1],
      [1, 1],
    ]);
    target.conv.conv.weight.assign(add(large.weight, centre));
    target.conv.conv.bias?.assign(add(large.bias as Tensor, small.bias as Tensor));
  }
}

/** x + W₂·ReLU(W₁·x) with 1×1 convolutions: channels → ratio·channels → channels; ratio 2. */
export class FeedForward implements Merging<FeedForward> {
  readonly expand: ConvNorm;
  readonly contract: ConvNorm;

  constructor(
    channels: number,
    random: Random,
    { form = 'training', ratio = 2 }: FormOptions & { readonly ratio?: number } = {},
  ) {
    this.expand = convNorm(channels, ratio * channels, random, { form });
    this.contract = convNorm(ratio * channels, channels, random, { form });
    silence(this.contract);
  }

  forward(x: Tensor, mode: Mode): Tensor {
    return add(x, this.contract.forward(relu(this.expand.forward(x, mode)), mode));
  }

  mergeInto(target: FeedForward): void {
    this.expand.mergeInto(target.expand);
    this.contract.mergeInto(target.contract);
  }
}

/**
 * A token mixer, squeeze-and-excitation after re-parametrised depthwise mixers, and a feed-forward
 * layer.
 */
export class Block implements Merging<Block> {
  readonly squeeze: SqueezeExcitation | undefined;
  readonly feedForward: FeedForward;

  constructor(
    readonly mixer: ReparametrizedDepthwise | LSConv | StaticMixer | SpatialAttention,
    channels: number,
    random: Random,
    { form = 'training' }: FormOptions = {},
  ) {
    if (mixer instanceof ReparametrizedDepthwise) {
      const squeezed = Math.max(8, Math.floor((channels / 4 + 4) / 8) * 8);
      this.squeeze = new SqueezeExcitation(channels, squeezed, random);
    }
    this.feedForward = new FeedForward(channels, random, { form });
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const mixed = this.mixer.forward(x, mode);
    return this.feedForward.forward(this.squeeze?.forward(mixed) ?? mixed, mode);
  }

  mergeInto(target: Block): void {
    this.mixer.mergeInto(target.mixer as never);
    if (this.squeeze && target.squeeze) {
      copyWeights(this.squeeze.fc1, target.squeeze.fc1);
      copyWeights(this.squeeze.fc2, target.squeeze.fc2);
    }
    this.feedForward.mergeInto(target.feedForward);
  }
}

/**
 * Downsampling between stages: depthwise 3×3 with stride 2, then 1×1 to the next width. [n, in, h,
 * w] → [n, out, h/2, w/2].
 */
export class Downsample implements Merging<Downsample> {
  readonly spatial: ConvNorm;
  readonly widen: ConvNorm;

  constructor(inChannels: number, outChannels: number, random: Random, { form = 'training' }: FormOptions = {}) {
    this.spatial = depthwise(inChannels, 3, random, { form, stride: 2 });
    this.widen = convNorm(inChannels, outChannels, random, { form });
  }

  forward(x: Tensor, mode: Mode): Tensor {
    return this.widen.forward(this.spatial.forward(x, mode), mode);
  }

  mergeInto(target: Downsample): void {
    this.spatial.mergeInto(target.spatial);
    this.widen.mergeInto(target.widen);
  }
}

/** Batch norm and linear layer: pooled features [n, features] → logits [n, classes]. */
export class Classifier implements Merging<Classifier> {
  readonly norm: BatchNorm1d | undefined;
  readonly linear: Linear;

  constructor(features: number, classes: number, random: Random, { form = 'training' }: FormOptions = {}) {
    if (form === 'training') this.norm = new BatchNorm1d(features);
    this.linear = new Linear(features, classes, random);
    this.linear.weight.assign(truncatedNormal(random, [classes, features]));
    this.linear.bias?.assign(zeros([classes]));
  }

  forward(x: Tensor, mode: Mode): Tensor {
    return this.linear.forward(this.norm?.forward(x, mode) ?? x);
  }

  mergeInto(target: Classifier): void {
    const { weight, bias, runningMean, runningVariance, epsilon } = this.norm as BatchNorm1d;
    const scale = multiply(weight, rsqrt(add(runningVariance, epsilon)));
    const shift = subtract(bias, multiply(runningMean, scale));
    target.linear.weight.assign(multiply(this.linear.weight, scale));
    const shiftedBias = reshape(matmul(this.linear.weight, reshape(shift, [-1, 1])), [-1]);
    target.linear.bias?.assign(add(shiftedBias, this.linear.bias as Tensor));
  }
}
