// Trunks of hypernetworks: tokens [B, K, d], one for each part of the weights → features [B, K, h].

import { Conv1d, GRU, kaimingNormal, LayerNorm, Linear, MultiHeadAttention, parameter } from '../nn/index.js';
import { elu, gelu, leakyRelu, type Random, relu, reshape, type Tensor, tanh, zeros } from '../tensor/index.js';

/** Body of a hypernetwork, between condition and output layers. */
export interface Trunk {
  /** h: dimension of the features. */
  readonly outFeatures: number;
  /** Tokens [B, K, d] → features [B, K, h]. */
  forward(tokens: Tensor): Tensor;
}

/**
 * Creates a trunk for tokens of dimension `inFeatures`, which is known only once the condition and
 * the generator are.
 */
export type TrunkFactory = (inFeatures: number, random: Random) => Trunk;

const activations = { relu, leakyRelu, elu, gelu, tanh } satisfies Record<string, (x: Tensor) => Tensor>;
/** Activation functions of MLP trunks. */
export type TrunkActivation = keyof typeof activations;

/** Options of `MLPTrunk`. */
export interface MLPTrunkOptions {
  /** Activation after each layer. Default: `relu`. */
  readonly activation?: TrunkActivation;
  /**
   * Initialisation of the layers. `fan-in` and `fan-out`: Kaiming-normal weights that preserve the
   * variance of features or gradients, and zero biases; `torch`: the default of `Linear`. Default:
   * `fan-in`.
   */
  readonly init?: 'fan-in' | 'fan-out' | 'torch';
  /** `layer`: layer norm before each activation. Default: `none`. */
  readonly norm?: 'none' | 'layer';
  /** Whether the last layer has no activation. Default: false. */
  readonly linearLast?: boolean;
}

/** An MLP applied to each token. */
export class MLPTrunk implements Trunk {
  readonly layers: readonly Linear[];
  readonly norms: readonly LayerNorm[];
  readonly outFeatures: number;
  readonly #activation: (x: Tensor) => Tensor;
  readonly #linearLast: boolean;

  constructor(
    inFeatures: number,
    widths: readonly number[],
    random: Random,
    { activation = 'relu', init = 'fan-in', norm = 'none', linearLast = false }: MLPTrunkOptions = {},
  ) {
    this.#activation = activations[activation];
    this.#linearLast = linearLast;
    this.outFeatures = widths.at(-1) ?? inFeatures;
    this.layers = widths.map((width, i) => {
      const from = widths[i - 1] ?? inFeatures;
      const layer = new Linear(from, width, random.split(i));
      if (init === 'torch') return layer;
      layer.weight = parameter(
        kaimingNormal(random.split(`hidden ${i}`), [width, from], { mode: init, gain: gainOf(activation) }),
      );
      layer.bias = parameter(zeros([width]));
      return layer;
    });
    this.norms = norm === 'layer' ? widths.map((width) => new LayerNorm(width)) : [];
  }

  forward(tokens: Tensor): Tensor {
    return this.layers.reduce((x, layer, i) => {
      const y = layer.forward(x);
      const normed = this.norms[i]?.forward(y) ?? y;
      return this.#linearLast && i === this.layers.length - 1 ? normed : this.#activation(normed);
    }, tokens);
  }
}

/**
 * Gain of an activation for variance-preserving initialisation: √2 for ReLU, ELU and GELU, √(2/(1 +
 * 0.01²)) for leaky ReLU, 5/3 for tanh.
 */
export function gainOf(activation: TrunkActivation): number {
  return { relu: Math.SQRT2, gelu: Math.SQRT2, elu: Math.SQRT2, leakyRelu: Math.sqrt(2 / 1.0001), tanh: 5 / 3 }[
    activation
  ];
}

/** Options of `ConvolutionTrunk`. */
export interface ConvolutionTrunkOptions {
  /** Kernel size, odd. Default: 3. */
  readonly kernel?: number;
}

/**
 * 1-d convolutions with ReLU along the dimensions of each token: [B, K, d] → [B, K, d·channels].
 */
export class ConvolutionTrunk implements Trunk {
  readonly convolutions: readonly Conv1d[];
  readonly outFeatures: number;

  constructor(
    readonly inFeatures: number,
    channels: readonly number[],
    random: Random,
    { kernel = 3 }: ConvolutionTrunkOptions = {},
  ) {
    this.convolutions = channels.map(
      (width, i) =>
        new Conv1d(channels[i - 1] ?? 1, width, kernel, random.split(i), { padding: Math.floor(kernel / 2) }),
    );
    this.outFeatures = inFeatures * (channels.at(-1) ?? 1);
  }

  forward(tokens: Tensor): Tensor {
    const [batch, count, size] = tokens.shape as [number, number, number];
    const y = this.convolutions.reduce((x, layer) => relu(layer.forward(x)), reshape(tokens, [batch * count, 1, size]));
    return reshape(y, [batch, count, this.outFeatures]);
  }
}

/** A GRU over the sequence of K tokens: [B, K, d] → [B, K, h]. */
export class RecurrentTrunk implements Trunk {
  readonly gru: GRU;

  constructor(
    inFeatures: number,
    readonly outFeatures: number,
    random: Random,
  ) {
    this.gru = new GRU(inFeatures, outFeatures, random);
  }

  forward(tokens: Tensor): Tensor {
    return this.gru.forward(tokens).outputs;
  }
}

/**
 * A transformer over the K tokens: pre-norm blocks of self-attention and an MLP of twice the width.
 */
export class AttentionTrunk implements Trunk {
  readonly input: Linear;
  readonly blocks: readonly AttentionBlock[];

  constructor(
    inFeatures: number,
    readonly outFeatures: number,
    random: Random,
    { layers = 1, heads = 2 }: { readonly layers?: number; readonly heads?: number } = {},
  ) {
    this.input = new Linear(inFeatures, outFeatures, random.split('input'));
    this.blocks = Array.from({ length: layers }, (_, i) => new AttentionBlock(outFeatures, heads, random.split(i)));
  }

  forward(tokens: Tensor): Tensor {
    return this.blocks.reduce((x, block) => block.forward(x), this.input.forward(tokens));
  }
}

class AttentionBlock {
  readonly norm1: LayerNorm;
  readonly attention: MultiHeadAttention;
  readonly norm2: LayerNorm;
  readonly up: Linear;
  readonly down: Linear;

  constructor(features: number, heads: number, random: Random) {
    this.norm1 = new LayerNorm(features);
    this.attention = new MultiHeadAttention(features, heads, random.split('attention'));
    this.norm2 = new LayerNorm(features);
    this.up = new Linear(features, 2 * features, random.split('up'));
    this.down = new Linear(2 * features, features, random.split('down'));
  }

  forward(x: Tensor): Tensor {
    const attended = x.add(this.attention.forward(this.norm1.forward(x)));
    return attended.add(this.down.forward(this.up.forward(this.norm2.forward(attended), 'relu')));
  }
}

/** An MLP on each token; h is the last width. */
export const mlpTrunk =
  (widths: readonly number[], options?: MLPTrunkOptions): TrunkFactory =>
  (inFeatures, random) =>
    new MLPTrunk(inFeatures, widths, random, options);
/** 1-d convolutions along the dimensions of each token; h = d · last number of channels. */
export const convolutionTrunk =
  (channels: readonly number[], options?: ConvolutionTrunkOptions): TrunkFactory =>
  (inFeatures, random) =>
    new ConvolutionTrunk(inFeatures, channels, random, options);
/** A GRU over the tokens; h is its hidden size. */
export const recurrentTrunk =
  (hidden: number): TrunkFactory =>
  (inFeatures, random) =>
    new RecurrentTrunk(inFeatures, hidden, random);
/**
 * A transformer over the tokens; h = `features`.
 *
 * @param options `layers`: number of blocks, default 1; `heads`: attention heads, default 2
 */
export const attentionTrunk =
  (features: number, options?: { readonly layers?: number; readonly heads?: number }): TrunkFactory =>
  (inFeatures, random) =>
    new AttentionTrunk(inFeatures, features, random, options);
