// Tables by name or from files: .csv, .tsv and .txt (each also gzipped), and Parquet.

import { tableGroups } from './catalogue.js';
import { readBytes, readUnpackedText } from './files.js';
import { locateDataset } from './folders.js';
import { readCsv } from './formats/csv.js';
import type { InflateOptions } from './formats/inflate.js';
import { readParquet } from './formats/parquet.js';
import { type Categorical, type ColumnTable, columnsOf, type LabelledTable, splitTarget } from './tables.js';

/** Options of `loadTable`: the limit of a compressed file, and the columns that hold codes. */
export interface TableFileOptions extends InflateOptions {
  /** See `columnsOf`. Default: none. */
  readonly categorical?: Categorical;
}

/**
 * Reads a table; see `columnsOf` for how the kinds of its columns are found.
 *
 * @throws Error naming the file, and the line that cannot be read.
 */
export async function loadTable(path: string, options: TableFileOptions = {}): Promise<ColumnTable> {
  const table = path.endsWith('.parquet')
    ? await readParquet(readBytes(path), path, options)
    : readCsv(readUnpackedText(path, options), path);
  if (table.rows.length === 0) throw new Error(`"${path}" has a header and no rows`);
  try {
    return columnsOf(table, options);
  } catch (error) {
    throw new Error(`"${path}": ${(error as Error).message}`);
  }
}

/**
 * A table with the class of each row: a known name, or a file with a column `target`. Of a known
 * table, the columns that hold codes are categories.
 *
 * @throws Error for an unknown name, a file that cannot be read, or one without that column; see
 * `splitTarget`.
 */
export async function loadLabelledTable(source: string): Promise<LabelledTable> {
  const { path, record } = locateDataset(source, 'table');
  const { target, coded = [], ignored = [] } = record?.table ?? { target: 'target' };
  const categorical = coded === 'all' ? (column: string) => column !== target : coded;
  const { rows, columns } = await loadTable(path, { categorical });
  return splitTarget({ rows, columns: columns.filter(({ name }) => !ignored.includes(name)) }, target);
}

/** A labelled table with its name or path. */
export interface NamedTable {
  /** Name in the catalogue, or the path. */
  readonly name: string;
  /** The table and its target. */
  readonly labelled: LabelledTable;
}

/**
 * The tables of a group (`wide`, `narrow` or `larger`, see `tableGroups`), or the one that a known
 * name or a path stands for.
 */
export async function loadTables(source: string): Promise<NamedTable[]> {
  const tables: NamedTable[] = [];
  for (const name of tableGroups[source] ?? [source]) tables.push({ name, labelled: await loadLabelledTable(name) });
  return tables;
}
