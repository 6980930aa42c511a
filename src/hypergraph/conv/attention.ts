// Pooling by attention over the stored elements of a sparse pattern: what graph, hyperedge and set attention share.

import { type SparsePattern, segmentSoftmax, segmentSum } from '../../sparse/index.js';
import { gatherKnownRows, leakyRelu, multiply, reshape, type Tensor } from '../../tensor/index.js';

/**
 * y[r, h] = Σₑ α_eh · values[columnₑ, h] over the elements e of row r, with α the softmax over the row of LeakyReLU₀.₂(scores). values [columns, heads, d], scores [nnz, heads] → [rows, heads, d].
 */
export function attentionPool(values: Tensor, scores: Tensor, pattern: SparsePattern): Tensor {
  const alpha = segmentSoftmax(leakyRelu(scores, 0.2), pattern.segments);
  const weights = reshape(alpha, [pattern.nnz, scores.shape[1] as number, 1]);
  return segmentSum(multiply(gatherKnownRows(values, pattern.indexTensor), weights), pattern.segments);
}
