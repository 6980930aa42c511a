// Normalisation layers.

import {
  add,
  layerNorm,
  mean,
  multiply,
  ones,
  rmsNorm,
  rsqrt,
  square,
  subtract,
  type Tensor,
  zeros,
} from '../tensor/index.js';
import { buffer, type Mode, parameter } from './module.js';

/** y = (x − mean)/√(var + ε)·γ + β over the last axis (Ba, Kiros, Hinton 2016). */
export class LayerNorm {
  weight: Tensor;
  bias: Tensor;

  constructor(
    readonly features: number,
    readonly epsilon = 1e-5,
  ) {
    this.weight = parameter(ones([features]));
    this.bias = parameter(zeros([features]));
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.weight, this.bias, this.epsilon);
  }
}

/** y = x/√(mean x² + ε)·γ over the last axis (Zhang & Sennrich 2019). */
export class RMSNorm {
  weight: Tensor;

  constructor(
    readonly features: number,
    readonly epsilon = 1e-6,
  ) {
    this.weight = parameter(ones([features]));
  }

  forward(x: Tensor): Tensor {
    return rmsNorm(x, this.weight, this.epsilon);
  }
}

/**
 * y = (x − mean)/√(var + ε)·γ + β over the batch, x [n, features] (Ioffe & Szegedy 2015). Training uses the batch's mean and variance and moves the
 * running ones by `momentum` (the variance unbiased, as in PyTorch); inference uses the running ones, so a batch of one works.
 */
export class BatchNorm1d {
  weight: Tensor;
  bias: Tensor;
  runningMean: Tensor;
  runningVariance: Tensor;

  constructor(
    readonly features: number,
    readonly epsilon = 1e-5,
    readonly momentum = 0.1,
  ) {
    this.weight = parameter(ones([features]));
    this.bias = parameter(zeros([features]));
    this.runningMean = buffer(zeros([features]));
    this.runningVariance = buffer(ones([features]));
  }

  forward(x: Tensor, mode: Mode): Tensor {
    if (x.rank !== 2 || x.shape[1] !== this.features)
      throw new Error(`BatchNorm1d: expected [n, ${this.features}], got ${x}`);
    if (!mode.training) return this.#normalize(x, this.runningMean, this.runningVariance);
    const n = x.shape[0] as number;
    if (n < 2) throw new Error('BatchNorm1d: training needs at least two rows, since the variance of one is 0');
    const batchMean = mean(x, 0);
    const batchVariance = mean(square(subtract(x, batchMean)), 0);
    this.#track(this.runningMean, batchMean, 1);
    this.#track(this.runningVariance, batchVariance, n / (n - 1));
    return this.#normalize(x, batchMean, batchVariance);
  }

  /** x·scale + shift with scale = γ/√(var + ε) and shift = β − mean·scale: two passes over x. */
  #normalize(x: Tensor, batchMean: Tensor, variance: Tensor): Tensor {
    const scale = multiply(rsqrt(add(variance, this.epsilon)), this.weight);
    return add(multiply(x, scale), subtract(this.bias, multiply(batchMean, scale)));
  }

  /** running ← (1 − momentum)·running + momentum·scale·batch. */
  #track(running: Tensor, batch: Tensor, scale: number): void {
    const { device, size } = running;
    device.run('affine', [running, running, 1 - this.momentum, 0, size]);
    device.run('accumulate', [running, batch, this.momentum * scale, size]);
  }
}
