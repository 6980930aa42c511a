// Labelled graphs: the containers, and the archive formats they are read from.

import type { SparseMatrix } from '../sparse/index.js';
import { Graph } from '../structure/index.js';
import type { Random, Tensor } from '../tensor/index.js';
import { type Arrays, countOf, featuresFromArrays, normalizeRows, requiredArrays } from './features.js';
import { type EdgeList, type NamedArray, toInts } from './formats/index.js';
import { type Split, splitPerClass } from './splits.js';

/** A graph with a class and features for each node. */
export interface GraphDataset {
  /** Name in the catalogue, or the path. */
  readonly name: string;
  /** The graph of n nodes. */
  readonly graph: Graph;
  /** Node features [n, F]; undefined where a data set has none. */
  readonly features: Tensor | SparseMatrix | undefined;
  /** Class of each node, −1 where unknown. */
  readonly labels: Int32Array;
  /** Number of classes. */
  readonly classes: number;
  /** The published split, where there is one. */
  readonly split: Split | undefined;
}

/** Options of `graphFromArrays`. */
export interface GraphArrayOptions {
  /** The stored edges have a direction. */
  readonly directed: boolean;
  /** Keep it: the graph is then directed. */
  readonly keep: boolean;
  /** Scale rows of sparse features to sum 1. */
  readonly scaleRows: boolean;
  /** Number of the published split, where there are several. Default 0. */
  readonly split?: number;
}

/**
 * A labelled graph from an archive's arrays: `labels` [n], `edges` [E, 2], features as
 * `featuresFromArrays` reads them, and the split as `train_idx`, `val_idx` and `test_idx`, or as
 * `split` [splits, n] of 0 (train), 1 (validation) and 2 (test).
 *
 * @throws Error naming an array that is missing, RangeError for a split that is not there.
 */
export function graphFromArrays(
  arrays: Arrays,
  name: string,
  { directed, keep, scaleRows, split = 0 }: GraphArrayOptions,
): GraphDataset {
  const need = requiredArrays(arrays, name);
  const labels = toInts(need('labels'), 'labels');
  const [sources, targets] = endsOf(need('edges'));
  const graph = Graph.fromEdges(labels.length, sources, targets, { directed: directed && keep });
  const features = featuresFromArrays(arrays, labels.length, name);
  const rows = features && ('pattern' in features ? features.rows : features.shape[0]);
  if (rows !== undefined && rows !== labels.length)
    throw new Error(`data set "${name}": features for ${rows} nodes, there are ${labels.length}`);
  return {
    name,
    graph,
    features: scaleRows && features && 'pattern' in features ? normalizeRows(features) : features,
    labels,
    classes: countOf(labels, `data set "${name}": class`),
    split: publishedSplit(arrays, labels.length, split, name),
  };
}

/**
 * Sources and targets of an array of edges [E, 2].
 *
 * @param name of the array, for messages. Default: `edges`
 * @throws Error for another shape, such as the [2, E] of PyTorch Geometric.
 */
export function endsOf(edges: NamedArray, name = 'edges'): [sources: Int32Array, targets: Int32Array] {
  if (edges.shape.length !== 2 || edges.shape[1] !== 2)
    throw new Error(`${name} is [${edges.shape.join(', ')}], expected [E, 2]: a source and a target in each row`);
  const ends = toInts(edges, name);
  const at = (offset: number) => Int32Array.from({ length: ends.length / 2 }, (_, e) => ends[2 * e + offset] as number);
  return [at(0), at(1)];
}

function publishedSplit(arrays: Arrays, n: number, which: number, name: string): Split | undefined {
  if (arrays.split) {
    const parts = toInts(arrays.split, 'split').subarray(which * n, (which + 1) * n);
    if (parts.length !== n)
      throw new RangeError(`data set "${name}": split ${which} is not one of ${arrays.split.values.length / n}`);
    const [train, validation, test] = [0, 1, 2].map((part) =>
      Int32Array.from(parts.keys()).filter((v) => parts[v] === part),
    ) as [Int32Array, Int32Array, Int32Array];
    return { train, validation, test };
  }
  const rows = (key: string) => {
    const own = arrays[key] && toInts(arrays[key], key);
    const wrong = own?.find((row) => row < 0 || row >= n);
    if (wrong !== undefined) throw new RangeError(`data set "${name}": ${key} names node ${wrong} of ${n}`);
    return own;
  };
  const [train, validation, test] = [rows('train_idx'), rows('val_idx'), rows('test_idx')];
  return train && validation && test ? { train, validation, test } : undefined;
}

/**
 * The published split, or a random one: 20 training and 30 validation nodes per class, the rest for
 * testing (Shchur et al. 2018).
 *
 * @throws Error naming a class that is too small.
 */
export function splitOf(data: GraphDataset, random: Random): Split {
  return data.split ?? splitPerClass(data.labels, data.classes, { train: 20, validation: 30 }, random);
}

/**
 * The graph of an edge list. Weights of edges that are given more than once are summed.
 *
 * @param directed whether edges have a direction. Default: what the file says, or false.
 * @throws Error when directions are asked for where the file says that there are none
 */
export function graphOfEdges(list: EdgeList, directed?: boolean): Graph {
  const { names, sources, targets, weights } = list;
  if (directed && list.directed === false)
    throw new Error('the file says that its edges have no direction; do not ask for directed ones');
  return Graph.fromEdges(names.count, sources, targets, {
    directed: directed ?? list.directed ?? false,
    weights,
    duplicates: weights ? 'sum' : 'first',
  });
}

/** A graph without features, each of whose nodes may have several labels. */
export interface MultiLabelGraph {
  /** Name in the catalogue, or the path. */
  readonly name: string;
  /** The graph of n nodes. */
  readonly graph: Graph;
  /**
   * Labels of node v: labels[indptr[v] … indptr[v + 1]), each in 0 … count − 1; undefined where a
   * set has none.
   */
  readonly labels: { readonly indptr: Int32Array; readonly labels: Int32Array; readonly count: number } | undefined;
}

/**
 * A multi-label graph from an archive's arrays: `num` [nodes, labels], `edges` [E, 2],
 * `label_indptr` [n + 1] and `label_indices`.
 */
export function multiLabelGraphFromArrays(arrays: Arrays, name: string): MultiLabelGraph {
  const need = requiredArrays(arrays, name);
  const ints = (key: string) => toInts(need(key), key);
  const [n = 0, count = 0] = ints('num');
  const indptr = ints('label_indptr');
  const labels = ints('label_indices');
  if (indptr.length !== n + 1 || indptr[0] !== 0 || indptr[n] !== labels.length)
    throw new Error(`data set "${name}": label_indptr does not divide ${labels.length} labels among ${n} nodes`);
  if (indptr.some((start, v) => v > 0 && start < (indptr[v - 1] as number)))
    throw new Error(`data set "${name}": label_indptr decreases`);
  const wrong = labels.find((label) => label < 0 || label >= count);
  if (wrong !== undefined) throw new Error(`data set "${name}": label ${wrong} is not one of ${count}`);
  const [sources, targets] = endsOf(need('edges'));
  return {
    name,
    graph: Graph.fromEdges(n, sources, targets),
    labels: { indptr, labels, count },
  };
}

/** A labelled graph as a multi-label graph: one label a node, none where the class is unknown. */
export function oneLabelEach({ name, graph, labels, classes }: OneLabelGraph): MultiLabelGraph {
  const indptr = new Int32Array(labels.length + 1);
  for (let v = 0; v < labels.length; v++) indptr[v + 1] = (indptr[v] as number) + Number((labels[v] as number) >= 0);
  return { name, graph, labels: { indptr, labels: labels.filter((label) => label >= 0), count: classes } };
}

/** Characters between the labels of a node that has several. */
const LABEL_SEPARATOR = /\s*[;|]\s*/;

/**
 * A graph whose classes are texts as a multi-label graph: `red; green` are two labels. A graph
 * without classes has none.
 */
export function severalLabels({
  name,
  graph,
  labels,
  classNames,
}: Pick<GraphDataset, 'name' | 'graph' | 'labels'> & { readonly classNames: readonly string[] }): MultiLabelGraph {
  const lists = classNames.map(labelsIn);
  return fromLists(
    name,
    graph,
    Array.from(labels, (code) => lists[code] ?? []),
  );
}

/** The labels that a text names: `red; green` are two. */
export function labelsIn(text: string | undefined): string[] {
  return [...new Set(text?.split(LABEL_SEPARATOR))].filter((label) => label !== '');
}

/** A graph with the labels of each node by name, which are numbered in the order of their names. */
export function fromLists(name: string, graph: Graph, lists: readonly (readonly string[])[]): MultiLabelGraph {
  const names = [...new Set(lists.flat())].sort();
  if (names.length === 0) return { name, graph, labels: undefined };
  const codes = new Map(names.map((label, code) => [label, code]));
  const indptr = new Int32Array(lists.length + 1);
  for (const [v, own] of lists.entries()) indptr[v + 1] = (indptr[v] as number) + own.length;
  const labels = Int32Array.from(lists.flat(), (label) => codes.get(label) as number);
  return { name, graph, labels: { indptr, labels, count: names.length } };
}

type OneLabelGraph = Pick<GraphDataset, 'name' | 'graph' | 'labels' | 'classes'>;
