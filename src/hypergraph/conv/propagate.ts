// What every hypergraph convolution is made of: vertices → hyperedges → vertices.

import { Linear, type LinearOptions } from '../../nn/index.js';
import { type SparseMatrix, spmm } from '../../sparse/index.js';
import type { Hypergraph, Propagation } from '../../structure/index.js';
import type { Random, Tensor } from '../../tensor/index.js';

/** A layer on vertex features: x [N, in] → [N, out]. Row i of the result belongs to vertex i. */
export interface HypergraphConv {
  forward(x: Tensor | SparseMatrix, hypergraph: Hypergraph): Tensor;
}

export interface HeadsOptions {
  /** Attention heads, which must divide the output features. Default: 1. */
  readonly heads?: number;
}

/** Both halves of a propagation, one after the other: [N, d] → [N, d]. */
export function propagate(x: Tensor, { toHyperedges, toVertices }: Propagation): Tensor {
  return spmm(toVertices, spmm(toHyperedges, x));
}

/** A convolution that is linear in its input: X' = A_k … A_1·(XΘ + b) with fixed sparse operators. */
export abstract class LinearConv implements HypergraphConv {
  readonly theta: Linear;

  constructor(inFeatures: number, outFeatures: number, random: Random, options?: LinearOptions) {
    this.theta = new Linear(inFeatures, outFeatures, random, options);
  }

  /** A_1 … A_k, in the order in which they apply. */
  abstract operators(hypergraph: Hypergraph): readonly SparseMatrix[];

  forward(x: Tensor | SparseMatrix, hypergraph: Hypergraph): Tensor {
    return this.propagate(x, this.operators(hypergraph));
  }

  /** The same with given operators, such as the rows that a few vertices need. */
  propagate(x: Tensor | SparseMatrix, operators: readonly SparseMatrix[]): Tensor {
    return operators.reduce((features, operator) => spmm(operator, features), this.theta.forward(x));
  }
}
