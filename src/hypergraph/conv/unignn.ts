// UniGNN (Huang & Yang, "UniGNN: a Unified Framework for Graph and Hypergraph Neural Networks",
// IJCAI 2021): graph layers generalised to hypergraphs. In all of them h_e is the mean of XΘ over
// the members of e.

import { Dropout, inference, Linear, type Mode, parameter } from '../../nn/index.js';
import { attentionPool, type SparseMatrix, spmm } from '../../sparse/index.js';
import { type Hypergraph, meanPropagation, memo, powers, scaled, sumPropagation } from '../../structure/index.js';
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
  zeros,
} from '../../tensor/index.js';
import { type HeadsOptions, type HypergraphConv, LinearConv } from './propagate.js';

function hyperedgeMeans(x: Tensor, hypergraph: Hypergraph): Tensor {
  return spmm(meanPropagation(hypergraph).toHyperedges, x);
}

/** N×M with elements dᵢ^{-1/2}·d̃ₑ^{-1/2}, where d̃ₑ is the mean degree of the members of e. */
function degreeWeighted(hypergraph: Hypergraph): SparseMatrix {
  return memo(hypergraph, 'unigcn', () => {
    const { vertexDegrees } = hypergraph;
    const meanDegrees = hypergraph
      .hyperedges()
      .map((members) => members.reduce((total, v) => total + (vertexDegrees[v] as number), 0) / members.length);
    return scaled(sumPropagation(hypergraph).toVertices, powers(vertexDegrees, -0.5), powers(meanDegrees, -0.5));
  });
}

function sumOfHyperedges(x: Tensor, hypergraph: Hypergraph): Tensor {
  return spmm(sumPropagation(hypergraph).toVertices, hyperedgeMeans(x, hypergraph));
}

/** UniGCN's aggregation in two steps: means over members, then dᵢ^{-1/2} Σ_{e∋i} d̃ₑ^{-1/2}. */
function uniGcnOperators(hypergraph: Hypergraph): readonly SparseMatrix[] {
  return [meanPropagation(hypergraph).toHyperedges, degreeWeighted(hypergraph)];
}

/** x'ᵢ = dᵢ^{-1/2} Σ_{e∋i} d̃ₑ^{-1/2} h_e. The published layer has no bias. */
export class UniGCNConv extends LinearConv {
  operators(hypergraph: Hypergraph) {
    return uniGcnOperators(hypergraph);
  }
}

/** Projection by Θ, then the aggregation of a subclass. */
abstract class UniConv implements HypergraphConv {
  readonly theta: Linear;

  constructor(inFeatures: number, outFeatures: number, random: Random, { bias = false }: { bias?: boolean } = {}) {
    this.theta = new Linear(inFeatures, outFeatures, random, { bias });
  }

  forward(x: Tensor | SparseMatrix, hypergraph: Hypergraph): Tensor {
    return this.combine(this.theta.forward(x), hypergraph);
  }

  protected abstract combine(projected: Tensor, hypergraph: Hypergraph): Tensor;
}

/** x'ᵢ = (1 + ε)·xᵢΘ + Σ_{e∋i} h_e with a learned ε that starts at 0. */
export class UniGINConv extends UniConv {
  /** ε [1]. */
  epsilon: Tensor = parameter(zeros([1]));

  protected combine(projected: Tensor, hypergraph: Hypergraph): Tensor {
    return add(multiply(projected, add(this.epsilon, 1)), sumOfHyperedges(projected, hypergraph));
  }
}

/** x'ᵢ = xᵢΘ + Σ_{e∋i} h_e. */
export class UniSAGEConv extends UniConv {
  protected combine(projected: Tensor, hypergraph: Hypergraph): Tensor {
    return add(projected, sumOfHyperedges(projected, hypergraph));
  }
}

/**
 * x'ᵢ = Σ_{e∋i} α_ie·h_e with α the softmax over e∋i of LeakyReLU₀.₂(aᵀh_e), heads concatenated:
 * out = heads × features of each head.
 */
export class UniGATConv extends UniConv {
  /** a [heads, out / heads]. */
  attention: Tensor;
  /** Number of attention heads. */
  readonly heads: number;

  /** @throws Error when the output features do not divide into the heads */
  constructor(inFeatures: number, outFeatures: number, random: Random, { heads = 1 }: HeadsOptions = {}) {
    super(inFeatures, outFeatures, random);
    this.heads = heads;
    if (outFeatures % heads !== 0)
      throw new Error(`UniGATConv: ${outFeatures} features do not divide into ${heads} heads`);
    this.attention = parameter(
      random.normal([heads, outFeatures / heads], 0, Math.sqrt(2 / (outFeatures / heads + 1))),
    );
  }

  protected combine(projected: Tensor, hypergraph: Hypergraph): Tensor {
    const { incidence } = hypergraph;
    const means = reshape(hyperedgeMeans(projected, hypergraph), [hypergraph.hyperedgeCount, this.heads, -1]); // (M, heads, d)
    const scores = sum(multiply(means, this.attention), -1); // (M, heads)
    const pooled = attentionPool(means, leakyRelu(gatherKnownRows(scores, incidence.indexTensor), 0.2), incidence);
    return reshape(pooled, [hypergraph.vertexCount, -1]);
  }
}

/** Layout of UniGCNII. */
export interface UniGCNIIOptions {
  /** Number of hidden layers. Default: 32. */
  readonly layers?: number;
  /** α: share of x⁰ in every layer. Default: 0.1. */
  readonly alpha?: number;
  /** λ of βₗ = ln(λ/(l + 1) + 1), with layers counted from 0. Default: 0.5. */
  readonly lambda?: number;
  /** Dropout probability of what each hidden layer reads. Default: 0. */
  readonly dropout?: number;
}

/**
 * Deep residual UniGCN: x^{l+1} = ReLU((1 − βₗ)z + βₗ·zΘₗ) with z = (1 − α)P(xˡ) + α·x⁰, between a
 * linear encoder and a linear classifier; P is the propagation of `UniGCNConv`.
 */
export class UniGCNII implements HypergraphConv {
  /** Linear layer to x⁰, before ReLU. */
  readonly encoder: Linear;
  /** Θₗ of each layer, without bias. */
  readonly layers: readonly Linear[];
  /** Linear layer to the output. */
  readonly classifier: Linear;
  readonly #alpha: number;
  readonly #lambda: number;
  readonly #dropout: Dropout;

  constructor(
    inFeatures: number,
    hidden: number,
    outFeatures: number,
    random: Random,
    { layers = 32, alpha = 0.1, lambda = 0.5, dropout = 0 }: UniGCNIIOptions = {},
  ) {
    this.encoder = new Linear(inFeatures, hidden, random);
    this.layers = Array.from({ length: layers }, () => new Linear(hidden, hidden, random, { bias: false }));
    this.classifier = new Linear(hidden, outFeatures, random);
    this.#alpha = alpha;
    this.#lambda = lambda;
    this.#dropout = new Dropout(dropout);
  }

  forward(x: Tensor | SparseMatrix, hypergraph: Hypergraph, mode: Mode = inference): Tensor {
    const first = this.encoder.forward(x, 'relu');
    const smooth = (features: Tensor) =>
      uniGcnOperators(hypergraph).reduce((y, operator) => spmm(operator, y), features);
    const last = this.layers.reduce((features, layer, l) => {
      const beta = Math.log(this.#lambda / (l + 1) + 1);
      const mixed = add(
        multiply(smooth(this.#dropout.forward(features, mode)), 1 - this.#alpha),
        multiply(first, this.#alpha),
      );
      return relu(add(multiply(mixed, 1 - beta), multiply(layer.forward(mixed), beta)));
    }, first);
    return this.classifier.forward(last);
  }
}
