// Equivariant set-to-set functions: every member of a set has its own output.

import { Linear, parameter, xavierUniform } from '../../nn/index.js';
import { attentionPool, spmm } from '../../sparse/index.js';
import type { Grouping } from '../../structure/index.js';
import {
  add,
  broadcastTo,
  gatherKnownRows,
  multiply,
  type Random,
  relu,
  reshape,
  softmax,
  stack,
  sum,
  type Tensor,
} from '../../tensor/index.js';

/** A permutation-equivariant function of sets. */
export interface SetFunction {
  /** x [nnz, d] → [nnz, d], applied to each set of incidences independently. */
  forward(x: Tensor, sets: Grouping): Tensor;
}

/**
 * UNB: outᵢ = MLP₂([xᵢ ‖ meanⱼ MLP₁(xⱼ)]) with j over the set of i; each MLP is linear → ReLU →
 * linear.
 */
export class MeanBlock implements SetFunction {
  /** MLP₁. */
  readonly message: readonly [Linear, Linear];
  /** Part of the first layer of MLP₂ that reads xᵢ. */
  readonly own: Linear;
  /** Part of the first layer of MLP₂ that reads the set's mean, applied once for each set. */
  readonly mean: Linear;
  /** Second layer of MLP₂. */
  readonly output: Linear;

  constructor(features: number, random: Random) {
    const layer = (label: string, bias = true) => new Linear(features, features, random.split(label), { bias });
    this.message = [layer('message 1'), layer('message 2')];
    this.own = layer('own');
    this.mean = layer('mean', false);
    this.output = layer('output');
  }

  forward(x: Tensor, sets: Grouping): Tensor {
    const messages = this.message[1].forward(this.message[0].forward(x, 'relu'));
    const means = this.mean.forward(spmm(sets.means, messages)); // (sets, d)
    return this.output.forward(relu(add(this.own.forward(x), gatherKnownRows(means, sets.ids))));
  }
}

/** Layout of an `InducedAttentionBlock`. */
export interface InducedAttentionOptions {
  /** Number of learned queries (inducing points). Default: 4. */
  readonly points?: number;
  /** Number of attention heads. Default: 4. */
  readonly heads?: number;
}

/**
 * ISAB of the Set Transformer (Lee et al., ICML 2019): H = MAB(I, X) with learned inducing points
 * I, out = MAB(X, H), where MAB(Q, K) = O + ReLU(W_o·O), O = Q + multi-head softmax(QKᵀ/√d)·V. Cost
 * is linear in the size of a set.
 */
export class InducedAttentionBlock implements SetFunction {
  /** I [points, d]. */
  inducing: Tensor;
  /** Weights of MAB(I, X). */
  readonly first: AttentionWeights;
  /** Weights of MAB(X, H). */
  readonly second: AttentionWeights;
  /** Number of inducing points. */
  readonly points: number;
  /** Number of attention heads. */
  readonly heads: number;

  /** @throws Error when the features do not divide into the heads */
  constructor(features: number, random: Random, { points = 4, heads = 4 }: InducedAttentionOptions = {}) {
    this.points = points;
    this.heads = heads;
    if (features % heads !== 0) throw new Error(`ISAB: ${features} features do not divide into ${heads} heads`);
    this.inducing = parameter(xavierUniform(random, [points, features]));
    this.first = new AttentionWeights(features, random.split('first'));
    this.second = new AttentionWeights(features, random.split('second'));
  }

  forward(x: Tensor, sets: Grouping): Tensor {
    const summaries = this.#summarize(x, sets);
    const { query, key, value } = this.second;
    const split = (t: Tensor) => reshape(t, [t.shape[0] as number, this.heads, -1]);
    const q = split(query.forward(x));
    const scale = 1 / Math.sqrt(x.shape[1] as number);
    const scores = summaries.map((summary) =>
      multiply(sum(multiply(q, gatherKnownRows(split(key.forward(summary)), sets.ids)), -1), scale),
    ); // points × (nnz, heads)
    const alpha = softmax(stack(scores, -1)); // (nnz, heads, points)
    const attended = summaries.map((summary, p) => {
      const weight = alpha.slice(null, null, [p, p + 1]);
      return multiply(gatherKnownRows(split(value.forward(summary)), sets.ids), weight);
    });
    const pooled = attended.reduce((a, b) => add(a, b), q);
    return this.second.finish(reshape(pooled, x.shape));
  }

  /** H: for every inducing point a tensor [sets, d]. */
  #summarize(x: Tensor, sets: Grouping): Tensor[] {
    const { query, key, value } = this.first;
    const d = x.shape[1] as number;
    const split = (t: Tensor) => reshape(t, [t.shape[0] as number, this.heads, -1]);
    const [keys, values, queries] = [split(key.forward(x)), split(value.forward(x)), query.forward(this.inducing)];
    return Array.from({ length: this.points }, (_, p) => {
      const q = reshape(queries.slice([p, p + 1]), [1, this.heads, -1]);
      const scores = multiply(sum(multiply(keys, q), -1), 1 / Math.sqrt(d)); // (nnz, heads), in the order of incidences
      const pooled = attentionPool(values, gatherKnownRows(scores, sets.pattern.indexTensor), sets.pattern); // (sets, heads, d / heads)
      return this.first.finish(reshape(add(pooled, broadcastTo(q, pooled.shape)), [sets.count, d]));
    });
  }
}

/** Projections of a multi-head attention block (MAB). */
class AttentionWeights {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly output: Linear;

  constructor(features: number, random: Random) {
    const layer = (label: string) => new Linear(features, features, random.split(label));
    this.query = layer('query');
    this.key = layer('key');
    this.value = layer('value');
    this.output = layer('output');
  }

  /** O + ReLU(W_o·O). */
  finish(o: Tensor): Tensor {
    return add(o, this.output.forward(o, 'relu'));
  }
}

/**
 * Replaces every member of a set by the mean of the set: all that networks which aggregate a set to
 * one vector can represent. x [nnz, d] → [nnz, d].
 */
export function meanOfSet(x: Tensor, sets: Grouping): Tensor {
  return gatherKnownRows(spmm(sets.means, x), sets.ids);
}

/**
 * Gradient hᵢ − mean(h) of the quadratic structural regulariser Ω(H) = ½·Σ_{i,j}‖hᵢ −
 * hⱼ‖²/(2·|set|). x [nnz, d] → [nnz, d].
 */
export function cliqueGradient(x: Tensor, sets: Grouping): Tensor {
  return add(x, multiply(meanOfSet(x, sets), -1));
}
