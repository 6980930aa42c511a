// SoftHGNN: tokens exchange messages over a few soft hyperedges, at a cost linear in the tokens.
//
// A hyperedge is no list of tokens but a prototype, made anew for each image from what is in it;
// every token takes part in every hyperedge by a weight in (0, 1). With x [N, D] and M hyperedges:
//
//   g = [meanₙ xₙ ‖ maxₙ xₙ]              P = P₀ + reshape(g·W_c + b_c)         [M, D]
//   s = (x·W_p + b_p)·Pᵀ / (h·√(D/h))      A = softmax of s over the tokens      [N, M]
//   E = GELU(Aᵀx·W_e + b_e)   [M, D]       y = x + γ·GELU(A·E·W_v + b_v)         [N, D]
//
// Products are ordered so that no weight meets the N tokens: x·(P·W_pᵀ)ᵀ and A·(E·W_v), which cost
// N·M·D + M·D² where N > M. A is kept as [M, N], in which a softmax over the tokens reads rows.
//
// Sparse hyperedge selection (SeS) has many prototypes, of which each image uses the fixed ones and
// the k of highest score u = Σₙ s. As Σₙ xₙ·W_p is known from the mean, u costs M·D, and s, A and
// all that follows are made for the chosen prototypes alone.
//
// Lei, Li and others: SoftHGNN: Soft Hypergraph Neural Networks for General Visual Recognition,
// 2025 (arXiv 2505.15325).

import {
  add,
  concatenate,
  formatShape,
  gatherKnownRows,
  matmul,
  max,
  mean,
  multiply,
  type Random,
  requireChoice,
  requireDType,
  reshape,
  slice,
  softmax,
  sum,
  type Tensor,
  tensor,
  topK,
  where,
  zeros,
} from '../tensor/index.js';
import { Dropout } from './dropout.js';
import { xavierUniform } from './initializers.js';
import { Linear } from './linear.js';
import { type Mode, parameter } from './module.js';
import { selectionBalance } from './selection-balance.js';

/** Sparse hyperedge selection: which of many hyperedges an image uses. */
export interface SelectionOptions {
  /** Hyperedges to choose from, beside the fixed ones. Default: 32. */
  readonly dynamic?: number;
  /** How many of them each image uses. Default: 16. */
  readonly k?: number;
  /** Weight of the load-balancing term that training adds to the loss. Default: 0.01. */
  readonly balance?: number;
  /**
   * Gradient of the load-balancing term. `straight-through`: that of a softmax of the scores.
   * `none`: the term is a constant, as in the released code. Default: `straight-through`.
   */
  readonly gradient?: 'straight-through' | 'none';
}

/** Options of `SoftHGNN`. */
export interface SoftHGNNOptions {
  /** M, hyperedges that every image uses; 0 is allowed beside `selection`. Default: 16. */
  readonly hyperedges?: number;
  /** h, a divisor of the features; it sets the temperature alone. Default: 8. */
  readonly heads?: number;
  /** Dropout probability of the similarities s, of which a dropped one is 0. Default: 0.1. */
  readonly dropout?: number;
  /** Whether the messages have a learned factor γ. Default: true, false with `selection`. */
  readonly gate?: boolean;
  /** Whether prototypes follow the image; otherwise P = P₀. Default: true. */
  readonly dynamic?: boolean;
  /** Rank of W_c, whose 2D·M·D weights are most of the layer; full when left out. */
  readonly rank?: number;
  /** What the weights of participation sum to 1 over. Default: `tokens`. */
  readonly normalize?: 'tokens' | 'hyperedges';
  /** Sparse hyperedge selection. Default: none, all hyperedges are used. */
  readonly selection?: SelectionOptions;
}

/** Options of a pass. */
export interface SoftHGNNPass {
  /**
   * f32 [B, N], 1 for tokens and 0 for padding, which then changes nothing. Default: no padding.
   */
  readonly mask?: Tensor;
}

/** Who takes part in which hyperedge. */
export interface Participation {
  /** A [B, m, N], or [B, m, H, W] of a map: the weight of each token in each hyperedge used. */
  readonly weights: Tensor;
  /** Numbers of those hyperedges: i32 [B, m]; the fixed ones first, then by falling score. */
  readonly hyperedges: Tensor;
}

/** Tokens as they lie: [B, N, D], or of a map [B, D, N]. */
interface Tokens {
  readonly x: Tensor;
  readonly map: boolean;
  /** [B, 1, N] */
  readonly mask: Tensor | undefined;
}

/** The hyperedges of a pass. */
interface Chosen {
  /** [B, m, D] */
  readonly prototypes: Tensor;
  /**
   * Places of the chosen ones among the dynamic hyperedges: i32 [B, k]; none where all are used.
   */
  readonly positions: Tensor | undefined;
}

/** Weights of W_c above which `SoftHGNN.contextWeights` is worth a warning. */
export const MANY_CONTEXT_WEIGHTS = 5_000_000;

/**
 * Soft hypergraph layer: y = x + γ·GELU(A·GELU(Aᵀx·W_e + b_e)·W_v + b_v), where A is the
 * participation of the tokens in hyperedges that follow the image; see the head of the file.
 *
 * **Shapes**: x [B, N, D] → [B, N, D], or a map [B, D, H, W] → [B, D, H, W], its pixels the tokens.
 * Time O(N·M·D + M·D²), memory O(N·M + M·D) an image; 2D·M·D + M·D + 3D² weights.
 *
 * In training with `selection` it adds its load-balancing term to the loss by `mode.addLoss`.
 *
 * @example
 * const layer = new SoftHGNN(64, new Random(0), { hyperedges: 16, heads: 8 });
 * const y = layer.forward(tokens, inference); // [B, N, 64]
 * @see Lei, Li and others: SoftHGNN, 2025 (arXiv 2505.15325)
 */
export class SoftHGNN {
  /** P₀ [M, D], the fixed prototypes first. */
  prototypes: Tensor;
  /** W_c and b_c: 2D → M·D, by `rank` numbers in between if that is given; none when static. */
  readonly context: readonly Linear[];
  /** W_p and b_p. */
  readonly project: Linear;
  /** W_e and b_e. */
  readonly edge: Linear;
  /** W_v and b_v. */
  readonly vertex: Linear;
  /** γ [1], 1 at first. */
  gate: Tensor | undefined;
  /** Hyperedges that every image uses. */
  readonly fixed: number;
  /** Sparse selection with its defaults; none when all hyperedges are used. */
  readonly selection: Required<SelectionOptions> | undefined;
  readonly #scale: number;
  readonly #dropout: Dropout;
  readonly #normalize: 'tokens' | 'hyperedges';

  /**
   * @param features D
   * @throws RangeError when the heads do not divide D, or k exceeds the dynamic hyperedges
   */
  constructor(
    readonly features: number,
    random: Random,
    options: SoftHGNNOptions = {},
  ) {
    const { hyperedges = 16, heads = 8, dropout = 0.1, dynamic = true, rank, normalize = 'tokens' } = options;
    requireChoice('SoftHGNN', 'normalize', normalize, ['tokens', 'hyperedges']);
    if (!(Number.isInteger(heads) && heads > 0 && features % heads === 0))
      throw new RangeError(`SoftHGNN: ${features} features do not divide among ${heads} heads`);
    this.fixed = hyperedges;
    this.selection = options.selection && checkedSelection(options.selection);
    const count = hyperedges + (this.selection?.dynamic ?? 0);
    if (!(Number.isInteger(hyperedges) && hyperedges >= 0 && count > 0))
      throw new RangeError(
        `SoftHGNN: hyperedges must be a positive integer, or 0 beside dynamic ones, got ${hyperedges}`,
      );
    if (rank !== undefined && !(Number.isInteger(rank) && rank > 0))
      throw new RangeError(`SoftHGNN: the rank must be a positive integer, got ${rank}`);
    this.prototypes = parameter(xavierUniform(random.split('prototypes'), [count, features]));
    const widths = dynamic ? [2 * features, ...(rank === undefined ? [] : [rank]), count * features] : [];
    this.context = widths
      .slice(1)
      .map((width, at) => new Linear(widths[at] as number, width, random.split(`context ${at}`)));
    this.project = new Linear(features, features, random.split('project'));
    this.edge = new Linear(features, features, random.split('edge'));
    this.vertex = new Linear(features, features, random.split('vertex'));
    if (options.gate ?? !this.selection) this.gate = parameter(tensor([1]));
    this.#scale = 1 / (heads * Math.sqrt(features / heads));
    this.#dropout = new Dropout(dropout);
    this.#normalize = normalize;
  }

  /** Number of all hyperedges. */
  get hyperedges(): number {
    return this.prototypes.shape[0] as number;
  }

  /**
   * Weights of W_c: most of the layer, and many from some hundred features on (`rank` has fewer).
   */
  get contextWeights(): number {
    return this.context.reduce((total, { weight }) => total + weight.size, 0);
  }

  /**
   * Tokens [B, N, D] or a map [B, D, H, W] → the same shape.
   *
   * @throws Error for another shape, or a mask that is none of [B, N]; RangeError for one that
   * leaves no token of an image
   */
  forward(x: Tensor, mode: Mode, { mask }: SoftHGNNPass = {}): Tensor {
    const tokens = this.#tokensOf(x, mask);
    const { prototypes } = this.#choose(tokens, mode);
    const messages = this.#pass(this.#participation(prototypes, tokens, mode), tokens);
    return reshape(add(tokens.x, this.gate ? multiply(messages, this.gate) : messages), x.shape);
  }

  /** A in inference, with the numbers of the hyperedges that each image uses. */
  participation(x: Tensor, { mask }: SoftHGNNPass = {}): Participation {
    const tokens = this.#tokensOf(x, mask);
    const mode = { training: false };
    const { prototypes, positions } = this.#choose(tokens, mode);
    const weights = this.#participation(prototypes, tokens, mode);
    const [batch, used, count] = weights.shape as [number, number, number];
    const chosen = positions?.dataSync<Int32Array>();
    const k = used - this.fixed;
    const hyperedges = Int32Array.from({ length: batch * used }, (_, at) => {
      const [image, place] = [Math.floor(at / used), at % used];
      return place < this.fixed ? place : this.fixed + (chosen?.[image * k + place - this.fixed] as number);
    });
    const places = x.rank === 4 ? x.shape.slice(2) : [count];
    return { weights: reshape(weights, [batch, used, ...places]), hyperedges: tensor(hyperedges, [batch, used]) };
  }

  #tokensOf(x: Tensor, mask: Tensor | undefined): Tokens {
    requireDType('SoftHGNN', 'f32', x);
    const { features } = this;
    const map = x.rank === 4;
    if (!(map || x.rank === 3) || x.shape[map ? 1 : 2] !== features || x.size === 0)
      throw new Error(
        `SoftHGNN: expected tokens [B, N, ${features}] or a map [B, ${features}, H, W], got ${formatShape(x.shape)}`,
      );
    const batch = x.shape[0] as number;
    const rows = map ? reshape(x, [batch, features, -1]) : x;
    const count = rows.shape[map ? 2 : 1] as number;
    if (mask && (mask.rank !== 2 || mask.shape[0] !== batch || mask.shape[1] !== count))
      throw new Error(`SoftHGNN: expected a mask [${batch}, ${count}], got ${formatShape(mask.shape)}`);
    if (mask) requireTokens(mask);
    return { x: rows, map, mask: mask && reshape(mask, [batch, 1, count]) };
  }

  /** The prototypes of each image, and which hyperedges they are of. */
  #choose(tokens: Tokens, mode: Mode): Chosen {
    const { means, peaks, counts } = summary(tokens);
    const all = this.#prototypesFor(concatenate([means, peaks], 1)); // [B, M, D]
    if (!this.selection) return { prototypes: all, positions: undefined };
    const scores = this.#scores(all, means, counts); // [B, M]
    const free = slice(scores, null, [this.fixed, this.hyperedges]);
    const [, positions] = topK(free, this.selection.k); // i32 [B, k]
    mode.addLoss?.(selectionBalance(free, positions, this.selection));
    const candidates = slice(all, null, [this.fixed, this.hyperedges]);
    const rows = inBatch(positions, this.selection.dynamic);
    const chosen = gatherKnownRows(reshape(candidates, [-1, this.features]), rows); // [B, k, D]
    const fixed = slice(all, null, [0, this.fixed]);
    return { prototypes: this.fixed > 0 ? concatenate([fixed, chosen], 1) : chosen, positions };
  }

  /** P₀ plus what the context g [B, 2D] gives: [B, M, D]. */
  #prototypesFor(context: Tensor): Tensor {
    const shape = [context.shape[0] as number, this.hyperedges, this.features];
    if (this.context.length === 0) return add(zeros(shape), this.prototypes);
    return add(
      reshape(
        this.context.reduce((value, layer) => layer.forward(value), context),
        shape,
      ),
      this.prototypes,
    );
  }

  /** u = Σₙ s [B, M], from the mean token [B, D] and the number of tokens. */
  #scores(prototypes: Tensor, means: Tensor, counts: Tensor | number): Tensor {
    const query = reshape(this.project.forward(means), [means.shape[0] as number, this.features, 1]);
    const similarity = reshape(matmul(prototypes, query), [prototypes.shape[0] as number, -1]);
    return multiply(similarity, multiply(counts instanceof Object ? counts : tensor([counts]), this.#scale));
  }

  /** A [B, m, N]. */
  #participation(prototypes: Tensor, { x, map, mask }: Tokens, mode: Mode): Tensor {
    const keys = multiply(matmul(prototypes, this.project.weight), this.#scale); // [B, m, D]
    // Without dropout the softmax over tokens cancels the bias; a dropped similarity is 0 with it.
    const bias = multiply(matmul(prototypes, reshape(this.project.bias as Tensor, [-1, 1])), this.#scale);
    const similarity = add(matmul(keys, x, { transposeB: !map }), bias);
    const dropped = this.#dropout.forward(similarity, mode);
    if (this.#normalize === 'hyperedges') {
      const shares = softmax(dropped, 1);
      return mask ? multiply(shares, mask) : shares;
    }
    return softmax(mask ? where(mask, dropped, Number.NEGATIVE_INFINITY) : dropped);
  }

  /** GELU(A·GELU(Aᵀx·W_e + b_e)·W_v + b_v), as the tokens lie. */
  #pass(participation: Tensor, { x, map }: Tokens): Tensor {
    const gathered = matmul(participation, x, { transposeB: map }); // [B, m, D]
    const messages = matmul(this.edge.forward(gathered).gelu(), this.vertex.weight, { transposeB: true });
    const bias = this.vertex.bias as Tensor;
    const spread = map
      ? add(matmul(messages, participation, { transposeA: true }), reshape(bias, [-1, 1])) // [B, D, N]
      : add(matmul(participation, messages, { transposeA: true }), bias); // [B, N, D]
    return spread.gelu();
  }
}

/** @throws RangeError unless a mask holds zeros and ones, a one at least for each image */
function requireTokens(mask: Tensor): void {
  const values = mask.view();
  const [batch, count] = mask.shape as [number, number];
  const odd = values.find((value) => value !== 0 && value !== 1);
  if (odd !== undefined) throw new RangeError(`SoftHGNN: a mask holds 1 for tokens and 0 for padding, not ${odd}`);
  for (let image = 0; image < batch; image++)
    if (!values.subarray(image * count, (image + 1) * count).includes(1))
      throw new RangeError(`SoftHGNN: the mask leaves no token of image ${image}`);
}

/** Positions [B, k] among `count` rows of each image → rows of all images together. */
function inBatch(positions: Tensor, count: number): Tensor {
  const batch = positions.shape[0] as number;
  // Of one image they are rows as they are, which the file of a plan can check.
  if (batch === 1) return positions;
  return add(
    positions,
    tensor(
      Int32Array.from({ length: batch }, (_, image) => image * count),
      [batch, 1],
    ),
  );
}

/** Mean and largest token [B, D], and the number of tokens: [B, 1] where there is a mask. */
function summary({ x, map, mask }: Tokens): { means: Tensor; peaks: Tensor; counts: Tensor | number } {
  const axis = map ? 2 : 1;
  if (!mask) return { means: mean(x, axis), peaks: max(x, axis), counts: x.shape[axis] as number };
  const own = map ? mask : reshape(mask, [mask.shape[0] as number, -1, 1]);
  const counts = sum(mask, 2);
  return {
    means: multiply(sum(multiply(x, own), axis), counts.reciprocal()),
    peaks: max(where(own, x, Number.NEGATIVE_INFINITY), axis),
    counts,
  };
}

/** @throws RangeError for counts that are not possible */
function checkedSelection({
  dynamic = 32,
  k = 16,
  balance = 0.01,
  gradient = 'straight-through',
}: SelectionOptions): Required<SelectionOptions> {
  requireChoice('SoftHGNN', 'the gradient of the load balance', gradient, ['straight-through', 'none']);
  if (!(Number.isInteger(dynamic) && dynamic > 0 && Number.isInteger(k) && k > 0 && k <= dynamic))
    throw new RangeError(`SoftHGNN: cannot choose ${k} of ${dynamic} dynamic hyperedges`);
  if (!(balance >= 0)) throw new RangeError(`SoftHGNN: the weight of the load balance must be ≥ 0, got ${balance}`);
  return { dynamic, k, balance, gradient };
}

/**
 * Hyperedges and heads to begin with, from the number of tokens and of features: the authors advise
 * 8, 16 or 32 hyperedges and 4 or 8 heads; with fewer features as many heads as divide them.
 */
export function suggestedHyperedges(tokens: number, features: number): { hyperedges: number; heads: number } {
  const hyperedges = tokens <= 64 ? 8 : tokens <= 1024 ? 16 : 32;
  return { hyperedges, heads: [8, 4, 2, 1].find((heads) => features % heads === 0) ?? 1 };
}
