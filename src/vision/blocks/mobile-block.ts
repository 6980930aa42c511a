// The Meta Mobile Block: one form for feed-forward layers, inverted residuals and attention
// (Zhang et al., "Rethinking Mobile Block for Efficient Attention-based Models", ICCV 2023).
//
//   y = x + Proj(F(Expand_λ(x)))
//
// F passes pixels on: a feed-forward layer; F is a depthwise convolution: an inverted residual;
// F is attention: multi-head self-attention.

import {
  Activation,
  type ActivationName,
  BatchNorm2d,
  type Layer,
  type Mode,
  runSequence,
  type Sequence,
  type SpatialOperator,
  type SpatialOptions,
  StochasticDepth,
  spatialOperator,
} from '../../nn/index.js';
import { add, type Random, type Tensor } from '../../tensor/index.js';
import { ConvNorm } from './conv-norm.js';

/** Whether and how a block adds its input. */
export interface ResidualOptions {
  /** Whether the input is added, the one shortcut of the block. Default: true. */
  readonly residual?: boolean;
  /** Probability of leaving the branch out in training, by image. Default: 0. */
  readonly dropPath?: number;
}

/** y = x + Proj(F(Expand(x))), or without x: [n, c, h, w] → [n, c′, h′, w′]. */
export class MetaMobileBlock implements Layer {
  /** Whether the input is added. */
  readonly residual: boolean;
  readonly #drop: StochasticDepth;

  /**
   * @param expand widens the channels
   * @param operator F, which sees the neighbourhood
   * @param project narrows the channels
   */
  constructor(
    readonly expand: Layer,
    readonly operator: Layer,
    readonly project: Layer,
    { residual = true, dropPath = 0 }: ResidualOptions = {},
  ) {
    this.residual = residual;
    this.#drop = new StochasticDepth(dropPath);
  }

  /** x [n, c, h, w] → y. */
  forward(x: Tensor, mode: Mode): Tensor {
    const y = this.project.forward(this.operator.forward(this.expand.forward(x, mode), mode), mode);
    return this.residual ? add(x, this.#drop.forward(y, mode)) : y;
  }
}

/** Options of `mobileBlock`. */
export interface MobileBlockOptions extends SpatialOptions, ResidualOptions {
  /** λ: hidden channels over input channels. Default: 4. */
  readonly expansion?: number;
  /** F. Default: `depthwise`. */
  readonly operator?: SpatialOperator;
  /** Channels of the output. Default: those of the input. */
  readonly outChannels?: number;
  /**
   * `batch`: batch norm after each convolution and after F; `none`: biases alone. Default: `batch`.
   */
  readonly norm?: 'batch' | 'none';
  /** After the expansion, and after F unless it passes pixels on. Default: `relu6`. */
  readonly activation?: ActivationName;
}

/** Layers in order, as one. */
class Steps implements Layer {
  constructor(readonly steps: Sequence) {}

  forward(x: Tensor, mode: Mode): Tensor {
    return runSequence(this.steps, x, mode);
  }
}

/**
 * A Meta Mobile Block of 1×1 convolutions around a spatial operator: with `depthwise` the inverted
 * residual of MobileNet V2, with `none` and no norm a feed-forward layer, with `window-attention`
 * and λ = 1 self-attention. The input is added where shapes agree, unless `residual` says
 * otherwise.
 */
export function mobileBlock(channels: number, random: Random, options: MobileBlockOptions = {}): MetaMobileBlock {
  const { expansion = 4, operator = 'depthwise', outChannels = channels, stride = 1, dropPath = 0 } = options;
  const { norm = 'batch', activation = 'relu6', residual = stride === 1 && outChannels === channels } = options;
  const hidden = Math.floor(channels * expansion);
  const act = activation === 'none' ? [] : [new Activation(activation)];
  const mixed = [
    spatialOperator(operator, hidden, random, options),
    ...(norm === 'batch' ? [new BatchNorm2d(hidden)] : []),
    ...act,
  ];
  return new MetaMobileBlock(
    new Steps([new ConvNorm(channels, hidden, random, { norm }), ...act]),
    new Steps(operator === 'none' ? [] : mixed),
    new ConvNorm(hidden, outChannels, random, { norm }),
    { residual, dropPath },
  );
}
