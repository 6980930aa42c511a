// VGG for small images (Simonyan & Zisserman 2015): 3×3 convolutions in groups, each ending in a
// max pooling; with batch norm, and global average pooling in place of the large linear layers.

import { type Layer, Linear, type Mode, runSequence, type Sequence } from '../nn/index.js';
import { globalAveragePool, maxPool2d, type Random, type Tensor } from '../tensor/index.js';
import { convNorm } from './conv-norm.js';

/** Architecture options of `SmallVGG` and `SmallGoogLeNet`. */
export interface SmallNetworkOptions {
  /** Channels of the input images. Default: 3. */
  readonly channels?: number;
  /** Number of classes. Default: 10. */
  readonly classes?: number;
  /** Width multiplier of all channel counts, which are rounded. Default: 1. */
  readonly width?: number;
}

/** Convolutions of each group, by depth: linear layers of the original count. */
const groups = {
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
  19: [2, 2, 4, 4, 4],
} as const;
/** Channels of each group. */
const widths = [64, 128, 256, 512, 512] as const;

/** Max pooling that leaves maps of one pixel as they are. */
const pool: Layer = {
  forward: (x) => (Math.min(...x.shape.slice(2)) < 2 ? x : maxPool2d(x, 2)),
};

/** VGG-11, -13, -16 or -19 for small images. */
export class SmallVGG {
  /** Convolutions with batch norm and ReLU, and poolings. */
  readonly features: Sequence;
  /** Linear layer over the mean of each map. */
  readonly classifier: Linear;

  constructor(
    depth: keyof typeof groups,
    random: Random,
    { channels = 3, classes = 10, width = 1 }: SmallNetworkOptions = {},
  ) {
    let last = channels;
    this.features = groups[depth].map((count, group) => {
      const out = Math.max(1, Math.round(width * (widths[group] as number)));
      const convs = Array.from({ length: count }, (_, i) =>
        convNorm(i === 0 ? last : out, out, 3, random, { bias: true }),
      );
      last = out;
      return [...convs, pool];
    });
    this.classifier = new Linear(last, classes, random);
  }

  /** Images [n, channels, h, w] → logits [n, classes]. */
  forward(x: Tensor, mode: Mode): Tensor {
    return this.classifier.forward(globalAveragePool(runSequence(this.features, x, mode)));
  }
}
