// Residual networks (He, Zhang, Ren, Sun 2016): y = ReLU(F(x) + shortcut(x)).
//
// Two families. For small images: three groups of basic blocks with 16, 32, 64 channels and
// parameter-free shortcuts (subsampled pixels, zero-padded channels), depth 6n + 2. For large
// images: a 7×7 stem and four groups of basic or bottleneck blocks, with torchvision's field names,
// so that its checkpoints load.

import {
  BatchNorm2d,
  type BlockOperator,
  blockOperator,
  type Conv2d,
  Linear,
  type Mode,
  runSequence,
  type Sequence,
} from '../nn/index.js';
import {
  add,
  globalAveragePool,
  maxPool2d,
  pad,
  type Random,
  requireChoice,
  slice,
  type Tensor,
} from '../tensor/index.js';
import { heConv } from './conv-norm.js';
import { roundChannels } from './mobilenet.js';

/** Makes a convolution without bias and what else `heConv` takes. */
export type ConvolutionMaker = typeof heConv;

/** Makes a spatial operator of a block, with what follows it. */
export type OperatorMaker = (channels: number, stride: number, random: Random) => Sequence;

/** Options of residual blocks. */
export interface BlockOptions {
  /** Makes the convolutions. Default: `heConv`. */
  readonly conv?: ConvolutionMaker;
  /**
   * What a bottleneck has in the place of its 3×3 convolution, norm and ReLU, see `blockOperator`,
   * or what makes it. Default: `convolution`.
   */
  readonly operator?: BlockOperator | OperatorMaker;
}

/** Residual block of two 3×3 convolutions. */
export class BasicBlock {
  static readonly expansion = 1;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: Sequence | undefined;

  constructor(
    inChannels: number,
    channels: number,
    stride: number,
    shortcut: Shortcut,
    random: Random,
    { conv = heConv }: BlockOptions = {},
  ) {
    this.conv1 = conv(inChannels, channels, 3, random, { stride, padding: 1 });
    this.bn1 = new BatchNorm2d(channels);
    this.conv2 = conv(channels, channels, 3, random, { padding: 1 });
    this.bn2 = new BatchNorm2d(channels);
    this.downsample = shortcut(inChannels, channels, stride, random);
  }

  forward(x: Tensor, mode: Mode): Tensor {
    const hidden = this.bn1.forward(this.conv1.forward(x), mode).relu();
    const residual = this.bn2.forward(this.conv2.forward(hidden), mode);
    return add(residual, this.downsample ? runSequence(this.downsample, x, mode) : x).relu();
  }
}

/**
 * Bottleneck block: 1×1 to a quarter of the output channels, 3×3 or another spatial operator with
 * the stride, 1×1.
 */
export class Bottleneck {
  /** Channels of the output over those between. */
  static readonly expansion = 4;
  /** 1×1 convolution that narrows. */
  readonly conv1: Conv2d;
  /** Its norm. */
  readonly bn1: BatchNorm2d;
  /** 3×3 convolution; undefined with another operator. */
  conv2: Conv2d | undefined;
  /** Its norm. */
  bn2: BatchNorm2d | undefined;
  /** Another spatial operator, with the norm and activation that it has. */
  spatial: Sequence | undefined;
  /** 1×1 convolution that widens. */
  readonly conv3: Conv2d;
  /** Its norm. */
  readonly bn3: BatchNorm2d;
  /** Shortcut; undefined for the identity. */
  readonly downsample: Sequence | undefined;

  constructor(
    inChannels: number,
    channels: number,
    readonly stride: number,
    shortcut: Shortcut,
    random: Random,
    { conv = heConv, operator = 'convolution' }: BlockOptions = {},
  ) {
    const outChannels = channels * Bottleneck.expansion;
    this.conv1 = conv(inChannels, channels, 1, random);
    this.bn1 = new BatchNorm2d(channels);
    if (operator === 'convolution') {
      this.conv2 = conv(channels, channels, 3, random, { stride, padding: 1 });
      this.bn2 = new BatchNorm2d(channels);
    } else if (typeof operator === 'function') this.spatial = operator(channels, stride, random);
    else this.spatial = blockOperator(operator, channels, random, { stride });
    this.conv3 = conv(channels, outChannels, 1, random);
    this.bn3 = new BatchNorm2d(outChannels);
    this.downsample = shortcut(inChannels, outChannels, stride, random);
  }

  /** x [n, inChannels, h, w] → [n, 4·channels, ⌈h/stride⌉, ⌈w/stride⌉]. */
  forward(x: Tensor, mode: Mode): Tensor {
    const narrow = this.bn1.forward(this.conv1.forward(x), mode).relu();
    const mixed = this.#mixed(narrow, mode);
    const residual = this.bn3.forward(this.conv3.forward(mixed), mode);
    return add(residual, this.downsample ? runSequence(this.downsample, x, mode) : x).relu();
  }

  #mixed(x: Tensor, mode: Mode): Tensor {
    const { conv2, bn2, spatial } = this;
    return conv2 && bn2 ? bn2.forward(conv2.forward(x), mode).relu() : runSequence(spatial ?? [], x, mode);
  }
}

/** The shortcut branch of a block; undefined for the identity, where shapes agree. */
export type Shortcut = (
  inChannels: number,
  outChannels: number,
  stride: number,
  random: Random,
) => Sequence | undefined;

/** Projection shortcut, 1×1 convolution and norm: option B of the paper. */
export const projectionBy =
  (conv: ConvolutionMaker): Shortcut =>
  (inChannels, outChannels, stride, random) =>
    stride === 1 && inChannels === outChannels
      ? undefined
      : [conv(inChannels, outChannels, 1, random, { stride }), new BatchNorm2d(outChannels)];

/** Projection shortcut of `heConv`. */
export const projection = projectionBy(heConv);

/** Subsampled pixels, with new channels zero-padded half on each side: option A. */
const subsampling: Shortcut = (inChannels, outChannels, stride) => {
  if (stride === 1 && inChannels === outChannels) return undefined;
  const extra = outChannels - inChannels;
  const channels = [extra >> 1, extra - (extra >> 1)] as const;
  return [
    {
      forward(x) {
        const [, , height, width] = x.shape as [number, number, number, number];
        const pixels = slice(x, null, null, [0, height, stride], [0, width, stride]);
        return pad(pixels, [[0, 0], channels, [0, 0], [0, 0]]);
      },
    },
  ];
};

/** Either block. */
export type ResidualBlock = BasicBlock | Bottleneck;

/** Channels of the four groups. */
type Widths = [number, number, number, number];

/** Blocks of the same width, the first of which has the stride. */
export function residualGroup(
  kind: typeof BasicBlock | typeof Bottleneck,
  inChannels: number,
  channels: number,
  count: number,
  stride: number,
  shortcut: Shortcut,
  random: Random,
  options: BlockOptions = {},
): ResidualBlock[] {
  return Array.from({ length: count }, (_, i) =>
    i === 0
      ? new kind(inChannels, channels, stride, shortcut, random, options)
      : new kind(channels * kind.expansion, channels, 1, shortcut, random, options),
  );
}

/** Architecture options of a ResNet for small images. */
export interface SmallResNetOptions {
  /** Channels of the input images. Default: 3. */
  readonly channels?: number;
  /** Number of classes. Default: 10. */
  readonly classes?: number;
  /** Channels of the three groups. Default: [16, 32, 64]. */
  readonly widths?: readonly [number, number, number];
  /**
   * Shortcuts where the shape changes: `subsampled` pixels with channels of zeros, which has no
   * weights, or a 1×1 convolution with a norm, `projection`. Default: `subsampled`.
   */
  readonly shortcut?: 'subsampled' | 'projection';
}

/**
 * ResNet for small images, of depth 6n + 2: 8, 14, 20, 32, 44, 56, 110.
 *
 * @throws RangeError for another depth.
 */
export class SmallResNet {
  /** 3×3 stem. */
  readonly conv1: Conv2d;
  /** Norm of the stem. */
  readonly bn1: BatchNorm2d;
  /** First group of blocks, at full resolution. */
  readonly layer1: readonly ResidualBlock[];
  /** Second group, at half the resolution. */
  readonly layer2: readonly ResidualBlock[];
  /** Third group, at a quarter of the resolution. */
  readonly layer3: readonly ResidualBlock[];
  /** Classifier. */
  readonly linear: Linear;

  constructor(
    depth: number,
    random: Random,
    { channels = 3, classes = 10, widths = [16, 32, 64], shortcut = 'subsampled' }: SmallResNetOptions = {},
  ) {
    const n = (depth - 2) / 6;
    if (!Number.isInteger(n) || n < 1)
      throw new RangeError(`SmallResNet: the depth must be 6n + 2 (8, 14, 20, …), got ${depth}`);
    requireChoice('SmallResNet', 'shortcut', shortcut, ['subsampled', 'projection']);
    const by = shortcut === 'projection' ? projection : subsampling;
    this.conv1 = heConv(channels, widths[0], 3, random, { padding: 1 });
    this.bn1 = new BatchNorm2d(widths[0]);
    this.layer1 = residualGroup(BasicBlock, widths[0], widths[0], n, 1, by, random);
    this.layer2 = residualGroup(BasicBlock, widths[0], widths[1], n, 2, by, random);
    this.layer3 = residualGroup(BasicBlock, widths[1], widths[2], n, 2, by, random);
    this.linear = new Linear(widths[2], classes, random);
  }

  /** The map after each group, the finest first, for dense prediction. */
  maps(x: Tensor, mode: Mode): Tensor[] {
    const stem = this.bn1.forward(this.conv1.forward(x), mode).relu();
    const first = runSequence(this.layer1, stem, mode);
    const second = runSequence(this.layer2, first, mode);
    return [first, second, runSequence(this.layer3, second, mode)];
  }

  /** Images [n, channels, h, w] → logits [n, classes]. */
  forward(x: Tensor, mode: Mode): Tensor {
    return this.linear.forward(globalAveragePool(this.maps(x, mode)[2] as Tensor));
  }
}

/** Architecture options of a ResNet for large images. */
export interface ResNetOptions {
  /** Channels of the input images. Default: 3. */
  readonly channels?: number;
  /** Number of classes. Default: 1000. */
  readonly classes?: number;
  /** Width multiplier of all channel counts, which are rounded to multiples of 8. Default: 1. */
  readonly width?: number;
  /** Spatial operator of bottleneck blocks. Default: `convolution`. */
  readonly operator?: BlockOperator;
}

/** ResNet-18, -34 or -50. */
export class ResNet {
  /** 7×7 stem with stride 2. */
  readonly conv1: Conv2d;
  /** Norm of the stem. */
  readonly bn1: BatchNorm2d;
  /** First group of blocks, 64 channels (at width 1, as those below). */
  readonly layer1: readonly ResidualBlock[];
  /** Second group, 128 channels. */
  readonly layer2: readonly ResidualBlock[];
  /** Third group, 256 channels. */
  readonly layer3: readonly ResidualBlock[];
  /** Fourth group, 512 channels; bottleneck blocks output four times as many. */
  readonly layer4: readonly ResidualBlock[];
  /** Classifier. */
  readonly fc: Linear;

  /** @throws RangeError for another operator in a network without bottleneck blocks */
  constructor(
    depth: keyof typeof depths,
    random: Random,
    { channels = 3, classes = 1000, width = 1, operator = 'convolution' }: ResNetOptions = {},
  ) {
    const { kind, blocks } = depths[depth];
    if (operator !== 'convolution' && kind === BasicBlock)
      throw new RangeError(`ResNet-${depth} has no 1×1 convolutions to mix channels beside ${operator}; ResNet-50 has`);
    const own = { operator };
    const { expansion } = kind;
    const [first, second, third, fourth] = [64, 128, 256, 512].map((count) => roundChannels(width * count)) as Widths;
    this.conv1 = heConv(channels, first, 7, random, { stride: 2, padding: 3 });
    this.bn1 = new BatchNorm2d(first);
    this.layer1 = residualGroup(kind, first, first, blocks[0], 1, projection, random, own);
    this.layer2 = residualGroup(kind, first * expansion, second, blocks[1], 2, projection, random, own);
    this.layer3 = residualGroup(kind, second * expansion, third, blocks[2], 2, projection, random, own);
    this.layer4 = residualGroup(kind, third * expansion, fourth, blocks[3], 2, projection, random, own);
    this.fc = new Linear(fourth * expansion, classes, random);
  }

  /** Images [n, channels, h, w] → logits [n, classes]. */
  forward(x: Tensor, mode: Mode): Tensor {
    const stem = this.bn1.forward(this.conv1.forward(x), mode).relu();
    const pooled = maxPool2d(stem, 3, { stride: 2, padding: 1 });
    const features = runSequence([this.layer1, this.layer2, this.layer3, this.layer4], pooled, mode);
    return this.fc.forward(globalAveragePool(features));
  }
}

/** ImageNet top-1 of torchvision's weights: 69.76, 73.31, 76.2 %. */
const depths = {
  18: { kind: BasicBlock, blocks: [2, 2, 2, 2] },
  34: { kind: BasicBlock, blocks: [3, 4, 6, 3] },
  50: { kind: Bottleneck, blocks: [3, 4, 6, 3] },
} as const;
