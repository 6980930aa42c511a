// Graphs by name or from a file: with a class for each node, with several labels a node, or edges
// alone.

import { basename } from 'node:path';
import { Graph } from '../structure/index.js';
import { datasetOf, namesOf } from './catalogue.js';
import { loadEdges } from './edges.js';
import { readBytes } from './files.js';
import { type LocatedFile, locateDataset } from './folders.js';
import { isSparseArchive } from './formats/graphs/scipy.js';
import { type NamedArray, readNpz, toInts } from './formats/index.js';
import { loadLabelledEdges, loadNamedGraph } from './graph-folder.js';
import {
  type GraphDataset,
  graphFromArrays,
  graphOfEdges,
  type MultiLabelGraph,
  multiLabelGraphFromArrays,
  oneLabelEach,
  severalLabels,
} from './graphs.js';

/** Names that `loadGraph` knows. */
export const graphNames: readonly string[] = namesOf('graph');

/** Options of `loadGraph`. */
export interface LoadGraphOptions {
  /** Keep directions, where the set has them. Default false. */
  readonly directed?: boolean;
  /** Scale rows of sparse features to sum 1. Default true. */
  readonly scaleRows?: boolean;
  /** Number of the published split, where a set comes with several. Default 0. */
  readonly split?: number;
}

/**
 * Loads a labelled graph: a known name, or a `.npz` archive with `edges` [E, 2], `labels` [n] and
 * features as `featuresFromArrays` reads them.
 *
 * @throws Error for an unknown name, or naming an array that is missing or does not fit.
 */
export function loadGraph(
  source: string,
  { directed = false, scaleRows = true, split = 0 }: LoadGraphOptions = {},
): GraphDataset {
  const { path, record } = locateDataset(source, 'graph');
  const name = record ? source : basename(source).replace(/\.npz$/, '');
  return graphFromArrays(readNpz(readBytes(path), basename(path)), name, {
    directed: record ? (record.directed ?? false) : true,
    keep: directed,
    scaleRows,
    split,
  });
}

/**
 * Loads a graph whose nodes have any number of labels: a known multi-label graph; a known labelled
 * graph, whose nodes have one label each; a `.npz` archive of either form; a folder with edges and
 * either nodes.csv, whose labels may be several (`red; green`), or labels.csv, with a node and a
 * label on each line; a graph of another program, likewise; or, without labels, a known set of
 * edges, taken as undirected, or an edge list as `loadEdges` reads it.
 *
 * @throws Error for an unknown name, or saying what is wrong with the file.
 */
export async function loadMultiLabelGraph(source: string): Promise<MultiLabelGraph> {
  if (datasetOf(source, 'graph')) return oneLabelEach(loadGraph(source));
  if (datasetOf(source, 'edges')) {
    const { name, graph } = await loadEdgeGraph(source);
    return { name, graph: graph.undirected(), labels: undefined };
  }
  const labelled = await loadLabelledEdges(source);
  if (labelled) return labelled;
  const named = loadNamedGraph(source);
  if (named) return severalLabels(named);
  const located = locateDataset(source, 'multi-label-graph');
  if (!located.path.endsWith('.npz')) return { ...(await edgeGraph(source, located, false)), labels: undefined };
  const arrays = readNpz(readBytes(located.path), source);
  return arrays.label_indptr ? multiLabelGraphFromArrays(arrays, source) : oneLabelEach(loadGraph(source));
}

/** A graph without labels or features. */
export interface EdgeGraph {
  /** Name in the catalogue, or the path. */
  readonly name: string;
  /** The graph of n nodes. */
  readonly graph: Graph;
}

/**
 * Loads a graph of edges alone: a known name; a `.npz` archive with rows of targets, `indptr` [n +
 * 1] and `indices`, each ascending and free of repeats; or an edge list as `loadEdges` reads it.
 *
 * @param directed whether the edges of a file have a direction; known sets have what their record
 * says. Default: what the file says, or true. Weights of edges that are given more than once are
 * summed.
 * @throws Error for an unknown name, or saying what is wrong with the file.
 */
export async function loadEdgeGraph(
  source: string,
  { directed }: { readonly directed?: boolean } = {},
): Promise<EdgeGraph> {
  const located = locateDataset(source, 'edges');
  return edgeGraph(source, located, located.record?.directed ?? directed);
}

async function edgeGraph(name: string, { path }: LocatedFile, directed: boolean | undefined): Promise<EdgeGraph> {
  if (path.endsWith('.npz')) {
    const arrays = readNpz(readBytes(path), name);
    if (!isSparseArchive(arrays)) {
      const { indptr, indices } = arrays as Record<string, NamedArray | undefined>;
      if (!indptr || !indices) throw new Error(`"${path}" needs arrays indptr and indices`);
      const pattern = [toInts(indptr, 'indptr'), toInts(indices, 'indices')] as const;
      return { name, graph: Graph.fromCompressed(...pattern, { directed: directed ?? true }) };
    }
  }
  const list = await loadEdges(path);
  return { name, graph: graphOfEdges(list, directed ?? list.directed ?? true) };
}
