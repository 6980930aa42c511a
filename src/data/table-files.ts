// Tables in files: .csv, .tsv and .txt, each also gzipped, and Parquet.

import { gunzipSync } from 'fflate';
import { readBytes } from './files.js';
import { readCsv } from './formats/csv.js';
import { type Categorical, type ColumnTable, columnsOf } from './tables.js';

/** See `columnsOf` for the options. */
export async function loadTable(
  path: string,
  options: { readonly categorical?: Categorical } = {},
): Promise<ColumnTable> {
  if (path.endsWith('.parquet')) return columnsOf(await readParquet(path), options);
  const bytes = readBytes(path);
  const text = new TextDecoder().decode(path.endsWith('.gz') ? gunzipSync(bytes) : bytes);
  return columnsOf(readCsv(text, path), options);
}

async function readParquet(path: string) {
  const { asyncBufferFromFile, parquetReadObjects } = await import('hyparquet');
  const rows = (await parquetReadObjects({ file: await asyncBufferFromFile(path) })) as Record<string, unknown>[];
  const columns = Object.keys(rows[0] ?? {});
  if (columns.length === 0) throw new Error(`"${path}" holds no rows`);
  return { columns, rows: rows.map((row) => columns.map((name) => (row[name] == null ? '' : String(row[name])))) };
}
