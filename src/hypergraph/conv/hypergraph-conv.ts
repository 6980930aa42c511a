// HypergraphConv (Bai, Zhang, Torr, "Hypergraph Convolution and Hypergraph Attention", Pattern
// Recognition 2021).

import { parameter, xavierUniform } from '../../nn/index.js';
import { SparseMatrix, segmentSoftmax, spmm } from '../../sparse/index.js';
import { type Hypergraph, meanPropagation } from '../../structure/index.js';
import {
  add,
  gatherKnownRows,
  leakyRelu,
  matmul,
  type Random,
  reshape,
  type Tensor,
  zeros,
} from '../../tensor/index.js';
import { type HypergraphConv, propagate } from './propagate.js';

/**
 * X' = D_v^{-1} H W B^{-1} Hᵀ XΘ + b: HGNN⁺ with the bias after propagation. Given hyperedge
 * features, incidences are weighted by attention, α_ve = softmax over the members v of e of
 * LeakyReLU₀.₂(aᵀ[x_vΘ ‖ x_eΘ]), in place of H.
 */
export class HypergraphConvolution implements HypergraphConv {
  /** Θ [out, in]. */
  weight: Tensor;
  /** b [out]. */
  bias: Tensor;
  /** a [out, 2]: its half for the vertex and its half for the hyperedge. */
  attention: Tensor;

  constructor(inFeatures: number, outFeatures: number, random: Random) {
    this.weight = parameter(xavierUniform(random, [outFeatures, inFeatures]));
    this.bias = parameter(zeros([outFeatures]));
    this.attention = parameter(xavierUniform(random, [outFeatures, 2]));
  }

  /**
   * x [N, in] → [N, out].
   *
   * @param hyperedgeFeatures [M, in], for attention
   */
  forward(x: Tensor | SparseMatrix, hypergraph: Hypergraph, hyperedgeFeatures?: Tensor): Tensor {
    const projected = this.#project(x);
    const spread = hyperedgeFeatures
      ? this.#attend(projected, this.#project(hyperedgeFeatures), hypergraph)
      : propagate(projected, meanPropagation(hypergraph));
    return add(spread, this.bias);
  }

  #project(x: Tensor | SparseMatrix): Tensor {
    return x instanceof SparseMatrix
      ? spmm(x, this.weight, { transposeX: true })
      : matmul(x, this.weight, { transposeB: true });
  }

  #attend(vertices: Tensor, hyperedges: Tensor, hypergraph: Hypergraph): Tensor {
    const { members } = hypergraph;
    const vertexScores = matmul(vertices, this.attention).slice(null, [0, 1]);
    const hyperedgeScores = matmul(hyperedges, this.attention).slice(null, [1, 2]);
    const scores = add(
      gatherKnownRows(vertexScores, members.indexTensor),
      gatherKnownRows(hyperedgeScores, members.segments.ids),
    );
    const alpha = segmentSoftmax(leakyRelu(scores, 0.2), members.segments);
    // Both directions are weighted by α; the permutation reorders it by vertex.
    const byVertex = gatherKnownRows(alpha, members.transposed().permutation);
    const { toHyperedges, toVertices } = meanPropagation(hypergraph);
    const flat = (values: Tensor, half: SparseMatrix) =>
      new SparseMatrix(half.pattern, reshape(values, [-1]).multiply(half.values ?? 1));
    return spmm(flat(byVertex, toVertices), spmm(flat(alpha, toHyperedges), vertices));
  }
}
