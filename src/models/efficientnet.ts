// EfficientNet (Tan & Le 2019): inverted residual blocks with squeeze-and-excitation, under
// compound scaling of depth, width and resolution. Field names as in torchvision.

import { Dropout, type Layer, Linear, type Mode, randomOf, runSequence, type Sequence } from '../nn/index.js';
import { add, globalAveragePool, multiply, type Random, type Tensor } from '../tensor/index.js';
import { convNorm } from './conv-norm.js';
import { roundChannels } from './mobilenet.js';
import { SqueezeExcitation } from './squeeze-excitation.js';

/** Stochastic depth (Huang et al. 2016): in training drops the residual branch of random images. */
function stochasticDepth(x: Tensor, probability: number, mode: Mode): Tensor {
  if (!mode.training || probability === 0) return x;
  const kept = randomOf(mode, 'EfficientNet').bernoulli([x.shape[0] as number, 1, 1, 1], 1 - probability);
  return multiply(x, multiply(kept, 1 / (1 - probability)));
}

/** Mobile inverted bottleneck with squeeze-and-excitation. */
class MBConv implements Layer {
  readonly block: Sequence;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    readonly stride: number,
    kernel: number,
    expansion: number,
    readonly dropProbability: number,
    random: Random,
  ) {
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
    return residual ? add(x, stochasticDepth(y, this.dropProbability, mode)) : y;
  }
}

/** [expansion, kernel size, stride, channels, repeats] of the stages of B0. */
const groups = [
  [1, 3, 1, 16, 1],
  [6, 3, 2, 24, 2],
  [6, 5, 2, 40, 2],
  [6, 3, 2, 80, 3],
  [6, 5, 1, 112, 3],
  [6, 5, 2, 192, 4],
  [6, 3, 1, 320, 1],
] as const;

/** EfficientNet B0 or B1. `channels` of the images defaults to 3, `classes` to 1000. */
export class EfficientNet {
  /** Stem, stages, and the 1×1 convolution to 1280 channels. */
  readonly features: Sequence;
  /** Dropout and the linear layer. */
  readonly classifier: readonly [Dropout, Linear];

  constructor(
    variant: keyof typeof variants,
    random: Random,
    { channels = 3, classes = 1000 }: { channels?: number; classes?: number } = {},
  ) {
    const { depth, dropout } = variants[variant];
    const total = groups.reduce((sum, [, , , , repeats]) => sum + Math.ceil(repeats * depth), 0);
    let last = 32;
    let index = 0;
    const blocks = groups.map(([expansion, kernel, stride, out, repeats]) =>
      Array.from({ length: Math.ceil(repeats * depth) }, (_, i) => {
        const inChannels = last;
        last = roundChannels(out);
        return new MBConv(inChannels, last, i === 0 ? stride : 1, kernel, expansion, (0.2 * index++) / total, random);
      }),
    );
    this.features = [
      convNorm(channels, 32, 3, random, { stride: 2, activation: 'silu' }),
      ...blocks,
      convNorm(last, 4 * last, 1, random, { activation: 'silu' }),
    ];
    this.classifier = [new Dropout(dropout), new Linear(4 * last, classes, random)];
  }

  /** Images [n, channels, h, w] → logits [n, classes]. */
  forward(x: Tensor, mode: Mode): Tensor {
    const [dropout, linear] = this.classifier;
    return linear.forward(dropout.forward(globalAveragePool(runSequence(this.features, x, mode)), mode));
  }
}

/**
 * Depth multipliers and training resolutions; the width multiplier is 1. ImageNet top-1 77.1 and
 * 79.1 % (paper).
 */
const variants = {
  b0: { depth: 1, dropout: 0.2, resolution: 224 },
  b1: { depth: 1.1, dropout: 0.2, resolution: 240 },
} as const;
