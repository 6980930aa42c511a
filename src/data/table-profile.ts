// What a table holds, column by column, and which columns no model can learn from.

import type { Column, ColumnTable } from './tables.js';

/** A column in short. */
export interface ColumnProfile {
  /** Name of the column. */
  readonly name: string;
  /** Numbers, categories, or a calendar feature of dates. */
  readonly kind: 'number' | 'category' | 'date';
  /** Rows without a value. */
  readonly missing: number;
  /** Different values. */
  readonly different: number;
  /** Smallest and largest number, or the most frequent categories with their rows. */
  readonly values: string;
  /** Why a model cannot learn from it. */
  readonly leftOut?: string;
}

/** Texts of which so many differ name rows. */
const [MOST_DIFFERENT, SHARE_DIFFERENT] = [100, 0.5];
/** Rows of a table in which texts that all differ are no accident. */
const FEWEST_ROWS = 20;
/** Categories that a profile lists. */
const LISTED = 3;

/** Columns in short. Memory is that of one column. */
export function profileOf(table: ColumnTable): ColumnProfile[] {
  const sorted = new Float64Array(table.rows);
  return table.columns.map((column) => {
    const { name } = column;
    const kind = column.kind === 'number' && column.from !== undefined ? 'date' : column.kind;
    const leftOut = reasonOf(column, table.rows);
    const summary = column.kind === 'number' ? numbersOf(column.values, sorted) : textsOf(column.values);
    return { name, kind, ...summary, ...(leftOut !== undefined && { leftOut }) };
  });
}

type Summary = Pick<ColumnProfile, 'missing' | 'different' | 'values'>;

/**
 * Numbers are counted in order: a map of millions of them takes many times their memory.
 *
 * @param sorted memory for the values in order
 */
function numbersOf(values: Float64Array, sorted: Float64Array): Summary {
  sorted.set(values);
  sorted.sort(); // NaN last
  let [present, different] = [0, 0];
  for (const value of sorted) {
    if (Number.isNaN(value)) break;
    if (present === 0 || value !== sorted[present - 1]) different += 1;
    present += 1;
  }
  const text = (value: number) => String(Number(value.toPrecision(6)));
  const range = present === 0 ? '' : `${text(sorted[0] as number)} … ${text(sorted[present - 1] as number)}`;
  return { missing: values.length - present, different, values: range };
}

function textsOf(values: readonly (string | undefined)[]): Summary {
  const counts = new Map<string, number>();
  let missing = 0;
  for (const value of values) {
    if (value === undefined) missing += 1;
    else counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const frequent = [...counts].sort(([, a], [, b]) => b - a);
  const some = frequent.slice(0, LISTED).map(([text, rows]) => `${short(text)} (${rows})`);
  return { missing, different: counts.size, values: `${some.join(', ')}${frequent.length > LISTED ? ', …' : ''}` };
}

function reasonOf(column: Column, rows: number): string | undefined {
  const values: ArrayLike<number | string | undefined> = column.values;
  const isGap = (value: number | string | undefined) => value === undefined || Number.isNaN(value);
  if (column.values.every(isGap)) return 'no values';
  const [first] = column.values;
  if (!isGap(first) && Array.prototype.every.call(values, (value) => value === first)) return 'one value in all rows';
  if (rows < FEWEST_ROWS) return undefined;
  if (column.kind === 'number') return isCount(column.values) ? 'the numbers of the rows' : undefined;
  const texts = new Set<string>();
  let present = 0;
  for (const value of column.values) {
    if (value === undefined) continue;
    texts.add(value);
    present += 1;
  }
  const different = texts.size;
  if (different === present) return 'texts that all differ';
  if (different > MOST_DIFFERENT && different > SHARE_DIFFERENT * rows) return 'texts that mostly differ';
  return undefined;
}

/** Whether numbers count the rows, from 0 or 1. */
function isCount(values: Float64Array): boolean {
  const first = values[0] as number;
  return (first === 0 || first === 1) && values.every((value, row) => value === first + row);
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > 20 ? `${line.slice(0, 19)}…` : line;
}

/** The columns that no model can learn from, by name with the reason, without the target. */
export function leftOutOf(table: ColumnTable, target?: string): ReadonlyMap<string, string> {
  return new Map(
    table.columns.flatMap((column) => {
      const reason = column.name === target ? undefined : reasonOf(column, table.rows);
      return reason === undefined ? [] : [[column.name, reason] as const];
    }),
  );
}

/** A profile as lines of a text table, with what was converted below it. */
export function profileLines(table: ColumnTable): string[] {
  const profiles = profileOf(table);
  const percent = (missing: number) => (missing === 0 ? '' : `${((100 * missing) / table.rows).toFixed(1)} %`);
  const rows = [
    ['column', 'kind', 'missing', 'different', 'values', ''],
    ...profiles.map(({ name, kind, missing, different, values, leftOut }) => [
      short(name),
      kind,
      percent(missing),
      String(different),
      values,
      leftOut === undefined ? '' : `left out by fit: ${leftOut}`,
    ]),
  ];
  const widths = (rows[0] as string[]).map((_, i) => Math.max(...rows.map((row) => (row[i] as string).length)));
  const notes = (table.notes ?? []).map(({ column, text }) =>
    column === '' ? `The file ${text}` : `${column}: ${text}`,
  );
  return [
    `${table.rows.toLocaleString('en-US')} rows, ${table.columns.length} columns`,
    '',
    ...rows.map((row) =>
      row
        .map((text, i) => (i === 2 || i === 3 ? text.padStart(widths[i] as number) : text.padEnd(widths[i] as number)))
        .join('  ')
        .trimEnd(),
    ),
    ...(notes.length > 0 ? ['', ...notes] : []),
  ];
}
