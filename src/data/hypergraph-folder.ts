// A hypergraph in a folder of tables: nodes.csv with hyperedges.csv, or with edges.csv of a graph,
// or the three tables of `hypergraphFromTables`.

import { basename, resolve } from 'node:path';
import { Hypergraph } from '../structure/index.js';
import { readText } from './files.js';
import { readCsv } from './formats/index.js';
import { tableIn } from './graph-folder.js';
import { graphStructure, type HypergraphDataset, hypergraphFromTables } from './hypergraphs.js';
import { columnFinder, edgeEnds, type NodeTable, nodeTable } from './node-tables.js';

/**
 * Reads a folder of tables, each .csv or .tsv.
 *
 * @throws Error naming the file that is missing, or what is wrong with a line
 */
export function loadHypergraphFolder(folder: string): HypergraphDataset {
  const read = (name: string): string | undefined => {
    const path = tableIn(folder, name, ['.csv', '.tsv']);
    return path && readText(path);
  };
  const name = basename(resolve(folder));
  const [nodes, hyperedges, edges] = [read('nodes'), read('hyperedges'), read('edges')];
  if (nodes !== undefined && hyperedges !== undefined) return hypergraphOfNodes(nodes, hyperedges, name);
  if (nodes !== undefined && edges !== undefined) return graphOfNodes(nodes, edges, name);
  if (hyperedges === undefined)
    throw new Error(`folder "${folder}" has no hyperedges.csv or hyperedges.tsv, and no nodes.csv with edges.csv`);
  return hypergraphFromTables({ hyperedges, features: read('features'), labels: read('labels') }, name);
}

function dataset(table: NodeTable, name: string): Omit<HypergraphDataset, 'hypergraph'> {
  const { features, labels, classNames, nodeNames, featureNames, split } = table;
  return { name, features, labels, classNames, vertexNames: nodeNames, featureNames, ...(split && { split }) };
}

/** Hyperedges from a header `hyperedge,node` or `hyperedge,node,weight` and an incidence a line. */
export function hypergraphOfNodes(nodes: string, hyperedges: string, name: string): HypergraphDataset {
  const table = nodeTable(nodes, name);
  const incidences = readCsv(hyperedges, 'hyperedges');
  const at = columnFinder(incidences);
  const column = (...names: readonly string[]) => names.map(at).find((found) => found >= 0) ?? -1;
  const [edge, node, weight] = [column('hyperedge', 'edge'), column('node', 'vertex'), column('weight')];
  const fail = (reason: string): never => {
    throw new Error(`hypergraph "${name}": hyperedges${reason}`);
  };
  if (edge < 0 || node < 0) fail(`: the header must name hyperedge and node, got ${incidences.columns.join(', ')}`);
  const lists = new Map<string, { readonly members: Set<number>; readonly weight: number }>();
  incidences.rows.forEach((row, line) => {
    const vertex = table.ids.get(row[node] as string);
    if (vertex === undefined) fail(`, line ${line + 2}: "${row[node]}" is no node of the table of nodes`);
    const given = weight < 0 ? 1 : Number(row[weight]);
    if (!(given > 0 && Number.isFinite(given)))
      fail(`, line ${line + 2}: weight "${row[weight]}" is no positive number`);
    const own = lists.get(row[edge] as string) ?? { members: new Set(), weight: given };
    if (own.weight !== given) fail(`, line ${line + 2}: hyperedge "${row[edge]}" has two weights`);
    if (own.members.has(vertex as number))
      fail(`, line ${line + 2}: "${row[node]}" is in hyperedge "${row[edge]}" twice`);
    own.members.add(vertex as number);
    lists.set(row[edge] as string, own);
  });
  const all = [...lists.values()];
  const hypergraph = new Hypergraph(
    table.nodeNames.length,
    all.map(({ members }) => [...members]),
    all.map((own) => own.weight),
  );
  return { ...dataset(table, name), hypergraph };
}

/** A graph of nodes and edges: its edges and closed neighbourhoods are the hyperedges. */
function graphOfNodes(nodes: string, edges: string, name: string): HypergraphDataset {
  const table = nodeTable(nodes, name);
  const { sources, targets } = edgeEnds(readCsv(edges, 'edges'), table.ids, name);
  const pairs = Array.from(sources, (source, e): [number, number] => [source, targets[e] as number]);
  return { ...dataset(table, name), ...graphStructure(table.nodeNames.length, pairs) };
}
