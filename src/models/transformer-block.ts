// Pre-norm blocks of vision transformers, with attention or with a layer that mixes tokens by a
// spatial operator (Han, Yoo, Kim, Heo, "Learning Features with Parameter-Free Layers", ICLR 2022).

import {
  inference,
  type Layer,
  LayerNorm,
  Linear,
  type Mode,
  MultiHeadAttention,
  parameterOwners,
  type SpatialOperator,
  StochasticDepth,
  spatialOperator,
  truncatedNormal,
} from '../nn/index.js';
import { add, type Random, reshape, scope, type Tensor, transpose, zeros } from '../tensor/index.js';

/** ε of layer norms. */
export const EPSILON = 1e-6;

/** W₂·GELU(W₁·x). */
class Mlp {
  readonly fc1: Linear;
  readonly fc2: Linear;

  constructor(features: number, hidden: number, random: Random) {
    this.fc1 = new Linear(features, hidden, random);
    this.fc2 = new Linear(hidden, features, random);
  }

  forward(x: Tensor): Tensor {
    return this.fc2.forward(this.fc1.forward(x).gelu());
  }
}

/** Options of `EffLayer`. */
export interface EffLayerOptions {
  /** F, such as `max-pool`. Default: `max-pool`. */
  readonly operator?: SpatialOperator;
  /** Side of its neighbourhood, odd. Default: 3. */
  readonly kernel?: number;
}

/** Hidden features of an `EffLayer` over its features. */
const RATIO = 3;

/**
 * The layer in the place of attention: tokens are a square map, on which a spatial operator F
 * without weights mixes pixels, y = W₂·GELU(F(GELU(W₁·x + b₁))) + b₂.
 *
 * **Shapes**: x [n, s², features] → the same; W₁ [3·features, features], W₂ [features, 3·features].
 */
export class EffLayer implements Layer {
  /** W₁ and b₁. */
  fc1: Linear;
  /** W₂ and b₂. */
  fc2: Linear;
  /** F. */
  readonly operator: Layer;

  constructor(features: number, random: Random, { operator = 'max-pool', kernel = 3 }: EffLayerOptions = {}) {
    this.fc1 = new Linear(features, RATIO * features, random);
    this.fc2 = new Linear(RATIO * features, features, random);
    this.operator = spatialOperator(operator, RATIO * features, random, { kernel, countPadding: true });
  }

  /**
   * x [n, s², features] → the same.
   *
   * @throws RangeError unless the number of tokens is a square
   */
  forward(x: Tensor, mode: Mode = inference): Tensor {
    const [n, tokens] = x.shape as [number, number, number];
    const side = Math.sqrt(tokens);
    if (!Number.isInteger(side)) throw new RangeError(`EffLayer: ${tokens} tokens are no square map`);
    const hidden = this.fc1.forward(x).gelu();
    const width = hidden.shape[2] as number;
    const map = reshape(transpose(hidden), [n, width, side, side]);
    const mixed = this.operator.forward(map, mode).gelu();
    return this.fc2.forward(transpose(reshape(mixed, [n, width, tokens])));
  }
}

/** Options of `TransformerBlock`. */
export interface TransformerBlockOptions {
  /** Operator of an `EffLayer` in the place of attention. Default: attention. */
  readonly operator?: SpatialOperator | undefined;
  /** Probability of leaving a branch out in training, by image. Default: 0. */
  readonly dropPath?: number;
}

/** x′ = x + Mix(LN(x)), y = x′ + MLP(LN(x′)): [n, tokens, features] → the same. */
export class TransformerBlock {
  /** Before what mixes tokens. */
  readonly norm1: LayerNorm;
  /** What mixes tokens. */
  attn: MultiHeadAttention | EffLayer;
  /** Before the MLP. */
  readonly norm2: LayerNorm;
  /** Of each token by itself. */
  readonly mlp: Mlp;
  readonly #drop: StochasticDepth;

  constructor(
    features: number,
    heads: number,
    hidden: number,
    random: Random,
    { operator, dropPath = 0 }: TransformerBlockOptions = {},
  ) {
    this.norm1 = new LayerNorm(features, { epsilon: EPSILON });
    this.attn = operator
      ? new EffLayer(features, random, { operator })
      : new MultiHeadAttention(features, heads, random);
    this.norm2 = new LayerNorm(features, { epsilon: EPSILON });
    this.mlp = new Mlp(features, hidden, random);
    this.#drop = new StochasticDepth(dropPath);
  }

  /** x [n, tokens, features] → the same. */
  forward(x: Tensor, mode: Mode = inference): Tensor {
    const normed = this.norm1.forward(x);
    const mixed = this.attn instanceof EffLayer ? this.attn.forward(normed, mode) : this.attn.forward(normed);
    const attended = add(x, this.#drop.forward(mixed, mode));
    return add(attended, this.#drop.forward(this.mlp.forward(this.norm2.forward(attended)), mode));
  }
}

/** Linear layers of a network begin with weights from N(0, 0.02²), truncated, and biases of 0. */
export function normalLinears(network: object, random: Random): void {
  for (const { name, owner, tensor } of parameterOwners(network))
    if (owner instanceof Linear)
      scope(() => tensor.assign(name.endsWith('weight') ? truncatedNormal(random, tensor.shape) : zeros(tensor.shape)));
}
