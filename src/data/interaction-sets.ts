// Interactions by name or from a table.

import { readBytes } from './files.js';
import { locateDataset } from './folders.js';
import { readNpz } from './formats/index.js';
import {
  type InteractionOptions,
  type InteractionSet,
  interactionsFromArrays,
  interactionsFromTable,
} from './interactions.js';
import { loadRows, type TableFileOptions } from './table-files.js';

/**
 * Loads interactions: a known set, an archive of the same arrays (.npz), or a table in any form of
 * `loadTable`, as `interactionsFromTable` reads it.
 *
 * @throws Error for an unknown name, or naming the column or row that cannot be read
 */
export async function loadInteractions(
  source: string,
  options: TableFileOptions & InteractionOptions = {},
): Promise<InteractionSet> {
  const { path, record } = source === '-' ? { path: source, record: undefined } : locateDataset(source, 'interactions');
  if (record || path.endsWith('.npz')) return interactionsFromArrays(readNpz(readBytes(path), path), source);
  return interactionsFromTable(await loadRows(path, options), source, options);
}
