// Graphs as people write them: a table of nodes and a table of edges, or a file of another program.

import { Graph } from '../structure/index.js';
import type { Tensor } from '../tensor/index.js';
import { edgesOfDocument, type GraphDocument } from './formats/graphs/index.js';
import { readCsv, type Table } from './formats/index.js';
import { Weights } from './formats/weights.js';
import { type GraphDataset, graphOfEdges } from './graphs.js';
import { columnFinder, edgeEnds, type NodeTable, nodesOfTable, nodeTable } from './node-tables.js';

/** The tables of a graph, each as CSV or TSV text. */
export interface GraphTables {
  /**
   * A header `id,…` and a node on each line; columns `label` or `class` (empty where unknown) and
   * `split` (`train`, `validation`, `test` or empty) are optional, all others are numeric features.
   */
  readonly nodes: string;
  /** A header `source,target` or `source,target,weight`, and an edge on each line. */
  readonly edges: string;
}

/** A graph from tables, with the names that they give. */
export interface NamedGraph extends GraphDataset {
  /** Features [n, F]; undefined without columns of features. */
  readonly features: Tensor | undefined;
  /** Names of the nodes, in order. */
  readonly nodeNames: readonly string[];
  /** Names of the classes, in order. */
  readonly classNames: readonly string[];
  /** Columns of the features, in order. */
  readonly featureNames: readonly string[];
  /** Attributes of nodes that are no features, since they hold texts. */
  readonly leftOut: readonly string[];
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
 * @throws Error naming table and line: no column `id`, a node that is named twice or
 * that an edge names though it has no line, a feature or weight that is no finite number, a split
 * of another name, or a node of a split part without a label.
 */
export function graphFromTables(
  { nodes, edges }: GraphTables,
  name: string,
  { directed = false }: GraphTableOptions = {},
): NamedGraph {
  const table = nodeTable(nodes, name);
  return named(table, graphOfTable(readCsv(edges, 'edges'), table.ids, name, directed), name);
}

/**
 * A graph of another program: the attribute `label` or `class` of a node is its class, `split` its
 * split, and all others that are numbers are features.
 *
 * @param directed whether edges have a direction. Default: false, whatever the file says
 * @throws Error for a split of another name, or a node of a split part without a label
 */
export function graphFromDocument(document: GraphDocument, name: string, directed = false): NamedGraph {
  const table = nodesOfTable(document.nodes, name, false);
  return named(table, graphOfEdges(edgesOfDocument(document), directed), name);
}

function named({ classNames, ...table }: NodeTable, graph: Graph, name: string): NamedGraph {
  const { features, labels, split, nodeNames, featureNames, leftOut } = table;
  return {
    name,
    graph,
    features,
    labels,
    classes: classNames.length,
    split,
    nodeNames,
    classNames,
    featureNames,
    leftOut,
  };
}

function fail(name: string, reason: string): never {
  throw new Error(`graph "${name}": ${reason}`);
}

/**
 * The graph of a table of edges between nodes that are known by name.
 *
 * @param name what errors call the data
 * @throws Error naming the line of an end that is no node, or of a weight that is not positive
 */
export function graphOfTable(table: Table, ids: ReadonlyMap<string, number>, name: string, directed: boolean): Graph {
  const { sources, targets } = edgeEnds(table, ids, name);
  const weight = columnFinder(table)('weight');
  const texts = new Weights();
  const weights =
    weight < 0
      ? undefined
      : Float32Array.from(
          table.rows,
          (row, e) =>
            texts.read(row[weight] as string) ??
            fail(name, `edges, line ${e + 2}: weight "${row[weight]}" is no positive number`),
        );
  if (texts.doubt) fail(name, `edges: ${texts.doubt}`);
  return Graph.fromEdges(ids.size, sources, targets, { directed, weights });
}
