// A decoder-only language model as Llama builds it (Touvron et al. 2023): RMSNorm before each part, rotary positions, grouped-query attention, SwiGLU. Field names follow Hugging Face's
// checkpoints, in camelCase.

import { Embedding, joinHeads, Linear, RMSNorm, splitHeads, truncatedNormal } from '../nn/index.js';
import {
  add,
  attention,
  linear,
  multiply,
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
  /** Base of the rotary angles. */
  readonly ropeBase?: number;
  /** Tokens each position sees back, itself included; all when left out. */
  readonly window?: number;
  /** Whether the output matrix is the embedding's own. */
  readonly tied?: boolean;
  readonly epsilon?: number;
}

class SelfAttention {
  readonly qProj: Linear;
  readonly kProj: Linear;
  readonly vProj: Linear;
  readonly oProj: Linear;

  constructor(
    readonly options: Required<DecoderOptions>,
    random: Random,
  ) {
    const { features, heads, keyHeads } = options;
    const width = (features / heads) * keyHeads;
    this.qProj = new Linear(features, features, random, { bias: false });
    this.kProj = new Linear(features, width, random, { bias: false });
    this.vProj = new Linear(features, width, random, { bias: false });
    this.oProj = new Linear(features, features, random, { bias: false });
  }

  forward(x: Tensor, tables: RotaryTables): Tensor {
    const { heads, keyHeads, window } = this.options;
    const q = rotary(splitHeads(this.qProj.forward(x), heads), tables);
    const k = rotary(splitHeads(this.kProj.forward(x), keyHeads), tables);
    const v = splitHeads(this.vProj.forward(x), keyHeads);
    return this.oProj.forward(joinHeads(attention(q, k, v, { causal: true, window })));
  }
}

/** W_d(SiLU(W_g x) ⊙ W_u x) (Shazeer 2020). */
class SwiGLU {
  readonly gateProj: Linear;
  readonly upProj: Linear;
  readonly downProj: Linear;

  constructor(features: number, hidden: number, random: Random) {
    this.gateProj = new Linear(features, hidden, random, { bias: false });
    this.upProj = new Linear(features, hidden, random, { bias: false });
    this.downProj = new Linear(hidden, features, random, { bias: false });
  }

  forward(x: Tensor): Tensor {
    return this.downProj.forward(multiply(this.gateProj.forward(x).silu(), this.upProj.forward(x)));
  }
}

class DecoderLayer {
  readonly inputLayernorm: RMSNorm;
  readonly selfAttn: SelfAttention;
  readonly postAttentionLayernorm: RMSNorm;
  readonly mlp: SwiGLU;

  constructor(options: Required<DecoderOptions>, random: Random) {
    const { features, hidden, epsilon } = options;
    this.inputLayernorm = new RMSNorm(features, epsilon);
    this.selfAttn = new SelfAttention(options, random);
    this.postAttentionLayernorm = new RMSNorm(features, epsilon);
    this.mlp = new SwiGLU(features, hidden, random);
  }

  forward(x: Tensor, tables: RotaryTables): Tensor {
    const attended = add(x, this.selfAttn.forward(this.inputLayernorm.forward(x), tables));
    return add(attended, this.mlp.forward(this.postAttentionLayernorm.forward(attended)));
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
  readonly #options: Required<DecoderOptions>;

  constructor(given: DecoderOptions, random: Random) {
    const { vocabulary, features, layers, heads } = given;
    const defaults = {
      keyHeads: heads,
      hidden: Math.ceil(features / 3) * 8,
      ropeBase: 10000,
      window: 0,
      tied: true,
      epsilon: 1e-6,
    };
    const options = { ...defaults, ...given };
    if (features % heads !== 0 || (features / heads) % 2 !== 0 || heads % options.keyHeads !== 0)
      throw new RangeError(
        `Decoder: ${features} features, ${heads} heads and ${options.keyHeads} key heads do not fit: each head needs an even share, and key heads must divide heads`,
      );
    this.#options = options;
    const embedTokens = new Embedding(vocabulary, features, random);
    embedTokens.weight.assign(truncatedNormal(random, embedTokens.weight.shape));
    this.model = {
      embedTokens,
      layers: Array.from({ length: layers }, () => new DecoderLayer(options, random)),
      norm: new RMSNorm(features, options.epsilon),
    };
    this.lmHead = options.tied ? undefined : new Linear(features, vocabulary, random, { bias: false });
  }

  forward(tokens: Tensor): Tensor {
    const { features, heads, ropeBase } = this.#options;
    const tables = rotaryTables(tokens.shape[1] as number, features / heads, { base: ropeBase });
    const embedded = this.model.embedTokens.forward(tokens); // [batch, length, features]
    const hidden = this.model.layers.reduce((x, layer) => layer.forward(x, tables), embedded);
    return linear(this.model.norm.forward(hidden), (this.lmHead ?? this.model.embedTokens).weight);
  }
}
