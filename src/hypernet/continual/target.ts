// The networks that learn the tasks: small enough for a hypernetwork to make all their weights.

import { Conv2d, Linear } from '../../nn/index.js';
import { maxPool2d, type Random, reshape, type Tensor } from '../../tensor/index.js';

/** Layout of a target network; plain data, kept in model files. */
export interface TargetOptions {
  /** Widths of 3 × 3 convolutions, each halving height and width; for pictures. Default: none. */
  readonly channels?: readonly number[];
  /** Widths of hidden layers. Default: [100, 100], none after convolutions. */
  readonly hidden?: readonly number[];
}

/**
 * Convolutions 3 × 3 → ReLU → 2 × 2 maximum, then hidden layers linear → ReLU: x [n, features] or
 * [n, c, h, w] → features [n, outFeatures], all of them ≥ 0.
 */
export class TargetBody {
  /** Convolutions, each followed by ReLU and a maximum over 2 × 2. */
  readonly convolutions: readonly Conv2d[];
  /** Hidden layers. */
  readonly layers: readonly Linear[];
  /** Number of features. */
  readonly outFeatures: number;

  /** @throws Error when convolutions are asked of vectors, or of pictures that are too small */
  constructor(shape: readonly number[], random: Random, { channels = [], hidden }: TargetOptions = {}) {
    const widths = hidden ?? (channels.length > 0 ? [] : [100, 100]);
    const [depth = 1, height = 1, width = 1] = shape;
    if (channels.length > 0 && (shape.length !== 3 || Math.min(height, width) >> channels.length < 1))
      throw new Error(
        `continual: ${channels.length} convolutions need pictures of at least ${2 ** channels.length} × ${2 ** channels.length}, got rows of [${shape.join(', ')}]`,
      );
    this.convolutions = channels.map(
      (out, i) => new Conv2d(channels[i - 1] ?? depth, out, 3, random.split(`convolution ${i}`), { padding: 1 }),
    );
    const flat =
      channels.length > 0
        ? (channels.at(-1) as number) * (height >> channels.length) * (width >> channels.length)
        : shape.reduce((a, b) => a * b, 1);
    this.layers = widths.map((size, i) => new Linear(widths[i - 1] ?? flat, size, random.split(i)));
    this.outFeatures = widths.at(-1) ?? flat;
  }

  /** Rows → features [n, outFeatures]. */
  forward(x: Tensor): Tensor {
    const maps = this.convolutions.reduce((y, layer) => maxPool2d(layer.forward(y).relu(), 2), x);
    const flat = reshape(maps, [maps.shape[0] as number, -1]);
    return this.layers.reduce((y, layer) => layer.forward(y, 'relu'), flat);
  }
}

/** A body with one output layer: x → logits [n, classes]. */
export class TargetNetwork {
  /** All layers but the last. */
  readonly body: TargetBody;
  /** The output layer. */
  readonly head: Linear;

  constructor(
    shape: readonly number[],
    readonly classes: number,
    random: Random,
    options: TargetOptions = {},
  ) {
    this.body = new TargetBody(shape, random.split('body'), options);
    this.head = new Linear(this.body.outFeatures, classes, random.split('head'));
  }

  /** Rows → logits [n, classes]. */
  forward(x: Tensor): Tensor {
    return this.head.forward(this.body.forward(x));
  }
}
