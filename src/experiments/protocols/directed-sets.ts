// Directed graphs whose nodes are classified: two generated tasks that directions decide, citation
// graphs, chameleon and its filtered twin, and a person's own graph.

import { givenSplit, nodeClasses, type Split, splitByShare, splitPerClass } from '../../data/index.js';
import { loadAttributedGraph, loadGraph } from '../../data/node.js';
import { featuresOf, fitInputs } from '../../graph/index.js';
import { type Features, featureCount } from '../../nn/index.js';
import { cyclicBlocks, directedOperator, type Graph, randomDigraph, reversed } from '../../structure/index.js';
import { Random, tensor } from '../../tensor/index.js';
import type { NodeTask } from './nodes.js';

/** Sets of the experiment, the embedded ones first. */
export const directedSets = [
  'cyclic',
  'mean-in-out',
  'chameleon',
  'chameleon-filtered',
  'cora-ml',
  'citeseer-directed',
] as const;

/** The set without duplicated nodes that is shown beside chameleon. */
export const FILTERED = 'chameleon-filtered';

/** A set that gives a graph, features and a split for each seed. */
export interface DirectedData {
  readonly name: string;
  readonly classNames: readonly string[];
  /**
   * Generated sets draw all of it by the seed; chameleon takes the standard split of its number.
   */
  task(seed: number): NodeTask;
}

/**
 * One of `directedSets`, or a graph as `gossamer fit` reads it, with directions.
 *
 * @param options `blockSize`: nodes of a block of `cyclic`. Default: 200
 * @throws Error where the graph has no directions or the nodes no classes
 */
export async function loadDirected(source: string, { blockSize = 200 } = {}): Promise<DirectedData> {
  if (source === 'cyclic')
    return { name: source, classNames: ['a', 'b', 'c'], task: (seed) => cyclicTask(seed, blockSize) };
  if (source === 'mean-in-out') return { name: source, classNames: ['out', 'in'], task: meanTask };
  const data = (directedSets as readonly string[]).includes(source) ? knownSet(source) : await ownGraph(source);
  requireDirections(data.name, data.task(0).graph);
  return data;
}

/** @throws Error for a graph that is undirected, or whose every arc has an opposite one */
function requireDirections(name: string, graph: Graph): void {
  let oneWay = 0;
  graph.forEachEntry((u, v) => {
    oneWay += Number(u !== v && !graph.hasEdge(v, u));
  });
  if (!graph.directed || oneWay === 0)
    throw new Error(`data set "${name}" has no directions: every arc has an opposite one`);
}

/**
 * Three blocks; features 0.7·one-hot + N(0, 1); a tenth of the nodes train, 140 of 600 validate.
 */
function cyclicTask(seed: number, size: number): NodeTask {
  const random = new Random(seed).split('cyclic');
  const { graph, labels } = cyclicBlocks(random.split('graph'), { size });
  const noise = random.split('features');
  const values = Float32Array.from(
    { length: 3 * graph.nodeCount },
    (_, i) => noise.gaussian() + (labels[Math.floor(i / 3)] === i % 3 ? 0.7 : 0),
  );
  const split = splitByShare(labels, 3, { train: 0.1, validation: 7 / 30 }, random.split('split'));
  return { graph, labels, classes: 3, features: tensor(values, [graph.nodeCount, 3]), ...split };
}

/** 2,000 nodes of mean degree 5, x ~ U(−1, 1), y = [mean_in x > mean_out x]; half of them train. */
function meanTask(seed: number): NodeTask {
  const random = new Random(seed).split('mean-in-out');
  const n = 2000;
  const graph = randomDigraph(random.split('graph'), n, 5);
  const features = random.split('features').uniform([n, 1], -1, 1);
  const mean = (own: Graph) => directedOperator(own, { exponent: 0 }).matmul(features).view();
  const [into, out] = [mean(reversed(graph)), mean(graph)];
  const labels = Int32Array.from(into, (value, v) => Number(value > (out[v] as number)));
  const order = random.split('split').permutation(n);
  const part = (from: number, to: number) => order.slice(from, to).sort();
  return {
    graph,
    labels,
    classes: 2,
    features,
    train: part(0, 1000),
    validation: part(1000, 1500),
    test: part(1500, n),
  };
}

/** Chameleon with its ten splits; citations with 20 nodes of each class, 500 to validate. */
function knownSet(name: string): DirectedData {
  const isStandard = name.startsWith('chameleon');
  const whole = loadGraph(name, { directed: true });
  return {
    name,
    classNames: Array.from({ length: whole.classes }, (_, c) => String(c)),
    task: (seed) => {
      const { graph, features, labels, classes } = whole;
      const split = isStandard
        ? (loadGraph(name, { directed: true, split: seed % 10 }).split as Split)
        : citationSplit(labels, classes, new Random(seed).split('split'));
      return { graph, labels, classes, features: features as Features, ...split };
    },
  };
}

function citationSplit(labels: Int32Array, classes: number, random: Random): Split {
  const { train, test } = splitPerClass(labels, classes, { train: 20, validation: 0 }, random);
  const order = random.split('validation').permutation(test.length);
  const part = (from: number, to?: number) => Int32Array.from(order.slice(from, to), (at) => test[at] as number).sort();
  return { train, validation: part(0, 500), test: part(500) };
}

async function ownGraph(source: string): Promise<DirectedData> {
  const data = await loadAttributedGraph(source, { directed: true });
  const { labels, classNames, target } = nodeClasses(data);
  const { inputs } = fitInputs(data, [target, 'split']);
  const features = featuresOf(inputs, data);
  const given = givenSplit(data, labels);
  return {
    name: data.name,
    classNames,
    task: (seed) => ({
      graph: data.graph,
      labels,
      classes: classNames.length,
      features,
      ...(given ??
        splitByShare(labels, classNames.length, { train: 0.6, validation: 0.2 }, new Random(seed).split('split'))),
    }),
  };
}

export function describeDirected({ name, task }: DirectedData): string {
  const { graph, features, classes, train, validation, test } = task(0);
  const sizes = [train, validation, test].map((rows) => rows.length);
  return (
    `${name}: ${graph.nodeCount} nodes, ${graph.edgeCount} arcs, ${featureCount(features)} features, ${classes} classes; ` +
    `${sizes[0]} nodes to train, ${sizes[1]} to validate, ${sizes[2]} to test`
  );
}

/** Labels of the nodes to train and to validate, −1 for all others: what a diagnosis may read. */
export function knownLabels({
  labels,
  train,
  validation,
}: Pick<NodeTask, 'labels' | 'train' | 'validation'>): Int32Array {
  const known = new Int32Array(labels.length).fill(-1);
  for (const rows of [train, validation]) for (const v of rows) known[v] = labels[v] as number;
  return known;
}
