// Normalisation layers.

import {
  add,
  batchNorm,
  batchNormInference,
  groupNorm,
  layerNorm,
  multiply,
  ones,
  permute,
  rmsNorm,
  rsqrt,
  standardize,
  subtract,
  type Tensor,
  zeros,
} from '../tensor/index.js';
import { batchedAffine } from './batched.js';
import { buffer, type Mode, parameter } from './module.js';

/** Options of normalisation layers. */
export interface NormOptions {
  /** ε, added to the variance. Default: 1e-5, and 1e-6 in `RMSNorm`. */
  readonly epsilon?: number;
}

/** Options of batch normalisation. */
export interface BatchNormOptions extends NormOptions {
  /** Weight of the batch in the running mean and variance. Default: 0.1. */
  readonly momentum?: number;
}

/**
 * Layer normalisation over the last axis: y = (x − mean)/√(var + ε)·γ + β (Ba, Kiros, Hinton 2016).
 */
export class LayerNorm {
  /** γ [features]. Initially 1. */
  weight: Tensor;
  /** β [features]. Initially 0. */
  bias: Tensor;
  /** ε, added to the variance. */
  readonly epsilon: number;

  constructor(
    readonly features: number,
    { epsilon = 1e-5 }: NormOptions = {},
  ) {
    this.epsilon = epsilon;
    this.weight = parameter(ones([features]));
    this.bias = parameter(zeros([features]));
  }

  /** x […, features] → the same shape. */
  forward(x: Tensor): Tensor {
    const batched = this.weight.rank === 2 || this.bias.rank === 2;
    return batched
      ? batchedAffine(standardize(x, this.epsilon)[0], this.weight, this.bias)
      : layerNorm(x, this.weight, this.bias, this.epsilon);
  }
}

/** Layer normalisation over the channels of each pixel. */
export class LayerNorm2d extends LayerNorm {
  /** x [n, features, h, w] → the same shape. */
  override forward(x: Tensor): Tensor {
    return permute(super.forward(permute(x, [0, 2, 3, 1])), [0, 3, 1, 2]);
  }
}

/**
 * Root-mean-square normalisation over the last axis: y = x/√(mean x² + ε)·γ
 * (Zhang & Sennrich 2019).
 */
export class RMSNorm {
  /** γ [features]. Initially 1. */
  weight: Tensor;
  /** ε, added to the mean square. */
  readonly epsilon: number;

  constructor(
    readonly features: number,
    { epsilon = 1e-6 }: NormOptions = {},
  ) {
    this.epsilon = epsilon;
    this.weight = parameter(ones([features]));
  }

  /** x […, features] → the same shape. */
  forward(x: Tensor): Tensor {
    return rmsNorm(x, this.weight, this.epsilon);
  }
}

/**
 * Batch normalisation per channel: y = (x − mean)/√(var + ε)·γ + β (Ioffe & Szegedy 2015). Training
 * uses mean and variance over the batch and all pixels, and updates the running ones by `momentum`
 * (with the unbiased variance, as PyTorch); inference uses the running ones.
 */
export class BatchNorm {
  /** γ [features]. Initially 1. */
  weight: Tensor;
  /** β [features]. Initially 0. */
  bias: Tensor;
  /** Buffer [features]. Initially 0. */
  runningMean: Tensor;
  /** Buffer [features]. Initially 1. */
  runningVariance: Tensor;
  /** ε, added to the variance. */
  readonly epsilon: number;
  /** Weight of the batch in the running mean and variance. */
  momentum: number;
  /** Whether training uses the running statistics, and leaves them alone. Initially false. */
  fixed = false;

  constructor(
    readonly features: number,
    { epsilon = 1e-5, momentum = 0.1 }: BatchNormOptions = {},
  ) {
    this.epsilon = epsilon;
    this.momentum = momentum;
    this.weight = parameter(ones([features]));
    this.bias = parameter(zeros([features]));
    this.runningMean = buffer(zeros([features]));
    this.runningVariance = buffer(ones([features]));
  }

  /**
   * x [n, features, …] → the same shape, then ReLU if asked for.
   *
   * @throws Error when training with fewer than two values per channel, or for other shapes.
   */
  forward(x: Tensor, mode: Mode, activation: 'none' | 'relu' = 'none'): Tensor {
    if (x.rank < 2 || x.shape[1] !== this.features)
      throw new Error(`BatchNorm: expected [n, ${this.features}, …], got ${x}`);
    if (!mode.training || this.fixed) {
      const y = this.#normalize(x);
      return activation === 'relu' ? y.relu() : y;
    }
    const count = x.size / this.features;
    if (count < 2)
      throw new Error('BatchNorm: training needs at least two values a channel, since the variance of one is 0');
    const [y, mean, variance] = batchNorm(x, this.weight, this.bias, this.epsilon, activation);
    this.#track(this.runningMean, mean, 1);
    this.#track(this.runningVariance, variance, count / (count - 1));
    return y;
  }

  /** By the running statistics; of rows in elementwise operations, which take fewer passes. */
  #normalize(x: Tensor): Tensor {
    const { weight, bias, runningMean, runningVariance, epsilon } = this;
    if (x.rank > 2) return batchNormInference(x, weight, bias, runningMean, runningVariance, epsilon);
    const scale = multiply(rsqrt(add(runningVariance, epsilon)), weight);
    return add(multiply(subtract(x, runningMean), scale), bias);
  }

  /** running ← (1 − momentum)·running + momentum·scale·batch. */
  #track(running: Tensor, batch: Tensor, scale: number): void {
    const { device, size } = running;
    device.run('affine', { x: running, y: running, scale: 1 - this.momentum, shift: 0, n: size });
    device.run('accumulate', { target: running, source: batch, scale: this.momentum * scale, n: size });
  }
}

/** Batch normalisation of rows [n, features]. */
export class BatchNorm1d extends BatchNorm {}

/** Batch normalisation of images [n, features, h, w]. */
export class BatchNorm2d extends BatchNorm {}

/**
 * Group normalisation: y = (x − mean)/√(var + ε)·γ + β, with statistics per image and group of
 * channels over the pixels (Wu & He 2018).
 */
export class GroupNorm {
  /** γ [features]. Initially 1. */
  weight: Tensor;
  /** β [features]. Initially 0. */
  bias: Tensor;
  /** ε, added to the variance. */
  readonly epsilon: number;

  constructor(
    readonly groups: number,
    readonly features: number,
    { epsilon = 1e-5 }: NormOptions = {},
  ) {
    this.epsilon = epsilon;
    this.weight = parameter(ones([features]));
    this.bias = parameter(zeros([features]));
  }

  /** x [n, features, h, w] → the same shape. */
  forward(x: Tensor): Tensor {
    return groupNorm(x, this.groups, this.weight, this.bias, this.epsilon);
  }
}

/** Instance normalisation: statistics per image and channel (Ulyanov, Vedaldi, Lempitsky 2016). */
export class InstanceNorm2d extends GroupNorm {
  constructor(features: number, options: NormOptions = {}) {
    super(features, features, options);
  }
}
