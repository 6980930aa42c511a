// Comma- and tab-separated tables.

import Papa from 'papaparse';

/** A parsed table: the header, and the fields of each row as text. */
export interface Table {
  /** Names from the header. */
  readonly columns: readonly string[];
  /** Fields of each row, in the order of `columns`. */
  readonly rows: readonly (readonly string[])[];
}

/**
 * Reads a table whose first line names the columns; the separator is found from the text.
 *
 * @throws Error naming the first line that cannot be read or has another number of fields.
 */
export function readCsv(text: string, name = '.csv'): Table {
  const [columns = [], ...rows] = parse(text, name);
  rows.forEach((row, index) => {
    if (row.length !== columns.length)
      throw new Error(`readCsv: "${name}" line ${index + 2} has ${row.length} fields, the header ${columns.length}`);
  });
  return { columns, rows };
}

/** Reads lines of any number of fields, without a header. */
export function readLines(text: string, name = '.csv'): string[][] {
  return parse(text, name);
}

function parse(text: string, name: string): string[][] {
  const { data, errors } = Papa.parse<string[]>(text.trim(), {
    skipEmptyLines: 'greedy',
    ...(text.includes('\t') ? { delimiter: '\t' } : { delimiter: ',' }),
  });
  const [error] = errors;
  if (error) throw new Error(`readCsv: "${name}" line ${(error.row ?? 0) + 1}: ${error.message}`);
  if (data.length === 0) throw new Error(`readCsv: "${name}" is empty`);
  return data.map((row) => row.map((field) => field.trim()));
}

/** One field of a line, quoted where it holds a comma, a quote or a line break. */
export function csvField(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Writes a table with a header line. */
export function writeCsv(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return `${Papa.unparse({ fields: [...columns], data: rows.map((row) => [...row]) }, { newline: '\n' })}\n`;
}
