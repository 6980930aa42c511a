// LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998) in its modern form: ReLU and max pooling.

import { Conv2d, Linear, type Mode } from '../nn/index.js';
import { maxPool2d, type Random, reshape, type Tensor } from '../tensor/index.js';

/**
 * LeNet-5: `channels` of the images defaults to 1, `classes` to 10, which makes 61,706 parameters.
 */
export class LeNet {
  /** 5×5, 6 channels. */
  readonly conv1: Conv2d;
  /** 5×5, 16 channels. */
  readonly conv2: Conv2d;
  /** 400 → 120. */
  readonly fc1: Linear;
  /** 120 → 84. */
  readonly fc2: Linear;
  /** 84 → classes. */
  readonly fc3: Linear;

  constructor(random: Random, { channels = 1, classes = 10 }: { channels?: number; classes?: number } = {}) {
    this.conv1 = new Conv2d(channels, 6, 5, random, { padding: 2 });
    this.conv2 = new Conv2d(6, 16, 5, random);
    this.fc1 = new Linear(16 * 5 * 5, 120, random);
    this.fc2 = new Linear(120, 84, random);
    this.fc3 = new Linear(84, classes, random);
  }

  /** Images [n, channels, 28, 28] → logits [n, classes]. */
  forward(x: Tensor, _mode: Mode): Tensor {
    const first = maxPool2d(this.conv1.forward(x).relu(), 2); // [n, 6, 14, 14]
    const second = maxPool2d(this.conv2.forward(first).relu(), 2); // [n, 16, 5, 5]
    const hidden = this.fc1.forward(reshape(second, [x.shape[0] as number, -1]), 'relu');
    return this.fc3.forward(this.fc2.forward(hidden, 'relu'));
  }
}
