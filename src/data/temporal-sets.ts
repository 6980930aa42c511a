// Event streams by name or from a table.

import { readUnpackedText } from './files.js';
import { locateDataset } from './folders.js';
import { type TemporalDataset, type TemporalTableOptions, temporalFromTable } from './temporal.js';

/**
 * Loads a stream of events: a known name, or a table (.csv, .tsv, also .gz) as `temporalFromTable`
 * reads it, whose events are sorted by time unless `sort` says otherwise.
 *
 * @throws Error for an unknown name, or naming the column or line that cannot be read.
 */
export function loadTemporal(source: string, options: TemporalTableOptions = {}): TemporalDataset {
  const { path, record } = locateDataset(source, 'temporal');
  // Known streams are in order; sorting would hide that one is not.
  return temporalFromTable(readUnpackedText(path), source, { sort: !record, ...options });
}
