// Sparse operators of directed graphs. Row u of A holds the targets of u, so that A·X sums features
// over out-neighbours and Aᵀ·X over in-neighbours.

import { type SparseMatrix, sparseProduct } from '../../sparse/index.js';
import type { Graph } from '../graph.js';
import { memo } from '../memo.js';
import { powers, scaled, symmetricAdjacency, withUnitLoops } from '../operators.js';

/** Normalisation of `directedOperator`. */
export interface DirectedOperatorOptions {
  /**
   * r of D_out^{r−1}·A·D_in^{−r}: ½ symmetric, 0 means over out-neighbours. Default: 0.5.
   */
  readonly exponent?: number;
  /** Whether I takes the place of self-loops of A. Default: false. */
  readonly selfLoops?: boolean;
}

/**
 * D_out^{r−1}·A·D_in^{−r} with the out- and in-degrees of A; a node without arcs propagates
 * nothing. That of `reversed(graph)` is its counterpart over in-neighbours, for r = ½ its
 * transpose.
 *
 * @see Rossi et al., "Edge Directionality Improves Learning on Heterophilic Graphs", LoG 2023
 */
export function directedOperator(
  graph: Graph,
  { exponent = 0.5, selfLoops = false }: DirectedOperatorOptions = {},
): SparseMatrix {
  return memo(graph, `directedOperator ${exponent} ${selfLoops}`, () => {
    const matrix = selfLoops ? withUnitLoops(graph) : graph.adjacency;
    const [outDegrees, inDegrees] = [matrix.rowSums(), matrix.transpose().rowSums()];
    return scaled(matrix, powers(outDegrees, exponent - 1), powers(inDegrees, -exponent));
  });
}

/** Operators that propagate between nodes with a neighbour in common. */
export interface SecondOrder {
  /** Â_in of A_in = Aᵀ·D_out⁻¹·A: between targets of a common source. */
  readonly coTargets: SparseMatrix;
  /** Â_out of A_out = A·D_in⁻¹·Aᵀ: between sources of a common target. */
  readonly coSources: SparseMatrix;
}

/**
 * DGCN's second-order proximities, D̃^{−1/2}(· + I)D̃^{−1/2} of A_in and of A_out.
 *
 * @param limit largest number of stored elements of a product. Default: that of `sparseProduct`
 * @see Tong et al., "Directed Graph Convolutional Network", 2020, arXiv 2004.13970
 */
export function secondOrder(graph: Graph, limit?: number): SecondOrder {
  return memo(graph, 'secondOrder', () => {
    const a = graph.adjacency;
    const t = a.transpose();
    const options = limit === undefined ? {} : { limit };
    return {
      coTargets: symmetricAdjacency(sparseProduct(t, scaled(a, powers(a.rowSums(), -1)), options)),
      coSources: symmetricAdjacency(sparseProduct(a, scaled(t, powers(t.rowSums(), -1)), options)),
    };
  });
}
