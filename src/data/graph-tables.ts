// Graphs as people write them: a table of nodes and a table of edges.

import { Graph } from '../structure/index.js';
import type { Tensor } from '../tensor/index.js';
import { readCsv, type Table } from './formats/index.js';
import type { GraphDataset } from './graphs.js';
import { columnFinder, edgeEnds, nodeTable } from './node-tables.js';

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
  const table = nodeTable(nodes, name);
  if (!table.features) fail(name, 'nodes: there are no columns of features beside id, label and split');
  return {
    name,
    graph: graphOf(readCsv(edges, 'edges'), table.ids, name, directed),
    features: table.features,
    labels: table.labels,
    classes: table.classNames.length,
    split: table.split,
    nodeNames: table.nodeNames,
    classNames: table.classNames,
    featureNames: table.featureNames,
  };
}

function fail(name: string, reason: string): never {
  throw new Error(`graph "${name}": ${reason}`);
}

function graphOf(table: Table, ids: ReadonlyMap<string, number>, name: string, directed: boolean): Graph {
  const { sources, targets } = edgeEnds(table, ids, name);
  const weight = columnFinder(table)('weight');
  const weights =
    weight < 0
      ? undefined
      : Float32Array.from(table.rows, (row, e) => {
          const value = Number(row[weight]);
          if (!(value > 0 && Number.isFinite(value)))
            fail(name, `edges, line ${e + 2}: weight "${row[weight]}" is no positive number`);
          return value;
        });
  return Graph.fromEdges(ids.size, sources, targets, { directed, weights });
}
