// Parquet files as tables of text, by the package hyparquet.

import type { Table } from './csv.js';
import type { InflateOptions } from './inflate.js';
import { checkParquet } from './parquet-check.js';

/**
 * Reads a flat Parquet table: numbers as JavaScript writes them, dates in ISO 8601, nulls as empty
 * fields.
 *
 * @param options with `maxBytes`, a limit on what its pages inflate to and on 16 bytes for each
 * cell. Default: see `InflateOptions`, and 2²² cells or 16 a stored byte.
 * @throws Error naming the file when it is damaged, nested, compressed by another codec than
 * Snappy, or exceeds the limit; or when hyparquet is not installed.
 */
export async function readParquet(bytes: Uint8Array, name: string, options: InflateOptions = {}): Promise<Table> {
  const [{ parquetReadObjects, snappyUncompress }, { deltaBinaryUnpack }] = await Promise.all([
    import('hyparquet'),
    import('hyparquet/src/delta.js'),
  ]).catch(() => {
    throw new Error('reading Parquet needs the package "hyparquet": npm install hyparquet');
  });
  try {
    checkParquet(bytes, { snappy: snappyUncompress, deltas: deltaBinaryUnpack }, options);
    const file = new Uint8Array(bytes).buffer;
    const rows = (await parquetReadObjects({ file })) as Record<string, unknown>[];
    const columns = Object.keys(rows[0] ?? {});
    return { columns, rows: rows.map((row) => columns.map((column) => field(row[column], column))) };
  } catch (error) {
    throw new Error(`"${name}" cannot be read as Parquet: it ${(error as Error).message}`);
  }
}

/** @throws Error for a value that has no text of its own. */
function field(value: unknown, column: string): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'object')
    throw new Error(`holds values in column "${column}" that are neither text nor numbers`);
  return String(value);
}
