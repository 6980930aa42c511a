// Squeeze-and-excitation (Hu, Shen, Sun 2018).

import { type ActivationName, activate, Conv2d, type Layer } from '../nn/index.js';
import { globalAveragePool, multiply, type Random, reshape, type Tensor } from '../tensor/index.js';

export interface SqueezeOptions {
  /** f, between the two layers. Default: `relu`. */
  readonly activation?: ActivationName;
}

/** Scales each channel by a gate computed from the means of all: x·σ(W₂·f(W₁·mean x + b₁) + b₂). */
export class SqueezeExcitation implements Layer {
  readonly fc1: Conv2d;
  readonly fc2: Conv2d;
  readonly activation: ActivationName;

  constructor(channels: number, squeezed: number, random: Random, { activation = 'relu' }: SqueezeOptions = {}) {
    this.activation = activation;
    this.fc1 = new Conv2d(channels, squeezed, 1, random);
    this.fc2 = new Conv2d(squeezed, channels, 1, random);
  }

  forward(x: Tensor): Tensor {
    const [n, c] = x.shape as [number, number];
    const means = reshape(globalAveragePool(x), [n, c, 1, 1]);
    return multiply(x, this.fc2.forward(activate(this.fc1.forward(means), this.activation)).sigmoid());
  }
}
