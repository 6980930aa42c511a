// Parquet files as tables of text, by the package hyparquet.

import type { Table } from './csv.js';
import type { InflateOptions } from './inflate.js';
import { checkParquet } from './parquet-check.js';
import { codecs } from './parquet-codecs.js';

/**
 * Reads a flat Parquet table: numbers as JavaScript writes them, dates in ISO 8601, nulls as empty
 * fields.
 *
 * @param options with `maxBytes`, a limit on what its pages inflate to and on 16 bytes for each
 * cell. Default: see `InflateOptions`, and 2²² cells or 16 a stored byte.
 * @throws Error naming the file when it is damaged, nested, compressed by another codec than
 * Snappy, gzip or ZSTD, or exceeds the limit; or when hyparquet is not installed.
 */
export async function readParquet(bytes: Uint8Array, name: string, options: InflateOptions = {}): Promise<Table> {
  const [{ parquetReadObjects }, { deltaBinaryUnpack }] = await Promise.all([
    import('hyparquet'),
    import('hyparquet/src/delta.js'),
  ]).catch(() => {
    throw new Error('reading Parquet needs the package "hyparquet": npm install hyparquet');
  });
  try {
    checkParquet(bytes, deltaBinaryUnpack, options);
  } catch (error) {
    // Decoders that run past the end of a page fail as the language does.
    const reason = (error as Error).constructor === Error ? (error as Error).message : 'has a damaged page';
    throw new Error(`"${name}" cannot be read as Parquet: it ${reason}`);
  }
  try {
    const file = new Uint8Array(bytes).buffer;
    const rows = (await parquetReadObjects({
      file,
      compressors: Object.fromEntries(Object.values(codecs).map(({ name: codec, decompress }) => [codec, decompress])),
    })) as Record<string, unknown>[];
    const columns = Object.keys(rows[0] ?? {});
    return { columns, rows: rows.map((row) => columns.map((column) => field(row[column], column))) };
  } catch (error) {
    if (error instanceof UnknownValue) throw new Error(`"${name}" ${error.message}`);
    throw new Error(`"${name}" cannot be read as Parquet: its pages or its schema are damaged`, { cause: error });
  }
}

class UnknownValue extends Error {}

/** @throws UnknownValue for a value that has no text of its own. */
function field(value: unknown, column: string): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'object')
    throw new UnknownValue(`holds values in column "${column}" that are neither text nor numbers`);
  return String(value);
}
