// Event streams as people have them: any header or none, any separator, dates, rows out of order.
// What cannot be read is left out and counted; what could be read in two ways is refused.

import { TemporalGraph } from '../structure/index.js';
import { keep, type Tensor, tensor } from '../tensor/index.js';
import { numbersOf } from './columns/numbers.js';
import { readCsv, type Table } from './formats/index.js';
import { columnFor } from './formats/node-columns.js';
import { columnsOf } from './tables.js';
import type { TemporalDataset } from './temporal.js';
import type { TextOptions } from './vertex-rows.js';

/** A stream of events with what a person should know about it. */
export interface EventTable extends TemporalDataset {
  /** Columns of the features, in order. */
  readonly featureNames: readonly string[];
  /** Number of rows that are no events; why stands in the notes. */
  readonly leftOut: number;
  /** How the table was read, and what is unusual about it. */
  readonly notes: readonly string[];
}

/** What is read of a table of events. */
export interface EventTableOptions extends TextOptions {
  /** Columns of features: all that hold numbers, none, or these. Default: 'all'. */
  readonly features?: 'all' | 'none' | readonly string[];
}

type Role = 'source' | 'target' | 'time';

/** Further names of columns, beside those of edge lists. */
const MORE_NAMES: Readonly<Record<Role, readonly string[]>> = {
  source: ['sender', 'user', 'user_id', 'caller', 'payer', 'buyer', 'follower'],
  target: ['receiver', 'recipient', 'item', 'item_id', 'callee', 'payee', 'seller', 'followee'],
  time: ['date', 'datetime', 'date_time', 'unixtime', 'unix_time', 'when', 'created_at'],
};

/** Least value of seconds since 1970 that is taken for a time: the year 1973. */
const EPOCH = 1e8;

/**
 * Reads a table of events: who, with whom, when, and maybe numbers.
 *
 * - With a header, columns are found by their names (`source`, `from`, `sender` …). Without one
 *   the first two are the ends, and the time is the third of three columns, or else the only one
 *   that holds dates, seconds since 1970, or numbers in ascending order.
 * - Times are numbers, maybe with decimal commas, or ISO dates, which become seconds since 1970 in
 *   UTC.
 * - Rows without an end or a time that can be read are left out, as long as they are at most half;
 *   gaps among features are means. Lines that begin with # or % are comments.
 *
 * @throws Error naming the columns that are missing or may be read in two ways, or the first row
 * that cannot be read where there are too many
 */
export function eventsFromTable(text: string, name: string, options: EventTableOptions = {}): EventTable {
  const notes: string[] = [];
  const { columns, rows } = headed(tableOf(text, name, options), name, notes);
  const [source, target, time] = (['source', 'target', 'time'] as const).map((role) => columnOf(role, columns)) as [
    number,
    number,
    number,
  ];
  const times = timesOf(
    rows.map((row) => row[time] as string),
    columns[time] as string,
    name,
    options,
  );
  const kept = readable(rows, { source, target }, times, name, notes);
  const order = ordered(kept, times, notes);
  const ids = new Map<string, number>();
  const idOf = (node: string) => {
    const id = ids.get(node) ?? ids.size;
    ids.set(node, id);
    return id;
  };
  const ends = order.map((row) => [rows[row]?.[source], rows[row]?.[target]] as [string, string]);
  const numbered = ends.map(([u, v]): [number, number] => [idOf(u), idOf(v)]);
  const others = columns.filter((_, at) => ![source, target, time].includes(at));
  const table = { columns, rows: order.map((row) => rows[row] as readonly string[]) };
  const { features, featureNames } = featuresOf(table, others, options, name, notes);
  const graph = new TemporalGraph(ids.size, {
    sources: numbered.map(([u]) => u),
    targets: numbered.map(([, v]) => v),
    times: order.map((row) => times[row] as number),
    ...(features && { features }),
  });
  noteUnusual(graph, notes);
  return { name, graph, nodeNames: [...ids.keys()], featureNames, leftOut: rows.length - kept.length, notes };
}

/** The rows of a text, whose columns may be apart by spaces; comments are dropped. */
function tableOf(text: string, name: string, { delimiter }: TextOptions): Table {
  const plain = text.replace(/^\uFEFF/, '').replace(/^[#%].*(\r?\n|$)/gm, '');
  const [first = ''] = plain.split(/\r?\n/, 1);
  const isSpaced = delimiter === undefined && !/[,;\t|]/.test(first) && first.trim().includes(' ');
  if (isSpaced || delimiter === ' ')
    return readCsv(plain.replace(/^ +| +$/gm, '').replace(/ +/g, '\t'), name, { delimiter: '\t' });
  return readCsv(plain, name, delimiter === undefined ? {} : { delimiter });
}

/** The position of a column by its name, −1 where the header has none. */
function columnOf(role: Role, columns: readonly string[]): number {
  const found = columnFor(role, columns);
  return found >= 0 ? found : columns.findIndex((column) => MORE_NAMES[role].includes(column.trim().toLowerCase()));
}

/** The table with a header, made up where it has none. */
function headed({ columns, rows }: Table, name: string, notes: string[]): Table {
  const missing = (['source', 'target', 'time'] as const).filter((role) => columnOf(role, columns) < 0);
  if (missing.length === 0) return { columns, rows };
  const isData =
    columns.length >= 3 && missing.length === 3 && columns.slice(2).every((cell) => !Number.isNaN(timeOf(cell)));
  if (!isData)
    throw new Error(
      `"${name}" has no column for the ${missing.join(' and the ')} of its events; it has ${columns.join(', ')}: name them source, target and time`,
    );
  const all = [columns, ...rows];
  const time = timeColumn(all, name);
  const made = columns.map((_, at) =>
    at === 0 ? 'source' : at === 1 ? 'target' : at === time ? 'time' : `x${at + 1}`,
  );
  notes.push(`the table has no header: columns 1 and 2 are the ends of an event, column ${time + 1} its time`);
  return { columns: made, rows: all };
}

/** The column of the time of a table without a header. */
function timeColumn(rows: readonly (readonly string[])[], name: string): number {
  const width = rows[0]?.length ?? 0;
  if (width === 3) return 2;
  const likely = Array.from({ length: width - 2 }, (_, at) => at + 2).filter((at) => {
    const values = rows.map((row) => timeOf(row[at] as string));
    const isDate = rows.every((row) => ISO.test(row[at] as string));
    const ascends = values.every((value, row) => row === 0 || value >= (values[row - 1] as number));
    return isDate || values.every((value) => value >= EPOCH) || (ascends && new Set(values).size > 1);
  });
  const [only, second] = likely;
  if (only !== undefined && second === undefined) return only;
  throw new Error(
    `"${name}" has no header, and ${only === undefined ? 'no column' : 'more than one column'} after the first two looks like a time: give it a header source,target,time`,
  );
}

const ISO = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?\s*(Z|UTC|[+-]\d\d:?\d\d)?$/i;

/** A number, or an ISO date as seconds since 1970, without a zone in UTC; NaN for anything else. */
export function timeOf(cell: string): number {
  const text = cell.trim();
  if (!ISO.test(text)) return text === '' || !/^[+-]?[\d.]/.test(text) ? Number.NaN : finite(Number(text));
  const zone = /(Z|[+-]\d\d:?\d\d)$/i.test(text.slice(10)) ? '' : 'Z';
  const written = text
    .replace(/\s*UTC$/i, '')
    .replace(/^(.{10}) /, '$1T')
    .replace(/\s+/g, '');
  return Date.parse(written.length === 10 ? written : `${written}${zone}`) / 1000;
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : Number.NaN;
}

/** @throws Error for a column that holds dates and other numbers, or numbers that may be either */
function timesOf(cells: readonly string[], column: string, name: string, { decimal }: TextOptions): number[] {
  const isDate = (cell: string) => ISO.test(cell.trim());
  const plain = cells.map((cell) => (isDate(cell) ? '' : cell));
  const numbers = numbersOf(plain, decimal, `"${name}": column "${column}"`);
  const times = cells.map((cell, row) =>
    /[,\d]/.test(plain[row] as string) ? finite(numbers[row] as number) : timeOf(cell),
  );
  const dated = cells.findIndex(isDate);
  const other = cells.findIndex((cell, row) => !isDate(cell) && !Number.isNaN(times[row]));
  if (dated >= 0 && other >= 0)
    throw new Error(
      `"${name}": column "${column}" holds dates (row ${dated + 1}: ${cells[dated]}) and numbers (row ${other + 1}: ${cells[other]}), which cannot be put in order`,
    );
  return times;
}

/** Rows with both ends and a time. */
function readable(
  rows: readonly (readonly string[])[],
  at: Readonly<Record<'source' | 'target', number>>,
  times: readonly number[],
  name: string,
  notes: string[],
): number[] {
  const reasons = new Map<string, { count: number; first: number }>();
  const kept = Array.from(rows.keys()).filter((row) => {
    const reason =
      rows[row]?.[at.source] === ''
        ? 'no source'
        : rows[row]?.[at.target] === ''
          ? 'no target'
          : Number.isNaN(times[row])
            ? 'a time that is neither a number nor an ISO date'
            : undefined;
    if (reason === undefined) return true;
    const own = reasons.get(reason) ?? { count: 0, first: row };
    own.count += 1;
    reasons.set(reason, own);
    return false;
  });
  const left = rows.length - kept.length;
  const list = [...reasons].map(([reason, { count, first }]) => `${count} with ${reason} (first in row ${first + 1})`);
  if (left > rows.length / 2 || kept.length === 0)
    throw new Error(`"${name}": ${left} of ${rows.length} rows are no events: ${list.join(', ')}`);
  if (left > 0) notes.push(`${left} of ${rows.length} events are left out: ${list.join(', ')}`);
  return kept;
}

function ordered(kept: readonly number[], times: readonly number[], notes: string[]): number[] {
  const order = [...kept].sort((a, b) => (times[a] as number) - (times[b] as number) || a - b);
  const moved = order.filter((row, i) => row !== kept[i]).length;
  if (moved > 0) notes.push(`the rows are not in the order of time and are sorted (${moved} change place)`);
  return order;
}

/** Columns of numbers as features; which are none is noted. */
function featuresOf(
  table: Table,
  others: readonly string[],
  { features: wanted = 'all', decimal }: EventTableOptions,
  name: string,
  notes: string[],
): { features: Tensor | undefined; featureNames: readonly string[] } {
  const asked = wanted === 'all' ? others : wanted === 'none' ? [] : wanted;
  const lacking = asked.find((column) => !others.includes(column));
  if (lacking !== undefined)
    throw new Error(
      `"${name}" has no column "${lacking}" of features; it has ${others.join(', ') || 'no further one'}`,
    );
  if (asked.length === 0) return { features: undefined, featureNames: [] };
  const read = columnsOf(table, {
    categorical: table.columns.filter((column) => !asked.includes(column)),
    ...(decimal !== undefined && { decimal }),
  });
  const columns = read.columns.filter((column) => {
    const isNumber = column.kind === 'number' && column.from === undefined;
    if (asked.includes(column.name) && !isNumber) {
      if (wanted !== 'all') throw new Error(`"${name}": column "${column.name}" of features must hold numbers`);
      notes.push(`column "${column.name}" does not hold numbers and is left out`);
    }
    return asked.includes(column.name) && isNumber;
  });
  const rows = table.rows.length;
  const values = new Float32Array(rows * columns.length);
  for (const [j, column] of columns.entries()) {
    const own = column.values as Float64Array;
    const known = own.filter((value) => !Number.isNaN(value));
    const mean = known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length);
    if (known.length < rows)
      notes.push(`column "${column.name}" has ${rows - known.length} gaps, which are read as its mean`);
    for (let row = 0; row < rows; row++) {
      const value = own[row] as number;
      values[row * columns.length + j] = Number.isNaN(value) ? mean : value;
    }
  }
  const featureNames = columns.map((column) => column.name);
  if (columns.length === 0) return { features: undefined, featureNames };
  return { features: keep(tensor(values, [rows, columns.length])), featureNames };
}

function noteUnusual({ sources, targets, times, eventCount }: TemporalGraph, notes: string[]): void {
  const seen = new Set<string>();
  let [repeated, loops] = [0, 0];
  for (let e = 0; e < eventCount; e++) {
    const key = `${sources[e]} ${targets[e]} ${times[e]}`;
    if (seen.has(key)) repeated += 1;
    seen.add(key);
    if (sources[e] === targets[e]) loops += 1;
  }
  if (repeated > 0) notes.push(`${repeated} events repeat one of the same nodes and time; they are kept`);
  if (loops > 0) notes.push(`${loops} events join a node with itself; they are kept`);
}

/** Questions about pairs, or about the partners of sources. */
export interface EventQuestions {
  /** Source of each question. */
  readonly sources: readonly string[];
  /** undefined where there is no column of targets: partners are asked for. */
  readonly targets: readonly string[] | undefined;
  /** Times as they are written, and as numbers; undefined without such a column. */
  readonly times: { readonly texts: readonly string[]; readonly values: readonly number[] } | undefined;
}

/**
 * Reads questions: columns of sources and maybe of targets and times, found as in
 * `eventsFromTable`; without a header the first columns.
 *
 * @throws Error naming a column that is missing, or the row of an empty name or an unreadable time
 */
export function questionsFromTable(text: string, name: string, options: TextOptions = {}): EventQuestions {
  const table = tableOf(text, name, options);
  const roles = ['source', 'target', 'time'] as const;
  const isHeaded = roles.some((role) => columnOf(role, table.columns) >= 0);
  if (isHeaded) return questionsOf(table, name, options);
  const { columns, rows } = table;
  if (columns.length > 3)
    throw new Error(`"${name}" has no column for the source of a pair; it has ${columns.join(', ')}`);
  return questionsOf({ columns: roles.slice(0, columns.length), rows: [columns, ...rows] }, name, options);
}

function questionsOf({ columns, rows }: Table, name: string, options: TextOptions): EventQuestions {
  const [source, target, time] = [columnOf('source', columns), columnOf('target', columns), columnOf('time', columns)];
  if (source < 0) throw new Error(`"${name}" has no column for the source of a pair; it has ${columns.join(', ')}`);
  const namesOf = (column: number) =>
    rows.map((row, line) => {
      if (!row[column]) throw new Error(`"${name}", row ${line + 1}: column "${columns[column]}" is empty`);
      return row[column];
    });
  const texts = time < 0 ? undefined : rows.map((row) => row[time] as string);
  const values = texts && timesOf(texts, columns[time] as string, name, options);
  const unread = values?.findIndex(Number.isNaN) ?? -1;
  if (unread >= 0)
    throw new Error(`"${name}", row ${unread + 1}: the time "${texts?.[unread]}" is neither a number nor an ISO date`);
  return {
    sources: namesOf(source),
    targets: target < 0 ? undefined : namesOf(target),
    times: texts && values && { texts, values },
  };
}
