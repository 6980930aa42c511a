// GCN (Kipf & Welling, ICLR 2017) and GAT on the clique expansion: baselines that lose which
// vertices share a hyperedge.

import { Linear, parameter, xavierUniform } from '../../nn/index.js';
import { attentionPool, type SparseMatrix, type SparsePattern } from '../../sparse/index.js';
import { type Hypergraph, operatorByParts, symmetricAdjacency } from '../../structure/index.js';
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
  return operatorByParts(hypergraph, 'cliqueAdjacency', (part) => symmetricAdjacency(part.cliqueExpansion()));
}

/** X' = D^{-1/2}(A + I)D^{-1/2}(XΘ + b) with A the adjacency of the clique expansion. */
export class CliqueGCNConv extends LinearConv {
  operators(hypergraph: Hypergraph) {
    return [cliqueAdjacency(hypergraph)];
  }
}

/**
 * GAT (Veličković et al., ICLR 2018) on the clique expansion with self-loops: x'ᵢ = Σⱼ α_ij·xⱼΘ,
 * α_ij = softmax_j LeakyReLU₀.₂(aᵀ[xᵢΘ ‖ xⱼΘ]), heads concatenated.
 */
export class CliqueGATConv implements HypergraphConv {
  /** Θ, and a bias. */
  readonly theta: Linear;
  /** Half of a for the receiving vertex i: [heads, out / heads]. */
  receive: Tensor;
  /** Half of a for the sending vertex j: [heads, out / heads]. */
  send: Tensor;
  /** Number of attention heads. */
  readonly heads: number;

  /** @throws Error when the output features do not divide into the heads */
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
