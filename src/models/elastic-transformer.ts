// A small causal transformer over tokens, and the elastic one that contains all with fewer layers,
// fewer heads in a layer or narrower feed-forward layers.

import {
  type Configuration,
  type Elastic,
  Embedding,
  type Genes,
  joinHeads,
  type Layer,
  LayerNorm,
  Linear,
  parameter,
  splitHeads,
} from '../nn/index.js';
import { add, attention, Random, reshape, slice, type Tensor } from '../tensor/index.js';

/** A layer: its heads, and the width of its feed-forward part. */
export interface TransformerLayerSizes {
  readonly heads: number;
  readonly hidden: number;
}

/** Options of `TokenTransformer`. */
export interface TokenTransformerOptions {
  /** Number of tokens. */
  readonly vocabulary: number;
  /** Tokens of a window. */
  readonly length: number;
  /** Features of a token. */
  readonly features: number;
  /** Features of a head. */
  readonly headFeatures: number;
  /** Sizes of each layer. */
  readonly layers: readonly TransformerLayerSizes[];
}

/** x′ = x + Wₒ·Attention(LN(x)), y = x′ + W₂·GELU(W₁·LN(x′)). */
class TransformerLayer implements Layer {
  readonly norm1: LayerNorm;
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly out: Linear;
  readonly norm2: LayerNorm;
  readonly fc1: Linear;
  readonly fc2: Linear;

  constructor(
    features: number,
    headFeatures: number,
    readonly sizes: TransformerLayerSizes,
    random: Random,
  ) {
    const { heads, hidden } = sizes;
    const inner = heads * headFeatures;
    this.norm1 = new LayerNorm(features);
    this.query = new Linear(features, inner, random);
    this.key = new Linear(features, inner, random);
    this.value = new Linear(features, inner, random);
    this.out = new Linear(inner, features, random);
    this.norm2 = new LayerNorm(features);
    this.fc1 = new Linear(features, hidden, random);
    this.fc2 = new Linear(hidden, features, random);
  }

  forward(x: Tensor): Tensor {
    const normed = this.norm1.forward(x);
    const part = (layer: Linear) => splitHeads(layer.forward(normed), this.sizes.heads);
    const mixed = joinHeads(attention(part(this.query), part(this.key), part(this.value), { causal: true }));
    const attended = add(x, this.out.forward(mixed));
    return add(attended, this.fc2.forward(this.fc1.forward(this.norm2.forward(attended)).gelu()));
  }
}

/**
 * Embeddings of tokens and positions, pre-norm layers with causal attention, and a linear head.
 *
 * **Shapes**: tokens i32 [n, length] → logits of the next token [n·length, vocabulary].
 */
export class TokenTransformer implements Layer {
  /** Embeddings of tokens. */
  readonly tokens: Embedding;
  /** [length, features] */
  readonly positions: Tensor;
  /** Layers in order. */
  readonly layers: readonly TransformerLayer[];
  /** After the last layer. */
  readonly norm: LayerNorm;
  /** To logits: weight [vocabulary, features]. */
  readonly head: Linear;

  constructor(
    readonly options: TokenTransformerOptions,
    random: Random,
  ) {
    const { vocabulary, length, features, headFeatures, layers } = options;
    this.tokens = new Embedding(vocabulary, features, random);
    this.positions = parameter(random.normal([length, features], 0, 0.02));
    this.layers = layers.map((sizes) => new TransformerLayer(features, headFeatures, sizes, random));
    this.norm = new LayerNorm(features);
    this.head = new Linear(features, vocabulary, random);
  }

  /** Tokens i32 [n, length] → logits of the next token [n·length, vocabulary]. */
  forward(x: Tensor): Tensor {
    const [n, length] = x.shape as [number, number];
    const embedded = add(this.tokens.forward(x), slice(this.positions, [0, length]));
    const last = this.layers.reduce((y, layer) => layer.forward(y), embedded);
    return this.head.forward(reshape(this.norm.forward(last), [n * length, this.options.features]));
  }
}

/** Options of `ElasticTransformer`. */
export interface ElasticTransformerOptions
  extends Partial<Pick<TokenTransformerOptions, 'length' | 'features' | 'headFeatures'>> {
  /** Number of tokens. */
  readonly vocabulary: number;
  /** Layers at its deepest. Default: 4. */
  readonly depth?: number;
  /** Heads that a layer chooses from. Default: 1, 2, 4. */
  readonly heads?: readonly number[];
  /** Widths of the feed-forward part that a layer chooses from. Default: 64, 128, 256. */
  readonly hidden?: readonly number[];
  /** Default: `sandwich`. */
  readonly training?: Elastic['training'];
}

/** The largest transformer of a space of depths, heads and feed-forward widths. */
export class ElasticTransformer extends TokenTransformer implements Elastic {
  readonly genes: Genes;
  readonly phases = ['hidden', 'layers', 'heads'] as const;
  readonly training: Elastic['training'];
  progress = 0;

  constructor(
    {
      vocabulary,
      length = 32,
      features = 64,
      headFeatures = 16,
      depth = 4,
      heads = [1, 2, 4],
      hidden = [64, 128, 256],
      training = 'sandwich',
    }: ElasticTransformerOptions,
    random: Random,
  ) {
    const largest = { heads: heads.at(-1) as number, hidden: hidden.at(-1) as number };
    const layers = Array.from({ length: depth }, () => largest);
    super({ vocabulary, length, features, headFeatures, layers }, random);
    this.training = training;
    const active = (at: number, configuration: Configuration) => at < (configuration.layers?.[0] as number);
    this.genes = {
      layers: { count: 1, values: Array.from({ length: depth }, (_, i) => i + 1) },
      heads: { count: depth, values: heads, active },
      hidden: { count: depth, values: hidden, active },
    };
  }

  subNetwork({ layers = [], heads = [], hidden = [] }: Configuration): TokenTransformer {
    const sizes = Array.from({ length: layers[0] as number }, (_, i) => ({
      heads: heads[i] as number,
      hidden: hidden[i] as number,
    }));
    return new TokenTransformer({ ...this.options, layers: sizes }, new Random(0));
  }
}
