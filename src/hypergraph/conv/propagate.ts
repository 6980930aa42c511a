// The common structure of hypergraph convolutions: propagation from vertices to hyperedges and
// back.

import { Linear, type LinearOptions } from '../../nn/index.js';
import { type SparseMatrix, spmm } from '../../sparse/index.js';
import type { Hypergraph, Propagation } from '../../structure/index.js';
import type { Random, Tensor } from '../../tensor/index.js';

/** A layer on vertex features. Row i of features and results belongs to vertex i. */
export interface HypergraphConv {
  /** x [N, in] → [N, out] on a hypergraph of N vertices. */
  forward(x: Tensor | SparseMatrix, hypergraph: Hypergraph): Tensor;
}

/** Multi-head attention. */
export interface HeadsOptions {
  /** Number of attention heads, which must divide the output features. Default: 1. */
  readonly heads?: number;
}

/** Propagation to hyperedges and back to vertices: [N, d] → [N, d]. */
export function propagate(x: Tensor, { toHyperedges, toVertices }: Propagation): Tensor {
  return spmm(toVertices, spmm(toHyperedges, x));
}

/**
 * A convolution that is linear in its input: X' = A_k … A_1·(XΘ + b) with fixed sparse operators.
 */
export abstract class LinearConv implements HypergraphConv {
  /** Θ and b. */
  readonly theta: Linear;

  constructor(inFeatures: number, outFeatures: number, random: Random, options?: LinearOptions) {
    this.theta = new Linear(inFeatures, outFeatures, random, options);
  }

  /** A_1 … A_k, in order of application. */
  abstract operators(hypergraph: Hypergraph): readonly SparseMatrix[];

  forward(x: Tensor | SparseMatrix, hypergraph: Hypergraph): Tensor {
    return this.propagate(x, this.operators(hypergraph));
  }

  /**
   * `forward` with given operators, such as those restricted to the rows that a few vertices need.
   */
  propagate(x: Tensor | SparseMatrix, operators: readonly SparseMatrix[]): Tensor {
    return operators.reduce((features, operator) => spmm(operator, features), this.theta.forward(x));
  }
}
