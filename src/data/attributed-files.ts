// Graphs with attributes of their nodes, from files and by name.

import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Graph } from '../structure/index.js';
import type { AttributedGraph } from './attributed-graph.js';
import { datasetOf } from './catalogue.js';
import { CLASS_COLUMNS, SPLIT_COLUMN } from './column-names.js';
import { isGraphFile, loadEdges, loadGraphDocument } from './edges.js';
import { readText } from './files.js';
import { edgesOfDocument, type GraphDocument } from './formats/graphs/index.js';
import { readCsv } from './formats/index.js';
import { isFolder, tableIn } from './graph-folder.js';
import { loadEdgeGraph, loadGraph, loadMultiLabelGraph } from './graph-sets.js';
import { graphOfTable } from './graph-tables.js';
import { graphOfEdges } from './graphs.js';
import { loadTable, type TableFileOptions } from './table-files.js';
import { type Column, type ColumnTable, columnsOf } from './tables.js';

/** Options of `loadAttributedGraph`. */
export interface AttributedGraphOptions extends TableFileOptions {
  /** Whether edges have a direction. Default: false. */
  readonly directed?: boolean;
  /** The attribute of classes, which is read as text. Default: `label` and `class`. */
  readonly target?: string | undefined;
}

/** Names of the column that names nodes, in lower case. */
const ID_COLUMNS = ['id', 'node', 'node_id', 'nodeid'];
const NO_ATTRIBUTES: readonly Column[] = [];

/**
 * Loads a graph with all that is known of its nodes: a folder with `edges` and maybe `nodes`, each
 * .csv, .tsv or .txt, where nodes have a column `id` and attributes of any type (see `columnsOf`);
 * a file as `readGraph` knows it; edges as `loadEdges` reads them; or a known set or a `.npz`
 * archive, whose features are a matrix. Edges go both ways unless `directed`; an edge of a folder
 * that is given twice counts once, with its first weight.
 *
 * @throws Error naming the file and what is wrong with it
 */
export async function loadAttributedGraph(
  path: string,
  options: AttributedGraphOptions = {},
): Promise<AttributedGraph> {
  if (isFolder(path)) return fromFolder(path, options);
  if (existsSync(path) && !path.endsWith('.npz')) {
    if (isGraphFile(path)) return fromDocument(loadGraphDocument(path, options), path, options);
    const list = await loadEdges(path, options);
    const names = Array.from({ length: list.names.count }, (_, v) => list.names.of(v));
    return edgesAlone(basename(path), graphOfEdges(list, options.directed ?? false), names);
  }
  return fromArchive(path, options);
}

function edgesAlone(name: string, graph: Graph, nodeNames?: readonly string[]): AttributedGraph {
  const attributes = { rows: graph.nodeCount, columns: NO_ATTRIBUTES };
  return { name, graph, nodeNames: nodeNames ?? numbers(graph.nodeCount), attributes };
}

const numbers = (count: number) => Array.from({ length: count }, (_, v) => String(v));

/** Columns that hold names or classes are texts. */
function readingOf({ target, categorical, ...options }: AttributedGraphOptions): TableFileOptions & {
  readonly categorical: (name: string) => boolean;
} {
  const texts = [...ID_COLUMNS, ...CLASS_COLUMNS, SPLIT_COLUMN];
  const isAsked = typeof categorical === 'function' ? categorical : (name: string) => categorical?.includes(name);
  const isText = (name: string) => texts.includes(name.toLowerCase()) || name === target || isAsked(name) === true;
  return { ...options, categorical: isText, target: target ?? (CLASS_COLUMNS[0] as string) };
}

async function fromFolder(folder: string, options: AttributedGraphOptions): Promise<AttributedGraph> {
  const name = basename(resolve(folder));
  const edges = tableIn(folder, 'edges');
  if (!edges) throw new Error(`folder "${folder}" holds no edges.csv (or .tsv, .txt)`);
  const nodes = tableIn(folder, 'nodes');
  if (!nodes) {
    const list = await loadEdges(edges);
    const names = Array.from({ length: list.names.count }, (_, v) => list.names.of(v));
    return edgesAlone(name, graphOfEdges(list, options.directed ?? false), names);
  }
  const { delimiter } = options;
  const table = await loadTable(nodes, readingOf(options));
  const id = table.columns.find((column) => ID_COLUMNS.includes(column.name.toLowerCase()));
  if (!id)
    throw new Error(`"${nodes}" has no column "id", only ${table.columns.map((column) => column.name).join(', ')}`);
  const { nodeNames, ids } = namesIn(id, nodes);
  return {
    name,
    graph: graphOfTable(
      readCsv(readText(edges), edges, delimiter === undefined ? {} : { delimiter }),
      ids,
      name,
      options.directed ?? false,
    ),
    nodeNames,
    attributes: { ...table, columns: table.columns.filter((column) => column !== id) },
  };
}

function namesIn(id: Column, path: string): { nodeNames: string[]; ids: Map<string, number> } {
  const ids = new Map<string, number>();
  const nodeNames = Array.from(id.values as readonly (string | undefined)[], (node, v) => {
    if (node === undefined)
      throw new Error(`"${path}": node ${v + 1} has no ${id.name}, or one that is read as missing, such as NA`);
    if (ids.has(node)) throw new Error(`"${path}": node "${node}" stands twice, at last as node ${v + 1}`);
    ids.set(node, v);
    return node;
  });
  return { nodeNames, ids };
}

function fromDocument(document: GraphDocument, path: string, options: AttributedGraphOptions): AttributedGraph {
  const [, ...columns] = document.nodes.columns;
  const rows = document.nodes.rows.map(([, ...fields]) => fields);
  return {
    name: basename(path),
    graph: graphOfEdges(edgesOfDocument(document), options.directed ?? false),
    nodeNames: document.nodes.rows.map(([id]) => id as string),
    attributes: withoutIds(columnsOf({ columns, rows }, readingOf(options))),
  };
}

/** Attributes that repeat the name of the node. */
function withoutIds(table: ColumnTable): ColumnTable {
  return { ...table, columns: table.columns.filter(({ name }) => !ID_COLUMNS.includes(name.toLowerCase())) };
}

async function fromArchive(source: string, { directed = false }: AttributedGraphOptions): Promise<AttributedGraph> {
  if (!datasetOf(source, 'graph') && !source.endsWith('.npz')) {
    if (datasetOf(source, 'edges')) {
      const { name, graph } = await loadEdgeGraph(source);
      return edgesAlone(name, directed ? graph : graph.undirected());
    }
    const { name, graph, labels } = await loadMultiLabelGraph(source);
    const known = edgesAlone(name, graph);
    if (!labels) return known;
    const values = Array.from({ length: graph.nodeCount }, (_, v) => {
      const own = labels.labels.subarray(labels.indptr[v], labels.indptr[v + 1]);
      return own.length === 0 ? undefined : own.join(';');
    });
    return { ...known, attributes: { rows: graph.nodeCount, columns: [{ name: 'label', kind: 'category', values }] } };
  }
  const { name, graph, features, labels, split } = loadGraph(source, { directed, scaleRows: false });
  const classes = Array.from(labels, (label) => (label < 0 ? undefined : String(label)));
  const columns: Column[] = [{ name: 'label', kind: 'category', values: classes }];
  if (split) {
    const values = new Array<string | undefined>(labels.length).fill(undefined);
    for (const [part, rows] of Object.entries(split)) for (const v of rows as Int32Array) values[v] = part;
    columns.push({ name: SPLIT_COLUMN, kind: 'category', values });
  }
  return { ...edgesAlone(name, graph), attributes: { rows: labels.length, columns }, matrix: features };
}
