// The routers that BlockFFN is compared with, on the same blocks: top-k (Shazeer et al. 2017) with
// or without shared blocks (DeepSeekMoE: Dai et al. 2024), and ReMoE (Wang et al., ICLR 2025).
// Training computes all blocks here too.

import type { TokenBatch } from '../../data/index.js';
import {
  type BlockGates,
  type ExpertContext,
  type FeedForward,
  loadBalanceLoss,
  routeTopK,
} from '../../nn/experts/index.js';
import { Linear } from '../../nn/index.js';
import {
  add,
  concatenate,
  multiply,
  ones,
  putAlong,
  type Random,
  relu,
  reshape,
  sum,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import type { TrainingObjective } from '../training.js';
import { type BlockSizes, gatesLike, linearBlocks } from './layer.js';

/** Standard deviation of initial router weights, in the authors' baselines. */
const ROUTER_STD = 0.01;

/** How a rival routes. */
export type RivalRouter =
  | {
      /** Renormalised softmax probabilities of the k best. */
      readonly kind: 'top';
      /** Blocks a token, shared ones included. */
      readonly k: number;
      /** Blocks that every token uses, with gate 1. Default: 0. */
      readonly shared?: number;
    }
  /** ReLU(W_r x), unnormalised. */
  | { readonly kind: 'relu' };

/** A layer of the blocks of `BlockFFN` with another router: x […, d] → […, d]. */
export class RivalBlocks implements FeedForward {
  /** [E − shared, d]. */
  readonly routerProj: Linear;
  /** [E·e, d]. */
  readonly upProj: Linear;
  /** [d, E·e]. */
  readonly downProj: Linear;

  constructor(
    readonly features: number,
    { count, width }: BlockSizes,
    readonly router: RivalRouter,
    random: Random,
  ) {
    const shared = router.kind === 'top' ? (router.shared ?? 0) : 0;
    this.routerProj = new Linear(features, count - shared, random, { bias: false });
    this.routerProj.weight.assign(random.normal([count - shared, features], 0, ROUTER_STD));
    this.upProj = new Linear(features, count * width, random, { bias: false });
    this.downProj = new Linear(count * width, features, random, { bias: false });
  }

  forward(x: Tensor, context?: ExpertContext): Tensor {
    const tokens = reshape(x, [-1, this.features]);
    const logits = this.routerProj.forward(tokens);
    const gates = this.router.kind === 'relu' ? relu(logits) : this.#top(logits, this.router, context);
    context?.onGates?.(gatesLike(x, { logits, normalised: gates, gates }));
    return reshape(linearBlocks(tokens, gates, this.upProj, this.downProj), x.shape);
  }

  /** Gates [T, E]; shared blocks come first. */
  #top(logits: Tensor, { k, shared = 0 }: { k: number; shared?: number }, context?: ExpertContext): Tensor {
    const [tokens, count] = logits.shape as [number, number];
    const routing = routeTopK(logits, k - shared);
    context?.losses.push(loadBalanceLoss(routing));
    const routed = putAlong(routing.gates, routing.experts, count);
    return shared === 0 ? routed : concatenate([ones([tokens, shared]), routed], 1);
  }
}

/** Options of `ReMoEObjective`. */
export interface ReMoEOptions {
  /** k: blocks a token that λ steers to. */
  readonly k: number;
  /** λ₀, and the least λ. Default: 1e-8. */
  readonly initial?: number;
  /** Factor of λ after each update. Default: 1.05. */
  readonly growth?: number;
}

/**
 * The loss of ReMoE: λ·E/(T²k)·Σₑ (Σₜ a_te)·(tokens that use e), mean over layers. After each
 * update λ grows by a factor where more than k blocks a token were used, else it shrinks by it, not
 * below λ₀.
 */
export class ReMoEObjective implements TrainingObjective {
  readonly #options: Required<ReMoEOptions>;
  #lambda: number;
  #used = 0;

  constructor({ k, initial = 1e-8, growth = 1.05 }: ReMoEOptions) {
    this.#options = { k, initial, growth };
    this.#lambda = initial;
  }

  /** λ of the next step. */
  get lambda(): number {
    return this.#lambda;
  }

  terms(layers: readonly BlockGates[], _batch: TokenBatch): Tensor {
    if (layers.length === 0) throw new Error('ReMoE: the model has no layer of blocks');
    this.#used = 0;
    const each = layers.map(({ gates: shaped }) => {
      const experts = shaped.shape.at(-1) as number;
      const gates = reshape(shaped, [-1, experts]);
      const tokens = gates.shape[0] as number;
      const counts = new Float32Array(experts);
      const values = gates.view();
      for (let i = 0; i < values.length; i++)
        if (values[i] !== 0) counts[i % experts] = (counts[i % experts] as number) + 1;
      this.#used += counts.reduce((total, count) => total + count, 0) / (tokens * layers.length);
      const loads = multiply(sum(gates, 0), tensor(counts));
      return multiply(sum(loads), experts / (tokens ** 2 * this.#options.k));
    });
    return multiply(
      each.reduce((a, b) => add(a, b)),
      this.#lambda / layers.length,
    );
  }

  advance(): void {
    const { k, initial, growth } = this.#options;
    this.#lambda = this.#used > k ? this.#lambda * growth : Math.max(this.#lambda / growth, initial);
  }

  state(): Float64Array {
    return Float64Array.of(this.#lambda);
  }

  restore([lambda = this.#options.initial]: Float64Array): void {
    this.#lambda = lambda;
  }
}
