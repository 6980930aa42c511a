// A graph in a folder of tables, or in a file of another program.

import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Graph } from '../structure/index.js';
import { isGraphFile, loadEdges, loadGraphDocument } from './edges.js';
import { readText } from './files.js';
import { readCsv } from './formats/index.js';
import type { NodeNames } from './formats/node-names.js';
import { type GraphTableOptions, graphFromDocument, graphFromTables, type NamedGraph } from './graph-tables.js';
import { fromLists, graphOfEdges, type MultiLabelGraph } from './graphs.js';
import { columnFinder } from './node-tables.js';

/** Whether a path is a folder. */
export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/**
 * Reads a folder as `loadGraphFolder` does, or a graph file as `readGraph` does.
 *
 * @returns undefined for any other path or name
 * @throws Error naming the file and what is wrong with it
 */
export function loadNamedGraph(path: string): NamedGraph | undefined {
  if (isFolder(path)) return loadGraphFolder(path);
  if (!existsSync(path) || path.endsWith('.npz') || !isGraphFile(path)) return undefined;
  return graphFromDocument(loadGraphDocument(path), basename(path));
}

/**
 * Reads `nodes` and `edges`, each .csv, .tsv or .txt, of a folder as `graphFromTables` does.
 *
 * @throws Error naming the file that is missing, or what is wrong with a line
 */
export function loadGraphFolder(folder: string, options: GraphTableOptions = {}): NamedGraph {
  const read = (table: string) => readText(requiredTable(folder, table));
  return graphFromTables({ nodes: read('nodes'), edges: read('edges') }, basename(resolve(folder)), options);
}

/** The file of a table in a folder, by the first ending that there is. */
export function tableIn(folder: string, table: string, endings = ['.csv', '.tsv', '.txt']): string | undefined {
  return endings.map((ending) => join(folder, `${table}${ending}`)).find(existsSync);
}

function requiredTable(folder: string, table: string): string {
  const path = tableIn(folder, table);
  if (!path) throw new Error(`folder "${folder}" holds no ${table}.csv (or .tsv, .txt)`);
  return path;
}

/**
 * Reads a folder of `edges`, as `loadEdges` does, and `labels`, with a header `node,label` and a
 * label on each line; a node may have several labels, or none.
 *
 * @returns undefined for a path that is no folder with `labels`
 * @throws Error naming the file that is missing, or the line of a node that no edge names
 */
export async function loadLabelledEdges(folder: string): Promise<MultiLabelGraph | undefined> {
  const labels = isFolder(folder) ? tableIn(folder, 'labels') : undefined;
  if (!labels) return undefined;
  const list = await loadEdges(requiredTable(folder, 'edges'));
  return fromLists(basename(resolve(folder)), graphOfEdges(list, false), labelsByNode(labels, list.names));
}

/**
 * Labels of nodes in a file with a header `node,label` and a label on each line, for the nodes of a
 * graph.
 *
 * @throws Error naming the line of a node that the graph has not
 */
export function loadNodeLabels(path: string, graph: Graph, names: NodeNames): NonNullable<MultiLabelGraph['labels']> {
  return fromLists(path, graph, labelsByNode(path, names)).labels as NonNullable<MultiLabelGraph['labels']>;
}

function labelsByNode(path: string, names: NodeNames): string[][] {
  const table = readCsv(readText(path), path);
  const at = columnFinder(table);
  const [node, label] = [at('node'), at('label')];
  if (node < 0 || label < 0)
    throw new Error(`"${path}": the header must name node and label, got ${table.columns.join(', ')}`);
  const lists = Array.from({ length: names.count }, () => new Set<string>());
  table.rows.forEach((row, line) => {
    const v = names.find(row[node] as string);
    if (v === undefined) throw new Error(`"${path}", line ${line + 2}: no edge names node "${row[node]}"`);
    if (row[label] !== '') lists[v]?.add(row[label] as string);
  });
  return lists.map((own) => [...own]);
}
