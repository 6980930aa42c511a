// Tables with the rows of several users: numbers, a column that names the user, and one of classes
// that may have gaps. Raw streams become windows of consecutive rows of a user.

import { type Column, type ColumnTable, textsOf } from '../../data/index.js';
import type { PrivateRows } from './private-rows.js';

/** How a table of users is read. */
export interface UserTableOptions {
  /** Column that names the user of a row. Default: all rows are of one user, named "". */
  readonly user?: string | undefined;
  /** Column of classes; a gap is a row without one. Default: no row has a class. */
  readonly target?: string | undefined;
  /** Columns to leave out. Default: none. */
  readonly ignore?: readonly string[];
  /** Columns to read, in this order. Default: all others, which must hold numbers. */
  readonly columns?: readonly string[];
  /** Names of the classes. Default: those that occur, in alphabetical order. */
  readonly classes?: readonly string[];
  /** Consecutive rows of a user that make a window. Default: 1. */
  readonly window?: number;
  /** Rows from one window to the next. Default: `window`. */
  readonly step?: number;
}

/** The rows of one user. */
export interface UserRows {
  /** Name of the user. */
  readonly name: string;
  /** Rows, or windows, with their classes. */
  readonly rows: PrivateRows;
  /** Row of the table that each begins at. */
  readonly starts: Int32Array;
}

/** A table by users. */
export interface UserTable {
  /** Columns of numbers that were read. */
  readonly columns: readonly string[];
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** Users in the order in which they occur. */
  readonly users: readonly UserRows[];
}

/**
 * Reads the users of a table. The class of a window is the one that most of its rows have.
 *
 * @throws Error naming a column that is missing or holds text, a class that is not among the given
 * ones, or a user with fewer rows than a window has
 */
export function usersOfTable(
  table: ColumnTable,
  { user, target, ignore = [], columns, classes: given, window = 1, step = window }: UserTableOptions = {},
): UserTable {
  const names =
    user === undefined ? new Array<string>(table.rows).fill('') : textsOf(found(table, user), `user "${user}"`);
  const texts = target === undefined ? [] : classTexts(found(table, target));
  const classes = given ?? [...new Set(texts.filter((text) => text !== undefined))].sort();
  const unknown = texts.findIndex((text) => text !== undefined && !classes.includes(text));
  if (unknown >= 0)
    throw new Error(`row ${unknown + 1} has the class "${texts[unknown]}"; known are ${classes.join(', ')}`);
  const own =
    columns ?? table.columns.map(({ name }) => name).filter((name) => ![user, target, ...ignore].includes(name));
  const features = own.map((name) => numbersOf(found(table, name)));
  if (features.length === 0) throw new Error('there is no column of numbers to learn from');
  const rowsOf = new Map<string, number[]>();
  names.forEach((name, row) => {
    rowsOf.set(name, [...(rowsOf.get(name) ?? []), row]);
  });
  const users = [...rowsOf].map(([name, all]) => {
    const starts: number[] = [];
    for (let at = 0; at + window <= all.length; at += step) starts.push(at);
    if (starts.length === 0)
      throw new Error(`user "${name}" has ${all.length} rows, fewer than the ${window} of a window`);
    const values = new Float32Array(starts.length * window * features.length);
    const labels = new Int32Array(starts.length).fill(-1);
    let position = 0;
    starts.forEach((start, i) => {
      const part = all.slice(start, start + window);
      for (const row of part) for (const feature of features) values[position++] = feature[row] as number;
      labels[i] = commonest(part.map((row) => texts[row])) ?? -1;
    });
    const rows = { count: starts.length, width: window * features.length, values, labels };
    return { name, rows, starts: Int32Array.from(starts, (start) => all[start] as number) };
  });
  return { columns: own, classes, users };

  function commonest(parts: readonly (string | undefined)[]): number | undefined {
    const counts = new Map<string, number>();
    for (const text of parts) if (text !== undefined) counts.set(text, (counts.get(text) ?? 0) + 1);
    const [first] = [...counts].sort((a, b) => b[1] - a[1]);
    return first && classes.indexOf(first[0]);
  }
}

function found({ columns }: ColumnTable, name: string): Column {
  const column = columns.find((own) => own.name === name);
  if (!column) throw new Error(`there is no column "${name}"; there are ${columns.map((own) => own.name).join(', ')}`);
  return column;
}

function numbersOf(column: Column): Float64Array {
  if (column.kind === 'number') return column.values;
  const text = column.values.find((value) => value !== undefined);
  if (text === undefined) return new Float64Array(column.values.length).fill(Number.NaN);
  throw new Error(`column "${column.name}" holds "${text}"; users of a federation have numbers alone: leave it out`);
}

function classTexts({ values }: Column): (string | undefined)[] {
  return Array.from(values as ArrayLike<string | number | undefined>, (value) =>
    value === undefined || Number.isNaN(value) ? undefined : String(value),
  );
}
