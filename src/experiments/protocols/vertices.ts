// Classification of vertices of a hypergraph: transductive, or production, where a share of the
// test vertices does not exist while training.

import { type HypergraphDataset, type Split, splitPerClass } from '../../data/index.js';
import { medianSeconds } from '../../engine/index.js';
import {
  classifyVertices,
  HypergraphNetwork,
  type Labelled,
  type NetworkKind,
  topologyScore,
} from '../../hypergraph/index.js';
import {
  accuracy,
  type Features,
  featureCount,
  inference,
  type MLP,
  macroF1,
  parameterCount,
  predictedClasses,
  rowsOf,
} from '../../nn/index.js';
import { type Hypergraph, memo } from '../../structure/index.js';
import { type Random, scope, type Tensor } from '../../tensor/index.js';
import type { Scores } from '../parts/contract.js';
import { choice, count, type OptionValues, share } from '../parts/options.js';

export const vertexOptions = {
  setting: choice(['transductive', 'production'], 'production hides a share of the test vertices while training'),
  holdout: share(0.5, 'share of test vertices that production hides', { minimum: 0.01, maximum: 0.99 }),
  trainPerClass: count(20, 'labelled vertices of each class'),
  validationPerClass: count(100, 'validation vertices of each class'),
};

/** Training data and test vertices of one seed. */
export interface VertexTask {
  /** What training sees: labels of test vertices are never among them. */
  readonly seen: Labelled;
  readonly whole: { readonly features: Features; readonly hypergraph: Hypergraph; readonly labels: Int32Array };
  readonly test: Int32Array;
}

/** @throws Error when a class is too small for the split, or the set has no features. */
export function vertexTask(
  data: HypergraphDataset,
  { setting, holdout, trainPerClass, validationPerClass }: OptionValues<typeof vertexOptions>,
  random: Random,
): VertexTask {
  if (!data.features) throw new Error(`data set "${data.name}" has no vertex features, which an MLP student needs`);
  // Built once for all seeds, so that operators cached on it are built once too.
  const hypergraph = memo(data.hypergraph, 'prepared', () => data.hypergraph.mergeDuplicates().withSelfLoops());
  const classes = data.classNames.length;
  const sizes = { train: trainPerClass, validation: validationPerClass };
  const split = splitPerClass(data.labels, classes, sizes, random.split('split'));
  const whole = { features: data.features, hypergraph, labels: data.labels };
  if (setting === 'transductive') return { seen: { ...whole, classes, ...split }, whole, test: split.test };
  return hideVertices(data, whole, classes, split, holdout, random.split('holdout'));
}

function hideVertices(
  data: HypergraphDataset,
  whole: VertexTask['whole'],
  classes: number,
  split: Split,
  holdout: number,
  random: Random,
): VertexTask {
  const order = random.permutation(split.test.length);
  const unseen = order.subarray(0, Math.ceil(holdout * order.length)).map((at) => split.test[at] as number);
  const hidden = new Set(unseen);
  const observed = Int32Array.from(data.labels.keys()).filter((vertex) => !hidden.has(vertex));
  const position = new Map(Array.from(observed, (vertex, at) => [vertex, at]));
  const renumber = (vertices: Int32Array) => vertices.map((vertex) => position.get(vertex) as number);
  const seen = {
    features: rowsOf(whole.features, observed),
    hypergraph: data.hypergraph.induced(observed).mergeDuplicates().withSelfLoops(),
    labels: observed.map((vertex) => data.labels[vertex] as number),
    classes,
    train: renumber(split.train),
    validation: renumber(split.validation),
  };
  return { seen, whole, test: unseen };
}

/** Accuracy and macro-F1 in % on the test vertices, from the logits of all vertices. */
export function classScores(logits: Tensor, { whole, test, seen }: VertexTask): Scores {
  const predicted = predictedClasses(logits);
  return {
    accuracy: 100 * accuracy(predicted, whole.labels, test),
    macroF1: 100 * macroF1(predicted, whole.labels, seen.classes, test),
  };
}

/** Whether layers of a kind depend on more than a vertex's 2-hop neighbourhood. */
export function readsAll(kind: NetworkKind): boolean {
  return kind === 'hnhn' || kind === 'gat';
}

/**
 * Scores of a hypergraph network, or of an MLP that reads features alone: classes, topology score,
 * parameters, and the median time to classify one random vertex, for which a network fetches the
 * vertex's neighbourhood.
 */
export function vertexScores(model: HypergraphNetwork | MLP, task: VertexTask, random: Random): Scores {
  const { features, hypergraph } = task.whole;
  const network = model instanceof HypergraphNetwork;
  const whole = () => (network ? model.forward(features, hypergraph, inference) : model.forward(features, inference));
  const classify = (vertices: Int32Array) => {
    if (!network) return model.forward(rowsOf(features, vertices), inference);
    return readsAll(model.kind) ? whole() : classifyVertices(model, features, hypergraph, vertices);
  };
  const ask = () => scope(() => classify(Int32Array.of(random.integer(hypergraph.vertexCount))).view()[0]);
  return scope(() => ({
    ...classScores(whole(), task),
    topology: topologyScore(
      network ? model.hidden(features, hypergraph) : (model.hidden(features, inference) as Tensor),
      hypergraph,
    ),
    latency: 1000 * medianSeconds(ask, 31, 5),
    parameters: parameterCount(model),
  }));
}

export function describeHypergraph({ name, hypergraph, features, classNames }: HypergraphDataset): string {
  const { vertexCount, hyperedgeCount } = hypergraph;
  const width = features ? `${featureCount(features)} features, ` : '';
  return `${name}: ${vertexCount} vertices, ${hyperedgeCount} hyperedges, ${width}${classNames.length} classes`;
}
