// AllSet (Chien, Pan, Peng, Milenkovic, "You are AllSet: A Multiset Function Framework for
// Hypergraph Neural Networks", ICLR 2022): both directions of propagation are learned multiset
// functions.

import { Dropout, inference, LayerNorm, Linear, MLP, type Mode, parameter, xavierUniform } from '../../nn/index.js';
import { attentionPool, type SparseMatrix, type SparsePattern, spmm } from '../../sparse/index.js';
import { type Hypergraph, memo, type Propagation, powers, scaled, sumPropagation } from '../../structure/index.js';
import {
  add,
  gatherKnownRows,
  leakyRelu,
  multiply,
  type Random,
  relu,
  reshape,
  sum,
  type Tensor,
} from '../../tensor/index.js';
import type { HeadsOptions } from './propagate.js';

/** Weight n_ve of an incidence in a sum: 1 ('none') or d(v)^{-1/2}·δ(e)^{-1/2} ('degree'). */
export type AllSetNorm = 'none' | 'degree';

/** One direction of AllDeepSets: ReLU(MLP_enc(x)) → dropout → Σ n_ve·(·) → ReLU(MLP_dec). */
class DeepSetHalf {
  readonly encoder: MLP;
  readonly decoder: MLP;

  constructor(inFeatures: number, outFeatures: number, random: Random) {
    this.encoder = new MLP([inFeatures, outFeatures, outFeatures], random);
    this.decoder = new MLP([outFeatures, outFeatures, outFeatures], random);
  }

  forward(x: Tensor, matrix: SparseMatrix, dropout: Dropout, mode: Mode): Tensor {
    const encoded = dropout.forward(relu(this.encoder.forward(x, mode)), mode);
    return relu(this.decoder.forward(spmm(matrix, encoded), mode));
  }
}

/** Layout of AllDeepSets. */
export interface AllDeepSetsOptions {
  /** Weight of an incidence. Default: 'none'. */
  readonly norm?: AllSetNorm;
  /** Dropout probability of encoded features. Default: 0.5. */
  readonly dropout?: number;
}

/** AllDeepSets: both directions are sums of transformed elements. */
export class AllDeepSetsConv {
  /** Vertices → hyperedges. */
  readonly toHyperedges: DeepSetHalf;
  /** Hyperedges → vertices. */
  readonly toVertices: DeepSetHalf;
  /** Weight of an incidence. */
  readonly norm: AllSetNorm;
  readonly #dropout: Dropout;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { norm = 'none', dropout = 0.5 }: AllDeepSetsOptions = {},
  ) {
    this.norm = norm;
    this.toHyperedges = new DeepSetHalf(inFeatures, outFeatures, random);
    this.toVertices = new DeepSetHalf(outFeatures, outFeatures, random);
    this.#dropout = new Dropout(dropout);
  }

  /** x [N, in] → [N, out]. */
  forward(x: Tensor, hypergraph: Hypergraph, mode: Mode = inference): Tensor {
    const { toHyperedges, toVertices } = propagationOf(hypergraph, this.norm);
    return this.toVertices.forward(
      this.toHyperedges.forward(x, toHyperedges, this.#dropout, mode),
      toVertices,
      this.#dropout,
      mode,
    );
  }
}

function propagationOf(hypergraph: Hypergraph, norm: AllSetNorm): Propagation {
  const { toHyperedges, toVertices } = sumPropagation(hypergraph);
  if (norm === 'none') return { toHyperedges, toVertices };
  return memo(hypergraph, 'allset degree', () => {
    const vertices = powers(hypergraph.vertexDegrees, -0.5);
    const hyperedges = powers(hypergraph.hyperedgeSizes, -0.5);
    return {
      toHyperedges: scaled(toHyperedges, hyperedges, vertices),
      toVertices: scaled(toVertices, vertices, hyperedges),
    };
  });
}

/**
 * One direction of AllSetTransformer: pooling by multi-head attention with a learned seed θ. Scores
 * ⟨θ, K⟩ of each head through LeakyReLU₀.₂, softmax over the set, O = Σ αV + θ, Y = LN(O), out =
 * LN(Y + ReLU(MLP(Y))).
 */
class AttentionHalf {
  seed: Tensor;
  readonly key: Linear;
  readonly value: Linear;
  readonly firstNorm: LayerNorm;
  readonly secondNorm: LayerNorm;
  readonly mlp: MLP;

  constructor(
    inFeatures: number,
    outFeatures: number,
    readonly heads: number,
    random: Random,
  ) {
    if (outFeatures % heads !== 0)
      throw new Error(`AllSetTransformerConv: ${outFeatures} features do not divide into ${heads} heads`);
    this.seed = parameter(xavierUniform(random, [heads, outFeatures / heads]));
    this.key = new Linear(inFeatures, outFeatures, random);
    this.value = new Linear(inFeatures, outFeatures, random);
    this.firstNorm = new LayerNorm(outFeatures);
    this.secondNorm = new LayerNorm(outFeatures);
    this.mlp = new MLP([outFeatures, outFeatures, outFeatures], random);
  }

  forward(x: Tensor, pattern: SparsePattern, mode: Mode): Tensor {
    const n = x.shape[0] as number;
    const keys = reshape(this.key.forward(x), [n, this.heads, -1]); // (n, heads, d)
    const values = reshape(this.value.forward(x), [n, this.heads, -1]);
    const scores = sum(multiply(keys, this.seed), -1); // (n, heads)
    const sets = attentionPool(values, leakyRelu(gatherKnownRows(scores, pattern.indexTensor), 0.2), pattern); // (rows, heads, d)
    const pooled = reshape(add(sets, this.seed), [pattern.rows, -1]);
    const y = this.firstNorm.forward(pooled);
    return this.secondNorm.forward(add(y, relu(this.mlp.forward(y, mode))));
  }
}

/** Layout of AllSetTransformer. `heads` defaults to 4. */
export interface AllSetTransformerOptions extends HeadsOptions {
  /** Dropout probability of hyperedge features. Default: 0.5. */
  readonly dropout?: number;
}

/** AllSetTransformer: both directions pool by attention. */
export class AllSetTransformerConv {
  /** Vertices → hyperedges. */
  readonly toHyperedges: AttentionHalf;
  /** Hyperedges → vertices. */
  readonly toVertices: AttentionHalf;
  readonly #dropout: Dropout;

  /** @throws Error when the output features do not divide into the heads */
  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { heads = 4, dropout = 0.5 }: AllSetTransformerOptions = {},
  ) {
    this.toHyperedges = new AttentionHalf(inFeatures, outFeatures, heads, random);
    this.toVertices = new AttentionHalf(outFeatures, outFeatures, heads, random);
    this.#dropout = new Dropout(dropout);
  }

  /** x [N, in] → [N, out]. */
  forward(x: Tensor, hypergraph: Hypergraph, mode: Mode = inference): Tensor {
    const hyperedges = relu(this.toHyperedges.forward(x, hypergraph.members, mode));
    return relu(this.toVertices.forward(this.#dropout.forward(hyperedges, mode), hypergraph.incidence, mode));
  }
}
