// Tables of columns: numbers with gaps, and categories.

import type { Table } from './formats/csv.js';

export type Column =
  | { readonly name: string; readonly kind: 'number' /** NaN where missing. */; readonly values: Float64Array }
  | { readonly name: string; readonly kind: 'category'; readonly values: readonly (string | undefined)[] };

export interface ColumnTable {
  readonly rows: number;
  readonly columns: readonly Column[];
}

const MISSING = new Set(['', 'na', 'n/a', 'nan', 'null', 'none', '?']);

function isMissing(field: string): boolean {
  return MISSING.has(field.toLowerCase());
}

/** Columns of numbers that are codes of categories: names, each of which there must be, or a function of the name. */
export type Categorical = readonly string[] | ((name: string) => boolean);

/** A column is numeric when every field that is not missing is a finite number, unless `categorical` names it. Missing are empty fields, NA, NaN, null, none and ?. */
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
      const numeric = !isCoded(name) && fields.every((field) => isMissing(field) || Number.isFinite(Number(field)));
      if (numeric)
        return {
          name,
          kind: 'number',
          values: Float64Array.from(fields, (f) => (isMissing(f) ? Number.NaN : Number(f))),
        };
      return { name, kind: 'category', values: fields.map((field) => (isMissing(field) ? undefined : field)) };
    }),
  };
}

function requireColumns(known: readonly string[], asked: readonly string[], what: string): void {
  const unknown = asked.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`there is no ${what} "${unknown.join('", "')}"; the table has ${known.join(', ')}`);
}

export interface LabelledTable {
  readonly table: ColumnTable;
  /** Indices into `classes`. */
  readonly labels: Int32Array;
  /** Ascending: as numbers when all are. */
  readonly classes: readonly string[];
}

/** Splits off the column to predict. @throws Error for an unknown column, missing labels (naming the first row), fewer than two classes or more than a hundred */
export function labelledTable({ rows, columns }: ColumnTable, target: string): LabelledTable {
  requireColumns(
    columns.map(({ name }) => name),
    [target],
    'target column',
  );
  const column = columns.find(({ name }) => name === target) as Column;
  const names = Array.from({ length: rows }, (_, row) => {
    const value = column.values[row];
    if (value === undefined || Number.isNaN(value))
      throw new Error(`the target "${target}" is missing in row ${row + 1}`);
    return String(value);
  });
  const classes = [...new Set(names)].sort((a, b) =>
    column.kind === 'number' ? Number(a) - Number(b) : a < b ? -1 : 1,
  );
  if (classes.length < 2) throw new Error(`the target "${target}" holds one class alone: "${classes[0] ?? ''}"`);
  if (classes.length > 100)
    throw new Error(`the target "${target}" holds ${classes.length} different values; classes are at most 100`);
  const codes = new Map(classes.map((name, code) => [name, code]));
  return {
    table: { rows, columns: columns.filter(({ name }) => name !== target) },
    labels: Int32Array.from(names, (name) => codes.get(name) as number),
    classes,
  };
}

/** Some rows of a table. */
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

/** Rows as people hold them: arrays of fields, or records by column. */
export type TableLike = ColumnTable | readonly (readonly Field[])[] | readonly Readonly<Record<string, Field>>[];
type Field = number | string | null | undefined;

/** A table of rows given as arrays (columns x0, x1 …) or as records. null, undefined and NaN are gaps. @throws Error for rows of other lengths */
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

/** A table with the class of each row. @throws Error for another number of labels, or as `labelledTable` does */
export function withLabels(table: ColumnTable, labels: readonly (string | number)[]): LabelledTable {
  if (labels.length !== table.rows) throw new Error(`${table.rows} rows have ${labels.length} labels`);
  const name = 'label of the row';
  const column: Column = labels.every((label) => typeof label === 'number')
    ? { name, kind: 'number', values: Float64Array.from(labels as readonly number[]) }
    : { name, kind: 'category', values: labels.map(String) };
  return labelledTable({ rows: table.rows, columns: [...table.columns, column] }, name);
}
