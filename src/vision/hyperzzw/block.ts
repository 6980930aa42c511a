// The slow-fast neural encoding block: branches of global and local hyper-kernels side by side,
// joined by a bottleneck.

import {
  BatchNorm2d,
  buffer,
  type Conv2d,
  Dropout2d,
  kaimingNormal,
  kaimingUniform,
  type Mode,
  parameter,
  parameters,
} from '../../nn/index.js';
import {
  add,
  broadcastTo,
  concatenate,
  multiply,
  type Random,
  sigmoid,
  type Tensor,
  zeros,
} from '../../tensor/index.js';
import { type Grid, MAGNet, pointwise } from './magnet.js';
import {
  type GlobalOperator,
  globalProduct,
  HyperChannelInteraction,
  HyperInteraction,
  LocalHyperZZW,
  RecurrentGatedUnit,
} from './operators.js';
import { type BottleneckNorm, GroupedStandardize, instanceStandardize, type StatisticsSource } from './statistics.js';

/** Sides of the local kernels, in the order of the branches that they write for. */
const LOCAL_KERNELS = [3, 9, 5, 7] as const;

/** Hidden features of the slow networks of a block. */
export interface SlowWidths {
  /** Of the global kernel. */
  readonly global: number;
  /** Of each local kernel. */
  readonly local: number;
  /** Of the kernel over channels. */
  readonly channel: number;
  /** Of the hyper interaction's kernels over channels and over positions. */
  readonly interaction: readonly [channel: number, spatial: number];
}

/** What an ablation changes of a block. */
export interface BlockChanges {
  /**
   * `alone`: the global kernel without the input's factor, the same for all images. Default:
   * `context`.
   */
  readonly weights?: 'context' | 'alone';
  /** Branches that are left out. Default: `none`. */
  readonly without?: 'none' | 'local' | 'global';
  /** `sum`: branches are added, not joined by a 1×1 convolution. Default: `bottleneck`. */
  readonly joining?: 'bottleneck' | 'sum';
  /** `batch`: batch norm with affine parameters in place of G-IBS. Default: `grouped`. */
  readonly norm?: 'grouped' | 'batch';
  /** Whether the block's input, channels repeated, is added to its output. Default: false. */
  readonly residual?: boolean;
  /** Whether the global slow network keeps its random weights. Default: false. */
  readonly fixedKernel?: boolean;
}

/** Configuration of one block. */
export interface BlockOptions extends BlockChanges {
  /** C, channels of the input. */
  readonly channels: number;
  /** Output channels over C. */
  readonly factor: number;
  /** Height and width of the maps. */
  readonly grid: Grid;
  /** Layers of the global slow network. */
  readonly layers: number;
  /** Hidden features of the slow networks. */
  readonly widths: SlowWidths;
  /** ω₀ of all slow networks. */
  readonly frequency: number;
  /** Number of earlier outputs that join the branches. */
  readonly links: number;
  /** Probability of dropping an output channel. */
  readonly dropout: number;
  /** The product over all positions. */
  readonly operator: GlobalOperator;
  /** Groups of G-IBS. */
  readonly groups: number;
  /** Whether the factors of S-renormalisation are trained. */
  readonly learnRenorm: boolean;
}

/** Layers of all slow networks but the global one. */
const LAYERS = 2;

/** Channels repeated until there are so many: [n, c, h, w] → [n, channels, h, w]. */
export function repeatChannels(x: Tensor, channels: number): Tensor {
  const times = channels / (x.shape[1] as number);
  if (!Number.isInteger(times)) throw new RangeError(`${channels} channels are no multiple of those of ${x}`);
  return concatenate(
    Array.from({ length: times }, () => x),
    1,
  );
}

/** What a block makes of its input. */
export interface BlockOutput {
  /** [n, factor·C, h, w]. */
  readonly output: Tensor;
  /** K, the global kernel [1, C, h, w]. */
  readonly kernel: Tensor;
  /** The normalised maps before GELU, [n, factor·C, h, w]. */
  readonly features: Tensor;
}

/**
 * A block from x [n, C, h, w] to [n, factor·C, h, w]. With context weights Ŵ = x ⊙ K, which a slow
 * network's kernel K and the input make, and `·` for the global operator:
 *
 * fast = IS(RGU₂(Ŵ) + RGU₁(x)), mix = IS(M·x), hci = IS(HCI(x));
 * o = Ŵ·fast, oₓ = Ŵ·mix, o_h = Ŵ·hci, σ(o) ⊙ o, HI(o; x), and four local branches;
 * output = Dropout(GELU(G-IBS(B·[branches, earlier outputs])) + a number).
 *
 * Nothing is added to a shortcut of x.
 */
export class SlowFastBlock {
  /** Writes K. */
  readonly slow: MAGNet;
  /** RGU₁ and RGU₂. */
  readonly gates: readonly [RecurrentGatedUnit, RecurrentGatedUnit];
  /** M. */
  readonly mixer: Conv2d;
  /** HCI. */
  readonly channelInteraction: HyperChannelInteraction;
  /** HI; none without global branches. */
  readonly interaction: HyperInteraction | undefined;
  /** Local branches of kernels 3, 9, 5 and 7. */
  readonly locals: readonly LocalHyperZZW[];
  /** B; none where branches are summed. */
  readonly bottleneck: Conv2d | undefined;
  /** The norm before GELU. */
  readonly norm: BottleneckNorm;
  /** The number that is added, [1]. */
  shift: Tensor;
  readonly #dropout: Dropout2d;

  constructor(
    readonly options: BlockOptions,
    source: StatisticsSource,
    random: Random,
  ) {
    const { channels, factor, grid, layers, widths, frequency, links, without = 'none', learnRenorm } = options;
    const small = (hidden: number) => ({ hidden, layers: LAYERS, frequency });
    const { global: hidden, interaction } = widths;
    this.slow = new MAGNet(grid, channels, { hidden, layers, frequency }, random.split('slow'));
    if (options.fixedKernel) for (const weight of Object.values(parameters(this.slow))) buffer(weight);
    this.gates = [
      new RecurrentGatedUnit(channels, grid, random.split('gate 1')),
      new RecurrentGatedUnit(channels, grid, random.split('gate 2')),
    ];
    this.mixer = pointwise(channels, channels, random.split('mixer'), kaimingNormal);
    this.channelInteraction = new HyperChannelInteraction(channels, small(widths.channel), random.split('channels'));
    if (without !== 'global')
      this.interaction = new HyperInteraction(
        ...([channels, grid, small(interaction[0]), small(interaction[1]), random.split('interaction')] as const),
      );
    const sides = without === 'local' ? [] : LOCAL_KERNELS;
    this.locals = sides.map((side) => {
      const kernel = [grid[0] === 1 ? 1 : side, side] as const;
      const slow = { ...small(widths.local), learnRenorm };
      return new LocalHyperZZW(channels, kernel, slow, source, random.split(`local ${side}`));
    });
    const out = factor * channels;
    const branches = 10 + links - { none: 0, local: LOCAL_KERNELS.length, global: 5 }[without];
    if (options.joining !== 'sum')
      this.bottleneck = pointwise(branches * channels, out, random.split('bottleneck'), (own, shape) =>
        kaimingUniform(own, shape, 1),
      );
    this.norm = options.norm === 'batch' ? new BatchNorm2d(out) : new GroupedStandardize(out, options.groups, source);
    this.shift = parameter(zeros([1]));
    this.#dropout = new Dropout2d(options.dropout);
  }

  /**
   * @param x [n, C, h, w]
   * @param earlier outputs of earlier blocks, whose channels are repeated to C
   */
  forward(x: Tensor, earlier: readonly Tensor[], mode: Mode): BlockOutput {
    const { channels, factor, weights = 'context', residual } = this.options;
    const kernel = this.slow.kernel();
    const context = weights === 'alone' ? broadcastTo(kernel, x.shape) : multiply(x, kernel);
    const branches = this.#branches(x, context, mode);
    const [first, second] = earlier.map((y) => repeatChannels(y, channels));
    if (first) branches.splice(branches.length > 8 ? 2 : 1, 0, first);
    if (second) branches.splice(branches.length - 1, 0, second);
    const joined = this.bottleneck
      ? this.bottleneck.forward(concatenate(branches, 1))
      : repeatChannels(branches.reduce(add), factor * channels);
    const features = this.norm.forward(joined, mode);
    const shifted = add(features.gelu(), this.shift);
    const own = this.#dropout.forward(shifted, mode);
    const output = residual ? add(own, repeatChannels(x, factor * channels)) : own;
    return { output, kernel, features };
  }

  /** All branches [n, C, h, w], in the paper's order. */
  #branches(x: Tensor, context: Tensor, mode: Mode): Tensor[] {
    const { operator } = this.options;
    const [ofInput, ofContext] = this.gates;
    const fast = instanceStandardize(add(ofContext.forward(context), ofInput.forward(x)));
    const mix = instanceStandardize(this.mixer.forward(x));
    const hci = instanceStandardize(this.channelInteraction.forward(x));
    const over = (z: Tensor) => globalProduct(operator, context, z);
    const pairs = [
      [x, hci],
      [hci, x],
      [mix, x],
      [x, mix],
    ] as const;
    const [f1, f2, f3, f4] = this.locals.map((local, i) =>
      local.forward(...(pairs[i] as (typeof pairs)[number]), mode),
    );
    if (!this.interaction) return [f2, fast, f1, f3, f4].filter((y) => y !== undefined);
    const o = over(fast);
    const branches = [o, f2, fast, over(mix), f1, multiply(sigmoid(o), o), f3, over(hci), f4];
    return [...branches, this.interaction.forward(o, x)].filter((y) => y !== undefined);
  }
}
