// RandNE (Zhang, Cui, Li, Wang, Zhu, "Billion-Scale Network Embedding with Iterative Random
// Projection", ICDM 2018), the nearest relative of FastRP: a dense Gaussian projection with
// orthogonal columns, without normalisation by degrees or by order.
//
//   U₀ Gaussian, orthogonalised;  U_k = P·U_{k−1};  U = Σ_k α_k · U_k, then rows of length 1

import { cholesky, solve } from '../linalg/index.js';
import { spmm } from '../sparse/index.js';
import type { Graph } from '../structure/index.js';
import {
  matmul,
  multiply,
  Random,
  normalizeRows as rowsOfLengthOne,
  scope,
  type Tensor,
  tensor,
} from '../tensor/index.js';
import { transitionMatrix } from './similarity.js';

/** Hyperparameters of RandNE. */
export interface RandNEOptions {
  /** Embedding dimension. Default: 128. */
  readonly dim?: number;
  /** α₀ … α_q. Default: [0, 1, 100, 1000]. */
  readonly weights?: readonly number[];
  /** P = D⁻¹A, for classification, or A itself. Default: 'transition'. */
  readonly matrix?: 'transition' | 'adjacency';
  /** Make the columns of the projection orthogonal. Default: true. */
  readonly orthogonal?: boolean;
  /** Scale every row of the sum to length 1. Default: true. */
  readonly normalizeRows?: boolean;
  /** Seed of the projection. Default: 42. */
  readonly seed?: number;
}

/** Defaults of `RandNEOptions`. */
export const randneDefaults = {
  dim: 128,
  weights: [0, 1, 100, 1000],
  matrix: 'transition',
  orthogonal: true,
  normalizeRows: true,
  seed: 42,
} as const;

/**
 * Embeds every node. Nodes without outgoing edges keep α₀ of their row of the projection.
 *
 * @returns [n, dim]
 * @throws RangeError when dim is not a positive integer, is above n with orthogonal columns, or the
 * weights are empty, all 0 or not finite
 */
export function randNE(graph: Graph, options: RandNEOptions = {}): Tensor {
  const { dim, weights, matrix, orthogonal, normalizeRows, seed } = { ...randneDefaults, ...options };
  if (!(Number.isInteger(dim) && dim >= 1)) throw new RangeError(`randNE: dim must be a positive integer, got ${dim}`);
  if (orthogonal && dim > graph.nodeCount)
    throw new RangeError(`randNE: ${graph.nodeCount} nodes have no ${dim} orthogonal columns`);
  if (weights.every((alpha) => alpha === 0) || !weights.every(Number.isFinite))
    throw new RangeError(`randNE: weights must be finite numbers, one of them not 0, got [${weights.join(', ')}]`);
  return scope(() => {
    const operator = matrix === 'adjacency' ? graph.adjacency : transitionMatrix(graph);
    const gaussian = new Random(seed).split('randne').normal([graph.nodeCount, dim], 0, 1 / Math.sqrt(dim));
    let power = orthogonal ? orthogonalColumns(gaussian) : gaussian;
    let total = multiply(power, weights[0] as number);
    for (const alpha of weights.slice(1)) {
      power = spmm(operator, power);
      total = total.add(multiply(power, alpha));
    }
    return normalizeRows ? rowsOfLengthOne(total) : total;
  });
}

/**
 * Gram–Schmidt on the columns of y [n, d] by the Cholesky factor of yᵀy, all of the mean length of
 * a column of y.
 */
function orthogonalColumns(y: Tensor): Tensor {
  const [n, d] = y.shape as [number, number];
  const identity = tensor(
    Float32Array.from({ length: d * d }, (_, at) => Number(at % (d + 1) === 0)),
    [d, d],
  );
  const inverse = solve(cholesky(matmul(y, y, { transposeA: true })), identity);
  return multiply(matmul(y, inverse, { transposeB: true }), Math.sqrt(n / d));
}
