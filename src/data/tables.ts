// Tables of numeric and categorical columns with missing values, and their targets.

import { type Column, type ColumnTable, type ReadingOptions, readColumns, requireColumns } from './columns/reading.js';
import type { Table } from './formats/csv.js';

export type { DecimalMark } from './columns/notation.js';
export {
  type Categorical,
  type Column,
  type ColumnNote,
  type ColumnTable,
  noteText,
  type ReadingOptions,
} from './columns/reading.js';

/**
 * Infers how the columns of a table of texts are read, each from all of its fields.
 *
 * - Numbers, where at most one field in fifty is something else: with a decimal point or comma,
 *   separators of thousands, a percent sign (hundredths), one currency, negative in parentheses.
 *   Infinities, errors of Excel, words such as "-" or "unknown" and stray texts are missing values.
 * - Dates become calendar features: days since 1970, year, month, day, weekday, and hour.
 * - Integers with zeros in front or beyond double precision, and all else, are categories.
 *
 * Missing are empty fields and the spellings NA, N/A, #N/A, NaN, NULL, None, <NA>, \N, n.a. and ?,
 * in any case; None, NULL and NaT are classes in the target. What is converted stands in `notes`.
 *
 * @throws Error naming a column that occurs twice, a categorical one that does not exist, or one
 * whose fields, such as 1,234, may be two numbers.
 */
export function columnsOf({ columns, rows }: Table, options: ReadingOptions = {}): ColumnTable {
  return readColumns(function* () {
    yield columns;
    yield* rows;
  }, options);
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
      `the target "${target}" holds the class "${classes[single]}" in a single row (row ${labels.indexOf(single) + 1}), which cannot be both trained on and tested: leave it out, or merge the class with another (gossamer fit --rare drop, or merge)`,
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

/**
 * A table without the rows that have no target.
 *
 * @returns the table and how many rows it lacks
 */
export function withoutGaps(table: ColumnTable, target: string): { table: ColumnTable; left: number } {
  const { column } = targetColumn(table, target);
  const isThere = (value: number | string | undefined) => value !== undefined && !Number.isNaN(value);
  const kept = Int32Array.from([...Array(table.rows).keys()].filter((row) => isThere(column.values[row])));
  const left = table.rows - kept.length;
  return { table: left === 0 ? table : tableRows(table, kept), left };
}

/** What becomes of classes of a single row: their rows are left out, or they become one class. */
export type RareClasses = 'drop' | 'merge';

/** The class that rare ones become. */
const OTHER = 'other';

/**
 * A table whose target has no class of a single row.
 *
 * @returns the table and the names of those classes
 */
export function withoutRare(
  table: ColumnTable,
  target: string,
  how: RareClasses,
): { table: ColumnTable; rare: string[] } {
  const { column } = targetColumn(table, target);
  const texts = textsOf(column, `target "${target}"`);
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  const rare = [...counts].filter(([, rows]) => rows === 1).map(([name]) => name);
  if (rare.length === 0) return { table, rare };
  const isRare = new Set(rare);
  if (how === 'drop') {
    const kept = Int32Array.from(texts.flatMap((text, row) => (isRare.has(text) ? [] : [row])));
    return { table: tableRows(table, kept), rare };
  }
  const values = texts.map((text) => (isRare.has(text) ? OTHER : text));
  const merged: Column = { name: target, kind: 'category', values };
  return { table: { ...table, columns: table.columns.map((own) => (own === column ? merged : own)) }, rare };
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
  return { column, table: { rows, columns: columns.filter((own) => own !== column) } };
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
export function tableRows({ columns, notes }: ColumnTable, rows: Int32Array): ColumnTable {
  return {
    ...(notes && { notes }),
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
