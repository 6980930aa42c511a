// Graphs as people write them: a table of nodes and a table of edges.

import { Graph } from '../structure/index.js';
import { keep, type Tensor, tensor } from '../tensor/index.js';
import { readCsv, type Table } from './formats/index.js';
import type { GraphDataset } from './graphs.js';
import type { Split } from './splits.js';

/** The tables of a graph, each as CSV or TSV text. */
export interface GraphTables {
  /**
   * A header `id,…` and a node on each line; columns `label` (empty where unknown) and `split`
   * (`train`, `validation`, `test` or empty) are optional, all others are numeric features.
   */
  readonly nodes: string;
  /** A header `source,target` or `source,target,weight`, and an edge on each line. */
  readonly edges: string;
}

/** A graph from tables, with the names that they give. */
export interface NamedGraph extends GraphDataset {
  /** Features [n, F]. */
  readonly features: Tensor;
  /** Names of the nodes, in order. */
  readonly nodeNames: readonly string[];
  /** Names of the classes, in order. */
  readonly classNames: readonly string[];
  /** Columns of the features, in order. */
  readonly featureNames: readonly string[];
}

/** Options of `graphFromTables`. */
export interface GraphTableOptions {
  /** Whether edges have a direction. Default: false. */
  readonly directed?: boolean;
}

/**
 * A labelled graph from tables, in which any text names a node. An undirected edge may be given in
 * one direction or in both; its first weight counts.
 *
 * @throws Error naming table and line: no column `id` or of features, a node that is named twice or
 * that an edge names though it has no line, a feature or weight that is no finite number, a split
 * of another name, or a node of a split part without a label.
 */
export function graphFromTables(
  { nodes, edges }: GraphTables,
  name: string,
  { directed = false }: GraphTableOptions = {},
): NamedGraph {
  const table = readCsv(nodes, 'nodes');
  const at = columnFinder(table);
  const id = at('id');
  if (id < 0) fail(name, `nodes: there is no column "id", only ${table.columns.join(', ')}`);
  const nodeNames = table.rows.map((row) => row[id] as string);
  const ids = new Map<string, number>();
  nodeNames.forEach((node, v) => {
    if (ids.has(node)) fail(name, `nodes, line ${v + 2}: node "${node}" is named twice`);
    ids.set(node, v);
  });
  const taken = ['id', 'label', 'split'].map(at);
  const columns = Array.from(table.columns.keys()).filter((column) => !taken.includes(column));
  if (columns.length === 0) fail(name, 'nodes: there are no columns of features beside id, label and split');
  const features = featuresOf(table, columns, name);
  const classes = classesOf(table, at('label'));
  const split = splitOf(table, at('split'), classes.labels, name);
  return {
    name,
    graph: graphOf(readCsv(edges, 'edges'), ids, name, directed),
    features,
    labels: classes.labels,
    classes: classes.names.length,
    split,
    nodeNames,
    classNames: classes.names,
    featureNames: columns.map((column) => table.columns[column] as string),
  };
}

function fail(name: string, reason: string): never {
  throw new Error(`graph "${name}": ${reason}`);
}

/** The place of a column by its name, in any case of letters; −1 where there is none. */
function columnFinder({ columns }: Table): (wanted: string) => number {
  return (wanted) => columns.findIndex((column) => column.toLowerCase() === wanted);
}

function classesOf({ rows }: Table, column: number): { labels: Int32Array; names: string[] } {
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
      const value = Number(text);
      if (text === '' || !Number.isFinite(value))
        fail(name, `nodes, line ${v + 2}: feature "${names[column]}" is "${text}", which is no finite number`);
      values[v * columns.length + j] = value;
    });
  });
  return keep(tensor(values, [rows.length, columns.length]));
}

const parts: Readonly<Record<string, keyof Split>> = {
  train: 'train',
  validation: 'validation',
  val: 'validation',
  valid: 'validation',
  test: 'test',
};

function splitOf({ rows }: Table, column: number, labels: Int32Array, name: string): Split | undefined {
  if (column < 0) return undefined;
  const split = { train: [] as number[], validation: [] as number[], test: [] as number[] };
  rows.forEach((row, v) => {
    const text = (row[column] as string).toLowerCase();
    if (text === '') return;
    const part = Object.hasOwn(parts, text) ? parts[text] : undefined;
    if (!part) fail(name, `nodes, line ${v + 2}: split "${row[column]}" is none of train, validation and test`);
    if ((labels[v] as number) < 0) fail(name, `nodes, line ${v + 2}: the node is in split "${text}" but has no label`);
    split[part].push(v);
  });
  for (const [part, own] of Object.entries(split))
    if (own.length === 0) fail(name, `nodes: no node is in split "${part}"`);
  const { train, validation, test } = split;
  return { train: Int32Array.from(train), validation: Int32Array.from(validation), test: Int32Array.from(test) };
}

function graphOf(table: Table, ids: ReadonlyMap<string, number>, name: string, directed: boolean): Graph {
  const at = columnFinder(table);
  const [source, target, weight] = [at('source'), at('target'), at('weight')];
  if (source < 0 || target < 0)
    fail(name, `edges: the header must name source and target, got ${table.columns.join(', ')}`);
  const end = (column: number) =>
    Int32Array.from(table.rows, (row, e) => {
      const node = ids.get(row[column] as string);
      if (node === undefined) fail(name, `edges, line ${e + 2}: "${row[column]}" is no node of the table of nodes`);
      return node;
    });
  const weights =
    weight < 0
      ? undefined
      : Float32Array.from(table.rows, (row, e) => {
          const value = Number(row[weight]);
          if (!(value > 0 && Number.isFinite(value)))
            fail(name, `edges, line ${e + 2}: weight "${row[weight]}" is no positive number`);
          return value;
        });
  return Graph.fromEdges(ids.size, end(source), end(target), { directed, weights });
}
