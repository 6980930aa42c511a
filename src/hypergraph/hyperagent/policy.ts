// The topology policy: a variational hypergraph encoder over agents and task, and a decoder that
// scores each pair of agents for the task.
//
//   X¹ = ReLU(P·X·Θ + b),  μ = P·X¹·Θ_μ + b_μ,  ln σ = P·X¹·Θ_σ + b_σ,  h = μ + σ ⊙ ε
//   P = D^{−1/2} H B^{−1} Hᵀ D^{−1/2}
//   ϖ_ij = c·tanh(½(F[h_i, h_j, h_task] + F[h_j, h_i, h_task])/c),  F: linear → ReLU → linear
//   Sᵢⱼ ~ Bernoulli(σ(ϖ_ij)) while training, Sᵢⱼ = [ϖ_ij > 0] after it

import { Linear } from '../../nn/index.js';
import { symmetricPropagation } from '../../structure/index.js';
import {
  add,
  clip,
  exp,
  gatherKnownRows,
  mean,
  multiply,
  type Random,
  reshape,
  square,
  subtract,
  sum,
  type Tensor,
  tanh,
} from '../../tensor/index.js';
import { HGNNConv } from '../conv/index.js';
import { propagate } from '../conv/propagate.js';
import type { QueryBatch } from './inputs.js';

/** Layout of a `TopologyPolicy`. */
export interface PolicyOptions {
  /** Width of the encoder's hidden layer and of h. Default: 64. */
  readonly hidden?: number;
  /** Width of the decoder's hidden layer. Default: 128. */
  readonly decoderHidden?: number;
  /** c: logits stay in (−c, c), so that sampling does not die out. Default: 3. */
  readonly clip?: number;
  /** Whether the decoder also sees h_i ⊙ h_task and h_j ⊙ h_task. Default: `without`. */
  readonly products?: 'with' | 'without';
}

/** Scores of the pairs of a batch. */
export interface PairLogits {
  /** ϖ [B, P]. */
  readonly logits: Tensor;
  /** KL(N(μ, σ²) ‖ N(0, I)), summed over features, mean over vertices; a scalar. */
  readonly divergence: Tensor;
}

/** ln σ at the start: little noise, so that the first logits say something about the vertices. */
const INITIAL_LOG_DEVIATION = -3;
const LOG_DEVIATION_LIMITS = [-6, 2] as const;

/** Scores pairs of agents for a task; works with any number of agents. */
export class TopologyPolicy {
  /** The layer of X¹. */
  readonly shared: HGNNConv;
  /** The head of μ. */
  readonly mean: HGNNConv;
  /** The head of ln σ. */
  readonly logDeviation: HGNNConv;
  /** F of the header. */
  readonly decoder: PairDecoder;

  constructor(
    readonly dimension: number,
    random: Random,
    { hidden = 64, decoderHidden = 128, clip: limit = 3, products = 'without' }: PolicyOptions = {},
  ) {
    this.shared = new HGNNConv(dimension, hidden, random.split('shared'));
    this.mean = new HGNNConv(hidden, hidden, random.split('mean'));
    this.logDeviation = new HGNNConv(hidden, hidden, random.split('deviation'));
    const { bias } = this.logDeviation.theta;
    bias?.assign(add(bias, INITIAL_LOG_DEVIATION));
    this.decoder = new PairDecoder(hidden, decoderHidden, random.split('decoder'), { limit, products });
  }

  /** μ and ln σ of each vertex: [B·(N + 1), hidden]. */
  encode({ features, vertices, hypergraph }: QueryBatch): { readonly mean: Tensor; readonly logDeviation: Tensor } {
    // XΘ once for each text, and not for each vertex: the agents are the same in all queries.
    const projected = gatherKnownRows(this.shared.theta.forward(features), vertices);
    const shared = propagate(projected, symmetricPropagation(hypergraph)).relu();
    const [low, high] = LOG_DEVIATION_LIMITS;
    return {
      mean: this.mean.forward(shared, hypergraph),
      logDeviation: clip(this.logDeviation.forward(shared, hypergraph), low, high),
    };
  }

  /** @param random of ε; h = μ when left out */
  forward(batch: QueryBatch, random?: Random): PairLogits {
    const { mean: mu, logDeviation } = this.encode(batch);
    const latent = random ? add(mu, multiply(exp(logDeviation), random.normal(mu.shape))) : mu;
    return { logits: this.decoder.forward(latent, batch), divergence: gaussianDivergence(mu, logDeviation) };
  }
}

/** KL(N(μ, σ²) ‖ N(0, I)) = ½ Σ (μ² + σ² − 1 − 2 ln σ) over features, mean over rows [n, d]. */
export function gaussianDivergence(mu: Tensor, logDeviation: Tensor): Tensor {
  const doubled = multiply(logDeviation, 2);
  return multiply(mean(sum(subtract(subtract(add(square(mu), exp(doubled)), 1), doubled), 1)), 0.5);
}

/** F of the header, the columns of its first matrix for h_i, h_j and h_task apart. */
class PairDecoder {
  readonly first: Linear;
  readonly second: Linear;
  readonly task: Linear;
  readonly firstProduct: Linear | undefined;
  readonly secondProduct: Linear | undefined;
  readonly head: Linear;
  readonly #limit: number;

  constructor(
    features: number,
    hidden: number,
    random: Random,
    { limit = 3, products = 'without' }: { readonly limit?: number; readonly products?: 'with' | 'without' } = {},
  ) {
    this.#limit = limit;
    const part = (name: string, bias = false) => new Linear(features, hidden, random.split(name), { bias });
    this.first = part('first');
    this.second = part('second');
    this.task = part('task', true);
    this.firstProduct = products === 'with' ? part('first product') : undefined;
    this.secondProduct = products === 'with' ? part('second product') : undefined;
    this.head = new Linear(hidden, 1, random.split('head'));
  }

  /** h [B·(N + 1), d] → ϖ [B, P]. */
  forward(latent: Tensor, { rows, queries, pairs }: QueryBatch): Tensor {
    const [asFirst, asSecond] = [this.first.forward(latent), this.second.forward(latent)];
    const task = gatherKnownRows(this.task.forward(latent), rows.task);
    const products = this.#products(latent, { rows });
    const score = (i: Tensor, j: Tensor) => {
      const roles = add(gatherKnownRows(asFirst, i), gatherKnownRows(asSecond, j));
      const seen = products(i, j);
      const input = add(roles, task);
      return this.head.forward((seen ? add(input, seen) : input).relu());
    };
    const both = multiply(add(score(rows.first, rows.second), score(rows.second, rows.first)), 0.5);
    const limit = this.#limit;
    return reshape(multiply(tanh(multiply(both, 1 / limit)), limit), [queries, pairs]);
  }

  #products(latent: Tensor, { rows }: Pick<QueryBatch, 'rows'>) {
    const { firstProduct, secondProduct } = this;
    return (i: Tensor, j: Tensor): Tensor | undefined => {
      if (!firstProduct || !secondProduct) return undefined;
      const task = gatherKnownRows(latent, rows.task);
      const withTask = (side: Tensor) => multiply(gatherKnownRows(latent, side), task);
      return add(firstProduct.forward(withTask(i)), secondProduct.forward(withTask(j)));
    };
  }
}
