// Sums and means of embedding rows, without a copy of each row.

import { multiply, requireChoice, reshape, type Tensor } from '../tensor/index.js';
import { spmm } from './ops.js';
import { SparsePattern } from './pattern.js';

/**
 * y[b] = sum or mean of weight[indices[offsets[b]]], …, weight[indices[offsets[b + 1] − 1]]; an
 * empty bag gives 0. Computed as the product of a sparse matrix of ones, with a row for each bag,
 * and the weights.
 *
 * @param weight [count, features]
 * @param indices rows of the weight, bag after bag
 * @param offsets where each bag starts, and the end: bags + 1 numbers
 * @returns [bags, features]
 */
export function embeddingBag(
  weight: Tensor,
  indices: Int32Array,
  offsets: Int32Array,
  mode: 'sum' | 'mean' = 'sum',
): Tensor {
  requireChoice('embeddingBag', 'the mode', mode, ['sum', 'mean']);
  const pattern = new SparsePattern(offsets.length - 1, weight.shape[0] as number, offsets, indices);
  const total = spmm({ pattern }, weight);
  return mode === 'sum' ? total : multiply(total, reshape(pattern.segments.inverseSizes, [-1, 1]));
}
