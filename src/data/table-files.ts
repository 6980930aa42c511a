// Tables by name or from files: .csv, .tsv and .txt (each also gzipped), and Parquet.

import { tableGroups } from './catalogue.js';
import { readUnpacked } from './files.js';
import { locateDataset } from './folders.js';
import { readCsv } from './formats/csv.js';
import { type Categorical, type ColumnTable, columnsOf, type LabelledTable, labelledTable } from './tables.js';

/**
 * Reads a table; see `columnsOf` for the options.
 *
 * @throws Error naming the file, and the line that cannot be read.
 */
export async function loadTable(
  path: string,
  options: { readonly categorical?: Categorical } = {},
): Promise<ColumnTable> {
  if (path.endsWith('.parquet')) return columnsOf(await readParquet(path), options);
  return columnsOf(readCsv(new TextDecoder().decode(readUnpacked(path)), path), options);
}

/**
 * A table with the class of each row: a known name, or a file with a column `target`. Of a known
 * table, the columns that hold codes are categories.
 *
 * @throws Error for an unknown name, a file that cannot be read, or one without that column; see
 * `labelledTable`.
 */
export async function loadLabelledTable(source: string): Promise<LabelledTable> {
  const { path, record } = locateDataset(source, 'table');
  const { target, coded = [] } = record?.table ?? { target: 'target' };
  const categorical = coded === 'all' ? (column: string) => column !== target : coded;
  return labelledTable(await loadTable(path, { categorical }), target);
}

/** A labelled table with its name or path. */
export interface NamedTable {
  /** Name in the catalogue, or the path. */
  readonly name: string;
  /** The table and its target. */
  readonly labelled: LabelledTable;
}

/**
 * The tables of a group (`wide` or `narrow`, see `tableGroups`), or the one that a known name or a
 * path stands for.
 */
export async function loadTables(source: string): Promise<NamedTable[]> {
  const tables: NamedTable[] = [];
  for (const name of tableGroups[source] ?? [source]) tables.push({ name, labelled: await loadLabelledTable(name) });
  return tables;
}

async function readParquet(path: string) {
  const { asyncBufferFromFile, parquetReadObjects } = await import('hyparquet');
  const rows = (await parquetReadObjects({ file: await asyncBufferFromFile(path) })) as Record<string, unknown>[];
  const columns = Object.keys(rows[0] ?? {});
  if (columns.length === 0) throw new Error(`"${path}" holds no rows`);
  return { columns, rows: rows.map((row) => columns.map((name) => (row[name] == null ? '' : String(row[name])))) };
}
