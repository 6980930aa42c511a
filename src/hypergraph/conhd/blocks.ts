// Equivariant set-to-set functions: every member of a set gets an output of its own.

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

/** x [nnz, d] → [nnz, d], set by set. */
export interface SetFunction {
  forward(x: Tensor, sets: Grouping): Tensor;
}

/** UNB: outᵢ = MLP₂([xᵢ ‖ meanⱼ MLP₁(xⱼ)]) over the set of i; each MLP is linear → ReLU → linear. */
export class MeanBlock implements SetFunction {
  readonly message: readonly [Linear, Linear];
  /** Halves of MLP₂'s first layer: of xᵢ itself, and of the set's mean, which is mapped once a set. */
  readonly own: Linear;
  readonly mean: Linear;
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

export interface InducedAttentionOptions {
  /** Learnt queries. Default: 4. */
  readonly points?: number;
  /** Default: 4. */
  readonly heads?: number;
}

/** ISAB of the Set Transformer (Lee et al. 2019): H = MAB(I, X) with a few learnt queries I, out = MAB(X, H); MAB(Q, K) = O + ReLU(W_o·O), O = Q + heads of softmax(QKᵀ/√d)·V. Linear in the size of a set. */
export class InducedAttentionBlock implements SetFunction {
  inducing: Tensor;
  readonly first: AttentionWeights;
  readonly second: AttentionWeights;
  readonly points: number;
  readonly heads: number;

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

  /** H: for every inducing point one row a set, [sets, d] each. */
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

/** The mean of the set for every member: what networks that aggregate to one vector can tell. */
export function meanOfSet(x: Tensor, sets: Grouping): Tensor {
  return gatherKnownRows(spmm(sets.means, x), sets.ids);
}

/** Quadratic structural regulariser Ω(H) = ½·Σ_{i,j}‖hᵢ − hⱼ‖²/(2·|set|): its gradient hᵢ − mean(h). */
export function cliqueGradient(x: Tensor, sets: Grouping): Tensor {
  return add(x, multiply(meanOfSet(x, sets), -1));
}
