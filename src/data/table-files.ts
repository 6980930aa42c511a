// Tables by name or from files: text with separators (also gzipped), JSON lines, Parquet, Excel and
// SQLite, or from standard input. Text is read in two passes and never held as a whole.

import { type ByteSource, bytesInMemory } from './bytes.js';
import { tableGroups } from './catalogue.js';
import { readColumns } from './columns/reading.js';
import { openBytes, readBytes, unpacked } from './files.js';
import { locateDataset } from './folders.js';
import { type CsvOptions, CsvReader, type Table } from './formats/csv.js';
import { type InflateOptions, isGzip } from './formats/inflate.js';
import { readJsonRows } from './formats/json-rows.js';
import { readParquet } from './formats/parquet.js';
import { readSheet } from './formats/sheet.js';
import { readSqlite } from './formats/sqlite.js';
import { decodeText, encodingOf, textPieces, WESTERN } from './formats/unicode.js';
import { type ColumnTable, columnsOf, type LabelledTable, type ReadingOptions, splitTarget } from './tables.js';

/** Options of `loadTable`: how its columns are read, and the limit of a compressed file. */
export interface TableFileOptions extends ReadingOptions, InflateOptions {
  /** The character between the fields of a text. Default: found from the text. */
  readonly delimiter?: string;
  /**
   * The sheet of an Excel file, or the table of a database. Default: the first, or the only one.
   */
  readonly sheet?: string;
}

/** The path that stands for standard input. */
const STDIN = '-';

/** Readers of files that are held as a whole, by the ending of their names. */
const readers: readonly {
  readonly ending: RegExp;
  read(bytes: Uint8Array, path: string, options: TableFileOptions): Table | Promise<Table>;
}[] = [
  { ending: /\.parquet$/i, read: readParquet },
  { ending: /\.(xlsx|xlsm)$/i, read: readSheet },
  { ending: /\.(sqlite3?|db)$/i, read: readSqlite },
  {
    ending: /\.(jsonl|ndjson|json)(\.gz)?$/i,
    read: (bytes, path, options) => readJsonRows(decodeText(unpacked(bytes, path, options), path), path),
  },
];

/**
 * Reads a table; see `columnsOf` for how its columns are read. `-` is standard input, which holds
 * text with separators. Text is UTF-8, UTF-16 by its mark, or else Windows-1252, which is noted.
 *
 * @throws Error naming the file, and the line that cannot be read.
 */
export async function loadTable(path: string, options: TableFileOptions = {}): Promise<ColumnTable> {
  const reader = readers.find(({ ending }) => ending.test(path));
  try {
    const table = reader
      ? columnsOf(await reader.read(readBytes(path), path, options), options)
      : columnsOfText(path, options);
    if (table.rows === 0) throw new Error('has a header and no rows');
    return table;
  } catch (error) {
    const { message } = error as Error;
    if (message.includes(`"${path}"`)) throw error;
    throw new Error(message.startsWith('has ') ? `"${path}" ${message}` : `"${path}": ${message}`);
  }
}

/**
 * Reads the fields of a table as text, without a look at what its columns hold.
 *
 * @throws Error naming the file, and the line that cannot be read.
 */
export async function loadRows(path: string, options: TableFileOptions = {}): Promise<Table> {
  const reader = readers.find(({ ending }) => ending.test(path));
  if (reader) return reader.read(readBytes(path), path, options);
  const source = openText(path, options);
  try {
    const [columns = [], ...rows] = rowsOf(source, encodingOf(source), path, options);
    return { columns, rows };
  } finally {
    source.close();
  }
}

function columnsOfText(path: string, options: TableFileOptions): ColumnTable {
  const source = openText(path, options);
  try {
    const encoding = encodingOf(source);
    const table = readColumns(() => rowsOf(source, encoding, path, options), options);
    if (encoding !== WESTERN) return table;
    const text = 'is not UTF-8 and is read as Windows-1252: letters with accents may be wrong';
    return { ...table, notes: [{ column: '', text }, ...(table.notes ?? [])] };
  } finally {
    source.close();
  }
}

function* rowsOf(source: ByteSource, encoding: string, path: string, options: CsvOptions): Generator<string[]> {
  const reader = new CsvReader(path, options);
  for (const piece of textPieces(source, encoding)) for (const { fields } of reader.push(piece)) yield fields;
  for (const { fields } of reader.end()) yield fields;
}

/** The bytes of a text; a compressed one and standard input are held in memory. */
function openText(path: string, options: InflateOptions): ByteSource & { close(): void } {
  const inMemory = (bytes: Uint8Array) => ({
    ...bytesInMemory(unpacked(bytes, path, options), path),
    close() {},
  });
  if (path === STDIN) return inMemory(readBytes(0));
  const file = openBytes(path);
  const start = new Uint8Array(Math.min(2, file.size));
  file.read(start, 0);
  if (!isGzip(start) && file.size > 0) return file;
  file.close();
  return inMemory(readBytes(path));
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
  const { rows, columns } = await loadTable(path, { categorical, target });
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
