// GCN on the clique expansion (Kipf & Welling, ICLR 2017): the baseline that forgets which vertices met together.

import { Linear, parameter, xavierUniform } from '../../nn/index.js';
import { attentionPool, type SparseMatrix, type SparsePattern } from '../../sparse/index.js';
import { type Hypergraph, memo, symmetricAdjacency } from '../../structure/index.js';
import {
  add,
  gatherKnownRows,
  leakyRelu,
  multiply,
  type Random,
  reshape,
  sum,
  type Tensor,
} from '../../tensor/index.js';
import { type HeadsOptions, type HypergraphConv, LinearConv } from './propagate.js';

function cliqueAdjacency(hypergraph: Hypergraph): SparseMatrix {
  return memo(hypergraph, 'cliqueAdjacency', () => symmetricAdjacency(hypergraph.cliqueExpansion()));
}

/** X' = D^{-1/2}(A + I)D^{-1/2}(XΘ + b) with the clique expansion's adjacency A. */
export class CliqueGCNConv extends LinearConv {
  operators(hypergraph: Hypergraph) {
    return [cliqueAdjacency(hypergraph)];
  }
}

/** Graph attention on the clique expansion with self-loops (Veličković et al., ICLR 2018): α_ij = softmax_j LeakyReLU₀.₂(aᵀ[xᵢΘ ‖ xⱼΘ]). */
export class CliqueGATConv implements HypergraphConv {
  readonly theta: Linear;
  receive: Tensor;
  send: Tensor;
  readonly heads: number;

  constructor(inFeatures: number, outFeatures: number, random: Random, { heads = 1 }: HeadsOptions = {}) {
    this.heads = heads;
    if (outFeatures % heads !== 0)
      throw new Error(`CliqueGATConv: ${outFeatures} features do not divide into ${heads} heads`);
    this.theta = new Linear(inFeatures, outFeatures, random);
    this.receive = parameter(xavierUniform(random, [heads, outFeatures / heads]));
    this.send = parameter(xavierUniform(random, [heads, outFeatures / heads]));
  }

  forward(x: Tensor | SparseMatrix, hypergraph: Hypergraph): Tensor {
    const pattern: SparsePattern = cliqueAdjacency(hypergraph).pattern;
    const features = reshape(this.theta.forward(x), [hypergraph.vertexCount, this.heads, -1]); // (N, heads, d)
    const score = (weights: Tensor) => sum(multiply(features, weights), -1); // (N, heads)
    const scores = add(
      gatherKnownRows(score(this.receive), pattern.segments.ids),
      gatherKnownRows(score(this.send), pattern.indexTensor),
    );
    return reshape(attentionPool(features, leakyRelu(scores, 0.2), pattern), [hypergraph.vertexCount, -1]);
  }
}
