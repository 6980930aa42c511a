// Graphs that commands compare and count in: sets of graphs, and files of one graph each.

import { basename } from 'node:path';
import { datasetOf, graphOfEdges } from '../data/index.js';
import { isFolder, isGraph6, loadEdges, loadNamedGraph, loadWholeGraphs, tableIn } from '../data/node.js';
import type { Graph } from '../structure/index.js';

/** Graphs with the names of their nodes. */
export interface NamedGraphs {
  /** The graphs, edges going both ways. */
  readonly graphs: readonly Graph[];
  /** Name of each graph. */
  readonly names: readonly string[];
  /** Name of a node of a graph. */
  nodeName(graph: number, node: number): string;
}

/** What `graphsAt` reads, for help. */
export const GRAPH_SET_FORMS = 'graph6 (.g6), folders of graphs, .npz, known sets, or files of one graph each';

/** The graphs of a set, or the one graph of a file. */
export async function graphsAt(path: string): Promise<NamedGraphs> {
  const isSet =
    datasetOf(path, 'whole-graphs') !== undefined ||
    path.endsWith('.npz') ||
    isGraph6(path) ||
    (isFolder(path) && (tableIn(path, 'graphs') !== undefined || tableIn(path, 'nodes') === undefined));
  if (isSet) {
    const { graphs, graphNames, nodeNames } = loadWholeGraphs(path);
    return {
      graphs: Array.from({ length: graphs.count }, (_, g) => graphs.graph(g)),
      names: graphNames,
      nodeName: (g, node) => nodeNames?.[(graphs.nodes.offsets[g] as number) + node] ?? String(node),
    };
  }
  const names = [basename(path)];
  const named = loadNamedGraph(path);
  if (named)
    return { graphs: [named.graph.undirected()], names, nodeName: (_, node) => named.nodeNames[node] as string };
  const list = await loadEdges(path);
  return { graphs: [graphOfEdges(list, false).undirected()], names, nodeName: (_, node) => list.names.of(node) };
}
