// Event streams as tables: `source,target,t` and further numeric columns, which become features of
// the events.

import { TemporalGraph } from '../structure/index.js';
import { keep, tensor } from '../tensor/index.js';
import { narrowFloats } from './formats/array.js';
import { readCsv } from './formats/index.js';
import { columnFor, columnNames } from './formats/node-columns.js';

/** A stream of timed events among nodes. */
export interface TemporalDataset {
  /** Name in the catalogue, or the path. */
  readonly name: string;
  /** Events in the order of time. */
  readonly graph: TemporalGraph;
  /** Name of each node. */
  readonly nodeNames: readonly string[];
}

/** Options of `temporalFromTable`. */
export interface TemporalTableOptions {
  /** Sort events by time (stable); otherwise events out of order are an error. Default false. */
  readonly sort?: boolean;
  /**
   * Keep this many events at most, the first in the order of time where they are sorted. Default:
   * all.
   */
  readonly limit?: number;
  /** Make the other columns features of the events. Default true. */
  readonly features?: boolean;
}

/** Pairs of nodes by name, row by row. */
export interface NodePairs {
  /** First node of each pair. */
  readonly sources: readonly string[];
  /** Second node of each pair. */
  readonly targets: readonly string[];
}

/**
 * Pairs of nodes from CSV or TSV text, whose columns for the source and the target are found as in
 * `temporalFromTable`; other columns are ignored.
 *
 * @throws Error naming a missing column, or the line of an empty name.
 */
export function pairsFromTable(text: string, name: string): NodePairs {
  const { columns, rows } = readCsv(text, name);
  const namesOf = (what: 'source' | 'target') => {
    const at = columnOf(what, columns, name);
    return rows.map((row, line) => {
      if (!row[at]) throw new Error(`"${name}", line ${line + 2}: column "${columns[at]}" is empty`);
      return row[at];
    });
  };
  return { sources: namesOf('source'), targets: namesOf('target') };
}

function columnOf(what: 'source' | 'target' | 'time', header: readonly string[], name: string): number {
  const at = columnFor(what, header);
  if (at < 0)
    throw new Error(
      `"${name}": no column for the ${what} (one of ${columnNames[what].join(', ')}); found ${header.join(', ')}`,
    );
  return at;
}

/**
 * An event stream from CSV or TSV text with a header: columns for the source (`source`, `src`,
 * `from`, `u`), the target (`target`, `dst`, `to`, `v` …) and the time (`t`, `time`, `timestamp`,
 * `ts`; a number, or an ISO date, which becomes seconds since 1970). Any text names a node.
 *
 * @throws Error naming a missing column, the line of a value that is not a finite number, or the
 * first event out of order.
 */
export function temporalFromTable(
  text: string,
  name: string,
  { sort = false, limit, features = true }: TemporalTableOptions = {},
): TemporalDataset {
  const { columns: header, rows } = readCsv(text, name);
  const find = (what: 'source' | 'target' | 'time') => columnOf(what, header, name);
  const [source, target, time] = [find('source'), find('target'), find('time')];
  const others = header.map((_, i) => i).filter((i) => features && ![source, target, time].includes(i));
  const number = (line: number, column: number) => {
    const cell = rows[line]?.[column] ?? '';
    const value = Number(cell);
    if (cell.trim() === '' || !Number.isFinite(value))
      throw new Error(`"${name}", line ${line + 2}: column "${header[column]}" is "${cell}", not a finite number`);
    return value;
  };
  const ids = new Map<string, number>();
  const idOf = (node: string) => {
    const id = ids.get(node) ?? ids.size;
    ids.set(node, id);
    return id;
  };
  const lines = rows.map((_, line) => line);
  /** A number, or a date such as 2024-05-01 or 2024-05-01T12:30:00Z as seconds since 1970. */
  const timeOf = (line: number) => {
    const cell = rows[line]?.[time] ?? '';
    const date = /^\d{4}-\d\d-\d\d/.test(cell.trim()) ? Date.parse(cell.trim()) / 1000 : Number.NaN;
    return Number.isNaN(date) ? number(line, time) : date;
  };
  const times = lines.map(timeOf);
  if (sort) lines.sort((a, b) => (times[a] as number) - (times[b] as number) || a - b);
  const order = lines.slice(0, limit);
  const sources = order.map((line) => idOf(rows[line]?.[source] ?? ''));
  const targets = order.map((line) => idOf(rows[line]?.[target] ?? ''));
  const table = narrowFloats(
    order.flatMap((line) => others.map((column) => number(line, column))),
    `"${name}", features`,
  );
  const graph = new TemporalGraph(ids.size, {
    sources,
    targets,
    times: order.map((line) => times[line] as number),
    features: others.length > 0 && order.length > 0 ? keep(tensor(table, [order.length, others.length])) : undefined,
  });
  return { name, graph, nodeNames: [...ids.keys()] };
}
