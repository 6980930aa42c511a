// A decoder-only language model with Llama's architecture (Touvron et al. 2023): pre-norm blocks
// with RMSNorm, rotary embeddings, grouped-query attention, SwiGLU. Field names follow Hugging
// Face's checkpoints, in camelCase.

import {
  activated,
  type ExpertActivation,
  type ExpertContext,
  expertContext,
  type FeedForward,
} from '../nn/experts/index.js';
import { Embedding, joinHeads, Linear, RMSNorm, splitHeads, truncatedNormal } from '../nn/index.js';
import {
  add,
  attention,
  linear,
  type Random,
  type RotaryTables,
  rotary,
  rotaryTables,
  type Tensor,
} from '../tensor/index.js';

/** Hyperparameters of a decoder. */
export interface DecoderOptions {
  /** Vocabulary size. */
  readonly vocabulary: number;
  /** Embedding dimension. */
  readonly features: number;
  /** Number of transformer blocks. */
  readonly layers: number;
  /** Number of query heads. */
  readonly heads: number;
  /**
   * Number of key and value heads, a divisor of `heads` (grouped-query attention).
   * Default: `heads`.
   */
  readonly keyHeads?: number;
  /** Hidden dimension of the feed-forward layer. Default: 8·⌈features / 3⌉. */
  readonly hidden?: number;
  /** Head dimension, an even number. Default: features / heads. */
  readonly headDim?: number;
  /** Whether the query, key and value projections have biases (Qwen2). Default: false. */
  readonly qkvBias?: boolean;
  /** Whether queries and keys are normalised per head by RMSNorm (Qwen3). Default: false. */
  readonly qkNorm?: boolean;
  /** Base θ of the rotary frequencies θ^(−2i / headDim). Default: 10000. */
  readonly ropeBase?: number;
  /** Whether a layer has rotary embeddings; layers without are NoPE layers. Default: all have. */
  readonly rotary?: (layer: number) => boolean;
  /**
   * Sliding window of attention in tokens, the query's own included; 0 for full causal attention.
   * Default: 0.
   */
  readonly window?: number;
  /** Whether a layer has full attention though others have a window. Default: none has. */
  readonly full?: (layer: number) => boolean;
  /** Whether input and output embeddings are tied. Default: true. */
  readonly tied?: boolean;
  /** ε of all RMSNorm layers. Default: 1e-6. */
  readonly epsilon?: number;
  /** Feed-forward function; `relu2` has no gate. Default: `swiglu`. */
  readonly activation?: ExpertActivation;
  /** Replaces the feed-forward layer of a block, for instance by a mixture of experts. */
  readonly feedForward?: (layer: number, random: Random) => FeedForward;
}

/** Options with their defaults. */
type Resolved = DecoderOptions &
  Required<Pick<DecoderOptions, 'keyHeads' | 'hidden' | 'headDim' | 'ropeBase' | 'window' | 'tied' | 'epsilon'>>;

/** Default hyperparameters, by embedding dimension and number of heads. */
export function decoderDefaults({ features, heads }: Pick<DecoderOptions, 'features' | 'heads'>) {
  return {
    keyHeads: heads,
    hidden: Math.ceil(features / 3) * 8,
    headDim: features / heads,
    ropeBase: 10000,
    window: 0,
    tied: true,
    epsilon: 1e-6,
  };
}

class SelfAttention {
  readonly qProj: Linear;
  readonly kProj: Linear;
  readonly vProj: Linear;
  readonly oProj: Linear;
  readonly qNorm: RMSNorm | undefined;
  readonly kNorm: RMSNorm | undefined;
  readonly #rotary: boolean;
  readonly #window: number;

  constructor(
    readonly options: Resolved,
    layer: number,
    random: Random,
  ) {
    const { features, heads, keyHeads, headDim, qkvBias: bias = false, qkNorm, epsilon } = options;
    this.qProj = new Linear(features, heads * headDim, random, { bias });
    this.kProj = new Linear(features, keyHeads * headDim, random, { bias });
    this.vProj = new Linear(features, keyHeads * headDim, random, { bias });
    this.oProj = new Linear(heads * headDim, features, random, { bias: false });
    if (qkNorm) {
      this.qNorm = new RMSNorm(headDim, { epsilon });
      this.kNorm = new RMSNorm(headDim, { epsilon });
    }
    this.#rotary = options.rotary?.(layer) ?? true;
    this.#window = options.full?.(layer) ? 0 : options.window;
  }

  forward(x: Tensor, tables: RotaryTables): Tensor {
    const { heads, keyHeads } = this.options;
    const normAndRotate = (y: Tensor, norm: RMSNorm | undefined) => {
      const normed = norm?.forward(y) ?? y;
      return this.#rotary ? rotary(normed, tables) : normed;
    };
    const q = normAndRotate(splitHeads(this.qProj.forward(x), heads), this.qNorm);
    const k = normAndRotate(splitHeads(this.kProj.forward(x), keyHeads), this.kNorm);
    const v = splitHeads(this.vProj.forward(x), keyHeads);
    return this.oProj.forward(joinHeads(attention(q, k, v, { causal: true, window: this.#window })));
  }
}

/**
 * Feed-forward layer: SwiGLU W_d(SiLU(W_g x) ⊙ W_u x) or ReGLU (Shazeer 2020), or squared ReLU
 * W_d·ReLU(W_u x)² (So et al. 2021).
 */
class FeedForwardLayer implements FeedForward {
  readonly gateProj: Linear | undefined;
  readonly upProj: Linear;
  readonly downProj: Linear;

  constructor(
    features: number,
    hidden: number,
    readonly activation: ExpertActivation,
    random: Random,
  ) {
    if (activation !== 'relu2') this.gateProj = new Linear(features, hidden, random, { bias: false });
    this.upProj = new Linear(features, hidden, random, { bias: false });
    this.downProj = new Linear(hidden, features, random, { bias: false });
  }

  forward(x: Tensor): Tensor {
    return this.downProj.forward(activated(this.activation, this.gateProj?.forward(x), this.upProj.forward(x)));
  }
}

class DecoderLayer {
  readonly inputLayernorm: RMSNorm;
  readonly selfAttn: SelfAttention;
  readonly postAttentionLayernorm: RMSNorm;
  readonly mlp: FeedForward;

  constructor(options: Resolved, layer: number, random: Random) {
    const { features, hidden, epsilon, activation = 'swiglu' } = options;
    this.inputLayernorm = new RMSNorm(features, { epsilon });
    this.selfAttn = new SelfAttention(options, layer, random);
    this.postAttentionLayernorm = new RMSNorm(features, { epsilon });
    this.mlp = options.feedForward?.(layer, random) ?? new FeedForwardLayer(features, hidden, activation, random);
  }

  forward(x: Tensor, tables: RotaryTables, context?: ExpertContext): Tensor {
    if (context) context.input = x;
    const attended = add(x, this.selfAttn.forward(this.inputLayernorm.forward(x), tables));
    return add(attended, this.mlp.forward(this.postAttentionLayernorm.forward(attended), context));
  }
}

/**
 * Decoder-only language model: the logits at position t predict token t + 1.
 *
 * @throws RangeError when the head dimension is not an even integer or `keyHeads` does not divide
 * `heads`.
 */
export class Decoder {
  /** Embedding table, transformer blocks and final norm. */
  readonly model: {
    readonly embedTokens: Embedding;
    readonly layers: readonly DecoderLayer[];
    readonly norm: RMSNorm;
  };
  /** Output embedding [vocabulary, features]; undefined when tied to `model.embedTokens`. */
  readonly lmHead: Linear | undefined;
  readonly #options: Resolved;

  constructor(given: DecoderOptions, random: Random) {
    const { vocabulary, features, layers, heads } = given;
    const options = { ...decoderDefaults(given), ...given };
    if (!Number.isInteger(options.headDim) || options.headDim % 2 !== 0 || heads % options.keyHeads !== 0)
      throw new RangeError(
        `Decoder: ${features} features, ${heads} heads and ${options.keyHeads} key heads do not fit: each head needs an even width, and key heads must divide heads`,
      );
    this.#options = options;
    const embedTokens = new Embedding(vocabulary, features, random);
    embedTokens.weight.assign(truncatedNormal(random, embedTokens.weight.shape));
    this.model = {
      embedTokens,
      layers: Array.from({ length: layers }, (_, layer) => new DecoderLayer(options, layer, random)),
      norm: new RMSNorm(features, { epsilon: options.epsilon }),
    };
    this.lmHead = options.tied ? undefined : new Linear(features, vocabulary, random, { bias: false });
  }

  /**
   * Tokens i32 [batch, length] → logits [batch, length, vocabulary].
   *
   * @param context record that expert layers share and report to
   */
  forward(tokens: Tensor, context?: ExpertContext): Tensor {
    return linear(this.hidden(tokens, context), (this.lmHead ?? this.model.embedTokens).weight);
  }

  /** The states that the head reads: tokens i32 [batch, length] → [batch, length, features]. */
  hidden(tokens: Tensor, context: ExpertContext = expertContext()): Tensor {
    const { headDim, ropeBase } = this.#options;
    const tables = rotaryTables(tokens.shape[1] as number, headDim, { base: ropeBase });
    const embedded = this.model.embedTokens.forward(tokens); // [batch, length, features]
    return this.model.norm.forward(this.model.layers.reduce((x, layer) => layer.forward(x, tables, context), embedded));
  }
}
