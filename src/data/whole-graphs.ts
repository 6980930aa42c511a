// Sets of graphs with a class or numbers for each, and attributes of nodes and edges: from arrays,
// or from tables as people write them.

import { Segments } from '../sparse/index.js';
import { GraphCollection } from '../structure/index.js';
import { CLASS_COLUMNS } from './column-names.js';
import { type Arrays, requiredArrays } from './features.js';
import { type NamedArray, readCsv, type Table, toInts } from './formats/index.js';
import { columnFor } from './formats/node-columns.js';
import { classesOf, columnFinder, splitOfTable } from './node-tables.js';
import type { Split } from './splits.js';
import { type Column, columnsOf } from './tables.js';

/** Many graphs, each a row of a data set. */
export interface WholeGraphs {
  /** Name in the catalogue, or the path. */
  readonly name: string;
  /** The graphs, each undirected edge once. */
  readonly graphs: GraphCollection;
  /** Attributes of the nodes of all graphs. */
  readonly nodeColumns: readonly Column[];
  /** Attributes of the edges of all graphs. */
  readonly edgeColumns: readonly Column[];
  /** Class of each graph, −1 where unknown. */
  readonly labels: Int32Array;
  /** Names of the classes; empty for graphs without. */
  readonly classNames: readonly string[];
  /** Numbers of each graph, to learn or to know. */
  readonly targets: readonly Column[];
  /** The fold in which each graph is tested, −1 for graphs in none; undefined without folds. */
  readonly folds: Int32Array | undefined;
  /** The published split, where there is one. */
  readonly split: Split | undefined;
  /** Name of each graph. */
  readonly graphNames: readonly string[];
  /** Name of each node within its graph; undefined for those that are numbered. */
  readonly nodeNames?: readonly string[];
}

/** Names of the columns of molecules. */
const ATOM = ['element', 'degree', 'charge', 'aromatic', 'hydrogens', 'ring'];
const BOND = ['type', 'ring'];
const BOND_TYPES = ['', 'single', 'double', 'triple', 'aromatic'];

/**
 * Graphs from an archive's arrays: `node_ptr` and `edge_ptr` [G + 1], `edges` [m, 2] numbered
 * within their graph, each once; of nodes `node_label` [n] (categories, left out when all are the
 * same) or `atom` [n, 6]; of edges `bond` [m, 2]; of graphs `graph_label` [G], `y` [G, T], `fold`
 * [G] and `split` [G] of 0 (train), 1 (validation) and 2 (test).
 *
 * @throws Error naming an array that is missing or does not fit
 */
export function wholeGraphsFromArrays(arrays: Arrays, name: string): WholeGraphs {
  const need = requiredArrays(arrays, name);
  const nodes = new Segments(toInts(need('node_ptr'), 'node_ptr'));
  const edges = new Segments(toInts(need('edge_ptr'), 'edge_ptr'));
  const count = nodes.count;
  const ends = rowsOf(need('edges'), 'edges', edges.size, 2, name);
  const shifts = edges.ids.view();
  const at = (side: number) =>
    Int32Array.from(
      { length: edges.size },
      (_, e) => (ends[2 * e + side] as number) + (nodes.offsets[shifts[e] as number] as number),
    );
  const optional = (key: string) => {
    const array = arrays[key];
    return array && rowsOf(array, key, count, 1, name);
  };
  const labels = optional('graph_label');
  const classes = labels ? labels.reduce((most, label) => Math.max(most, label + 1), 0) : 0;
  return {
    name,
    graphs: new GraphCollection(nodes, edges, at(0), at(1)),
    nodeColumns: nodeColumnsOf(arrays, nodes.size, name),
    edgeColumns: arrays.bond
      ? codedColumns(rowsOf(arrays.bond, 'bond', edges.size, 2, name), BOND, { type: BOND_TYPES })
      : [],
    labels: labels ?? new Int32Array(count).fill(-1),
    classNames: Array.from({ length: classes }, (_, c) => String(c)),
    targets: arrays.y ? targetsOf(arrays.y, count, name) : [],
    folds: optional('fold'),
    split: splitOfCodes(optional('split'), name),
    graphNames: Array.from({ length: count }, (_, g) => String(g)),
  };
}

function fail(name: string, reason: string): never {
  throw new Error(`set of graphs "${name}": ${reason}`);
}

/** Integers of an array [rows, width], or [rows] for width 1. */
function rowsOf(array: NamedArray, key: string, rows: number, width: number, name: string): Int32Array {
  const fits = array.shape[0] === rows && (array.shape[1] ?? 1) === width && array.shape.length <= 2;
  if (!fits) fail(name, `${key} is [${array.shape.join(', ')}], expected [${rows}${width === 1 ? '' : `, ${width}`}]`);
  return toInts(array, key);
}

function nodeColumnsOf(arrays: Arrays, count: number, name: string): readonly Column[] {
  if (arrays.atom) return codedColumns(rowsOf(arrays.atom, 'atom', count, 6, name), ATOM, { element: undefined });
  if (!arrays.node_label) return [];
  const codes = rowsOf(arrays.node_label, 'node_label', count, 1, name);
  if (codes.every((code) => code === codes[0])) return [];
  return codedColumns(codes, ['label'], { label: undefined });
}

/** Columns of integers; those of `categories` hold categories, named where names are given. */
function codedColumns(
  values: Int32Array,
  names: readonly string[],
  categories: Readonly<Record<string, readonly string[] | undefined>>,
): Column[] {
  const rows = values.length / names.length;
  return names.map((name, j): Column => {
    const own = Array.from({ length: rows }, (_, row) => values[row * names.length + j] as number);
    if (!Object.hasOwn(categories, name)) return { name, kind: 'number', values: Float64Array.from(own) };
    return { name, kind: 'category', values: own.map((code) => categories[name]?.[code] ?? String(code)) };
  });
}

function targetsOf({ shape, values }: NamedArray, count: number, name: string): Column[] {
  const width = shape[1] ?? 1;
  if (shape[0] !== count) fail(name, `y is [${shape.join(', ')}], expected [${count}, targets]`);
  return Array.from({ length: width }, (_, j) => ({
    name: width === 1 ? 'y' : `y${j}`,
    kind: 'number',
    values: Float64Array.from({ length: count }, (_, g) => Number(values[g * width + j])),
  }));
}

function splitOfCodes(codes: Int32Array | undefined, name: string): Split | undefined {
  if (!codes) return undefined;
  const part = (code: number) => Int32Array.from(codes.keys()).filter((row) => codes[row] === code);
  const wrong = codes.findIndex((code) => code < 0 || code > 2);
  if (wrong >= 0) fail(name, `split of graph ${wrong} is ${codes[wrong]}, expected 0, 1 or 2`);
  return { train: part(0), validation: part(1), test: part(2) };
}

/** The tables of a set of graphs, each as CSV or TSV text. */
export interface WholeGraphTables {
  /**
   * A header `graph,…` and a graph on each line: `label` or `class` and `split` are optional, other
   * columns of numbers are targets. Left out: the graphs in the order in which the others name
   * them.
   */
  readonly graphs?: string | undefined;
  /** A header `graph,source,target,…`; other columns are attributes, numbers or categories. */
  readonly edges: string;
  /**
   * A header `graph,node,…`; other columns are attributes. Left out: the nodes that edges name.
   */
  readonly nodes?: string | undefined;
}

/** Rows of a table of nodes or edges, by the graph that they belong to. */
interface Grouped {
  /** Line of each row in the order of the graphs, counted from 0. */
  readonly rows: Int32Array;
  /** Rows of each graph. */
  readonly sizes: number[];
}

/**
 * Graphs from tables, in which any text names a graph, and a node within its graph. An edge may be
 * given in both directions, with the same attributes.
 *
 * @throws Error naming table and line: a column that is missing, a graph or node that has no line
 * where there is a table of them, two lines for one of them, an edge from a node to itself, an edge
 * with two sets of attributes, an attribute that is missing; or a graph without nodes.
 */
export function wholeGraphsFromTables(tables: WholeGraphTables, name: string): WholeGraphs {
  const edges = readCsv(tables.edges, `${name}/edges`);
  const nodes = tables.nodes === undefined ? undefined : readCsv(tables.nodes, `${name}/nodes`);
  const listed = tables.graphs === undefined ? undefined : readCsv(tables.graphs, `${name}/graphs`);
  const need = (table: Table, what: string, column: string, at = columnFinder(table)(column)) =>
    at >= 0 ? at : fail(name, `${what}: there is no column "${column}", only ${table.columns.join(', ')}`);
  const [source, target] = [columnFor('source', edges.columns), columnFor('target', edges.columns)];
  const edgeAt = {
    graph: need(edges, 'edges', 'graph'),
    source: need(edges, 'edges', 'source', source),
    target: need(edges, 'edges', 'target', target),
  };
  const nodeAt = nodes && { graph: need(nodes, 'nodes', 'graph'), node: need(nodes, 'nodes', 'node') };
  const graphNames = namesOfGraphs(
    listed,
    listed ? need(listed, 'graphs', 'graph') : -1,
    [
      ...(nodes && nodeAt ? [{ table: nodes, what: 'nodes', at: nodeAt.graph }] : []),
      { table: edges, what: 'edges', at: edgeAt.graph },
    ],
    name,
  );
  const numbers = new Map(graphNames.map((graph, g) => [graph, g]));
  const nodesBy = nodes && nodeAt ? groupedRows(nodes, nodeAt.graph, numbers) : undefined;
  const edgesBy = groupedRows(edges, edgeAt.graph, numbers);
  const ids = graphNames.map(() => new Map<string, number>());
  const nodeNames: string[] = [];
  if (nodes && nodeAt && nodesBy) nameNodes(nodes, nodeAt, nodesBy, numbers, ids, name);
  const ends = { sources: [] as number[], targets: [] as number[], rows: [] as number[] };
  const sizes = collectEdges(edges, edgeAt, edgesBy, graphNames, ids, nodes !== undefined, ends, name);
  ids.forEach((own, g) => {
    if (own.size === 0) fail(name, `graph "${graphNames[g]}" has no nodes`);
    nodeNames.push(...own.keys());
  });
  const segments = Segments.fromSizes(ids.map((own) => own.size));
  const shifts = Segments.fromSizes(sizes).ids.view();
  const global = (side: readonly number[]) =>
    Int32Array.from(side, (node, e) => node + (segments.offsets[shifts[e] as number] as number));
  return {
    name,
    graphs: new GraphCollection(segments, Segments.fromSizes(sizes), global(ends.sources), global(ends.targets)),
    nodeColumns: nodes && nodesBy ? attributes(nodes, Object.values(nodeAt ?? {}), nodesBy.rows, 'nodes', name) : [],
    edgeColumns: attributes(edges, Object.values(edgeAt), Int32Array.from(ends.rows), 'edges', name),
    ...aboutGraphs(listed, graphNames.length, name),
    graphNames,
    nodeNames,
  };
}

/** Classes, numbers and split of graphs from their table; nothing is known without one. */
export function aboutGraphs(
  listed: Table | undefined,
  count: number,
  name: string,
): Pick<WholeGraphs, 'labels' | 'classNames' | 'targets' | 'folds' | 'split'> {
  if (!listed)
    return {
      labels: new Int32Array(count).fill(-1),
      classNames: [],
      targets: [],
      folds: undefined,
      split: undefined,
    };
  const label = CLASS_COLUMNS.map(columnFinder(listed)).find((at) => at >= 0) ?? -1;
  const { labels, names: classNames } = classesOf(listed, label);
  return {
    labels,
    classNames,
    targets: numbersOfGraphs(listed, [label]),
    folds: undefined,
    split: splitOfTable(listed, columnFinder(listed)('split'), labels, `set of graphs "${name}": graphs`),
  };
}

/** Names of the graphs, in order; those of the other tables must be among them. */
function namesOfGraphs(
  listed: Table | undefined,
  at: number,
  others: readonly { readonly table: Table; readonly what: string; readonly at: number }[],
  name: string,
): string[] {
  const names = new Set<string>();
  listed?.rows.forEach((row, line) => {
    const graph = row[at] as string;
    if (names.has(graph)) fail(name, `graphs, line ${line + 2}: graph "${graph}" is named twice`);
    names.add(graph);
  });
  for (const { table, what, at: column } of others)
    table.rows.forEach((row, line) => {
      const graph = row[column] as string;
      if (listed && !names.has(graph))
        fail(name, `${what}, line ${line + 2}: graph "${graph}" is not in the table of graphs`);
      names.add(graph);
    });
  if (names.size === 0) fail(name, 'there are no graphs');
  return [...names];
}

function groupedRows(table: Table, at: number, numbers: ReadonlyMap<string, number>): Grouped {
  const own = table.rows.map((row) => numbers.get(row[at] as string) as number);
  const sizes = new Array<number>(numbers.size).fill(0);
  for (const g of own) sizes[g] = (sizes[g] as number) + 1;
  const next = Array.from(Segments.fromSizes(sizes).offsets);
  const rows = new Int32Array(own.length);
  own.forEach((g, row) => {
    const place = next[g] as number;
    next[g] = place + 1;
    rows[place] = row;
  });
  return { rows, sizes };
}

function nameNodes(
  table: Table,
  at: { readonly graph: number; readonly node: number },
  { rows }: Grouped,
  numbers: ReadonlyMap<string, number>,
  ids: readonly Map<string, number>[],
  name: string,
): void {
  for (const row of rows) {
    const [graph, node] = [table.rows[row]?.[at.graph] as string, table.rows[row]?.[at.node] as string];
    const own = ids[numbers.get(graph) as number] as Map<string, number>;
    if (own.has(node)) fail(name, `nodes, line ${row + 2}: node "${node}" of graph "${graph}" is named twice`);
    own.set(node, own.size);
  }
}

/** Numbers the ends of the edges of each graph. @returns the number of edges of each graph */
function collectEdges(
  { rows: lines }: Table,
  at: { readonly graph: number; readonly source: number; readonly target: number },
  { rows, sizes }: Grouped,
  graphNames: readonly string[],
  ids: readonly Map<string, number>[],
  known: boolean,
  ends: { readonly sources: number[]; readonly targets: number[]; readonly rows: number[] },
  name: string,
): number[] {
  let place = 0;
  return sizes.map((size, g) => {
    const own = ids[g] as Map<string, number>;
    const seen = new Map<string, number>();
    for (const row of rows.subarray(place, place + size)) {
      const line = lines[row] as string[];
      const where = `edges, line ${row + 2}`;
      const [u, v] = [at.source, at.target].map((column) => {
        const node = line[column] as string;
        if (known && !own.has(node))
          fail(name, `${where}: "${node}" is no node of graph "${graphNames[g]}" in the table of nodes`);
        if (!own.has(node)) own.set(node, own.size);
        return own.get(node) as number;
      }) as [number, number];
      if (u === v)
        fail(
          name,
          `${where}: the edge joins node "${line[at.source]}" of graph "${graphNames[g]}" with itself; leave self-loops out, or make them an attribute of the node`,
        );
      const key = `${Math.min(u, v)} ${Math.max(u, v)}`;
      const before = seen.get(key);
      if (before === undefined) {
        seen.set(key, row);
        ends.sources.push(u);
        ends.targets.push(v);
        ends.rows.push(row);
        continue;
      }
      const others = Array.from(line.keys()).filter((column) => !Object.values(at).includes(column));
      const differs = others.some((column) => lines[before]?.[column] !== line[column]);
      if (differs) fail(name, `${where}: the edge is that of line ${before + 2}, with other attributes`);
    }
    place += size;
    return seen.size;
  });
}

/** Columns beside the given ones, of the given rows. @throws Error naming a gap */
function attributes(table: Table, taken: readonly number[], rows: Int32Array, what: string, name: string): Column[] {
  const kept = Array.from(table.columns.keys()).filter((column) => !taken.includes(column));
  if (kept.length === 0 || rows.length === 0) return [];
  const part = {
    columns: kept.map((column) => table.columns[column] as string),
    rows: Array.from(rows, (row) => kept.map((column) => table.rows[row]?.[column] as string)),
  };
  return columnsOf(part).columns.map((column) => {
    const gap = Array.from<string | number | undefined>(column.values).findIndex(
      (value) => value === undefined || Number.isNaN(value),
    );
    if (gap >= 0) fail(name, `${what}, line ${(rows[gap] as number) + 2}: "${column.name}" is missing`);
    return column;
  });
}

function numbersOfGraphs(table: Table, taken: readonly number[]): Column[] {
  const fixed = [columnFinder(table)('graph'), columnFinder(table)('split'), ...taken];
  const kept = Array.from(table.columns.keys()).filter((column) => !fixed.includes(column));
  if (kept.length === 0) return [];
  const part = {
    columns: kept.map((column) => table.columns[column] as string),
    rows: table.rows.map((row) => kept.map((column) => row[column] as string)),
  };
  return columnsOf(part).columns.filter(({ kind }) => kind === 'number');
}
