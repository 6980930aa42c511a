// A decoder-only language model as Llama builds it (Touvron et al. 2023): RMSNorm before each part, rotary positions, grouped-query attention, SwiGLU. Field names follow Hugging Face's
// checkpoints, in camelCase.

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

export interface DecoderOptions {
  readonly vocabulary: number;
  readonly features: number;
  readonly layers: number;
  readonly heads: number;
  /** Heads of keys and values; as many as `heads` when left out. */
  readonly keyHeads?: number;
  /** Width of the gated layer; 8/3 of the features, rounded up to a multiple of 8, when left out. */
  readonly hidden?: number;
  /** Width of a head; features / heads when left out. */
  readonly headDim?: number;
  /** Whether queries, keys and values have biases (Qwen2). */
  readonly qkvBias?: boolean;
  /** Whether each head's queries and keys are normed (Qwen3). */
  readonly qkNorm?: boolean;
  /** Base of the rotary angles. */
  readonly ropeBase?: number;
  /** Layers whose attention turns with positions; all when left out. */
  readonly rotary?: (layer: number) => boolean;
  /** Tokens each position sees back, itself included; all when left out. */
  readonly window?: number;
  /** Whether the output matrix is the embedding's own. */
  readonly tied?: boolean;
  readonly epsilon?: number;
  /** Of the gated layer: `swiglu` unless given; `relu2` has no gate. */
  readonly activation?: ExpertActivation;
  /** The layer in the place of the gated one, such as a mixture of experts. */
  readonly feedForward?: (layer: number, random: Random) => FeedForward;
}

/** Options with their defaults. */
type Resolved = DecoderOptions &
  Required<Pick<DecoderOptions, 'keyHeads' | 'hidden' | 'headDim' | 'ropeBase' | 'window' | 'tied' | 'epsilon'>>;

/** What is taken where options say nothing. */
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
  readonly #turned: boolean;

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
    this.#turned = options.rotary?.(layer) ?? true;
  }

  forward(x: Tensor, tables: RotaryTables): Tensor {
    const { heads, keyHeads, window } = this.options;
    const place = (y: Tensor, norm: RMSNorm | undefined) => {
      const normed = norm?.forward(y) ?? y;
      return this.#turned ? rotary(normed, tables) : normed;
    };
    const q = place(splitHeads(this.qProj.forward(x), heads), this.qNorm);
    const k = place(splitHeads(this.kProj.forward(x), keyHeads), this.kNorm);
    const v = splitHeads(this.vProj.forward(x), keyHeads);
    return this.oProj.forward(joinHeads(attention(q, k, v, { causal: true, window })));
  }
}

/** W_d(SiLU(W_g x) ⊙ W_u x) (Shazeer 2020), the same with ReLU, or W_d·ReLU(W_u x)² (So et al. 2021). */
class GatedLayer implements FeedForward {
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
    this.mlp = options.feedForward?.(layer, random) ?? new GatedLayer(features, hidden, activation, random);
  }

  forward(x: Tensor, tables: RotaryTables, context?: ExpertContext): Tensor {
    const attended = add(x, this.selfAttn.forward(this.inputLayernorm.forward(x), tables));
    return add(attended, this.mlp.forward(this.postAttentionLayernorm.forward(attended), context));
  }
}

/** Tokens i32 [batch, length] → logits [batch, length, vocabulary]: position t predicts token t + 1. */
export class Decoder {
  readonly model: {
    readonly embedTokens: Embedding;
    readonly layers: readonly DecoderLayer[];
    readonly norm: RMSNorm;
  };
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

  /** @param context what layers of experts hand on from one to the next, and report */
  forward(tokens: Tensor, context: ExpertContext = expertContext()): Tensor {
    const { headDim, ropeBase } = this.#options;
    const tables = rotaryTables(tokens.shape[1] as number, headDim, { base: ropeBase });
    const embedded = this.model.embedTokens.forward(tokens); // [batch, length, features]
    const hidden = this.model.layers.reduce((x, layer) => layer.forward(x, tables, context), embedded);
    return linear(this.model.norm.forward(hidden), (this.lmHead ?? this.model.embedTokens).weight);
  }
}
