// The bodies of hypernetworks: tokens [B, K, d], one for each part that is generated at once, → features [B, K, h].

import { Conv1d, GRU, kaimingNormal, LayerNorm, Linear, MultiHeadAttention, parameter } from '../nn/index.js';
import { elu, gelu, leakyRelu, type Random, relu, reshape, type Tensor, tanh, zeros } from '../tensor/index.js';

export interface Trunk {
  /** h */
  readonly outFeatures: number;
  forward(tokens: Tensor): Tensor;
}

/** Makes a trunk for tokens of a size. */
export type TrunkFactory = (inFeatures: number, random: Random) => Trunk;

const activations = { relu, leakyRelu, elu, gelu, tanh } satisfies Record<string, (x: Tensor) => Tensor>;
export type TrunkActivation = keyof typeof activations;

export interface MLPTrunkOptions {
  readonly activation?: TrunkActivation;
  /** Hidden weights: `fan-in` keeps the variance of features, `fan-out` that of gradients; `torch` leaves layers as they start. Biases are 0 but for `torch`. */
  readonly init?: 'fan-in' | 'fan-out' | 'torch';
  /** Normalise hidden features by layer. */
  readonly norm?: 'none' | 'layer';
  /** No activation behind the last layer. */
  readonly linearLast?: boolean;
}

/** A perceptron on each token. */
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

/** √2 for rectifiers, √(2/(1 + 0.01²)) for the leaky one, 5/3 for tanh. */
export function gainOf(activation: TrunkActivation): number {
  return { relu: Math.SQRT2, gelu: Math.SQRT2, elu: Math.SQRT2, leakyRelu: Math.sqrt(2 / 1.0001), tanh: 5 / 3 }[
    activation
  ];
}

export interface ConvolutionTrunkOptions {
  /** Default: 3. */
  readonly kernel?: number;
}

/** Convolutions along the numbers of each token. */
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

/** A GRU over the parts, in their order. */
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

/** A transformer over the parts: each sees all others. Pre-norm blocks of attention and a perceptron of twice the width. */
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

export const mlpTrunk =
  (widths: readonly number[], options?: MLPTrunkOptions): TrunkFactory =>
  (inFeatures, random) =>
    new MLPTrunk(inFeatures, widths, random, options);
export const convolutionTrunk =
  (channels: readonly number[], options?: ConvolutionTrunkOptions): TrunkFactory =>
  (inFeatures, random) =>
    new ConvolutionTrunk(inFeatures, channels, random, options);
export const recurrentTrunk =
  (hidden: number): TrunkFactory =>
  (inFeatures, random) =>
    new RecurrentTrunk(inFeatures, hidden, random);
export const attentionTrunk =
  (features: number, options?: { readonly layers?: number; readonly heads?: number }): TrunkFactory =>
  (inFeatures, random) =>
    new AttentionTrunk(inFeatures, features, random, options);
