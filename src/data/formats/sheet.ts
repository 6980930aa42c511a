// Excel files as tables of text, by the package read-excel-file.

import type { Table } from './csv.js';
import { type InflateOptions, unzip } from './inflate.js';

/** Which sheet of a workbook, and how much it may hold. */
export interface SheetOptions extends InflateOptions {
  /** Name of a sheet. Default: the first. */
  readonly sheet?: string;
}

/**
 * Reads a sheet of an .xlsx file whose first row names the columns: numbers as they are stored,
 * dates in ISO 8601.
 *
 * @throws Error naming the file when it is damaged, has no such sheet, or inflates beyond the
 * limit; or when read-excel-file is not installed.
 */
export async function readSheet(bytes: Uint8Array, name: string, options: SheetOptions = {}): Promise<Table> {
  try {
    unzip(bytes, options);
  } catch (error) {
    throw new Error(`"${name}" cannot be read as an Excel file (.xlsx): it ${(error as Error).message}`);
  }
  const { readSheet: read } = await import('read-excel-file/node').catch(() => {
    throw new Error('reading Excel files needs the package "read-excel-file": npm install read-excel-file');
  });
  const parseNumber = (text: string) => Number(text);
  const rows = await read(Buffer.from(bytes), options.sheet ?? 1, { parseNumber }).catch((error: Error) => {
    throw new Error(`"${name}" cannot be read as an Excel file (.xlsx): ${error.message}`);
  });
  const [header = [], ...others] = (rows as unknown[][]).map((row) => row.map(fieldOf));
  if (header.length === 0) throw new Error(`"${name}" has an empty sheet`);
  return { columns: header, rows: others.filter((row) => row.some((field) => field !== '')) };
}

function fieldOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return isoOf(value);
  return String(value).trim();
}

/** A date without the time of day where that is midnight. */
const isoOf = (date: Date) => date.toISOString().replace(/T00:00:00\.000Z$/, '');
