// A small network of bottleneck blocks, each with a spatial operator of its own: the nano of our
// experiments, the network that a search mixes operators in, and the one that it finds.

import { Bottleneck, heConv, type OperatorMaker, projection } from '../../models/index.js';
import {
  BatchNorm2d,
  type BlockOperator,
  type Conv2d,
  type Layer,
  Linear,
  type Mode,
  runSequence,
  type Sequence,
} from '../../nn/index.js';
import { globalAveragePool, maxPool2d, type Random, type Tensor } from '../../tensor/index.js';

/** Blocks of each stage. */
const BLOCKS = 2;
/** Stride of the first block of each stage. */
const STRIDES = [1, 2, 2] as const;

/** Strides of the blocks of a `PfNano`, in order. */
export const nanoStrides: readonly number[] = STRIDES.flatMap((stride) => [stride, 1]);

/** Configuration of `PfNano`. */
export interface PfNanoOptions {
  /** Channels of the images. Default: 3. */
  readonly channels?: number;
  /** Number of classes. Default: 10. */
  readonly classes?: number;
  /**
   * Width of each stage, a quarter of what its blocks give; the stem has twice the first.
   * Default: [8, 16, 32].
   */
  readonly widths?: readonly [number, number, number];
  /** Spatial operator of all blocks, or of each of the six. Default: `max-pool`. */
  readonly operator?: BlockOperator | readonly (BlockOperator | OperatorMaker)[];
}

/**
 * For images of 28 to 64 pixels: 3×3 convolution, norm, ReLU and 3×3 max pooling with stride 2,
 * three stages of two bottleneck blocks, the mean of the last map, a linear layer. Images
 * [n, channels, h, w] → logits [n, classes].
 */
export class PfNano implements Layer {
  /** 3×3 stem. */
  readonly conv1: Conv2d;
  /** Norm of the stem. */
  readonly bn1: BatchNorm2d;
  /** The six blocks. */
  readonly blocks: readonly Bottleneck[];
  /** Classifier. */
  readonly fc: Linear;

  /** @throws RangeError for another number of operators than blocks */
  constructor(random: Random, options: PfNanoOptions = {}) {
    const { channels = 3, classes = 10, widths = [8, 16, 32], operator = 'max-pool' } = options;
    const operators = typeof operator === 'string' ? nanoStrides.map(() => operator) : operator;
    if (operators.length !== nanoStrides.length)
      throw new RangeError(`PfNano: ${nanoStrides.length} blocks need as many operators, got ${operators.length}`);
    let last = 2 * widths[0];
    this.conv1 = heConv(channels, last, 3, random, { padding: 1 });
    this.bn1 = new BatchNorm2d(last);
    this.blocks = operators.map((own, at) => {
      const [inChannels, width] = [last, widths[Math.floor(at / BLOCKS)] as number];
      last = Bottleneck.expansion * width;
      return new Bottleneck(inChannels, width, nanoStrides[at] as number, projection, random, { operator: own });
    });
    this.fc = new Linear(last, classes, random);
  }

  /** The last map of each stage, the finest first, for dense prediction. */
  maps(x: Tensor, mode: Mode): Tensor[] {
    let y = maxPool2d(this.bn1.forward(this.conv1.forward(x), mode).relu(), 3, { stride: 2, padding: 1 });
    return STRIDES.map((_, stage) => {
      y = runSequence(this.blocks.slice(BLOCKS * stage, BLOCKS * (stage + 1)) as Sequence, y, mode);
      return y;
    });
  }

  forward(x: Tensor, mode: Mode): Tensor {
    return this.fc.forward(globalAveragePool(this.maps(x, mode).at(-1) as Tensor));
  }
}
