// Classification of the nodes of a graph with features, transductive: all nodes and edges are seen
// while training, the labels of test nodes are not.

import { type GraphDataset, normalizeRows, splitOf, wordBlocks } from '../../data/index.js';
import { graphNames, loadGraph, loadNamedGraph } from '../../data/node.js';
import { featuresOfGraph, type GraphModule, type LabelledGraph, trainNodes } from '../../graph/index.js';
import {
  accuracy,
  type Features,
  featureCount,
  inference,
  macroF1,
  parameterCount,
  predictedClasses,
  type SemiSupervisedOptions,
} from '../../nn/index.js';
import { SparseMatrix } from '../../sparse/index.js';
import { type Random, scope, softmax } from '../../tensor/index.js';
import { numbered, predictionTable } from '../parts/artifacts.js';
import type { Scores, Table } from '../parts/contract.js';
import type { Method } from '../parts/methods.js';

/** The embedded graph and the known sets that have node features. */
export const nodeSets: readonly string[] = ['blocks', ...graphNames.filter((name) => name !== 'pubmed')];

/** A graph with features in both forms that networks read. */
export interface NodeData extends GraphDataset {
  /** As stored, or made from the graph where nodes have none. */
  readonly features: Features;
  /** Whether features were made from the graph. */
  readonly structural: boolean;
  /** Bag-of-words rows scaled to sum 1. */
  readonly scaled: Features;
  /** Names of nodes and classes, where the data give them. */
  readonly nodeNames?: readonly string[];
  readonly classNames?: readonly string[];
}

/** Training data and test nodes of one seed. */
export interface NodeTask extends LabelledGraph {
  readonly test: Int32Array;
}

/**
 * `blocks`, a known set, an archive as `loadGraph` reads it, or a folder or a file as
 * `loadNamedGraph` does.
 *
 * @param random draws the embedded graph
 * @throws Error when the nodes have no classes.
 */
export function loadNodes(source: string, random: Random): NodeData {
  const data: GraphDataset & { readonly nodeNames?: readonly string[] } = readNodes(source, random);
  if (data.classes < 2) throw new Error(`data set "${data.name}" has ${data.classes} classes of nodes; it takes two`);
  const structural = data.features === undefined;
  const features = data.features ?? featuresOfGraph(data.graph, data.nodeNames);
  return {
    ...data,
    features,
    structural,
    scaled: features instanceof SparseMatrix ? normalizeRows(features) : features,
  };
}

function readNodes(source: string, random: Random): GraphDataset {
  if (source === 'blocks') return wordBlocks(random);
  return loadNamedGraph(source) ?? loadGraph(source, { scaleRows: false });
}

/** Names of the classes, or their numbers. */
export function classNamesOf({ classNames, classes }: NodeData): readonly string[] {
  return classNames ?? numbered(classes);
}

/** The published split, or a random one by class; networks read the scaled features. */
export function nodeTask(data: NodeData, random: Random): NodeTask {
  const { graph, labels, classes, scaled } = data;
  return { graph, labels, classes, features: scaled, ...splitOf(data, random.split('split')) };
}

/** A trained network, and the features that it reads. */
export interface NodeModel {
  readonly network: GraphModule;
  readonly features: Features;
}

/** Builds an untrained network for a task. */
export type NodeNetwork = (inFeatures: number, classes: number, random: Random) => GraphModule;

/** Makes a network, trains it on a task and keeps the best epoch by validation. */
export function nodeMethod(
  title: string,
  create: NodeNetwork,
  task: NodeTask,
  options: SemiSupervisedOptions,
): Method<NodeModel> {
  const { features, classes } = task;
  return {
    title,
    async train({ random, hooks }) {
      const network = create(featureCount(features), classes, random);
      await trainNodes(network, task, random, { ...options, ...hooks });
      return { network, features };
    },
  };
}

/** Accuracy and macro-F1 in % on the test nodes, and parameters. */
export function nodeScores({ network, features }: NodeModel, { graph, labels, classes, test }: NodeTask): Scores {
  const predicted = scope(() => predictedClasses(network.forward(features, graph, inference)));
  return {
    accuracy: 100 * accuracy(predicted, labels, test),
    macroF1: 100 * macroF1(predicted, labels, classes, test),
    parameters: parameterCount(network),
  };
}

/** Predictions on all nodes. */
export function nodePredictions({ network, features }: NodeModel, data: NodeData): Table {
  const { graph, labels, nodeNames } = data;
  return predictionTable({
    row: 'node',
    rowNames: nodeNames ?? numbered(graph.nodeCount),
    classNames: classNamesOf(data),
    probabilities: scope(() => softmax(network.forward(features, graph, inference)).dataSync()),
    labels,
  });
}

export function describeNodes({ name, graph, features, structural, classes }: NodeData): string {
  const { nodeCount, edgeCount } = graph;
  const made = structural ? ' made from the graph' : '';
  return `${name}: ${nodeCount} nodes, ${edgeCount} edges, ${featureCount(features)} features${made}, ${classes} classes`;
}
