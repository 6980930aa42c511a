// LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998) in its modern form: ReLU and max pooling.

import { Conv2d, Linear, type Mode } from '../nn/index.js';
import { maxPool2d, type Random, reshape, type Tensor } from '../tensor/index.js';

/** Least height and width of LeNet's images in pixels. */
export const LENET_LEAST = 12;

/** Options of `LeNet`. */
export interface LeNetOptions {
  /** Channels of the images. Default: 1. */
  readonly channels?: number;
  /** Number of classes. Default: 10. */
  readonly classes?: number;
  /** Height and width in pixels, one number for squares; at least 12. Default: 28. */
  readonly size?: number | readonly [height: number, width: number];
}

/** Side of the last map for a side of the image. */
function lastMap(side: number): number {
  return Math.floor((Math.floor(side / 2) - 4) / 2);
}

/**
 * LeNet-5, with the defaults 61,706 parameters. For images of other sizes than 28×28 the first
 * linear layer is as wide as the last map.
 *
 * @throws RangeError for images below 12 pixels
 */
export class LeNet {
  /** 5×5, 6 channels. */
  readonly conv1: Conv2d;
  /** 5×5, 16 channels. */
  readonly conv2: Conv2d;
  /** 400 → 120 for images of 28×28. */
  readonly fc1: Linear;
  /** 120 → 84. */
  readonly fc2: Linear;
  /** 84 → classes. */
  readonly fc3: Linear;

  constructor(random: Random, { channels = 1, classes = 10, size = 28 }: LeNetOptions = {}) {
    const [height, width] = typeof size === 'number' ? [size, size] : size;
    if (height < LENET_LEAST || width < LENET_LEAST)
      throw new RangeError(`LeNet: images have at least ${LENET_LEAST} pixels a side, got ${height}×${width}`);
    this.conv1 = new Conv2d(channels, 6, 5, random, { padding: 2 });
    this.conv2 = new Conv2d(6, 16, 5, random);
    this.fc1 = new Linear(16 * lastMap(height) * lastMap(width), 120, random);
    this.fc2 = new Linear(120, 84, random);
    this.fc3 = new Linear(84, classes, random);
  }

  /** Images [n, channels, height, width] → logits [n, classes]. */
  forward(x: Tensor, _mode: Mode): Tensor {
    const first = maxPool2d(this.conv1.forward(x).relu(), 2); // [n, 6, 14, 14] for 28×28
    const second = maxPool2d(this.conv2.forward(first).relu(), 2); // [n, 16, 5, 5]
    const hidden = this.fc1.forward(reshape(second, [x.shape[0] as number, -1]), 'relu');
    return this.fc3.forward(this.fc2.forward(hidden, 'relu'));
  }
}
