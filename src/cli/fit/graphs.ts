// Sets of graphs: classes by HyperDrop, vectors by HyperCluster.

import { type Split, stratifiedFolds, type WholeGraphs } from '../../data/index.js';
import { loadWholeGraphs } from '../../data/node.js';
import {
  classifyGraphs,
  clusterCount,
  EdgeClusterAutoencoder,
  encodedSizes,
  encodeGraphs,
  GraphClassifier,
  graphEncoding,
  HyperClusterModel,
  HyperDropModel,
  reconstructTypes,
  trainAutoencoder,
  trainClassifier,
  typesOfEdges,
} from '../../hypergraph/index.js';
import type { Random } from '../../tensor/index.js';
import type { FitRequest, Fitted } from './learner.js';
import type { hyperClusterOptions, hyperDropOptions } from './options.js';

/**
 * Trains a classifier of graphs; the epoch of least validation loss is kept.
 *
 * @throws Error for a graph without a label, fewer than two classes, or a set without edges
 */
export async function fitHyperDrop(
  path: string,
  { values, random, hooks, note }: FitRequest<typeof hyperDropOptions>,
): Promise<Fitted> {
  const data = loadWholeGraphs(path);
  requireEdges(data, note);
  requireLabels(data);
  const split = splitOfGraphs(data, random.split('split'));
  const encoding = graphEncoding(data, split.train);
  const input = encodeGraphs(data, encoding);
  const { epochs, batch, learningRate, weightDecay, patience, ...layout } = values;
  const seeds = clusterCount(0.25, data.graphs.meanNodes);
  const options = { ...layout, seeds };
  const sizes = { ...encodedSizes(encoding), classes: data.classNames.length };
  const network = new GraphClassifier(sizes, random.split('weights'), options);
  const training = { epochs, batch, learningRate, weightDecay, patience, ...hooks };
  const labelled = { ...input, labels: data.labels };
  const { stopped } = await trainClassifier(network, labelled, split, random.split('fit'), training);
  const logits = classifyGraphs(network, input, split.test);
  const classes = data.classNames.length;
  const right = split.test.reduce((sum, graph, i) => {
    const own = logits.subarray(i * classes, (i + 1) * classes);
    return sum + Number(own.indexOf(Math.max(...own)) === data.labels[graph]);
  }, 0);
  const accuracy = (100 * right) / split.test.length;
  const model = new HyperDropModel({ encoding, classes: data.classNames, options }, network);
  return {
    file: () => model.save({ data: data.name }),
    lines: [
      sizeLine(data, `${classes} classes`),
      `accuracy on ${split.test.length} test graphs: ${accuracy.toFixed(1)} %`,
    ],
    scores: { accuracy },
    stopped,
  };
}

/**
 * Trains clusters of edges by telling the types of edges again.
 *
 * @throws Error for edges without a column of categories, or a set without edges
 */
export async function fitHyperCluster(
  path: string,
  { values, target, random, hooks, note }: FitRequest<typeof hyperClusterOptions>,
): Promise<Fitted & { readonly model: HyperClusterModel }> {
  const data = loadWholeGraphs(path);
  requireEdges(data, note);
  const column = data.edgeColumns.find(({ name, kind }) => kind === 'category' && (!target || name === target));
  if (!column)
    throw new Error(
      target
        ? `"${path}": edges have no column "${target}" of categories`
        : `"${path}": edges have no column of categories to cluster, such as the type of a bond`,
    );
  const types = [...new Set(column.values as readonly string[])].sort();
  if (types.length < 2)
    throw new Error(`"${path}": every edge has the ${column.name} "${types[0]}"; there is nothing to tell`);
  const typed = typesOfEdges(data, column.name, types);
  const split = splitOfGraphs(data, random.split('split'));
  const { ratio, hidden, heads, epochs, batch, learningRate, weightDecay, patience } = values;
  const options = { hidden, heads };
  const clusters = clusterCount(ratio, data.graphs.select(split.train).graphs.meanEdges);
  const network = new EdgeClusterAutoencoder(types.length, clusters, random.split('weights'), options);
  const training = { epochs, batch, learningRate, weightDecay, patience, ...hooks };
  const { stopped } = await trainAutoencoder(network, typed, split, random.split('fit'), training);
  const told = reconstructTypes(network, typed, split.test);
  const { edgeRows } = data.graphs.select(split.test);
  const right = edgeRows.reduce((sum, edge, i) => sum + Number(typed.types[edge] === told[i]), 0);
  const accuracy = (100 * right) / Math.max(1, edgeRows.length);
  const model = new HyperClusterModel({ column: column.name, types, clusters, options }, network);
  return {
    model,
    file: () => model.save({ data: data.name }),
    lines: [
      sizeLine(data, `${types.length} values of ${column.name}`),
      `${clusters} clusters of ${hidden} numbers: vectors of dimension ${model.dimension}`,
      `${column.name} told right on ${edgeRows.length} edges of test graphs: ${accuracy.toFixed(1)} %`,
    ],
    scores: { accuracy, dimension: model.dimension },
    stopped,
  };
}

function sizeLine({ name, graphs }: WholeGraphs, more: string): string {
  return `${name}: ${graphs.count} graphs, ${graphs.nodeCount} nodes, ${graphs.edgeCount} edges, ${more}`;
}

function requireEdges({ name, graphs }: WholeGraphs, note: (text: string) => void): void {
  if (graphs.edgeCount === 0) throw new Error(`set of graphs "${name}": no graph has an edge`);
  const { offsets, count } = graphs.edges;
  const bare = Int32Array.from({ length: count }, (_, g) => g).filter((g) => offsets[g] === offsets[g + 1]).length;
  if (bare > 0) note(`${bare} of ${count} graphs have no edges`);
}

function requireLabels({ name, labels, classNames, graphNames }: WholeGraphs): void {
  if (classNames.length === 0)
    throw new Error(`set of graphs "${name}": graphs have no labels; give graphs.csv a column "label"`);
  const without = labels.indexOf(-1);
  if (without >= 0)
    throw new Error(`set of graphs "${name}": graph "${graphNames[without]}" has no label; leave it out of the folder`);
  if (classNames.length < 2)
    throw new Error(`set of graphs "${name}": every graph has the label "${classNames[0]}"; two classes are needed`);
}

/**
 * The split of the set; of its folds the first to test and the second to validate; or a tenth each,
 * drawn by class.
 *
 * @throws Error when there are too few graphs
 */
export function splitOfGraphs(data: WholeGraphs, random: Random): Split {
  if (data.split) return data.split;
  const { count } = data.graphs;
  if (count < 10) throw new Error(`set of graphs "${data.name}": ${count} graphs are too few to split; ten are needed`);
  const labels = data.labels.map((label) => Math.max(0, label));
  const folds = data.folds
    ? Array.from({ length: 10 }, (_, f) => Int32Array.from(labels.keys()).filter((g) => data.folds?.[g] === f))
    : stratifiedFolds(labels, Math.max(1, data.classNames.length), 10, random);
  const [test, validation] = folds as [Int32Array, Int32Array];
  const held = new Set([...test, ...validation]);
  return { test, validation, train: Int32Array.from(labels.keys()).filter((g) => !held.has(g)) };
}
