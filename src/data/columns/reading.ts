// How the columns of a table of texts are read: as numbers, categories or dates. All fields of a
// column decide, in a first pass; a second one makes its values, so that a table of any length is
// read without being held as text.

import { calendarNames, calendarOf, type DateForm, DateScan } from './dates.js';
import { type DecimalMark, hasLeadingZero, isBeyondDouble, type Notation, NotationScan, numberOf } from './notation.js';
import { TextCollector } from './texts.js';

/** A column of numbers (NaN where missing) or of categories (undefined where missing). */
export type Column =
  | {
      readonly name: string;
      readonly kind: 'number';
      readonly values: Float64Array;
      /** The column of dates that it was made from. */
      readonly from?: string;
    }
  | { readonly name: string; readonly kind: 'category'; readonly values: readonly (string | undefined)[] };

/** What was converted in a column, or not taken for what it may seem. */
export interface ColumnNote {
  /** Name of the column in the file. */
  readonly column: string;
  /** A phrase, such as "12 fields with a percent sign, read as hundredths". */
  readonly text: string;
}

/** A note as a sentence of a message. */
export function noteText({ column, text }: ColumnNote): string {
  return column === '' ? `the file ${text}` : `column "${column}": ${text}`;
}

/** A table by column. */
export interface ColumnTable {
  /** Number of rows. */
  readonly rows: number;
  /** Columns of `rows` values each. */
  readonly columns: readonly Column[];
  /** What reading converted. */
  readonly notes?: readonly ColumnNote[];
}

/**
 * Numeric columns that hold codes of categories: their names, all of which must exist, or a
 * predicate on the name.
 */
export type Categorical = readonly string[] | ((name: string) => boolean);

/** What a caller knows of a table of texts. */
export interface ReadingOptions {
  /** Columns that are read as categories. Default: none. */
  readonly categorical?: Categorical;
  /**
   * The decimal mark where fields such as 1,234 leave it open. Default: what other columns prove.
   */
  readonly decimal?: DecimalMark;
  /** Of the date 3/4/2024, the day is 3. Default: what the column proves. */
  readonly dayFirst?: boolean;
  /** The column of classes or values to learn: there None, NULL and NaT are no gaps. */
  readonly target?: string;
}

/** Spellings of a missing value in any column, in lower case. */
const MISSING = new Set([
  ...['', 'na', 'n/a', 'nan', '-nan', '+nan', 'null', 'none', '?', '<na>', '#n/a', '#na', '#n/a n/a', '\\n'],
  ...['n.a.', 'nat', '1.#ind', '-1.#ind', '1.#qnan', '-1.#qnan'],
]);
/** Spellings that stand for a missing value among numbers, and for themselves among texts. */
const MISSING_NUMBER = new Set(['-', '--', '.', '..', '…', '–', '—', 'missing', 'nil', 'undefined', 'unknown']);
/** Fields that a column of numbers may hold by mistake: infinities, and Excel's errors. */
const NO_NUMBER = /^([+-]?(inf|infinity|1\.#inf|∞)|#(div\/0!|value!|ref!|name\?|num!|null!))$/;
/** A column stays one of numbers with at most this share of texts, of so many kinds. */
const STRAY_SHARE = 0.02;
const STRAY_KINDS = 3;
/** Different texts that are remembered while it may still be a column of numbers. */
const REMEMBERED = 8;

/** Spellings of a missing value that are names of classes in a target. */
const CLASS = new Set(['none', 'null', 'nat']);

const isDigit = (code: number) => code >= 48 && code <= 57;

/** Whether a field stands for a missing value; none ends with a digit. */
function isMissing(field: string, isTarget: boolean): boolean {
  if (field.length > 8 || isDigit(field.charCodeAt(field.length - 1))) return false;
  const text = field.toLowerCase();
  return MISSING.has(text) && !(isTarget && CLASS.has(text));
}

type Reading =
  | { readonly kind: 'number'; readonly notation: Notation }
  | { readonly kind: 'category' }
  | { readonly kind: 'date'; readonly form: DateForm };

/** One column in the first pass. */
class ColumnScan {
  readonly notation = new NotationScan();
  readonly #dates = new DateScan();
  #rows = 0;
  #missing = 0;
  /** Words for missing numbers, infinities and stray texts by how often they occur. */
  readonly #gaps = new Map<string, number>();
  readonly #infinite = new Map<string, number>();
  readonly #others = new Map<string, number>();
  #otherCount = 0;
  #codes = 0;
  #beyond = 0;

  constructor(
    readonly name: string,
    readonly isCoded: boolean,
    readonly isTarget: boolean,
  ) {}

  add(field: string): void {
    this.#rows += 1;
    if (isMissing(field, this.isTarget)) {
      this.#missing += 1;
      return;
    }
    if (this.isCoded || (this.#otherCount > REMEMBERED && this.notation.numbers === 0)) {
      this.#otherCount += 1;
      return;
    }
    if (this.notation.add(field)) {
      if (hasLeadingZero(field)) this.#codes += 1;
      else if (isBeyondDouble(field)) this.#beyond += 1;
      else if (/^[+-]?\d.*e/i.test(field) && !Number.isFinite(Number(field))) count(this.#infinite, field);
      return;
    }
    const text = field.toLowerCase();
    if (MISSING_NUMBER.has(text)) count(this.#gaps, field);
    else if (NO_NUMBER.test(text)) count(this.#infinite, field);
    else if (!this.#dates.add(field)) {
      this.#otherCount += 1;
      if (this.#others.size <= REMEMBERED) count(this.#others, field);
    }
  }

  /**
   * How the column is read, with what there is to say of it. @throws Error where it may be two
   * things
   */
  reading({ decimal, dayFirst }: ReadingOptions, note: (text: string) => void): Reading {
    const { numbers } = this.notation;
    const { dates } = this.#dates;
    const category: Reading = { kind: 'category' };
    if (this.isCoded || this.#rows === this.#missing) return this.isCoded ? category : emptyReading;
    if (dates > 0 && numbers === 0 && this.#otherCount === 0 && this.#infinite.size === 0) {
      const form = this.#dates.form(dayFirst);
      if (typeof form !== 'string') {
        note(`${dates} dates, read as ${calendarNames(this.name).join(', ')}`);
        return { kind: 'date', form };
      }
      note(`${form}; read as categories`);
      return category;
    }
    const others = this.#otherCount + dates;
    // Words for gaps alone are texts.
    if (numbers === 0) return category;
    if (this.#codes > 0) note(`${this.#codes} integers with zeros in front, kept as texts`);
    else if (this.#beyond > 0) note(`${this.#beyond} integers beyond double precision, kept as texts`);
    if (this.#codes > 0 || this.#beyond > 0) return category;
    const strays = dates === 0 && this.#others.size <= STRAY_KINDS && others <= STRAY_SHARE * numbers;
    if (others > 0 && !strays) {
      if (numbers > others)
        note(`${numbers} numbers and ${others} texts such as "${[...this.#others.keys()][0]}"; read as categories`);
      return category;
    }
    const notation = this.notation.notation(decimal);
    if (typeof notation === 'string') {
      if (this.notation.example !== '' && this.notation.proven === undefined)
        throw new Error(`column "${this.name}" ${notation}`);
      note(`${notation}; read as categories`);
      return category;
    }
    const { separated, eitherPoint, percent, currencies } = this.notation;
    const commas = notation.decimal === ',';
    const written = separated + (commas ? eitherPoint : 0);
    if (percent > 0) note(`${percent} percentages, read as hundredths`);
    else if (currencies.size > 0) note(`${written} amounts in ${[...currencies][0]}, read as numbers`);
    else if (written > 0) note(`${written} numbers with ${commas ? 'decimal commas' : 'separators'}, read as numbers`);
    for (const found of [this.#gaps, this.#infinite, this.#others])
      if (found.size > 0) note(`${sumOf(found)} fields without a number (${listed(found)}), read as missing`);
    return { kind: 'number', notation };
  }
}

const emptyReading: Reading = { kind: 'number', notation: { decimal: '.', percent: false, plain: true } };

function count(words: Map<string, number>, word: string): void {
  words.set(word, (words.get(word) ?? 0) + 1);
}

const sumOf = (words: Map<string, number>) => [...words.values()].reduce((a, b) => a + b, 0);

function listed(words: Map<string, number>): string {
  const all = [...words.keys()].map((word) => `"${word}"`);
  return `${all.slice(0, 3).join(', ')}${all.length > 3 ? ', …' : ''}`;
}

/** How each column of a table is read. */
interface TablePlan {
  readonly rows: number;
  readonly names: readonly string[];
  readonly target: string | undefined;
  readonly readings: readonly Reading[];
  readonly notes: readonly ColumnNote[];
}

/**
 * Reads a table in two passes over its rows: one finds how each column is read, the other makes the
 * values.
 *
 * @param pass the rows of the table from the start, the names of the columns first; an empty name
 * becomes "column 3"
 * @throws Error for a name that occurs twice, a categorical column that does not exist, one whose
 * fields may be two things, or where the second pass has other rows than the first
 */
export function readColumns(pass: () => Iterable<readonly string[]>, options: ReadingOptions = {}): ColumnTable {
  let scan: TableScan | undefined;
  for (const fields of pass()) {
    if (scan) scan.add(fields);
    else scan = new TableScan(fields, options);
  }
  const fill = new TableFill((scan ?? new TableScan([], options)).plan());
  let isHeader = true;
  for (const fields of pass()) {
    if (!isHeader) fill.add(fields);
    isHeader = false;
  }
  return fill.table();
}

/** The first pass over the rows of a table: finds how each column is read. */
class TableScan {
  readonly #columns: readonly ColumnScan[];
  #rows = 0;

  constructor(
    header: readonly string[],
    readonly options: ReadingOptions = {},
  ) {
    const { categorical = [] } = options;
    const names = header.map((name, i) => (name === '' ? `column ${i + 1}` : name));
    const double = names.find((name, i) => names.indexOf(name) !== i);
    if (double !== undefined) throw new Error(`the table has two columns named "${double}"`);
    if (typeof categorical !== 'function') requireColumns(names, categorical, 'categorical column');
    const isCoded = typeof categorical === 'function' ? categorical : (name: string) => categorical.includes(name);
    this.#columns = names.map((name) => new ColumnScan(name, isCoded(name), name === options.target));
  }

  add(fields: readonly string[]): void {
    this.#rows += 1;
    for (let i = 0; i < this.#columns.length; i++) (this.#columns[i] as ColumnScan).add(fields[i] as string);
  }

  plan(): TablePlan {
    const { decimal } = this.options;
    const proofs = new Set(this.#columns.map(({ notation }) => notation.proven));
    const proven = proofs.has(',') === proofs.has('.') ? undefined : proofs.has(',') ? ',' : '.';
    const hint = decimal ?? proven;
    const options = { ...this.options, ...(hint !== undefined && { decimal: hint }) };
    const notes: ColumnNote[] = [];
    const readings = this.#columns.map((column) =>
      column.reading(options, (text) => notes.push({ column: column.name, text })),
    );
    return { rows: this.#rows, names: this.#columns.map(({ name }) => name), target: options.target, readings, notes };
  }
}

/** The second pass over the same rows: makes the values of each column. */
class TableFill {
  readonly #columns: { columns(): readonly Column[]; set(row: number, field: string): void }[];
  #row = 0;

  constructor(readonly plan: TablePlan) {
    const { names, target, rows } = plan;
    this.#columns = plan.readings.map((reading, i) => {
      const name = names[i] as string;
      return fillOf(name, reading, rows, name === target);
    });
  }

  add(fields: readonly string[]): void {
    for (let i = 0; i < this.#columns.length; i++) this.#columns[i]?.set(this.#row, fields[i] as string);
    this.#row += 1;
  }

  table(): ColumnTable {
    const { rows, notes } = this.plan;
    if (this.#row !== rows) throw new Error('the table changed while it was read');
    return { rows, columns: this.#columns.flatMap((column) => column.columns()), ...(notes.length > 0 && { notes }) };
  }
}

function fillOf(name: string, reading: Reading, rows: number, isTarget: boolean) {
  if (reading.kind === 'number') {
    const values = new Float64Array(rows);
    const { notation } = reading;
    return {
      columns: (): Column[] => [{ name, kind: 'number', values }],
      set(row: number, field: string) {
        const value = isMissing(field, isTarget) ? Number.NaN : numberOf(field, notation);
        values[row] = Number.isFinite(value) ? value : Number.NaN;
      },
    };
  }
  if (reading.kind === 'date') {
    const { form } = reading;
    const columns = calendarNames(name).map((own) => ({
      ...{ name: own, kind: 'number' as const, from: name },
      values: new Float64Array(rows),
    }));
    return {
      columns: () => columns,
      set(row: number, field: string) {
        for (const [i, value] of calendarOf(field, form).entries()) (columns[i]?.values as Float64Array)[row] = value;
      },
    };
  }
  const texts = new TextCollector(rows);
  return {
    columns: (): Column[] => [{ name, kind: 'category', values: texts.values() }],
    set(row: number, field: string) {
      if (!isMissing(field, isTarget)) texts.set(row, field);
    },
  };
}

/** @throws Error naming the columns that a table does not have */
export function requireColumns(known: readonly string[], asked: readonly string[], what: string): void {
  const unknown = asked.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`there is no ${what} "${unknown.join('", "')}"; the table has ${known.join(', ')}`);
}
