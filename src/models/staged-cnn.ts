// A small convolutional network in stages, and the elastic network that contains all that are
// narrower, shallower or have smaller kernels.

import {
  BatchNorm2d,
  type Configuration,
  type Conv2d,
  type Elastic,
  type Genes,
  inference,
  type Layer,
  Linear,
  type Mode,
} from '../nn/index.js';
import { add, Random, type Tensor } from '../tensor/index.js';
import { heConv } from './conv-norm.js';

/** A stage: its channels, and the kernel of each of its blocks. */
export interface Stage {
  /** Channels. */
  readonly width: number;
  /** Kernel of each block, odd; as many as it has blocks. */
  readonly kernels: readonly number[];
}

/** Options of `StagedCnn`. */
export interface StagedCnnOptions {
  /** Channels of the images. */
  readonly channels: number;
  /** Number of classes, the width of the logits. */
  readonly classes: number;
  /** Channels of the first convolution. */
  readonly stem: number;
  /** Stride of the first convolution, which suits large pictures. Default: 1. */
  readonly stride?: number;
  /** Stages in order; every one but the first halves the map. */
  readonly stages: readonly Stage[];
}

/** y = ReLU(BN(conv(x)) + x), without the sum where shapes differ. */
class Block implements Layer {
  readonly conv: Conv2d;
  readonly norm: BatchNorm2d;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    kernel: number,
    readonly stride: number,
    random: Random,
  ) {
    this.conv = heConv(inChannels, outChannels, kernel, random, { stride, padding: (kernel - 1) / 2 });
    this.norm = new BatchNorm2d(outChannels);
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const y = this.conv.forward(x);
    if (this.stride > 1 || this.inChannels !== this.outChannels) return this.norm.forward(y, mode, 'relu');
    return add(this.norm.forward(y, mode), x).relu();
  }
}

/**
 * A convolution, stages of residual blocks of one k × k convolution each, global average pooling
 * and a linear layer.
 *
 * **Shapes**: images [n, channels, height, width] → logits [n, classes].
 */
export class StagedCnn implements Layer {
  /** The first convolution. */
  readonly stem: Block;
  /** Blocks of each stage. */
  readonly stages: readonly (readonly Block[])[];
  /** To logits: weight [classes, width of the last stage]. */
  readonly head: Linear;

  /** @throws RangeError for a stage without a block, or an even kernel */
  constructor(
    readonly options: StagedCnnOptions,
    random: Random,
  ) {
    const { channels, classes, stem, stride = 1, stages } = options;
    const wrong = stages.findIndex(({ width, kernels }) => width < 1 || kernels.length === 0 || kernels.some(isEven));
    if (wrong >= 0 || stages.length === 0)
      throw new RangeError(`StagedCnn: stage ${wrong + 1} needs channels, and an odd kernel for each block`);
    this.stem = new Block(channels, stem, 2 * Math.floor(stride / 2) + (stride > 1 ? 1 : 3), stride, random);
    let from = stem;
    this.stages = stages.map(({ width, kernels }, s) =>
      kernels.map((kernel, b) => {
        const block = new Block(from, width, kernel, s > 0 && b === 0 ? 2 : 1, random);
        from = width;
        return block;
      }),
    );
    this.head = new Linear(from, classes, random);
  }

  /** Images [n, channels, height, width] → logits [n, classes]. */
  forward(x: Tensor, mode: Mode = inference): Tensor {
    const map = this.stages.flat().reduce((y, block) => block.forward(y, mode), this.stem.forward(x, mode));
    return this.head.forward(map.mean([2, 3]));
  }
}

const isEven = (kernel: number) => kernel % 2 === 0;

/** Options of `ElasticCnn`. */
export interface ElasticCnnOptions extends Pick<StagedCnnOptions, 'channels' | 'classes' | 'stride'> {
  /** Channels of the first stage at its widest; each next stage has twice as many. Default: 16. */
  readonly width?: number;
  /** Number of stages. Default: 3. */
  readonly stages?: number;
  /** Blocks of a stage at its deepest. Default: 3. */
  readonly depth?: number;
  /** Default: `sandwich`. */
  readonly training?: Elastic['training'];
}

/** Shares of the channels of a stage. */
const WIDTHS = [0.25, 0.5, 0.75, 1];
/** Kernels of a block. */
const KERNELS = [3, 5];

const stagesFor = (width: number, stages: number, depth: number): readonly Stage[] =>
  Array.from({ length: stages }, (_, s) => ({
    width: width * 2 ** s,
    kernels: Array.from({ length: depth }, () => KERNELS.at(-1) as number),
  }));

/**
 * The largest network of a space: of each stage, ¼ to all of the channels and 1 to all of the
 * blocks; of each block, a 3 × 3 or 5 × 5 kernel.
 */
export class ElasticCnn extends StagedCnn implements Elastic {
  readonly genes: Genes;
  readonly phases = ['kernel', 'depth', 'width'] as const;
  readonly training: Elastic['training'];
  progress = 0;

  /** @throws RangeError unless the width is a multiple of 4 */
  constructor(
    { width = 16, stages = 3, depth = 3, training = 'sandwich', ...shape }: ElasticCnnOptions,
    random: Random,
  ) {
    if (width % 4 !== 0) throw new RangeError(`ElasticCnn: the width is a multiple of 4, got ${width}`);
    super({ ...shape, stem: width / 2, stages: stagesFor(width, stages, depth) }, random);
    this.training = training;
    this.genes = {
      depth: { count: stages, values: Array.from({ length: depth }, (_, i) => i + 1) },
      width: { count: stages, values: WIDTHS },
      kernel: {
        count: stages * depth,
        values: KERNELS,
        active: (at, configuration) => at % depth < (configuration.depth?.[Math.floor(at / depth)] as number),
      },
    };
  }

  /** Sizes of a sub-network. */
  optionsOf(configuration: Configuration): StagedCnnOptions {
    const { options } = this;
    return {
      ...options,
      stages: options.stages.map(({ width, kernels }, s) => ({
        width: Math.round(width * (configuration.width?.[s] as number)),
        kernels: (configuration.kernel ?? [])
          .slice(s * kernels.length, (s + 1) * kernels.length)
          .slice(0, configuration.depth?.[s]),
      })),
    };
  }

  subNetwork(configuration: Configuration): StagedCnn {
    return new StagedCnn(this.optionsOf(configuration), new Random(0));
  }
}
