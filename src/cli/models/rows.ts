// Reading of the tables that models of tables predict for.

import type { ColumnTable } from '../../data/index.js';
import { loadTable } from '../../data/node.js';
import { isCategory, type TableFeatures } from '../../hypernet/index.js';
import type { PredictOptions } from './predictor.js';

/** A table in which the columns of a model's categories stay text. */
export function loadRows(
  path: string,
  features: TableFeatures,
  { maxBytes }: Pick<PredictOptions, 'maxBytes'>,
): Promise<ColumnTable> {
  const categorical = (column: string) => isCategory(features, column);
  return loadTable(path, { categorical, ...(maxBytes !== undefined && { maxBytes }) });
}
