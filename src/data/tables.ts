// Tables of numeric and categorical columns with missing values.

import type { Table } from './formats/csv.js';

/** A column of numbers (NaN where missing) or of categories (undefined where missing). */
export type Column =
  | { readonly name: string; readonly kind: 'number'; readonly values: Float64Array }
  | { readonly name: string; readonly kind: 'category'; readonly values: readonly (string | undefined)[] };

/** A table by column. */
export interface ColumnTable {
  /** Number of rows. */
  readonly rows: number;
  /** Columns of `rows` values each. */
  readonly columns: readonly Column[];
}

/** Spellings of a missing value in any column, in lower case. */
const MISSING = new Set(
  [
    '',
    'na',
    'n/a',
    'nan',
    '-nan',
    '+nan',
    'null',
    'none',
    '?',
    '<na>',
    '#n/a',
    '#na',
    '#n/a n/a',
    '\\n',
    'n.a.',
    'nat',
  ].concat(['1.#ind', '-1.#ind', '1.#qnan', '-1.#qnan']),
);
/** Spellings that stand for a missing value among numbers, and for themselves among texts. */
const MISSING_NUMBER = new Set(['-', '--', '.', '..', '…', '–', '—', 'missing', 'nil', 'undefined', 'unknown']);
/** Fields that a column of numbers may hold by mistake: infinities, and Excel's errors. */
const NO_NUMBER = /^([+-]?(inf|infinity|1\.#inf|∞)|#(div\/0!|value!|ref!|name\?|num!|null!))$/;
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const INTEGER = /^[+-]?\d+$/;
/** With decimal commas or separators of thousands. */
const WITH_COMMAS = /^[+-]?\d+(,\d+)+(\.\d+)?$/;

function isMissing(field: string): boolean {
  return MISSING.has(field.toLowerCase());
}

/**
 * Numeric columns that hold codes of categories: their names, all of which must exist, or a
 * predicate on the name.
 */
export type Categorical = readonly string[] | ((name: string) => boolean);

/**
 * Infers column types: a column is numeric when every field that is not missing is a finite decimal
 * number, unless `categorical` names it, or it holds integers beyond 2⁵³ that would become equal.
 * Missing are empty fields and the spellings NA, N/A, #N/A, NaN, NULL, None, <NA>, \N, n.a. and ?,
 * in any case; among numbers also -, --, ., missing, nil, undefined and unknown.
 *
 * @throws Error naming a column that occurs twice, a categorical one that does not exist, or a
 * column of numbers that holds an infinity, an error of Excel or numbers with commas, with its row.
 */
export function columnsOf(
  { columns, rows }: Table,
  { categorical = [] }: { readonly categorical?: Categorical } = {},
): ColumnTable {
  const double = columns.find((name, i) => columns.indexOf(name) !== i);
  if (double !== undefined) throw new Error(`the table has two columns named "${double}"`);
  if (typeof categorical !== 'function') requireColumns(columns, categorical, 'categorical column');
  const isCoded = typeof categorical === 'function' ? categorical : (name: string) => categorical.includes(name);
  return {
    rows: rows.length,
    columns: columns.map((name, at): Column => {
      const fields = rows.map((row) => row[at] as string);
      const numbers = isCoded(name) ? undefined : numbersOf(fields, name);
      if (numbers) return { name, kind: 'number', values: numbers };
      return { name, kind: 'category', values: fields.map((field) => (isMissing(field) ? undefined : field)) };
    }),
  };
}

/** A column as numbers, NaN where missing; undefined where it is one of texts. */
function numbersOf(fields: readonly string[], name: string): Float64Array | undefined {
  let wrong = -1;
  let commas = -1;
  let numbers = 0;
  for (const [row, field] of fields.entries()) {
    const text = field.toLowerCase();
    if (MISSING.has(text) || MISSING_NUMBER.has(text)) continue;
    if (DECIMAL.test(text) && Number.isFinite(Number(text))) numbers += 1;
    else if (NO_NUMBER.test(text) || DECIMAL.test(text)) wrong = wrong < 0 ? row : wrong;
    else if (WITH_COMMAS.test(text)) commas = commas < 0 ? row : commas;
    else return undefined;
  }
  const refuse = (row: number, advice: string): never => {
    throw new Error(`column "${name}" holds "${fields[row]}" in row ${row + 1}; ${advice}`);
  };
  if (wrong >= 0 && numbers > 0)
    refuse(wrong, 'numbers must be finite: leave the field empty, or declare the column categorical');
  if (commas >= 0)
    refuse(commas, 'write numbers with a decimal point and without separators, or declare the column categorical');
  // A column of such words alone is one of texts.
  if (numbers === 0 && fields.some((field) => !isMissing(field))) return undefined;
  if (mergesIntegers(fields)) return undefined;
  return Float64Array.from(fields, (field) => (DECIMAL.test(field) ? Number(field) : Number.NaN));
}

/** Whether different integers of a column are the same number in double precision. */
function mergesIntegers(fields: readonly string[]): boolean {
  const seen = new Map<number, bigint>();
  for (const field of fields) {
    if (!INTEGER.test(field) || Number.isSafeInteger(Number(field))) continue;
    const exact = BigInt(field.replace('+', ''));
    const before = seen.get(Number(field));
    if (before !== undefined && before !== exact) return true;
    seen.set(Number(field), exact);
  }
  return false;
}

function requireColumns(known: readonly string[], asked: readonly string[], what: string): void {
  const unknown = asked.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`there is no ${what} "${unknown.join('", "')}"; the table has ${known.join(', ')}`);
}

/** A table without its target column, and the target as classes. */
export interface LabelledTable {
  /** All columns except the target. */
  readonly table: ColumnTable;
  /** Class of each row: an index into `classes`. */
  readonly labels: Int32Array;
  /** Names of the classes, ascending; in numeric order for a numeric target. */
  readonly classes: readonly string[];
}

/**
 * Splits off the target column, for training and testing.
 *
 * @throws Error as `splitTarget` does, and for a class of one row, which cannot be both trained on
 * and tested.
 */
export function labelledTable(table: ColumnTable, target: string): LabelledTable {
  const labelled = splitTarget(table, target);
  const { labels, classes } = labelled;
  const counts = new Int32Array(classes.length);
  for (const label of labels) counts[label] = (counts[label] as number) + 1;
  const single = counts.indexOf(1);
  if (single >= 0)
    throw new Error(
      `the target "${target}" holds the class "${classes[single]}" in a single row (row ${labels.indexOf(single) + 1}), which cannot be both trained on and tested: remove it, or merge the class with another`,
    );
  return labelled;
}

/**
 * Splits off the target column.
 *
 * @throws Error for a table without rows, an unknown column, a missing label (naming the first
 * row), fewer than two classes or more than a hundred.
 */
export function splitTarget(whole: ColumnTable, target: string): LabelledTable {
  const { column, table } = targetColumn(whole, target);
  const names = textsOf(column, `target "${target}"`);
  const classes = [...new Set(names)].sort((a, b) =>
    column.kind === 'number' ? Number(a) - Number(b) : a < b ? -1 : 1,
  );
  if (classes.length < 2) throw new Error(`the target "${target}" holds one class alone: "${classes[0] ?? ''}"`);
  if (classes.length > 100)
    throw new Error(
      `the target "${target}" holds ${classes.length} different values; classes are at most 100${column.kind === 'number' ? ' (gossamer fit --task number predicts numbers)' : ''}`,
    );
  const codes = new Map(classes.map((name, code) => [name, code]));
  return { table, labels: Int32Array.from(names, (name) => codes.get(name) as number), classes };
}

/** A column and the table without it. @throws Error for an unknown column, or no rows */
function targetColumn({ rows, columns }: ColumnTable, target: string): { column: Column; table: ColumnTable } {
  requireColumns(
    columns.map(({ name }) => name),
    [target],
    'target column',
  );
  if (rows === 0) throw new Error('the table has a header and no rows');
  const column = columns.find(({ name }) => name === target) as Column;
  return { column, table: { rows, columns: columns.filter(({ name }) => name !== target) } };
}

/**
 * The values of a column as text.
 *
 * @param what used in the error message
 * @throws Error naming the first row without a value
 */
export function textsOf({ values }: Column, what: string): string[] {
  return Array.from(values as ArrayLike<string | number | undefined>, (value, row) => {
    if (value === undefined || Number.isNaN(value)) throw new Error(`the ${what} is missing in row ${row + 1}`);
    return String(value);
  });
}

/** A table without its target column, and the target as numbers. */
export interface ValuedTable {
  /** All columns except the target. */
  readonly table: ColumnTable;
  /** Target of each row; finite. */
  readonly values: Float64Array;
}

/**
 * Splits off a numeric target column.
 *
 * @throws Error for a table without rows, an unknown column, one that does not hold numbers or
 * holds the same number in all rows, or a missing value (naming the first row)
 */
export function valuedTable(whole: ColumnTable, target: string): ValuedTable {
  const { column, table } = targetColumn(whole, target);
  if (column.kind !== 'number')
    throw new Error(
      `the target "${target}" must hold numbers; it has "${column.values.find((value) => value !== undefined)}"`,
    );
  const missing = column.values.findIndex(Number.isNaN);
  if (missing >= 0) throw new Error(`the target "${target}" is missing in row ${missing + 1}`);
  if (column.values.every((value) => value === column.values[0]))
    throw new Error(`the target "${target}" holds one number alone: ${column.values[0]}`);
  return { table, values: column.values };
}

/** The given rows of a table, in that order. */
export function tableRows({ columns }: ColumnTable, rows: Int32Array): ColumnTable {
  return {
    rows: rows.length,
    columns: columns.map(
      (column): Column =>
        column.kind === 'number'
          ? { ...column, values: Float64Array.from(rows, (row) => column.values[row] as number) }
          : { ...column, values: Array.from(rows, (row) => column.values[row]) },
    ),
  };
}

/** A table, or its rows as arrays of fields or as records by column. */
export type TableLike = ColumnTable | readonly (readonly Field[])[] | readonly Readonly<Record<string, Field>>[];
type Field = number | string | null | undefined;

/**
 * A table from rows given as arrays (columns x0, x1 …) or as records. null, undefined and NaN are
 * missing values.
 *
 * @throws Error naming the first row of another form or length.
 */
export function tableOf(rows: TableLike): ColumnTable {
  if (!Array.isArray(rows)) return rows as ColumnTable;
  const records = rows as readonly (readonly Field[] | Readonly<Record<string, Field>>)[];
  const names = [...new Set(records.flatMap((row) => Object.keys(row)))];
  const arrays = Array.isArray(records[0]);
  const uneven = records.findIndex((row) => Array.isArray(row) !== arrays || (arrays && row.length !== names.length));
  if (uneven >= 0) throw new Error(`tableOf: row ${uneven + 1} differs in form or length from the first`);
  return {
    rows: records.length,
    columns: names.map((key): Column => {
      const name = arrays ? `x${key}` : key;
      const fields = records.map((row) => (row as Readonly<Record<string, Field>>)[key]);
      if (fields.every((field) => field === null || field === undefined || typeof field === 'number'))
        return { name, kind: 'number', values: Float64Array.from(fields, (field) => (field as number) ?? Number.NaN) };
      return {
        name,
        kind: 'category',
        values: fields.map((f) => (f === null || f === undefined ? undefined : String(f))),
      };
    }),
  };
}

/**
 * A table with a class given for each row.
 *
 * @throws Error when the number of labels differs from that of rows, for a missing label, fewer
 * than two classes or more than a hundred.
 */
export function withLabels(table: ColumnTable, labels: readonly (string | number)[]): LabelledTable {
  if (labels.length !== table.rows) throw new Error(`${table.rows} rows have ${labels.length} labels`);
  const name = 'label of the row';
  const column: Column = labels.every((label) => typeof label === 'number')
    ? { name, kind: 'number', values: Float64Array.from(labels as readonly number[]) }
    : { name, kind: 'category', values: labels.map(String) };
  return splitTarget({ rows: table.rows, columns: [...table.columns, column] }, name);
}
