// Classification of vertices of a hypergraph: transductive, or production, where a share of the
// test vertices does not exist while training.

import { type HypergraphDataset, type Split, splitPerClass } from '../../data/index.js';
import { median, secondsInTurns } from '../../engine/index.js';
import {
  classifyVertices,
  HypergraphNetwork,
  type Labelled,
  type NetworkKind,
  projectedIncidence,
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
import { SparseMatrix } from '../../sparse/index.js';
import { type ColumnStatistics, type Hypergraph, memo, standardizeTable } from '../../structure/index.js';
import { keep, Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { Scores } from '../parts/contract.js';
import { choice, count, type OptionValues, share } from '../parts/options.js';

export const vertexOptions = {
  setting: choice(['transductive', 'production'], 'production hides a share of the test vertices while training'),
  holdout: share(0.5, 'share of test vertices that production hides', { minimum: 0.01, maximum: 0.99 }),
  trainPerClass: count(20, 'labelled vertices of each class'),
  validationPerClass: count(100, 'validation vertices of each class'),
};

/** A hypergraph whose vertices have features: its own, or made from its incidence. */
export interface VertexData extends HypergraphDataset {
  readonly features: Features;
  /** Whether features were made from the hypergraph. */
  readonly structural: boolean;
}

/** Features of its own, or degrees and random projections of the incidence. */
export function withFeatures(data: HypergraphDataset): VertexData {
  if (data.features) return { ...data, features: data.features, structural: false };
  const features = projectedIncidence(data.hypergraph, new Random(0).split('features'));
  return { ...data, features, structural: true };
}

/** Features and structure of the same vertices. */
export interface VertexInputs {
  readonly features: Features;
  readonly hypergraph: Hypergraph;
  /** What networks of graphs see: the edges of a graph; else the hypergraph, clique by clique. */
  readonly graph: Hypergraph;
}

/** Training data and test vertices of one seed. */
export interface VertexTask {
  /** What training sees: labels of test vertices are never among them. */
  readonly seen: Labelled & VertexInputs;
  readonly whole: VertexInputs & { readonly labels: Int32Array };
  /** Vertices that the main scores are of, numbered as in `whole`. */
  readonly test: Int32Array;
  /** Production: test vertices that exist while training, numbered as in `seen`. */
  readonly observed?: Int32Array;
  /** Of dense features: mean and deviation of each column over the vertices that training sees. */
  readonly statistics?: ColumnStatistics;
}

/**
 * Dense features are standardised; sparse ones are used as they are loaded, with rows that sum
 * to 1.
 *
 * @throws Error when a class is too small for the split, or features are missing or made from the
 * hypergraph where vertices are to be hidden.
 */
export function vertexTask(
  data: HypergraphDataset & Partial<Pick<VertexData, 'structural'>>,
  { setting, holdout, trainPerClass, validationPerClass }: OptionValues<typeof vertexOptions>,
  random: Random,
): VertexTask {
  if (!data.features) throw new Error(`data set "${data.name}" has no vertex features, which an MLP student needs`);
  if (data.structural && setting === 'production')
    throw new Error(`data set "${data.name}" has no vertex features: those of a new vertex need its hyperedges`);
  // Built once for all seeds, so that operators cached on them are built once too.
  const hypergraph = memo(data.hypergraph, 'prepared', () => data.hypergraph.mergeDuplicates().withSelfLoops());
  const graph = data.pairs ?? hypergraph;
  const classes = data.classNames.length;
  const sizes = { train: trainPerClass, validation: validationPerClass };
  const split = data.split ?? splitPerClass(data.labels, data.classNames, sizes, random.split('split'));
  if (setting === 'transductive') {
    const whole = { ...prepared(data.features), hypergraph, graph, labels: data.labels };
    return { seen: { ...whole, classes, ...split }, whole, test: split.test, statistics: whole.statistics };
  }
  return hideVertices(data, { hypergraph, graph }, split, holdout, random.split('holdout'));
}

/** Dense features standardised by the given rows (default: all); sparse features as they are. */
function prepared(features: Features, rows?: Int32Array): { features: Features; statistics?: ColumnStatistics } {
  if (features instanceof SparseMatrix) return { features };
  const table = features.dataSync<Float32Array>();
  const statistics = standardizeTable(table, featureCount(features), rows);
  return { features: keep(tensor(table, features.shape)), statistics };
}

function hideVertices(
  data: HypergraphDataset,
  structure: Pick<VertexInputs, 'hypergraph' | 'graph'>,
  split: Split,
  holdout: number,
  random: Random,
): VertexTask {
  const order = random.permutation(split.test.length);
  const unseen = order.subarray(0, Math.ceil(holdout * order.length)).map((at) => split.test[at] as number);
  const hidden = new Set(unseen);
  const kept = Int32Array.from(data.labels.keys()).filter((vertex) => !hidden.has(vertex));
  const position = new Map(Array.from(kept, (vertex, at) => [vertex, at]));
  const renumber = (vertices: Int32Array) => vertices.map((vertex) => position.get(vertex) as number);
  const { features, statistics } = prepared(data.features as Features, kept);
  const hypergraph = data.hypergraph.induced(kept).mergeDuplicates().withSelfLoops();
  const seen = {
    features: rowsOf(features, kept),
    hypergraph,
    graph: data.pairs?.induced(kept).mergeDuplicates() ?? hypergraph,
    labels: kept.map((vertex) => data.labels[vertex] as number),
    classes: data.classNames.length,
    train: renumber(split.train),
    validation: renumber(split.validation),
  };
  const observed = renumber(split.test.filter((vertex) => !hidden.has(vertex)));
  return { seen, whole: { features, ...structure, labels: data.labels }, test: unseen, observed, statistics };
}

/** A trained network on some vertices: logits of all of them. */
function logitsOf(model: HypergraphNetwork | MLP, inputs: VertexInputs): Tensor {
  const { features } = inputs;
  return model instanceof HypergraphNetwork
    ? model.forward(features, structureFor(model.kind, inputs), inference)
    : model.forward(features, inference);
}

/** The structure that a kind of network propagates over. */
export function structureFor(kind: NetworkKind, { hypergraph, graph }: VertexInputs): Hypergraph {
  return kind === 'gcn' || kind === 'gat' ? graph : hypergraph;
}

/**
 * Accuracy and macro-F1 in % on the test vertices, from the logits of all vertices. With several
 * classes and one label each, micro-F1 is the accuracy.
 */
export function classScores(logits: Tensor, { whole, test, seen }: VertexTask): Scores {
  const predicted = predictedClasses(logits);
  return {
    accuracy: 100 * accuracy(predicted, whole.labels, test),
    macroF1: 100 * macroF1(predicted, whole.labels, seen.classes, test),
  };
}

/**
 * Production: accuracy in % on the test vertices that training saw, by the structure it saw, and on
 * those and the hidden ones together.
 */
function observedScores(model: HypergraphNetwork | MLP, task: VertexTask, unseen: number): Scores {
  const { seen, observed, test } = task;
  if (!observed) return {};
  const own = 100 * accuracy(predictedClasses(logitsOf(model, seen)), seen.labels, observed);
  const both = (own * observed.length + unseen * test.length) / (observed.length + test.length);
  return { observed: own, production: both };
}

/** Whether layers of a kind depend on more than a vertex's 2-hop neighbourhood. */
export function readsAll(kind: NetworkKind): boolean {
  return kind === 'hnhn' || kind === 'gat';
}

/**
 * Scores of a hypergraph network, or of an MLP that reads features alone: classes, topology score
 * of the hidden layer, and parameters.
 */
export function vertexScores(model: HypergraphNetwork | MLP, task: VertexTask): Scores {
  const { features, hypergraph } = task.whole;
  return scope(() => {
    const classes = classScores(logitsOf(model, task.whole), task);
    const hidden =
      model instanceof HypergraphNetwork
        ? model.hidden(features, structureFor(model.kind, task.whole))
        : (model.hidden(features, inference) as Tensor);
    return {
      ...classes,
      ...observedScores(model, task, classes.accuracy as number),
      topology: topologyScore(hidden, hypergraph),
      parameters: parameterCount(model),
    };
  });
}

/**
 * Median milliseconds to classify one random vertex, models taking turns: networks fetch its
 * neighbourhood, MLPs read its features.
 */
export async function vertexLatencies(
  models: Readonly<Record<string, HypergraphNetwork | MLP>>,
  { whole }: VertexTask,
  random: Random,
): Promise<Scores> {
  const classify = (model: HypergraphNetwork | MLP, vertices: Int32Array) => {
    if (!(model instanceof HypergraphNetwork)) return model.forward(rowsOf(whole.features, vertices), inference);
    if (readsAll(model.kind)) return logitsOf(model, whole);
    return classifyVertices(model, whole.features, structureFor(model.kind, whole), vertices);
  };
  const arms = Object.entries(models).map(([title, model]): [string, () => void] => [
    title,
    () => scope(() => classify(model, Int32Array.of(random.integer(whole.hypergraph.vertexCount))).view()[0]),
  ]);
  const seconds = await secondsInTurns(Object.fromEntries(arms), { repeats: 31, warmUp: 5, statistic: median });
  return Object.fromEntries(Object.entries(seconds).map(([title, own]) => [title, 1000 * own]));
}

export function describeHypergraph({ name, hypergraph, features, classNames, structural }: VertexData): string {
  const { vertexCount, hyperedgeCount } = hypergraph;
  const width = `${featureCount(features)} features${structural ? ' made from the hypergraph' : ''}`;
  return `${name}: ${vertexCount} vertices, ${hyperedgeCount} hyperedges, ${width}, ${classNames.length} classes`;
}
