// Reading of the tables that models of tables predict for.

import { type ColumnTable, noteText } from '../../data/index.js';
import { loadTable } from '../../data/node.js';
import { isCategory, type TableFeatures } from '../../hypernet/index.js';
import type { PredictOptions } from './predictor.js';

/** A table in which the columns of a model's categories stay text. */
export async function loadRows(
  path: string,
  features: TableFeatures,
  { table: options, note }: Pick<PredictOptions, 'table' | 'note'>,
): Promise<ColumnTable> {
  const table = await loadTable(path, { ...options, categorical: (column) => isCategory(features, column) });
  for (const own of table.notes ?? []) note(noteText(own));
  return table;
}
