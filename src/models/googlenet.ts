// GoogLeNet for small images (Szegedy et al. 2015, with the batch norms and the two 3×3 in place of
// a 5×5 of Ioffe & Szegedy 2015): nine Inception blocks after one 3×3 convolution of stride 2.

import { type Layer, Linear, type Mode, runSequence, type Sequence } from '../nn/index.js';
import { concatenate, globalAveragePool, maxPool2d, type Random, type Tensor } from '../tensor/index.js';
import { convNorm } from './conv-norm.js';
import type { SmallNetworkOptions } from './vgg.js';

/** Channels of the 1×1 branch, of the 3×3 and 5×5 ones before and after, and of the pooled one. */
type Branches = readonly [one: number, before3: number, three: number, before5: number, five: number, pooled: number];

/** Blocks 3a, 3b; 4a to 4e; 5a, 5b, with a pooling between them. */
const stages: readonly (readonly Branches[])[] = [
  [
    [64, 96, 128, 16, 32, 32],
    [128, 128, 192, 32, 96, 64],
  ],
  [
    [192, 96, 208, 16, 48, 64],
    [160, 112, 224, 24, 64, 64],
    [128, 128, 256, 24, 64, 64],
    [112, 144, 288, 32, 64, 64],
    [256, 160, 320, 32, 128, 128],
  ],
  [
    [256, 160, 320, 32, 128, 128],
    [384, 192, 384, 48, 128, 128],
  ],
];

/** Channels of the first convolution. */
const STEM = 192;

/** Four branches side by side. */
class Inception implements Layer {
  readonly branches: readonly Sequence[];
  /** Channels that it gives. */
  readonly outChannels: number;

  constructor(inChannels: number, [one, before3, three, before5, five, pooled]: Branches, random: Random) {
    const pool: Layer = { forward: (x) => maxPool2d(x, 3, { stride: 1, padding: 1 }) };
    this.branches = [
      convNorm(inChannels, one, 1, random),
      [convNorm(inChannels, before3, 1, random), convNorm(before3, three, 3, random)],
      [convNorm(inChannels, before5, 1, random), convNorm(before5, five, 3, random), convNorm(five, five, 3, random)],
      [pool, convNorm(inChannels, pooled, 1, random)],
    ];
    this.outChannels = one + three + five + pooled;
  }

  forward(x: Tensor, mode: Mode): Tensor {
    return concatenate(
      this.branches.map((branch) => runSequence(branch, x, mode)),
      1,
    );
  }
}

/** GoogLeNet without auxiliary classifiers, for small images. */
export class SmallGoogLeNet {
  /** The first convolution, Inception blocks and the poolings after the second and the seventh. */
  readonly features: Sequence;
  /** Linear layer over the mean of each map. */
  readonly classifier: Linear;

  constructor(random: Random, { channels = 3, classes = 10, width = 1 }: SmallNetworkOptions = {}) {
    const scaled = (count: number) => Math.max(1, Math.round(width * count));
    const pool: Layer = { forward: (x) => maxPool2d(x, 3, { stride: 2, padding: 1 }) };
    let last = scaled(STEM);
    this.features = [
      convNorm(channels, last, 3, random, { stride: 2 }),
      stages.map((blocks, stage) => [
        ...(stage === 0 ? [] : [pool]),
        ...blocks.map((branches) => {
          const block = new Inception(last, branches.map(scaled) as unknown as Branches, random);
          last = block.outChannels;
          return block;
        }),
      ]),
    ];
    this.classifier = new Linear(last, classes, random);
  }

  /** Images [n, channels, h, w] → logits [n, classes]. */
  forward(x: Tensor, mode: Mode): Tensor {
    return this.classifier.forward(globalAveragePool(runSequence(this.features, x, mode)));
  }
}
