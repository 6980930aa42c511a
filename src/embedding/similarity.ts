// The similarity matrix of FastRP, S = Σ_k α_k · P^k · L, reduced by a truncated singular value
// decomposition in place of a random projection. S is never formed: only its products are.

import { type SparseMatrix, spmm } from '../sparse/index.js';
import { type Graph, powers, scaled, truncatedSvd } from '../structure/index.js';
import { multiply, Random, scope, type Tensor, tensor } from '../tensor/index.js';
import { type FastRPOptions, fastrpDefaults } from './fastrp.js';

/** P = D⁻¹A by out-degrees; rows of nodes without edges are 0. */
export function transitionMatrix(graph: Graph): SparseMatrix {
  return scaled(graph.adjacency, powers(graph.outDegrees, -1));
}

/** Options of FastRP that define S, the dimension and the seed. */
export type SimilarityOptions = Pick<FastRPOptions, 'dim' | 'degreeExponent' | 'seed'> & {
  /** α₁ … α_q. Default: [0, 0, 1, 6.67]. */
  readonly weights?: readonly number[];
};

/**
 * U·Σ of the truncated singular value decomposition of S: the best approximation of S·Sᵀ by inner
 * products of so many columns, which a random projection approximates in expectation.
 *
 * @returns [n, dim]
 */
export function similaritySvd(graph: Graph, options: SimilarityOptions = {}): Tensor {
  const { dim, weights, degreeExponent, seed } = { ...fastrpDefaults, ...options };
  return scope(() => {
    const transition = transitionMatrix(graph);
    const backward = transition.transpose();
    const n = graph.nodeCount;
    const columnScale = tensor(powers(graph.inDegrees, degreeExponent), [n, 1]);
    const map = {
      rows: n,
      columns: n,
      times: (x: Tensor) => weightedPowers(transition, weights, multiply(x, columnScale)),
      transposedTimes: (y: Tensor) => multiply(weightedPowers(backward, weights, y), columnScale),
    };
    const { vectors, values } = truncatedSvd(map, Math.min(dim, n), new Random(seed).split('svd'));
    const result = multiply(vectors, tensor(values, [1, values.length]));
    vectors.dispose();
    return result;
  });
}

/** Σ_k α_k · M^k · x. */
function weightedPowers(matrix: SparseMatrix, weights: readonly number[], x: Tensor): Tensor {
  return scope(() => {
    let power = x;
    let total = multiply(x, 0);
    for (const alpha of weights) {
      power = spmm(matrix, power);
      total = total.add(multiply(power, alpha));
    }
    return total;
  });
}
