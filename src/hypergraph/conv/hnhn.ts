// HNHN (Dong, Sawin, Bengio, "HNHN: Hypergraph Networks with Hyperedge Neurons", ICML 2020
// workshop).

import { Linear } from '../../nn/index.js';
import { SparseMatrix, type SparsePattern, spmm } from '../../sparse/index.js';
import { type Hypergraph, memo, type Propagation, powers, scaled } from '../../structure/index.js';
import { type Random, relu, type Tensor } from '../../tensor/index.js';
import type { HypergraphConv } from './propagate.js';

/** Exponents of the weighted means. */
export interface HNHNOptions {
  /** α: exponent of hyperedge sizes in the weights into vertices. Default: 0. */
  readonly alpha?: number;
  /** β: exponent of vertex degrees in the weights into hyperedges. Default: 0. */
  readonly beta?: number;
}

/**
 * Y = ReLU(Agg_β(XΘ₁)), X' = Agg_α(YΘ₂): hyperedges are neurons with their own nonlinearity. Vertex
 * v has weight d(v)^β / Σ_{u∈e} d(u)^β into hyperedge e, and e has weight δ(e)^α / Σ_{f∋v} δ(f)^α
 * into v; α = β = 0 gives plain means.
 */
export class HNHNConv implements HypergraphConv {
  /** Θ₁, and a bias. */
  readonly vertexToHyperedge: Linear;
  /** Θ₂, and a bias. */
  readonly hyperedgeToVertex: Linear;
  readonly #alpha: number;
  readonly #beta: number;

  constructor(inFeatures: number, outFeatures: number, random: Random, { alpha = 0, beta = 0 }: HNHNOptions = {}) {
    this.vertexToHyperedge = new Linear(inFeatures, outFeatures, random);
    this.hyperedgeToVertex = new Linear(outFeatures, outFeatures, random);
    this.#alpha = alpha;
    this.#beta = beta;
  }

  forward(x: Tensor | SparseMatrix, hypergraph: Hypergraph): Tensor {
    const { toHyperedges, toVertices } = weightedMeans(hypergraph, this.#alpha, this.#beta);
    const hyperedges = relu(spmm(toHyperedges, this.vertexToHyperedge.forward(x)));
    return spmm(toVertices, this.hyperedgeToVertex.forward(hyperedges));
  }
}

function weightedMeans(hypergraph: Hypergraph, alpha: number, beta: number): Propagation {
  return memo(hypergraph, `hnhn ${alpha} ${beta}`, () => ({
    toHyperedges: rowNormalized(hypergraph.members, powers(hypergraph.vertexDegrees, beta)),
    toVertices: rowNormalized(hypergraph.incidence, powers(hypergraph.hyperedgeSizes, alpha)),
  }));
}

/**
 * The pattern with the factor of its column at each element, normalised so that every row sums to
 * 1.
 */
function rowNormalized(pattern: SparsePattern, factors: Float32Array): SparseMatrix {
  const weighted = scaled(new SparseMatrix(pattern), undefined, factors);
  return scaled(weighted, powers(weighted.rowSums(), -1));
}
