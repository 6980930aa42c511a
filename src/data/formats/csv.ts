// Tables as text, separated by commas, semicolons, tabs or bars.

import Papa from 'papaparse';

/** A parsed table: the header, and the fields of each row as text. */
export interface Table {
  /** Names from the header. */
  readonly columns: readonly string[];
  /** Fields of each row, in the order of `columns`. */
  readonly rows: readonly (readonly string[])[];
}

/** Options of reading a table of text. */
export interface CsvOptions {
  /**
   * The character between fields. Default: the one by which the most rows are as long as the
   * header.
   */
  readonly delimiter?: string;
}

/** Characters between fields that are tried. */
const DELIMITERS = [',', ';', '\t', '|'] as const;
/** Lines that decide the delimiter. */
const TRIED = 1000;

/** A row with the number of its first line in the file, from 1. */
export interface CsvRow {
  readonly line: number;
  readonly fields: string[];
}

/**
 * Reads a table whose first line names the columns. Empty lines are skipped.
 *
 * @throws Error naming the first line that cannot be read or has another number of fields.
 */
export function readCsv(text: string, name = '.csv', options: CsvOptions = {}): Table {
  const reader = new CsvReader(name, options);
  const [first, ...lines] = [...reader.push(plainText(text, name)), ...reader.end()];
  return { columns: first?.fields ?? [], rows: lines.map(({ fields }) => fields) };
}

/**
 * Reads lines of any number of fields, without a header, separated by the first of tabs,
 * semicolons, commas and runs of spaces that occurs, or by the delimiter that is given; empty
 * fields at the end of a line are kept.
 */
export function readLines(text: string, name = '.csv', options: CsvOptions = {}): string[][] {
  const plain = plainText(text, name);
  const { delimiter = ['\t', ';', ','].find((own) => plain.includes(own)) ?? ' ' } = options;
  const spaced = delimiter === ' ' ? plain.replace(/ +$/gm, '').replace(/^ +/gm, '').replace(/ +/g, ' ') : plain;
  const rows = new Rows(name, delimiter).parse(spaced);
  if (rows.length === 0) throw new Error(`readCsv: "${name}" is empty`);
  return rows.map(({ fields }) => fields);
}

/** Reads a table from pieces of its text: the header comes as the first row. */
export class CsvReader {
  #rest = '';
  #rows: Rows | undefined;
  #width = -1;

  constructor(
    readonly name: string,
    readonly options: CsvOptions = {},
  ) {}

  /** The rows that end in this piece. @throws Error as `readCsv` does */
  push(piece: string): CsvRow[] {
    const text = this.#rest + piece;
    const end = lastBreak(text);
    this.#rest = text.slice(end);
    return this.#checked(text.slice(0, end));
  }

  /** The rows that are left. @throws Error as `readCsv` does, or for an empty table */
  end(): CsvRow[] {
    const rows = this.#checked(this.#rest);
    this.#rest = '';
    if (this.#width < 0) throw new Error(`readCsv: "${this.name}" is empty`);
    return rows;
  }

  #checked(text: string): CsvRow[] {
    if (text === '') return [];
    this.#rows ??= new Rows(this.name, this.options.delimiter ?? delimiterOf(text));
    const rows = this.#rows.parse(text);
    for (const { line, fields } of rows) {
      if (this.#width < 0) this.#width = fields.length;
      if (fields.length !== this.#width)
        throw new Error(`readCsv: "${this.name}" line ${line} has ${fields.length} fields, the header ${this.#width}`);
    }
    return rows;
  }
}

/** Where the last whole row of a piece ends: at a line break outside quotes. */
function lastBreak(text: string): number {
  let quotes = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) quotes += 1;
  for (let end = text.lastIndexOf('\n'), seen = text.length; end >= 0; end = text.lastIndexOf('\n', end - 1)) {
    for (let at = text.lastIndexOf('"', seen - 1); at > end; at = text.lastIndexOf('"', at - 1)) {
      quotes -= 1;
      seen = at;
      if (at === 0) break;
    }
    if (quotes % 2 === 0) return end + 1;
    if (end === 0) break;
  }
  return 0;
}

/** The character by which the most rows have as many fields as the header, more than one. */
function delimiterOf(text: string): string {
  let best = { delimiter: ',', share: 0, width: 1 };
  for (const delimiter of DELIMITERS) {
    const { data } = Papa.parse<string[]>(text, { delimiter, preview: TRIED, skipEmptyLines: true });
    const width = data[0]?.length ?? 0;
    if (width < 2) continue;
    const share = data.filter((row) => row.length === width).length / data.length;
    if (share > best.share || (share === best.share && width > best.width)) best = { delimiter, share, width };
  }
  return best.delimiter;
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

/** Rows of pieces of a text, with their lines counted over all pieces. */
class Rows {
  #line = 1;

  constructor(
    readonly name: string,
    readonly delimiter: string,
  ) {}

  parse(text: string): CsvRow[] {
    const { data, errors, meta } = Papa.parse<string[]>(text, { delimiter: this.delimiter });
    const rows: CsvRow[] = [];
    const starts: number[] = [];
    const hasQuotes = text.includes('"');
    for (const fields of data) {
      starts.push(this.#line);
      // Quoted fields may hold line breaks.
      if (hasQuotes)
        for (const field of fields)
          for (let at = field.indexOf('\n'); at >= 0; at = field.indexOf('\n', at + 1)) this.#line += 1;
      this.#line += 1;
      for (let i = 0; i < fields.length; i++) fields[i] = (fields[i] as string).trim();
      if (fields.length > 1 || fields[0] !== '') rows.push({ line: starts.at(-1) as number, fields });
    }
    const [error] = errors;
    if (error)
      throw new Error(`readCsv: "${this.name}" line ${starts[error.row ?? 0] ?? this.#line}: ${error.message}`);
    // A piece that ends with a line break has an empty row behind it.
    if (text.endsWith(meta.linebreak)) this.#line -= 1;
    return rows;
  }
}

/** One field of a line, quoted where it holds a comma, a quote or a line break. */
export function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Writes a table with a header line. */
export function writeCsv(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return `${Papa.unparse({ fields: [...columns], data: rows.map((row) => [...row]) }, { newline: '\n' })}\n`;
}
