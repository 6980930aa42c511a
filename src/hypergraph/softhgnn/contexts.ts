// What stands in the place of a soft hypergraph layer in comparisons: layers from tokens [B, N, D],
// or a map [B, D, H, W], to the same shape.

import {
  inference,
  type Layer,
  LayerNorm,
  Linear,
  type Mode,
  MultiHeadAttention,
  parameterCount,
  SoftHGNN,
  type SoftHGNNOptions,
} from '../../nn/index.js';
import {
  add,
  gatherKnownRows,
  matmul,
  maximum,
  mean,
  multiply,
  ones,
  permute,
  type Random,
  reshape,
  rsqrt,
  scatterAddRows,
  scope,
  slice,
  square,
  stopGradient,
  subtract,
  sum,
  type Tensor,
  tensor,
  topK,
} from '../../tensor/index.js';

/** Applies a function of tokens [B, N, D] to those, or to the pixels of a map [B, D, H, W]. */
function onTokens(x: Tensor, fn: (tokens: Tensor) => Tensor): Tensor {
  if (x.rank === 3) return fn(x);
  const [batch, features] = x.shape as [number, number];
  const tokens = permute(reshape(x, [batch, features, -1]), [0, 2, 1]);
  return reshape(permute(fn(tokens), [0, 2, 1]), x.shape);
}

/** One more self-attention layer: y = x + attention(norm(x)). */
export class AttentionContext implements Layer {
  /** Norm of what attends. */
  readonly norm: LayerNorm;
  /** The attention. */
  readonly attention: MultiHeadAttention;

  /** @throws RangeError unless the heads divide the features */
  constructor(features: number, random: Random, { heads = 4 }: { readonly heads?: number } = {}) {
    this.norm = new LayerNorm(features);
    this.attention = new MultiHeadAttention(features, heads, random);
  }

  /** [B, N, D] or [B, D, H, W] → the same shape. */
  forward(x: Tensor, _mode: Mode = inference): Tensor {
    return onTokens(x, (tokens) => add(tokens, this.attention.forward(this.norm.forward(tokens))));
  }
}

/** A perceptron on each token: y = x + W₂·GELU(W₁·norm(x)). */
export class PerceptronContext implements Layer {
  /** Norm of what the perceptron reads. */
  readonly norm: LayerNorm;
  /** W₁ */
  readonly expand: Linear;
  /** W₂ */
  readonly contract: Linear;

  constructor(features: number, hidden: number, random: Random) {
    this.norm = new LayerNorm(features);
    this.expand = new Linear(features, hidden, random);
    this.contract = new Linear(hidden, features, random);
  }

  /** One whose parameters are as many as a soft hypergraph layer's, within one hidden unit. */
  static like(features: number, random: Random, options: SoftHGNNOptions = {}): PerceptronContext {
    const wanted = parameterCount(new SoftHGNN(features, random.split('like'), options));
    const hidden = Math.round((wanted - 3 * features) / (2 * features + 1));
    return new PerceptronContext(features, hidden, random);
  }

  /** [B, N, D] or [B, D, H, W] → the same shape. */
  forward(x: Tensor, _mode: Mode = inference): Tensor {
    return onTokens(x, (tokens) => {
      const hidden = this.expand.forward(this.norm.forward(tokens)).gelu();
      return add(tokens, this.contract.forward(hidden));
    });
  }
}

/**
 * HGNN on a hard hypergraph: each token and the k − 1 nearest to it in the space of features are a
 * hyperedge; y = x + GELU(D_v^{-1/2}·H·D_e^{-1}·Hᵀ·D_v^{-1/2}·(xΘ + b)). The search has no
 * gradient.
 *
 * @see Feng, You, Zhang, Ji, Gao: Hypergraph Neural Networks, AAAI 2019
 */
export class NearestContext implements Layer {
  /** Θ and b. */
  readonly theta: Linear;
  /** Tokens in a hyperedge. */
  readonly k: number;

  constructor(
    readonly features: number,
    random: Random,
    { k = 8 }: { readonly k?: number } = {},
  ) {
    if (!(Number.isInteger(k) && k >= 1))
      throw new RangeError(`NearestContext: a hyperedge has at least 1 token, got ${k}`);
    this.theta = new Linear(features, features, random);
    this.k = k;
  }

  /** [B, N, D] or [B, D, H, W] → the same shape. */
  forward(x: Tensor, _mode: Mode = inference): Tensor {
    return onTokens(x, (tokens) => add(tokens, this.#messages(tokens)));
  }

  #messages(tokens: Tensor): Tensor {
    const [batch, count] = tokens.shape as [number, number];
    const rows = batch * count;
    const members = nearestTokens(tokens, Math.min(this.k, count)); // [B·N·k], hyperedge by hyperedge
    const k = members.size / rows;
    const degrees = scatterAddRows(ones([members.size, 1]), members, rows);
    const roots = rsqrt(maximum(degrees, 1)); // each token is in its own hyperedge
    const sent = multiply(reshape(this.theta.forward(tokens), [rows, this.features]), roots);
    const hyperedges = mean(reshape(gatherKnownRows(sent, members), [rows, k, this.features]), 1); // D_e⁻¹Hᵀ
    const repeated = gatherKnownRows(hyperedges, tensor(Int32Array.from({ length: rows * k }, (_, i) => (i / k) | 0)));
    const received = multiply(scatterAddRows(repeated, members, rows), roots);
    return reshape(received.gelu(), tokens.shape);
  }
}

/** Most distances that a search holds at once. */
const BLOCK = 2 ** 22;

/**
 * The k tokens nearest to each, itself among them, as rows of [B·N, D]: i32 [B·N·k].
 *
 * @param x [B, N, D]
 */
export function nearestTokens(x: Tensor, k: number): Tensor {
  const [batch, count] = x.shape as [number, number];
  const tokens = stopGradient(subtract(x, mean(x, 1, { keepAxes: true })));
  const squares = reshape(sum(square(tokens), 2), [batch, 1, count]);
  const all = new Int32Array(batch * count * k);
  const block = Math.max(1, Math.floor(BLOCK / (batch * count)));
  for (let first = 0; first < count; first += block) {
    const last = Math.min(count, first + block);
    nearestOf(tokens, squares, [first, last], k).forEach((position, at) => {
      const [image, row] = [Math.floor(at / ((last - first) * k)), at % ((last - first) * k)];
      all[(image * count + first) * k + row] = image * count + position;
    });
  }
  return tensor(all);
}

/** Positions of the k tokens nearest to those of a range: [B, range, k]. */
function nearestOf(tokens: Tensor, squares: Tensor, range: readonly [number, number], k: number): Int32Array {
  return scope(() => {
    // ‖x − y‖² less ‖x‖², which all distances from x share.
    const products = matmul(slice(tokens, null, range), tokens, { transposeB: true });
    const closeness = subtract(multiply(products, 2), squares);
    return topK(closeness, k)[1].dataSync<Int32Array>();
  });
}
