// Squeeze-and-excitation (Hu, Shen, Sun 2018).

import { type ActivationName, activate, Conv2d, type Layer } from '../nn/index.js';
import { globalAveragePool, multiply, type Random, reshape, type Tensor } from '../tensor/index.js';

/** Options of squeeze-and-excitation. */
export interface SqueezeOptions {
  /** Activation f between the two convolutions. Default: `relu`. */
  readonly activation?: ActivationName;
}

/**
 * Channel attention from global average pooling: y = x·σ(W₂·f(W₁·mean x + b₁) + b₂), x
 * [n, channels, h, w]. W₁ reduces to `squeezed` channels.
 */
export class SqueezeExcitation implements Layer {
  /** 1×1 convolution channels → squeezed. */
  readonly fc1: Conv2d;
  /** 1×1 convolution squeezed → channels. */
  readonly fc2: Conv2d;
  /** Activation f. */
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
