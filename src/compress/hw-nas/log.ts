// The log of a search: what was searched in its first line, then a table of every evaluation in
// order. A search that goes on asks the same questions again and takes the answers from here.

import { readCsv, writeCsv } from '../../data/index.js';
import type { Configuration } from '../../nn/index.js';
import type { Genome } from '../search/space.js';
import type { GeneSpace } from './encoding.js';

/** What an evaluation measured, by name. */
export type Measurement = Readonly<Record<string, number>>;

/** An evaluated sub-network. */
export interface Evaluated {
  /** Values of its genes. */
  readonly configuration: Configuration;
  /** What was measured of it. */
  readonly measured: Measurement;
}

/** Where the text of a log is kept. */
export interface LogStore {
  /** The text as it was saved; undefined where there is none. */
  load(): string | undefined;
  /** Replaces the text whole. */
  save(text: string): void;
}

/** What a log is the log of, as JSON. */
export type SearchIdentity = Readonly<Record<string, unknown>>;

/** A logged evaluation. */
export interface LogEntry {
  /** The sub-network as a vector. */
  readonly genome: Genome;
  /** What was measured of it. */
  readonly measured: Measurement;
}

const MARK = '# ';

/** A table of evaluations: the genes, then what was measured. */
export function evaluationTable(space: GeneSpace, entries: readonly LogEntry[]): string {
  const metrics = Object.keys(entries[0]?.measured ?? {});
  const rows = entries.map(({ genome, measured }) => [
    ...Object.values(space.decode(genome)).flat(),
    ...metrics.map((name) => measured[name] as number),
  ]);
  return writeCsv([...space.genes.map(({ name }) => name), ...metrics], rows);
}

/** Text of a log. */
export function logText(identity: SearchIdentity, space: GeneSpace, entries: readonly LogEntry[]): string {
  return `${MARK}${JSON.stringify(identity)}\n${evaluationTable(space, entries)}`;
}

/**
 * The evaluations of a table of `evaluationTable`, also of one with a first line as a log has it.
 *
 * @param name of the table, for messages
 * @throws Error naming the gene whose column is missing, or the line that is not of the space
 */
export function readEvaluations(space: GeneSpace, text: string, name: string): LogEntry[] {
  const { columns, rows } = readCsv(text.startsWith(MARK) ? text.slice(text.indexOf('\n') + 1) : text, name, {
    delimiter: ',',
  });
  const at = space.genes.map((gene) => columns.indexOf(gene.name));
  const missing = at.findIndex((column) => column < 0);
  if (missing >= 0)
    throw new Error(`"${name}" has no column "${space.genes[missing]?.name}": it is of a search of other genes`);
  const metrics = columns.map((_, column) => column).filter((column) => !at.includes(column));
  return rows.map((row, i) => {
    const values = at.map((column) => Number(row[column]));
    try {
      const measured = Object.fromEntries(metrics.map((column) => [columns[column] as string, Number(row[column])]));
      return { genome: space.encode(configurationOf(space, values)), measured };
    } catch (error) {
      throw new Error(`"${name}", row ${i + 1}: ${(error as Error).message}`, { cause: error });
    }
  });
}

/** Values in the order of the genes, by group. */
function configurationOf(space: GeneSpace, values: readonly number[]): Configuration {
  let from = 0;
  return Object.fromEntries(
    Object.entries(space.groups).map(([group, { count }]) => [group, values.slice(from, (from += count))]),
  );
}

/**
 * The evaluations of a stored log; none where there is no log.
 *
 * @throws Error naming what differs where the log is of another search
 */
export function loggedEvaluations(store: LogStore, identity: SearchIdentity, space: GeneSpace): LogEntry[] {
  const text = store.load();
  if (text === undefined) return [];
  const first = text.slice(0, text.indexOf('\n'));
  const found = first.startsWith(MARK) ? identityOf(first.slice(MARK.length)) : undefined;
  if (!found) throw new Error('search: the log does not say in its first line what was searched');
  const asked = JSON.parse(JSON.stringify(identity)) as SearchIdentity;
  const other = [...new Set([...Object.keys(asked), ...Object.keys(found)])].find(
    (name) => JSON.stringify(asked[name]) !== JSON.stringify(found[name]),
  );
  if (other !== undefined)
    throw new Error(
      `search: the log is of another search, with ${other} ${shown(found[other])} in place of ${shown(asked[other])}; give those options again, or another folder`,
    );
  return text.length > first.length + 1 ? readEvaluations(space, text, 'log') : [];
}

function identityOf(text: string): SearchIdentity | undefined {
  try {
    return JSON.parse(text) as SearchIdentity;
  } catch {
    return undefined;
  }
}

/** A value of an identity, cut where it is long. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
