// An encoder-decoder transformer (Vaswani et al. 2017) that generates words of its vocabulary or
// copies words of the source (See, Liu, Manning 2017):
//
//   p(w) = g·softmax(h·Eᵀ)_w + (1 − g)·Σ_{s: source_s = w} a_s
//
// with h the decoder's state, E the embeddings, a an attention over the source, and
// g = σ(h·w_g + b_g).

import { Embedding, joinHeads, LayerNorm, Linear, parameter, splitHeads } from '../nn/index.js';
import {
  add,
  attention,
  equal,
  linear,
  matmul,
  multiply,
  oneHot,
  type Random,
  reshape,
  sigmoid,
  slice,
  softmax,
  subtract,
  type Tensor,
} from '../tensor/index.js';

/** Layout of a `CopyTransformer`. */
export interface CopyTransformerOptions {
  /** Number of words, 0 being padding. */
  readonly vocabulary: number;
  /** Width. Default: 128. */
  readonly features?: number;
  /** Layers of the encoder, and of the decoder. Default: 2. */
  readonly layers?: number;
  /** Attention heads. Default: 4. */
  readonly heads?: number;
  /** Longest source or target. Default: 64. */
  readonly context?: number;
}

/** Attention of queries to other rows, with projections of its own. */
class Attention {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly proj: Linear;

  constructor(
    features: number,
    readonly heads: number,
    random: Random,
  ) {
    this.query = new Linear(features, features, random);
    this.key = new Linear(features, features, random);
    this.value = new Linear(features, features, random);
    this.proj = new Linear(features, features, random);
  }

  /** @param options mask: 0 where a key is seen, else very negative [batch, 1, 1, keys] */
  forward(x: Tensor, keys: Tensor, options: { readonly causal?: boolean; readonly mask?: Tensor }): Tensor {
    const part = (projection: Linear, rows: Tensor) => splitHeads(projection.forward(rows), this.heads);
    const attended = attention(part(this.query, x), part(this.key, keys), part(this.value, keys), options);
    return this.proj.forward(joinHeads(attended));
  }
}

/** Pre-norm block: self-attention, attention to the source in decoders, feed-forward. */
class Block {
  readonly norms: readonly LayerNorm[];
  readonly self: Attention;
  readonly cross: Attention | undefined;
  readonly up: Linear;
  readonly down: Linear;

  constructor(features: number, heads: number, kind: 'encoder' | 'decoder', random: Random) {
    this.norms = Array.from({ length: kind === 'decoder' ? 3 : 2 }, () => new LayerNorm(features));
    this.self = new Attention(features, heads, random);
    this.cross = kind === 'decoder' ? new Attention(features, heads, random) : undefined;
    this.up = new Linear(features, 2 * features, random);
    this.down = new Linear(2 * features, features, random);
  }

  forward(x: Tensor, mask: Tensor, source?: Tensor): Tensor {
    const norm = (at: number, rows: Tensor) => (this.norms[at] as LayerNorm).forward(rows);
    const own = norm(0, x);
    let y = add(x, this.self.forward(own, own, source ? { causal: true } : { mask }));
    if (source && this.cross) y = add(y, this.cross.forward(norm(2, y), source, { mask }));
    return add(y, this.down.forward(this.up.forward(norm(1, y), 'relu')));
  }
}

/** An encoded source. */
export interface EncodedSource {
  /** Words i32 [batch, length], 0 for padding. */
  readonly words: Tensor;
  /** States [batch, length, features]. */
  readonly states: Tensor;
}

/** Added to scores of padding. */
const HIDDEN = -1e9;

/** Sequence-to-sequence model with a copy mechanism. */
export class CopyTransformer {
  /** E, of source and target [vocabulary, features]. */
  readonly embedTokens: Embedding;
  /** Position embeddings, shared by source and target [context, features]. */
  positions: Tensor;
  /** Blocks on the source. */
  readonly encoder: readonly Block[];
  /** Blocks on the target, which attend to the source too. */
  readonly decoder: readonly Block[];
  /** Last layer norms of both. */
  readonly norms: { readonly encoder: LayerNorm; readonly decoder: LayerNorm };
  /** Keys of the source for copying. */
  readonly copy: Linear;
  /** g. */
  readonly gate: Linear;
  readonly #vocabulary: number;
  readonly #features: number;

  constructor(
    { vocabulary, features = 128, layers = 2, heads = 4, context = 64 }: CopyTransformerOptions,
    random: Random,
  ) {
    this.embedTokens = new Embedding(vocabulary, features, random.split('embedding'));
    this.embedTokens.weight.assign(multiply(this.embedTokens.weight, features ** -0.5));
    this.positions = parameter(random.split('positions').normal([context, features], 0, 0.02));
    const blocks = (kind: 'encoder' | 'decoder') =>
      Array.from({ length: layers }, (_, layer) => new Block(features, heads, kind, random.split(`${kind} ${layer}`)));
    this.encoder = blocks('encoder');
    this.decoder = blocks('decoder');
    this.norms = { encoder: new LayerNorm(features), decoder: new LayerNorm(features) };
    this.copy = new Linear(features, features, random.split('copy'));
    this.gate = new Linear(features, 1, random.split('gate'));
    this.#vocabulary = vocabulary;
    this.#features = features;
  }

  /** Encodes sources i32 [batch, length]. */
  encode(words: Tensor): EncodedSource {
    const mask = this.#mask(words);
    const states = this.encoder.reduce((x, block) => block.forward(x, mask), this.#embed(words));
    return { words, states: this.norms.encoder.forward(states) };
  }

  /** Targets i32 [batch, length] → probabilities of the next words [batch, length, vocabulary]. */
  decode({ words, states }: EncodedSource, targets: Tensor): Tensor {
    const mask = this.#mask(words);
    const rows = this.decoder.reduce((x, block) => block.forward(x, mask, states), this.#embed(targets));
    const h = this.norms.decoder.forward(rows); // [batch, length, features]
    const generated = softmax(linear(h, this.embedTokens.weight));
    const [batch, length] = words.shape as [number, number];
    const scores = multiply(matmul(h, this.copy.forward(states), { transposeB: true }), this.#features ** -0.5);
    const copied = matmul(softmax(add(scores, reshape(mask, [batch, 1, length]))), oneHot(words, this.#vocabulary));
    const g = sigmoid(this.gate.forward(h));
    return add(multiply(g, generated), multiply(subtract(1, g), copied));
  }

  #embed(words: Tensor): Tensor {
    const length = words.shape[1] as number;
    const [context] = this.positions.shape as [number, number];
    if (length > context)
      throw new RangeError(`CopyTransformer: ${length} words are more than the context of ${context}`);
    return add(this.embedTokens.forward(words), slice(this.positions, [0, length]));
  }

  /** 0 for words, very negative for padding [batch, 1, 1, length]. */
  #mask(words: Tensor): Tensor {
    const [batch, length] = words.shape as [number, number];
    return reshape(multiply(equal(words, 0), HIDDEN), [batch, 1, 1, length]);
  }
}
