// Feature matrices of nodes, vertices or rows: dense, or sparse such as bags of words.

import { SparseMatrix } from '../sparse/index.js';
import { dropout, gatherKnownRows, ones, type Tensor, tensor } from '../tensor/index.js';
import { type Mode, randomOf } from './module.js';

/** A feature matrix [n, d]. */
export type Features = Tensor | SparseMatrix;

/** Columns d of a feature matrix. */
export function featureCount(features: Features): number {
  return features instanceof SparseMatrix ? features.columns : (features.shape[1] as number);
}

/** The given rows of a feature matrix: [rows, d]. */
export function rowsOf(features: Features, rows: Int32Array): Features {
  return features instanceof SparseMatrix ? features.selectRows(rows) : gatherKnownRows(features, tensor(rows));
}

/**
 * In training, dropout with probability p of the elements; for a sparse matrix of the stored
 * elements. The identity in inference.
 *
 * @throws Error in training when `mode` has no random stream.
 */
export function dropFeatures(features: Features, p: number, mode: Mode): Features {
  if (!mode.training || p === 0) return features;
  const key = randomOf(mode, 'dropFeatures').next();
  if (!(features instanceof SparseMatrix)) return dropout(features, p, key);
  return new SparseMatrix(features.pattern, dropout(features.values ?? ones([features.nnz]), p, key));
}
