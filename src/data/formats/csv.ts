// Comma-, semicolon- and tab-separated tables.

import Papa from 'papaparse';

/** A parsed table: the header, and the fields of each row as text. */
export interface Table {
  /** Names from the header. */
  readonly columns: readonly string[];
  /** Fields of each row, in the order of `columns`. */
  readonly rows: readonly (readonly string[])[];
}

/**
 * Reads a table whose first line names the columns and says how fields are separated: by tabs where
 * it has one, else by commas, else by semicolons. Empty lines are skipped.
 *
 * @throws Error naming the first line that cannot be read or has another number of fields.
 */
export function readCsv(text: string, name = '.csv'): Table {
  const plain = plainText(text, name);
  const [header = ''] = /^[^\n]*/.exec(plain.trimStart()) ?? [];
  const unquoted = header.replace(/"[^"]*"/g, '');
  const delimiter = ['\t', ',', ';'].find((character) => unquoted.includes(character)) ?? ',';
  const [first, ...lines] = parse(plain, delimiter, name);
  const columns = first?.fields ?? [];
  for (const { line, fields } of lines)
    if (fields.length !== columns.length)
      throw new Error(`readCsv: "${name}" line ${line} has ${fields.length} fields, the header ${columns.length}`);
  return { columns, rows: lines.map(({ fields }) => fields) };
}

/** Reads lines of any number of fields, without a header, separated by tabs where there are any. */
export function readLines(text: string, name = '.csv'): string[][] {
  const plain = plainText(text, name);
  return parse(plain, plain.includes('\t') ? '\t' : ',', name).map(({ fields }) => fields);
}

/**
 * Text without a byte order mark. UTF-16 that was decoded as UTF-8 is undone where it is ASCII.
 *
 * @throws Error for other text with zero bytes, which is UTF-16 or no text.
 */
function plainText(text: string, name: string): string {
  const marked = text.replace(/^\uFEFF/, '');
  if (!marked.includes('\0')) return marked;
  const plain = marked.replace(/^\uFFFD\uFFFD/, '');
  const own = plain[0] === '\0' ? 1 : 0;
  const isUtf16 = marked !== plain && !plain.includes('\uFFFD') && everyOther(plain, 1 - own);
  if (!isUtf16) throw new Error(`readCsv: "${name}" holds zero bytes: it is UTF-16 or no text; save it as UTF-8`);
  return plain.replaceAll('\0', '');
}

/** Whether the characters from `start` on, every second one, and no others are zero. */
function everyOther(text: string, start: number): boolean {
  for (let i = 0; i < text.length; i++) if ((text[i] === '\0') !== (i % 2 === start)) return false;
  return true;
}

interface Line {
  /** Of the file, from 1. */
  readonly line: number;
  readonly fields: string[];
}

function parse(text: string, delimiter: string, name: string): Line[] {
  const { data, errors } = Papa.parse<string[]>(text, { delimiter });
  const lines: Line[] = [];
  let line = 1;
  const starts = data.map((row) => {
    const start = line;
    // Quoted fields may hold line breaks.
    line += 1 + row.reduce((breaks, field) => breaks + (field.match(/\n/g)?.length ?? 0), 0);
    return start;
  });
  const [error] = errors;
  if (error) throw new Error(`readCsv: "${name}" line ${starts[error.row ?? 0] ?? 1}: ${error.message}`);
  data.forEach((row, i) => {
    const fields = row.map((field) => field.trim());
    if (fields.length > 1 || fields[0] !== '') lines.push({ line: starts[i] as number, fields });
  });
  if (lines.length === 0) throw new Error(`readCsv: "${name}" is empty`);
  return lines;
}

/** One field of a line, quoted where it holds a comma, a quote or a line break. */
export function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Writes a table with a header line. */
export function writeCsv(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return `${Papa.unparse({ fields: [...columns], data: rows.map((row) => [...row]) }, { newline: '\n' })}\n`;
}
