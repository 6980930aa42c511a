// Tables of nodes as people write them: names, labels, a split, and numeric features; and the ends
// of their edges.

import { keep, type Tensor, tensor } from '../tensor/index.js';
import { CLASS_COLUMNS, partNamed, SPLIT_COLUMN } from './column-names.js';
import { readCsv, type Table } from './formats/index.js';
import { columnFor } from './formats/node-columns.js';
import type { Split } from './splits.js';

/** A table of nodes. */
export interface NodeTable {
  /** Names of the nodes, in order. */
  readonly nodeNames: readonly string[];
  /** Number of each node by its name. */
  readonly ids: ReadonlyMap<string, number>;
  /** Features [n, F]; undefined without columns of features. */
  readonly features: Tensor | undefined;
  /** Columns of the features, in order. */
  readonly featureNames: readonly string[];
  /** Class of each node, −1 where unknown. */
  readonly labels: Int32Array;
  /** Names of the classes, in order. */
  readonly classNames: readonly string[];
  /** The split, where there is a column of it. */
  readonly split: Split | undefined;
  /** Columns that are no features because they hold texts; see `nodesOfTable`. */
  readonly leftOut: readonly string[];
}

/**
 * Reads a table of nodes with a header `id,…`: columns `label` or `class` (empty where unknown) and
 * `split` (`train`, `validation`, `test` or empty) are optional, all others are numeric features.
 *
 * @param name what errors call the data
 * @throws Error naming the line: no column `id`, a node that is named twice, a feature that is no
 * finite number, a split of another name, or a node of a split part without a label.
 */
export function nodeTable(text: string, name: string): NodeTable {
  return nodesOfTable(readCsv(text, 'nodes'), name, true);
}

/**
 * The nodes of a table; see `nodeTable`.
 *
 * @param strict whether a feature that is no finite number is an error; else its column is left out
 */
export function nodesOfTable(table: Table, name: string, strict: boolean): NodeTable {
  const at = columnFinder(table);
  const id = at('id');
  if (id < 0) fail(name, `nodes: there is no column "id", only ${table.columns.join(', ')}`);
  const nodeNames = table.rows.map((row) => row[id] as string);
  const ids = new Map<string, number>();
  nodeNames.forEach((node, v) => {
    if (ids.has(node)) fail(name, `nodes, line ${v + 2}: node "${node}" is named twice`);
    ids.set(node, v);
  });
  const label = CLASS_COLUMNS.map(at).find((column) => column >= 0) ?? -1;
  // Formats that tell ids from names keep the latter as an attribute.
  const taken = [id, label, at(SPLIT_COLUMN), ...(strict ? [] : [at('name')])];
  const others = Array.from(table.columns.keys()).filter((column) => !taken.includes(column));
  const isNumeric = (column: number) => table.rows.every((row) => isFinite(row[column] as string));
  const columns = strict ? others : others.filter(isNumeric);
  const { labels, names } = classesOf(table, label);
  const nameOf = (column: number) => table.columns[column] as string;
  return {
    nodeNames,
    ids,
    features: columns.length === 0 ? undefined : featuresOf(table, columns, name),
    featureNames: columns.map(nameOf),
    labels,
    classNames: names,
    split: splitOfTable(table, at(SPLIT_COLUMN), labels, `graph "${name}": nodes`),
    leftOut: others.filter((column) => !columns.includes(column)).map(nameOf),
  };
}

const isFinite = (text: string) => text !== '' && Number.isFinite(Number(text));

function fail(name: string, reason: string): never {
  throw new Error(`graph "${name}": ${reason}`);
}

/** The place of a column by its name, in any case of letters; −1 where there is none. */
export function columnFinder({ columns }: Table): (wanted: string) => number {
  return (wanted) => columns.findIndex((column) => column.toLowerCase() === wanted);
}

/**
 * The nodes that each line of a table of edges joins, by its columns `source` and `target` or
 * synonyms.
 *
 * @param name what errors call the data
 * @throws Error where a column is missing, or naming the line of an end that is no node
 */
export function edgeEnds(
  table: Table,
  ids: ReadonlyMap<string, number>,
  name: string,
): { readonly sources: Int32Array; readonly targets: Int32Array } {
  const [source, target] = [columnFor('source', table.columns), columnFor('target', table.columns)];
  if (source < 0 || target < 0)
    fail(name, `edges: the header must name source and target (also from and to, …), got ${table.columns.join(', ')}`);
  const ends = (column: number) =>
    Int32Array.from(table.rows, (row, e) => {
      const node = ids.get(row[column] as string);
      if (node === undefined) fail(name, `edges, line ${e + 2}: "${row[column]}" is no node of the table of nodes`);
      return node;
    });
  return { sources: ends(source), targets: ends(target) };
}

/**
 * The classes in a column of a table, −1 and none for column −1. Names are in numeric order where
 * they are numbers.
 */
export function classesOf({ rows }: Table, column: number): { labels: Int32Array; names: string[] } {
  const given = rows.map((row) => (column < 0 ? '' : (row[column] as string)));
  const names = [...new Set(given.filter((label) => label !== ''))].sort(
    (a, b) => Number(a) - Number(b) || (a < b ? -1 : 1),
  );
  const codes = new Map(names.map((label, code) => [label, code]));
  return { labels: Int32Array.from(given, (label) => codes.get(label) ?? -1), names };
}

function featuresOf({ columns: names, rows }: Table, columns: readonly number[], name: string): Tensor {
  const values = new Float32Array(rows.length * columns.length);
  rows.forEach((row, v) => {
    columns.forEach((column, j) => {
      const text = row[column] as string;
      if (!isFinite(text))
        fail(name, `nodes, line ${v + 2}: feature "${names[column]}" is "${text}", which is no finite number`);
      values[v * columns.length + j] = Number(text);
    });
  });
  return keep(tensor(values, [rows.length, columns.length]));
}

/**
 * The split in a column of a table, undefined for column −1.
 *
 * @param what the table, for messages: `graph "name": nodes`
 * @throws Error for a part of another name, an empty part, or a row of a part without a label
 */
export function splitOfTable({ rows }: Table, column: number, labels: Int32Array, what: string): Split | undefined {
  if (column < 0) return undefined;
  const split = { train: [] as number[], validation: [] as number[], test: [] as number[] };
  rows.forEach((row, v) => {
    const text = row[column] as string;
    if (text === '') return;
    const part = partNamed(text);
    if (!part) throw new Error(`${what}, line ${v + 2}: split "${row[column]}" is none of train, validation and test`);
    if ((labels[v] as number) < 0) throw new Error(`${what}, line ${v + 2}: it is in split "${text}" but has no label`);
    split[part].push(v);
  });
  for (const [part, own] of Object.entries(split))
    if (own.length === 0) throw new Error(`${what}: no line is in split "${part}"`);
  const { train, validation, test } = split;
  return { train: Int32Array.from(train), validation: Int32Array.from(validation), test: Int32Array.from(test) };
}
