// EfficientNet (Tan & Le 2019): inverted residual blocks with squeeze-and-excitation, under
// compound scaling of depth, width and resolution. Field names as in torchvision.

import { Dropout, type Layer, Linear, type Mode, runSequence, type Sequence, StochasticDepth } from '../nn/index.js';
import { add, globalAveragePool, type Random, type Tensor } from '../tensor/index.js';
import { convNorm } from './conv-norm.js';
import { roundChannels } from './mobilenet.js';
import { SqueezeExcitation } from './squeeze-excitation.js';

/** Mobile inverted bottleneck with squeeze-and-excitation. */
class MBConv implements Layer {
  readonly block: Sequence;
  readonly #drop: StochasticDepth;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    readonly stride: number,
    kernel: number,
    expansion: number,
    dropProbability: number,
    random: Random,
  ) {
    this.#drop = new StochasticDepth(dropProbability);
    const hidden = inChannels * expansion;
    const silu = { activation: 'silu' } as const;
    this.block = [
      ...(expansion === 1 ? [] : [convNorm(inChannels, hidden, 1, random, silu)]),
      convNorm(hidden, hidden, kernel, random, { stride, groups: hidden, ...silu }),
      new SqueezeExcitation(hidden, Math.max(1, Math.floor(inChannels / 4)), random, { activation: 'silu' }),
      convNorm(hidden, outChannels, 1, random, { activation: 'none' }),
    ];
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const y = runSequence(this.block, x, mode);
    const residual = this.stride === 1 && this.inChannels === this.outChannels;
    return residual ? add(x, this.#drop.forward(y, mode)) : y;
  }
}

/** [expansion, kernel size, stride, channels, repeats] of a stage. */
type Stage = readonly [expansion: number, kernel: number, stride: number, channels: number, repeats: number];

/** Stages of B0. */
const stagesB0: readonly Stage[] = [
  [1, 3, 1, 16, 1],
  [6, 3, 2, 24, 2],
  [6, 5, 2, 40, 2],
  [6, 3, 2, 80, 3],
  [6, 5, 1, 112, 3],
  [6, 5, 2, 192, 4],
  [6, 3, 1, 320, 1],
];

/** Options of `EfficientNet`. */
export interface EfficientNetOptions {
  /** Channels of the input images. Default: 3. */
  readonly channels?: number;
  /** Number of classes. Default: 1000. */
  readonly classes?: number;
  /** Width multiplier of all channel counts, which are rounded to multiples of 8. Default: 1. */
  readonly width?: number;
  /** Channels and stride of the first convolution. Default: [32, 2]. */
  readonly stem?: readonly [channels: number, stride: number];
  /** [expansion, kernel size, stride, channels, repeats] of each stage. Default: the paper's. */
  readonly stages?: readonly Stage[];
  /** Channels before the classifier. Default: four times those of the last stage. */
  readonly final?: number;
}

/** EfficientNet B0 or B1, or another with stages of its own. */
export class EfficientNet {
  /** Stem, stages, and the last 1×1 convolution. */
  readonly features: Sequence;
  /** Dropout and the linear layer. */
  readonly classifier: readonly [Dropout, Linear];

  constructor(variant: keyof typeof variants, random: Random, options: EfficientNetOptions = {}) {
    const { channels = 3, classes = 1000, width = 1, stem = [32, 2], stages = stagesB0 } = options;
    const { depth, dropout } = variants[variant];
    const total = stages.reduce((sum, [, , , , repeats]) => sum + Math.ceil(repeats * depth), 0);
    const first = roundChannels(stem[0] * width);
    let last = first;
    let index = 0;
    const blocks = stages.map(([expansion, kernel, stride, out, repeats]) =>
      Array.from({ length: Math.ceil(repeats * depth) }, (_, i) => {
        const inChannels = last;
        last = roundChannels(out * width);
        return new MBConv(inChannels, last, i === 0 ? stride : 1, kernel, expansion, (0.2 * index++) / total, random);
      }),
    );
    const final = options.final === undefined ? 4 * last : roundChannels(options.final * width);
    this.features = [
      convNorm(channels, first, 3, random, { stride: stem[1], activation: 'silu' }),
      ...blocks,
      convNorm(last, final, 1, random, { activation: 'silu' }),
    ];
    this.classifier = [new Dropout(dropout), new Linear(final, classes, random)];
  }

  /** Images [n, channels, h, w] → logits [n, classes]. */
  forward(x: Tensor, mode: Mode): Tensor {
    const [dropout, linear] = this.classifier;
    return linear.forward(dropout.forward(globalAveragePool(runSequence(this.features, x, mode)), mode));
  }
}

/**
 * Depth multipliers and training resolutions. ImageNet top-1 77.1 and 79.1 % (paper).
 */
const variants = {
  b0: { depth: 1, dropout: 0.2, resolution: 224 },
  b1: { depth: 1.1, dropout: 0.2, resolution: 240 },
} as const;
