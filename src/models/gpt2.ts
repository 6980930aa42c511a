// GPT-2 (Radford et al. 2019): pre-norm blocks with learned position embeddings, layer norms and
// GELU. Fields are those of Hugging Face's checkpoints in camelCase; matrices are [in, out] as
// there, so that files need no transposition.

import { Embedding, joinHeads, LayerNorm, Linear, parameter, splitHeads } from '../nn/index.js';
import {
  add,
  arange,
  attention,
  linear,
  matmul,
  type Random,
  type Shape,
  slice,
  type Tensor,
  zeros,
} from '../tensor/index.js';

/** Standard deviation of initial weights. */
const DEVIATION = 0.02;

/** Hyperparameters of GPT-2. */
export interface GPT2Options {
  /** Vocabulary size. Default: 50257. */
  readonly vocabulary?: number;
  /** Longest window in tokens. Default: 1024. */
  readonly context?: number;
  /** Embedding dimension. Default: 768. */
  readonly features?: number;
  /** Number of transformer blocks. Default: 12. */
  readonly layers?: number;
  /** Number of attention heads, a divisor of `features`. Default: 12. */
  readonly heads?: number;
  /** Hidden dimension of the feed-forward layers. Default: 4·features. */
  readonly hidden?: number;
  /** Whether input and output embeddings are tied. Default: true. */
  readonly tied?: boolean;
}

/** Hyperparameters with their defaults. */
export function gpt2Defaults(options: GPT2Options = {}): Required<GPT2Options> {
  const { features = 768 } = options;
  return {
    vocabulary: 50257,
    context: 1024,
    layers: 12,
    heads: 12,
    hidden: 4 * features,
    tied: true,
    ...options,
    features,
  };
}

/** y = x·W + b with W [in, out]; W from N(0, deviation²), b = 0. */
class Conv1D {
  weight: Tensor;
  bias: Tensor;

  constructor(inFeatures: number, outFeatures: number, deviation: number, random: Random) {
    this.weight = parameter(random.normal([inFeatures, outFeatures], 0, deviation));
    this.bias = parameter(zeros([outFeatures]));
  }

  forward(x: Tensor): Tensor {
    return add(matmul(x, this.weight), this.bias);
  }
}

class Attention {
  readonly cAttn: Conv1D;
  readonly cProj: Conv1D;

  constructor(
    readonly features: number,
    readonly heads: number,
    residual: number,
    random: Random,
  ) {
    this.cAttn = new Conv1D(features, 3 * features, DEVIATION, random);
    this.cProj = new Conv1D(features, features, residual, random);
  }

  forward(x: Tensor): Tensor {
    const projected = this.cAttn.forward(x); // [batch, length, 3·features]
    const part = (i: number) =>
      splitHeads(slice(projected, null, null, [i * this.features, (i + 1) * this.features]), this.heads);
    return this.cProj.forward(joinHeads(attention(part(0), part(1), part(2), { causal: true })));
  }
}

class FeedForward {
  readonly cFc: Conv1D;
  readonly cProj: Conv1D;

  constructor(features: number, hidden: number, residual: number, random: Random) {
    this.cFc = new Conv1D(features, hidden, DEVIATION, random);
    this.cProj = new Conv1D(hidden, features, residual, random);
  }

  forward(x: Tensor): Tensor {
    return this.cProj.forward(this.cFc.forward(x).gelu());
  }
}

class Block {
  readonly ln1: LayerNorm;
  readonly attn: Attention;
  readonly ln2: LayerNorm;
  readonly mlp: FeedForward;

  constructor({ features, heads, hidden, layers }: Required<GPT2Options>, random: Random) {
    // Projections into the residual stream are scaled by 1/√(2·layers), as in the paper.
    const residual = DEVIATION / Math.sqrt(2 * layers);
    this.ln1 = new LayerNorm(features);
    this.attn = new Attention(features, heads, residual, random);
    this.ln2 = new LayerNorm(features);
    this.mlp = new FeedForward(features, hidden, residual, random);
  }

  forward(x: Tensor): Tensor {
    const attended = add(x, this.attn.forward(this.ln1.forward(x)));
    return add(attended, this.mlp.forward(this.ln2.forward(attended)));
  }
}

/**
 * GPT-2: the logits at position t predict token t + 1. GELU is exact; the release approximates it
 * by a hyperbolic tangent, which differs by less than 10⁻³.
 *
 * @throws RangeError when the heads do not divide the features
 */
export class GPT2 {
  /** Token and position embeddings, blocks, final norm. */
  readonly transformer: {
    readonly wte: Embedding;
    readonly wpe: Embedding;
    readonly h: readonly Block[];
    readonly lnF: LayerNorm;
  };
  /** Output embedding [vocabulary, features]; undefined when tied to `transformer.wte`. */
  readonly lmHead: Linear | undefined;
  /** Hyperparameters with their defaults. */
  readonly options: Required<GPT2Options>;

  constructor(random: Random, given: GPT2Options = {}) {
    const options = gpt2Defaults(given);
    const { vocabulary, context, features, layers, heads, tied } = options;
    if (features % heads !== 0) throw new RangeError(`GPT2: ${features} features do not divide among ${heads} heads`);
    this.options = options;
    const embedding = (count: number) => {
      const table = new Embedding(count, features, random);
      table.weight.assign(random.normal([count, features], 0, DEVIATION));
      return table;
    };
    this.transformer = {
      wte: embedding(vocabulary),
      wpe: embedding(context),
      h: Array.from({ length: layers }, () => new Block(options, random)),
      lnF: new LayerNorm(features),
    };
    if (!tied) {
      this.lmHead = new Linear(features, vocabulary, random, { bias: false });
      this.lmHead.weight.assign(random.normal([vocabulary, features], 0, DEVIATION));
    }
  }

  /**
   * Token ids i32 [batch, length] → logits [batch, length, vocabulary].
   *
   * @throws RangeError for windows longer than the context
   */
  forward(tokens: Tensor): Tensor {
    return this.logits(this.transformer.h.reduce((value, block) => block.forward(value), this.embed(tokens)));
  }

  /**
   * Embeddings of tokens and positions [batch, length, features], which the first block reads.
   *
   * @throws RangeError for windows longer than the context
   */
  embed(tokens: Tensor): Tensor {
    const length = tokens.shape[1] as number;
    const { wte, wpe } = this.transformer;
    if (length > this.options.context)
      throw new RangeError(`GPT2: ${length} tokens are more than the context of ${this.options.context}`);
    return add(wte.forward(tokens), wpe.forward(arange(length, 'i32')));
  }

  /** What the last block gives → logits [batch, length, vocabulary]. */
  logits(x: Tensor): Tensor {
    const { wte, lnF } = this.transformer;
    return linear(lnF.forward(x), this.lmHead?.weight ?? wte.weight);
  }
}

/** Shapes of the parameters of a GPT-2 by name, without making it. */
export function gpt2Shapes(given: GPT2Options = {}): Record<string, Shape> {
  const { vocabulary, context, features: d, layers, hidden, tied } = gpt2Defaults(given);
  const affine = (name: string, shape: Shape) => ({ [`${name}.weight`]: shape, [`${name}.bias`]: shape.slice(-1) });
  const blocks = Array.from({ length: layers }, (_, i) => {
    const at = `transformer.h.${i}`;
    return {
      ...affine(`${at}.ln1`, [d]),
      ...affine(`${at}.attn.cAttn`, [d, 3 * d]),
      ...affine(`${at}.attn.cProj`, [d, d]),
      ...affine(`${at}.ln2`, [d]),
      ...affine(`${at}.mlp.cFc`, [d, hidden]),
      ...affine(`${at}.mlp.cProj`, [hidden, d]),
    };
  });
  return Object.assign(
    { 'transformer.wte.weight': [vocabulary, d], 'transformer.wpe.weight': [context, d] },
    ...blocks,
    affine('transformer.lnF', [d]),
    tied ? {} : { 'lmHead.weight': [vocabulary, d] },
  );
}

/** Published configurations; parameters with tied embeddings: 124 M, 355 M, 774 M and 1,558 M. */
export const gpt2Presets = {
  gpt2: {},
  'gpt2-medium': { features: 1024, layers: 24, heads: 16 },
  'gpt2-large': { features: 1280, layers: 36, heads: 20 },
  'gpt2-xl': { features: 1600, layers: 48, heads: 25 },
} as const satisfies Record<string, GPT2Options>;
