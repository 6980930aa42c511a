// The block of EMOv2, i²RMB: a Meta Mobile Block whose expansion is a 1×1 convolution or attention
// within windows, whose F is a depthwise convolution beside a shortcut of its own, and whose
// projection is scaled by a gain for each channel.
//
//   u = Expand(Norm(x)), u′ = u + SiLU(BN(DW ∗ u)), y = x + γ ⊙ (W·u′)
//
// Blocks that change the size of the map have neither shortcut.

import {
  type ActivationName,
  activate,
  BatchNorm2d,
  Conv2d,
  type Layer,
  LayerNorm2d,
  type Mode,
  parameter,
  type Weights,
  WindowAttention,
  type WindowPattern,
} from '../../nn/index.js';
import { add, full, matmul, multiply, type Random, reshape, silu, type Tensor } from '../../tensor/index.js';
import { affineOf, ConvNorm } from '../blocks/conv-norm.js';
import { MetaMobileBlock } from '../blocks/mobile-block.js';

/** ε of all norms. */
export const EPSILON = 1e-6;

/** Training or inference form. */
export interface EMOv2Form {
  /**
   * `merged`: batch norms and gains folded into convolutions, for inference. Default: `training`.
   */
  readonly form?: 'training' | 'merged';
}

/** Attention of an expansion. */
export interface ExpandedAttention {
  /** Patterns that are summed: of EMOv2 `remote` and `close`, of EMO `remote`. */
  readonly patterns: readonly WindowPattern[];
  /** Channels of a head's queries and keys, a divisor of the input channels. */
  readonly headChannels: number;
  /** Side of a window; 0 for the whole map. */
  readonly window: number;
}

/** Configuration of a block. */
export interface EMOv2BlockOptions extends EMOv2Form {
  /** Channels of the output. Default: those of the input. */
  readonly outChannels?: number;
  /** e: hidden channels are ⌊e·channels⌋. */
  readonly expansion: number;
  /** Stride of the depthwise convolution. Default: 1. */
  readonly stride?: number;
  /** Kernel of the depthwise convolution. Default: 5. */
  readonly kernel?: number;
  /** Norm of the input. Default: `batch`. */
  readonly norm?: 'batch' | 'layer';
  /** Activation of the expansion. Default: `silu`. */
  readonly activation?: ActivationName;
  /** Attention that expands, in place of a 1×1 convolution. Default: none. */
  readonly attention?: ExpandedAttention | undefined;
  /** Initial γ; 0 leaves it out. Default: 1e-6. */
  readonly layerScale?: number;
  /** Whether the block has its two shortcuts. Default: where shapes agree. */
  readonly residual?: boolean;
  /** Probability of leaving the branch out in training, by image. Default: 0. */
  readonly dropPath?: number;
}

/** Norm, then a 1×1 convolution with bias or attention, both with an activation. */
class Expansion implements Layer {
  /** Of the input; none where it is folded into the convolution. */
  readonly norm: BatchNorm2d | LayerNorm2d | undefined;
  readonly conv: Conv2d | undefined;
  readonly attention: WindowAttention | undefined;

  constructor(
    channels: number,
    hidden: number,
    { norm = 'batch', activation = 'silu', attention, form }: EMOv2BlockOptions,
    random: Random,
  ) {
    this.activation = activation;
    const isFolded = form === 'merged' && norm === 'batch' && !attention;
    if (!isFolded)
      this.norm =
        norm === 'layer'
          ? new LayerNorm2d(channels, { epsilon: EPSILON })
          : new BatchNorm2d(channels, { epsilon: EPSILON });
    if (attention) {
      const heads = channels / attention.headChannels;
      if (!Number.isInteger(heads))
        throw new RangeError(
          `EMOv2: heads of ${attention.headChannels} channels do not divide the ${channels} channels of a stage`,
        );
      const { window, patterns } = attention;
      this.attention = new WindowAttention(
        channels,
        { heads, outChannels: hidden, window, patterns, activation },
        random,
      );
    } else this.conv = new Conv2d(channels, hidden, 1, random);
  }

  readonly activation: ActivationName;

  forward(x: Tensor, mode: Mode): Tensor {
    const y = this.norm?.forward(x, mode) ?? x;
    return this.attention?.forward(y) ?? activate((this.conv as Conv2d).forward(y), this.activation);
  }

  /** Batch norm folded into the convolution: W·scale and b + W·shift. */
  mergedWeights(): Weights {
    const { norm, conv } = this;
    if (!(norm instanceof BatchNorm2d && conv)) return {};
    const { scale, shift } = affineOf(norm);
    const [out, channels] = conv.weight.shape as [number, number];
    const moved = reshape(matmul(reshape(conv.weight, [out, channels]), reshape(shift, [-1, 1])), [-1]);
    return {
      'conv.weight': multiply(conv.weight, reshape(scale, [1, -1, 1, 1])),
      'conv.bias': add(conv.bias as Tensor, moved),
    };
  }
}

/** u + SiLU(BN(DW ∗ u)), or the second summand alone. */
class LocalMixing implements Layer {
  /** The depthwise convolution with its norm. */
  readonly conv: ConvNorm;

  constructor(
    hidden: number,
    readonly residual: boolean,
    { kernel = 5, stride = 1, form }: EMOv2BlockOptions,
    random: Random,
  ) {
    this.conv = new ConvNorm(hidden, hidden, random, {
      ...{ kernel, stride, groups: hidden, epsilon: EPSILON, padding: Math.ceil((kernel - stride) / 2) },
      norm: form === 'merged' ? 'none' : 'batch',
    });
  }

  forward(u: Tensor, mode: Mode): Tensor {
    const local = silu(this.conv.forward(u, mode));
    return this.residual ? add(u, local) : local;
  }

  mergedWeights(): Weights {
    const { weight, bias } = this.conv.folded();
    return { 'conv.conv.weight': weight, 'conv.conv.bias': bias as Tensor };
  }
}

/** γ ⊙ (W·u), a 1×1 convolution without a bias. */
class ScaledProjection implements Layer {
  readonly conv: Conv2d;
  /** γ [outChannels], never decayed; none where it is folded or left out. */
  gamma: Tensor | undefined;

  constructor(hidden: number, outChannels: number, { layerScale = EPSILON, form }: EMOv2BlockOptions, random: Random) {
    this.conv = new Conv2d(hidden, outChannels, 1, random, { bias: false });
    if (layerScale > 0 && form !== 'merged') this.gamma = parameter(full([outChannels], layerScale));
  }

  forward(u: Tensor): Tensor {
    const y = this.conv.forward(u);
    return this.gamma ? multiply(y, reshape(this.gamma, [-1, 1, 1])) : y;
  }

  mergedWeights(): Weights {
    const { conv, gamma } = this;
    return { 'conv.weight': gamma ? multiply(conv.weight, reshape(gamma, [-1, 1, 1, 1])) : conv.weight };
  }
}

/** i²RMB: [n, channels, h, w] → [n, outChannels, ⌈h/stride⌉, ⌈w/stride⌉]. */
export class EMOv2Block extends MetaMobileBlock {
  /** Norm, then a 1×1 convolution or attention. */
  declare readonly expand: Expansion;
  /** The depthwise convolution beside a shortcut of its own. */
  declare readonly operator: LocalMixing;
  /** 1×1 convolution and γ. */
  declare readonly project: ScaledProjection;

  /** @throws RangeError when heads do not divide the channels, naming both numbers */
  constructor(channels: number, options: EMOv2BlockOptions, random: Random) {
    const { outChannels = channels, expansion, stride = 1, dropPath = 0 } = options;
    const { residual = stride === 1 && outChannels === channels } = options;
    const hidden = Math.floor(channels * expansion);
    super(
      new Expansion(channels, hidden, options, random),
      new LocalMixing(hidden, residual, options, random),
      new ScaledProjection(hidden, outChannels, options, random),
      { residual, dropPath },
    );
  }

  /** Weights of the merged form that differ from those of the training form, by name. */
  mergedWeights(): Weights {
    return prefixed({
      expand: this.expand.mergedWeights(),
      operator: this.operator.mergedWeights(),
      project: this.project.mergedWeights(),
    });
  }
}

/** Weights of several modules, each name behind that of its module. */
export function prefixed(modules: Readonly<Record<string, Weights>>): Weights {
  return Object.fromEntries(
    Object.entries(modules).flatMap(([module, weights]) =>
      Object.entries(weights).map(([name, weight]) => [`${module}.${name}`, weight]),
    ),
  );
}
