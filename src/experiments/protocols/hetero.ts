// Classification of the nodes of one type of a heterogeneous graph, transductive: all nodes and
// edges are seen while training, the labels of test nodes are not.

import {
  givenSplit,
  type NamedHeteroGraph,
  type NodesOfType,
  nodeClasses,
  requireRelations,
  type Split,
  splitByShare,
  targetNodes,
  wordPapers,
} from '../../data/index.js';
import { heteroGraphNames, loadHeteroGraph } from '../../data/node.js';
import { fitTypedInputs, type TypedFeatures, type TypedInputs, typedFeatures } from '../../graph/index.js';
import { accuracy, featureCount, macroF1 } from '../../nn/index.js';
import { type Key, Random } from '../../tensor/index.js';
import { predictionTable } from '../parts/artifacts.js';
import type { Scores, Table } from '../parts/contract.js';

/** The embedded graph and the known sets. */
export const heteroSets: readonly string[] = ['papers', ...heteroGraphNames];

/** A heterogeneous graph with features, classes and a split of the nodes of one type. */
export interface HeteroData extends NamedHeteroGraph {
  /** Type of the nodes that are classified. */
  readonly type: string;
  /** The attribute of classes. */
  readonly target: string;
  /** Class of each node of the type, −1 where unknown. */
  readonly labels: Int32Array;
  readonly classNames: readonly string[];
  readonly split: Split;
  /** How features are made. */
  readonly inputs: TypedInputs;
  /** Key of the stream of random features. */
  readonly featureKey: Key;
  /** Features of all types: unit rows, and random vectors of types that have none. */
  readonly features: TypedFeatures;
  /** Features of the types that have some of their own. */
  readonly ownFeatures: TypedFeatures;
}

/**
 * `papers`, a known set, an archive as `heteroGraphFromArrays` reads it, or a folder of tables.
 *
 * @param randomWidth width of random vectors of nodes without features
 * @throws Error for a graph without edges or classes
 */
export async function loadHetero(source: string, randomWidth: number, random: Random): Promise<HeteroData> {
  const data = source === 'papers' ? wordPapers(random.split('papers')) : await loadHeteroGraph(source);
  const { type, column } = targetNodes(data);
  requireRelations(data, type);
  const nodes = { ...(data.nodes.get(type) as NodesOfType), name: data.name };
  const { labels, classNames, target } = nodeClasses(nodes, column);
  const split =
    givenSplit(nodes, labels) ??
    splitByShare(labels, classNames.length, { train: 0.2, validation: 0.2 }, random.split('split'));
  if (split.validation.length === 0 || split.test.length === 0)
    throw new Error(`"${data.name}": the split has no nodes to validate or to test`);
  const { inputs } = fitTypedInputs(data, { [type]: [target, 'split'] }, { randomWidth });
  const featureKey = random.split('features').key;
  const features = typedFeatures(inputs, data, new Random(featureKey));
  const ownFeatures = new Map([...features].filter(([own]) => inputs.types[own]?.kind !== 'random'));
  return { ...data, type, target, labels, classNames, split, inputs, featureKey, features, ownFeatures };
}

/** Classes of some nodes. */
export const classesOf = ({ labels }: Pick<HeteroData, 'labels'>, rows: Int32Array): Int32Array =>
  rows.map((v) => labels[v] as number);

/** Micro-F1, which of one class a node is accuracy, and macro-F1 of test nodes, in %. */
export function heteroScores(predicted: Int32Array, data: HeteroData): Scores {
  const wanted = classesOf(data, data.split.test);
  return {
    microF1: 100 * accuracy(predicted, wanted),
    macroF1: 100 * macroF1(predicted, wanted, data.classNames.length),
  };
}

/** Predictions on all nodes of the type. */
export function heteroPredictions({ type, nodes, classNames, labels }: HeteroData, probabilities: Float32Array): Table {
  const { nodeNames } = nodes.get(type) as NodesOfType;
  return predictionTable({ row: type, rowNames: nodeNames, classNames, probabilities, labels });
}

export function describeHetero({ name, graph, type, classNames, features }: HeteroData): string {
  const types = graph.types.map((own) => `${graph.countOf(own)} ${own}`).join(', ');
  const own = features.get(type);
  return `${name}: ${types}; ${graph.edgeCount} edges in ${graph.given.length} relations, ${own ? featureCount(own) : 0} features and ${classNames.length} classes of ${type}`;
}
