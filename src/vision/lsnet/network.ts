// The network: a stem of three convolutions, four stages of blocks, one or two classifiers.

import type { Mergeable, Mode } from '../../nn/index.js';
import { add, globalAveragePool, multiply, Random, relu, scope, type Tensor } from '../../tensor/index.js';
import type { ConvNorm } from '../blocks/conv-norm.js';
import { SpatialAttention } from './attention.js';
import { Block, Classifier, Downsample, ReparametrizedDepthwise, StaticMixer } from './blocks.js';
import { LSConv } from './convolution.js';
import { convNorm, type FormOptions, type Merging } from './parts.js';

export interface LSNetOptions extends FormOptions {
  /** Channels of the four stages: multiples of 8, the first also of 4. */
  readonly dims: readonly number[];
  /** Blocks of each stage. */
  readonly depths: readonly number[];
  readonly channels?: number;
  readonly classes?: number;
  /** Strides of the three convolutions of the stem. */
  readonly stem?: readonly [number, number, number];
  /** Heads of the last stage's attention. */
  readonly heads?: number;
  /** Height and width of the last stage's map, which its position biases are made for: 4 for images of 224². */
  readonly attentionSize?: number;
  /** `static` puts a plain depthwise 3×3 convolution in the place of LS convolutions, for comparison. */
  readonly mixer?: 'ls' | 'static';
  /** Two classifiers, one to learn from labels and one from a teacher; their mean answers. */
  readonly distilled?: boolean;
}

/** Images [n, channels, h, w] → logits [n, classes]. */
export class LSNet implements Mergeable {
  readonly stem: readonly ConvNorm[];
  readonly stages: readonly (readonly (Downsample | Block)[])[];
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
        : new StaticMixer(width(stage), random, { form });
    };
    this.stages = depths.map((depth, stage) => [
      ...(stage > 0 ? [new Downsample(width(stage - 1), width(stage), random, { form })] : []),
      ...Array.from({ length: depth }, (_, index) => new Block(mixerAt(stage, index), width(stage), random, { form })),
    ]);
    const last = width(dims.length - 1);
    this.heads = Array.from({ length: distilled ? 2 : 1 }, () => new Classifier(last, classes, random, { form }));
  }

  /** Logits of each classifier: of the labels, then, in distilled networks, of the teacher. */
  logits(x: Tensor, mode: Mode): Tensor[] {
    const stem = this.stem.reduce((y, layer, i) => {
      const next = layer.forward(y, mode);
      return i < this.stem.length - 1 ? relu(next) : next;
    }, x);
    const features = globalAveragePool(this.stages.flat().reduce<Tensor>((y, layer) => layer.forward(y, mode), stem));
    return this.heads.map((head) => head.forward(features, mode));
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const [first, second] = this.logits(x, mode) as [Tensor, Tensor | undefined];
    return second ? multiply(add(first, second), 0.5) : first;
  }

  /** The same function with norms folded into convolutions and parallel branches made one; LS convolutions stay dynamic. */
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

/** Published networks: ImageNet top-1 74.9, 77.8 and 80.3 (distilled 76.1, 79.0, 81.6); and a small one for 28² images. */
export const lsNets = {
  'lsnet-t': { dims: [64, 128, 256, 384], depths: [0, 2, 8, 10] },
  'lsnet-s': { dims: [96, 192, 320, 448], depths: [1, 2, 8, 10] },
  'lsnet-b': { dims: [128, 256, 384, 512], depths: [4, 6, 8, 10] },
  'lsnet-nano': { dims: [16, 32, 64, 96], depths: [2, 2, 2, 2], stem: [2, 1, 1], heads: 2, attentionSize: 2 },
} as const satisfies Record<string, LSNetOptions>;
