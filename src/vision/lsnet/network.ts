// The network: a stem of three convolutions, four stages of blocks, one or two classifiers.

import type { Mergeable, Mode } from '../../nn/index.js';
import { add, globalAveragePool, multiply, Random, relu, scope, type Tensor } from '../../tensor/index.js';
import type { ConvNorm } from '../blocks/conv-norm.js';
import { SpatialAttention } from './attention.js';
import {
  Block,
  Classifier,
  Downsample,
  ReparametrizedDepthwise,
  StaticMixer,
  type StaticMixerShape,
} from './blocks.js';
import { LSConv } from './convolution.js';
import { convNorm, type FormOptions, type Merging } from './parts.js';

/** Configuration of `LSNet`. */
export interface LSNetOptions extends FormOptions {
  /** Channels of each stage: multiples of 8; the first also divisible by 4 for the stem. */
  readonly dims: readonly number[];
  /** Number of blocks in each stage. */
  readonly depths: readonly number[];
  /** Channels of the images. Default: 3. */
  readonly channels?: number;
  /** Number of classes. Default: 1000. */
  readonly classes?: number;
  /** Strides of the three convolutions of the stem. Default: [2, 2, 2]. */
  readonly stem?: readonly [number, number, number];
  /** Attention heads of the last stage. Default: 4. */
  readonly heads?: number;
  /**
   * Height and width of the feature map of the last stage, which fixes the shape of the position
   * biases. Default: 4, for 224×224 images.
   */
  readonly attentionSize?: number;
  /** LS convolutions, or, as a baseline, static mixers in their places. Default: `ls`. */
  readonly mixer?: 'ls' | StaticMixerShape;
  /**
   * Two classifiers, one for labels and one for a teacher, whose logits are averaged. Default:
   * false.
   */
  readonly distilled?: boolean;
}

/**
 * LSNet: images [n, channels, h, w] → logits [n, classes]. Wang et al., "LSNet: See Large, Focus
 * Small", CVPR 2025.
 */
export class LSNet implements Mergeable {
  /** Three 3×3 convolutions up to the first width, ReLU between them. */
  readonly stem: readonly ConvNorm[];
  /** Blocks of each stage; all stages after the first begin with a `Downsample`. */
  readonly stages: readonly (readonly (Downsample | Block)[])[];
  /** One classifier, or two in distilled networks. */
  readonly heads: readonly Classifier[];

  constructor(
    readonly options: LSNetOptions,
    random: Random,
  ) {
    const { dims, depths, channels = 3, classes = 1000, distilled = false, form = 'training' } = options;
    const { stem = [2, 2, 2], heads = 4, attentionSize = 4, mixer = 'ls' } = options;
    if (dims.length !== depths.length)
      throw new Error(`LSNet: ${dims.length} dims need as many depths, got ${depths.length}`);
    const width = (stage: number) => dims[stage] as number;
    const widths = [channels, width(0) / 4, width(0) / 2, width(0)];
    this.stem = stem.map((stride, i) =>
      convNorm(widths[i] as number, widths[i + 1] as number, random, { form, kernel: 3, stride }),
    );
    const mixerAt = (stage: number, index: number) => {
      if (index % 2 === 0) return new ReparametrizedDepthwise(width(stage), random, { form });
      if (stage === dims.length - 1) return new SpatialAttention(width(stage), heads, attentionSize, random, { form });
      return mixer === 'ls'
        ? new LSConv(width(stage), random, { form })
        : new StaticMixer(width(stage), random, { ...mixer, form });
    };
    this.stages = depths.map((depth, stage) => [
      ...(stage > 0 ? [new Downsample(width(stage - 1), width(stage), random, { form })] : []),
      ...Array.from({ length: depth }, (_, index) => new Block(mixerAt(stage, index), width(stage), random, { form })),
    ]);
    const last = width(dims.length - 1);
    this.heads = Array.from({ length: distilled ? 2 : 1 }, () => new Classifier(last, classes, random, { form }));
  }

  /** The map after each stage, the finest first: what heads for dense prediction read. */
  maps(x: Tensor, mode: Mode): Tensor[] {
    let y = this.stem.reduce((input, layer, i) => {
      const next = layer.forward(input, mode);
      return i < this.stem.length - 1 ? relu(next) : next;
    }, x);
    return this.stages.map((stage) => {
      for (const layer of stage) y = layer.forward(y, mode);
      return y;
    });
  }

  /**
   * Logits [n, classes] of each classifier: that for labels, then, in distilled networks, that for
   * the teacher.
   */
  logits(x: Tensor, mode: Mode): Tensor[] {
    const features = globalAveragePool(this.maps(x, mode).at(-1) as Tensor);
    return this.heads.map((head) => head.forward(features, mode));
  }

  /** Images [n, channels, h, w] → logits [n, classes], averaged over the classifiers. */
  forward(x: Tensor, mode: Mode): Tensor {
    const [first, second] = this.logits(x, mode) as [Tensor, Tensor | undefined];
    return second ? multiply(add(first, second), 0.5) : first;
  }

  /**
   * The inference form, the same function: norms folded into convolutions and parallel branches
   * merged; LS convolutions stay dynamic.
   */
  merged(): LSNet {
    if (this.options.form === 'merged') return this;
    const target = new LSNet({ ...this.options, form: 'merged' }, new Random(0));
    scope(() => {
      const pairs = (from: readonly Merging<never>[], to: readonly Merging<never>[]) => {
        for (const [i, layer] of from.entries()) layer.mergeInto(to[i] as never);
      };
      pairs(this.stem, target.stem);
      pairs(this.stages.flat(), target.stages.flat());
      pairs(this.heads, target.heads);
    });
    return target;
  }
}

/**
 * Presets of the paper (ImageNet top-1: t 74.9, s 77.8, b 80.3; distilled 76.1, 79.0, 81.6), and
 * `lsnet-nano` for 28×28 images.
 */
export const lsNets = {
  'lsnet-t': { dims: [64, 128, 256, 384], depths: [0, 2, 8, 10] },
  'lsnet-s': { dims: [96, 192, 320, 448], depths: [1, 2, 8, 10] },
  'lsnet-b': { dims: [128, 256, 384, 512], depths: [4, 6, 8, 10] },
  'lsnet-nano': { dims: [16, 32, 64, 96], depths: [2, 2, 2, 2], stem: [2, 1, 1], heads: 2, attentionSize: 2 },
} as const satisfies Record<string, LSNetOptions>;
