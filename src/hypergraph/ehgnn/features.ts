// How sets of graphs become what networks read; the same in training and for an answer.

import { type EncodedColumn, encodeColumns, encodedWidth, encodingOf, type WholeGraphs } from '../../data/index.js';
import type { GraphCollection } from '../../structure/index.js';
import { keep, type Tensor, tensor } from '../../tensor/index.js';
import type { GraphInput } from './inputs.js';

/** Encodings of attributes, as a model keeps them. */
export interface GraphEncoding {
  /** Of the columns of nodes. */
  readonly nodes: readonly EncodedColumn[];
  /** Of the columns of edges. */
  readonly edges: readonly EncodedColumn[];
  /**
   * For nodes without columns: their degrees up to this one are one-hot; larger ones count as it.
   */
  readonly degrees: number;
}

/** Largest degree that has a feature of its own. */
const MOST_DEGREES = 150;

/**
 * The encoding of a set of graphs.
 *
 * @param train graphs whose attributes give means and deviations. Default: all
 */
export function graphEncoding(data: WholeGraphs, train?: Int32Array): GraphEncoding {
  const rows = train && data.graphs.select(train);
  const degrees = degreesOf(data.graphs).reduce((most, degree) => Math.max(most, degree), 0);
  return {
    nodes: encodingOf(data.nodeColumns, rows?.nodeRows),
    edges: encodingOf(data.edgeColumns, rows?.edgeRows),
    degrees: Math.min(degrees, MOST_DEGREES),
  };
}

/** Numbers of features of nodes and edges. */
export function encodedSizes({ nodes, edges, degrees }: GraphEncoding): { nodes: number; edges: number } {
  return { nodes: nodes.length > 0 ? encodedWidth(nodes) : degrees + 1, edges: encodedWidth(edges) };
}

/**
 * The features of a set of graphs.
 *
 * @throws Error for a column that is missing, or a category that training did not know
 */
export function encodeGraphs(data: WholeGraphs, encoding: GraphEncoding): GraphInput {
  const { graphs, name } = data;
  const nodes =
    encoding.nodes.length > 0
      ? encodeColumns(data.nodeColumns, encoding.nodes, graphs.nodeCount, `nodes of "${name}"`)
      : degreeFeatures(graphs, encoding.degrees);
  if (encoding.edges.length === 0) return { graphs, nodes };
  return {
    graphs,
    nodes,
    edges: encodeColumns(data.edgeColumns, encoding.edges, graphs.edgeCount, `edges of "${name}"`),
  };
}

function degreesOf({ nodeCount, sources, targets }: GraphCollection): Int32Array {
  const degrees = new Int32Array(nodeCount);
  for (const side of [sources, targets]) for (const node of side) degrees[node] = (degrees[node] as number) + 1;
  return degrees;
}

function degreeFeatures(graphs: GraphCollection, most: number): Tensor {
  const features = new Float32Array(graphs.nodeCount * (most + 1));
  degreesOf(graphs).forEach((degree, node) => {
    features[node * (most + 1) + Math.min(degree, most)] = 1;
  });
  return keep(tensor(features, [graphs.nodeCount, most + 1]));
}
