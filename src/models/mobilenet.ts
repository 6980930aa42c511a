// MobileNet V1 (Howard et al. 2017) and V2 (Sandler et al. 2018): depthwise separable convolutions.
// Field names as in torchvision.

import { Dropout, type Layer, Linear, type Mode, runSequence, type Sequence } from '../nn/index.js';
import { add, globalAveragePool, type Random, type Tensor } from '../tensor/index.js';
import { convNorm } from './conv-norm.js';

/** Architecture options of both versions. */
export interface MobileNetOptions {
  /** Channels of the input images. Default: 3. */
  readonly channels?: number;
  /** Number of classes. Default: 1000. */
  readonly classes?: number;
  /** Width multiplier of all channel counts, which are rounded to multiples of 8. Default: 1. */
  readonly width?: number;
  /** Channels and stride of the first convolution. Default: [32, 2]. */
  readonly stem?: readonly [channels: number, stride: number];
}

/** Architecture options of MobileNet V1. */
export interface MobileNetV1Options extends MobileNetOptions {
  /** [output channels, stride of the depthwise convolution] of each block. Default: the paper's. */
  readonly blocks?: readonly (readonly [channels: number, stride: number])[];
}

/** Architecture options of MobileNet V2. */
export interface MobileNetV2Options extends MobileNetOptions {
  /**
   * [expansion, channels, repeats, stride of the first block] of each group of blocks. Default: the
   * paper's.
   */
  readonly groups?: readonly (readonly [expansion: number, channels: number, repeats: number, stride: number])[];
  /** Channels before the classifier. Default: 1280. */
  readonly final?: number;
  /**
   * Most hidden channels of a block. At 512 the input of a pointwise convolution for a tile of 16
   * pixels fits 32 KiB of L1 cache. Default: no limit.
   */
  readonly largestExpansion?: number;
}

/** Nearest multiple of 8, at least 8 and at least 90 % of the value. */
export function roundChannels(value: number): number {
  const rounded = Math.max(8, Math.floor((value + 4) / 8) * 8);
  return rounded < 0.9 * value ? rounded + 8 : rounded;
}

function scaled(channels: number, width: number): number {
  return width === 1 ? channels : roundChannels(channels * width);
}

/** [output channels, stride of the depthwise convolution] of V1's blocks. */
const blocksV1: readonly (readonly [number, number])[] = [
  [64, 1],
  [128, 2],
  [128, 1],
  [256, 2],
  [256, 1],
  [512, 2],
  ...new Array<readonly [number, number]>(5).fill([512, 1]),
  [1024, 2],
  [1024, 1],
];

/**
 * MobileNet V1. At width 1: 4,231,976 parameters, 568,740,352 multiply-adds at 224², ImageNet top-1
 * 70.6 % (paper).
 */
export class MobileNetV1 {
  /** Stem and depthwise separable blocks. */
  readonly features: Sequence;
  /** Linear layer. */
  readonly classifier: Linear;

  constructor(random: Random, options: MobileNetV1Options = {}) {
    const { channels = 3, classes = 1000, width = 1, stem = [32, 2], blocks = blocksV1 } = options;
    let last = scaled(stem[0], width);
    this.features = [
      convNorm(channels, last, 3, random, { stride: stem[1] }),
      ...blocks.map(([out, stride]) => {
        const [inChannels, outChannels] = [last, scaled(out, width)];
        last = outChannels;
        return [
          ...convNorm(inChannels, inChannels, 3, random, { stride, groups: inChannels }),
          ...convNorm(inChannels, outChannels, 1, random),
        ];
      }),
    ];
    this.classifier = new Linear(last, classes, random);
  }

  /** Images [n, channels, h, w] → logits [n, classes]. */
  forward(x: Tensor, mode: Mode): Tensor {
    return this.classifier.forward(globalAveragePool(runSequence(this.features, x, mode)));
  }
}

/**
 * Inverted residual block: 1×1 expansion, depthwise 3×3, linear 1×1 projection; a shortcut where
 * input and output shapes agree.
 */
class InvertedResidual implements Layer {
  readonly conv: Sequence;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    readonly stride: number,
    expansion: number,
    largest: number,
    random: Random,
  ) {
    const hidden = Math.min(largest, inChannels * expansion);
    this.conv = [
      ...(expansion === 1 ? [] : [convNorm(inChannels, hidden, 1, random, { activation: 'relu6' })]),
      convNorm(hidden, hidden, 3, random, { stride, groups: hidden, activation: 'relu6' }),
      ...convNorm(hidden, outChannels, 1, random, { activation: 'none' }),
    ];
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const y = runSequence(this.conv, x, mode);
    return this.stride === 1 && this.inChannels === this.outChannels ? add(x, y) : y;
  }
}

/** [expansion, channels, repeats, stride of the first block] of V2's groups. */
const groupsV2 = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/**
 * MobileNet V2. At width 1: 3,504,872 parameters, 300,774,272 multiply-adds at 224², ImageNet top-1
 * 72.0 % (paper).
 */
export class MobileNetV2 {
  /** Stem, inverted residual blocks, and the last 1×1 convolution. */
  readonly features: Sequence;
  /** Dropout of 0.2 and the linear layer. */
  readonly classifier: readonly [Dropout, Linear];

  constructor(random: Random, options: MobileNetV2Options = {}) {
    const { channels = 3, classes = 1000, width = 1, stem = [32, 2], groups = groupsV2 } = options;
    const { largestExpansion = Number.POSITIVE_INFINITY } = options;
    const first = scaled(stem[0], width);
    let last = first;
    const final = scaled(options.final ?? 1280, Math.max(1, width));
    const blocks = groups.flatMap(([expansion, out, repeats, stride]) =>
      Array.from({ length: repeats }, (_, i) => {
        const inChannels = last;
        last = scaled(out, width);
        return new InvertedResidual(inChannels, last, i === 0 ? stride : 1, expansion, largestExpansion, random);
      }),
    );
    this.features = [
      convNorm(channels, first, 3, random, { stride: stem[1], activation: 'relu6' }),
      ...blocks,
      convNorm(last, final, 1, random, { activation: 'relu6' }),
    ];
    this.classifier = [new Dropout(0.2), new Linear(final, classes, random)];
  }

  /** The last map of each resolution, the finest first, for dense prediction. */
  maps(x: Tensor, mode: Mode): Tensor[] {
    const maps: Tensor[] = [];
    let y = x;
    for (const layer of this.features) {
      const next = runSequence([layer], y, mode);
      if (y !== x && next.shape[2] !== y.shape[2]) maps.push(y);
      y = next;
    }
    return [...maps, y];
  }

  /** Images [n, channels, h, w] → logits [n, classes]. */
  forward(x: Tensor, mode: Mode): Tensor {
    const [dropout, linear] = this.classifier;
    return linear.forward(dropout.forward(globalAveragePool(runSequence(this.features, x, mode)), mode));
  }
}
