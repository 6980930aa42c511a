// Pooling by attention over the stored elements of a sparse pattern: what graph, hyperedge and set
// attention share.

import { gatherKnownRows, multiply, reshape, type Tensor } from '../tensor/index.js';
import type { SparsePattern } from './pattern.js';
import { segmentSoftmax, segmentSum } from './segments.js';

/**
 * Attention over stored elements: y[r, h] = Σₑ α_eh · values[columnₑ, h] over the elements e of row
 * r, with α the softmax of the scores over the row. A row without elements gives 0.
 *
 * @param values [columns, heads, d]
 * @param scores [nnz, heads]
 * @param drop applied to α, such as dropout
 * @returns [rows, heads, d]
 */
export function attentionPool(
  values: Tensor,
  scores: Tensor,
  pattern: SparsePattern,
  drop: (alpha: Tensor) => Tensor = (alpha) => alpha,
): Tensor {
  const alpha = drop(segmentSoftmax(scores, pattern.segments));
  const weights = reshape(alpha, [pattern.nnz, scores.shape[1] as number, 1]);
  return segmentSum(multiply(gatherKnownRows(values, pattern.indexTensor), weights), pattern.segments);
}
