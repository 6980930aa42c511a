// Edge-dependent classification: a class for every vertex in every hyperedge. Incidences of test
// hyperedges take part without their labels.

import { type IncidenceDataset, namesOf, roleDataset } from '../../data/index.js';
import { loadIncidences } from '../../data/node.js';
import {
  type CoNHD,
  centralities,
  IncidenceModel,
  type IncidenceNetwork,
  rankPositions,
  standardizedFeatures,
  structuralFeatures,
  trainIncidences,
  validationScore,
} from '../../hypergraph/index.js';
import {
  accuracy,
  featureCount,
  inference,
  macroF1,
  parameterCount,
  predictedClasses,
  type TrainingHooks,
} from '../../nn/index.js';
import type { ColumnStatistics } from '../../structure/index.js';
import { Random, scope, softmax, type Tensor, tensor } from '../../tensor/index.js';
import type { Scores, Table } from '../parts/contract.js';
import type { Method } from '../parts/methods.js';
import { choice, count, type OptionValues, rate, share } from '../parts/options.js';
import { settingsOf, tuned } from '../parts/tuning.js';

/** The generated roles, and the known sets. */
export const incidenceSets: readonly string[] = ['role', ...namesOf('incidences')];

export const incidenceOptions = {
  epochs: count(8, 'epochs, each followed by a validation', { smoke: 3 }),
  steps: count(40, 'batches in an epoch', { smoke: 5 }),
  batch: count(64, 'hyperedges in a batch, the other of two trials being 128; 0 for full-batch steps', { minimum: 0 }),
  cap: count(40, 'most hyperedges of a vertex in a training batch; none in testing'),
  patience: count(6, 'epochs without a better validation score after which training stops'),
  layers: choice(['1', '2', 'either'], 'hypergraph layers; either: chosen on validation data like the rest'),
  dropout: share(0.3, 'dropout probability, the other of two trials being 0.7', { maximum: 0.99 }),
  learningRate: rate(3e-3, "Adam's learning rate, the other of two trials being a third"),
  trials: count(2, 'settings tried for every method on validation data', { smoke: 1 }),
  hidden: count(32, 'width', { smoke: 16, minimum: 4 }),
  positions: choice(
    ['ranks', 'none'],
    'code of an incidence: ranks of its vertex in its hyperedge by four centralities',
  ),
  vectors: count(40, 'singular vectors in the inputs of sets without features'),
};

export type IncidenceOptions = OptionValues<typeof incidenceOptions>;

export interface IncidenceData extends Omit<IncidenceDataset, 'features'> {
  /** Inputs of vertices [N, d], the same for every method. */
  readonly features: Tensor;
  /** Of features that the data came with, how they were standardised. */
  readonly statistics?: ColumnStatistics;
  /** Rank features of each vertex within its hyperedge [nnz, 4], where requested. */
  readonly positions?: Tensor;
}

/** Inputs: given features standardised, or made from the hypergraph; ranks where asked for. */
export function incidenceData(source: string, values: IncidenceOptions): IncidenceData {
  const random = new Random(0).split('conhd');
  const data: IncidenceDataset = source === 'role' ? roleDataset(random) : loadIncidences(source);
  const { incidences, split } = data;
  const inputs = data.features
    ? standardizedFeatures(data.features, incidences, split.train)
    : { features: structuralFeatures(incidences, random, values.vectors) };
  return { ...data, ...inputs, ...(values.positions === 'ranks' && { positions: rankPositions(incidences) }) };
}

/** Number of vertex features and of rank features; 0 for none. */
export function incidenceWidths({ features, positions }: IncidenceData) {
  return { inFeatures: featureCount(features), positions: positions?.shape[1] ?? 0 };
}

/** What is chosen on validation data, alike for every method. */
export type IncidenceSetting = {
  readonly learningRate: number;
  readonly batch: number;
  readonly layers: number;
  readonly dropout: number;
};

/** The settings of every method: the options, then others of the grid. */
export function incidenceSettings(values: IncidenceOptions): IncidenceSetting[] {
  const { learningRate, batch, layers, dropout, trials } = values;
  const grid = {
    learningRate: [learningRate, learningRate / 3],
    batch: batch === 0 ? [0] : [batch, 128],
    layers: layers === 'either' ? [1, 2] : [Number(layers)],
    dropout: [dropout, 0.7],
  };
  return settingsOf(grid, trials, new Random(0).split('settings'));
}

/** Trains on the training hyperedges and keeps the best epoch by validation. */
export async function trainOnSplit<Network extends IncidenceNetwork & object>(
  network: Network,
  data: IncidenceData,
  random: Random,
  { batch, learningRate }: Pick<IncidenceSetting, 'batch' | 'learningRate'>,
  { epochs, steps, cap, patience }: Pick<IncidenceOptions, 'epochs' | 'steps' | 'cap' | 'patience'>,
  hooks: TrainingHooks = {},
): Promise<Network> {
  await trainIncidences(network, { ...data, ...data.split }, random, {
    ...hooks,
    ...{ epochs, cap, patience, learningRate, batch: batch === 0 ? 'all' : batch },
    stepsPerEpoch: batch === 0 ? 1 : steps,
  });
  return network;
}

/** A method tuned on validation data with the settings that all have. The split is fixed. */
export function incidenceMethod(
  title: string,
  create: (random: Random, setting: IncidenceSetting) => IncidenceNetwork & object,
  data: IncidenceData,
  values: IncidenceOptions,
): Method<IncidenceNetwork & object> {
  return tuned({
    title,
    once: data,
    settings: incidenceSettings(values),
    train: (setting, { random, hooks }) => trainOnSplit(create(random, setting), data, random, setting, values, hooks),
    validation: (network) => validationScore(network, { ...data, ...data.split }),
  });
}

/** Guesses classes at random in proportion to their share of the training incidences. */
export function guessing({ labels, classes, split, incidences }: IncidenceData): Method<IncidenceNetwork & object> {
  const shares = new Float64Array(classes);
  for (const row of split.train) shares[labels[row] as number] = (shares[labels[row] as number] as number) + 1;
  return {
    title: 'guess',
    train: ({ random }) => {
      // The largest of log p + Gumbel noise is a class with probability p.
      const logits = Float32Array.from({ length: incidences.count * classes }, (_, at) => {
        return Math.log(shares[at % classes] as number) - Math.log(-Math.log(1 - random.float()));
      });
      return { reach: 0, forward: () => tensor(logits, [incidences.count, classes]) };
    },
  };
}

/** Micro-F1 (accuracy) and macro-F1 in % over the incidences of test hyperedges, and parameters. */
export function incidenceScores(network: IncidenceNetwork & object, data: IncidenceData): Scores {
  const predicted = scope(() => predictedClasses(network.forward(data, inference)));
  const { labels, classes, split } = data;
  return {
    micro: 100 * accuracy(predicted, labels, split.test),
    macro: 100 * macroF1(predicted, labels, classes, split.test),
    parameters: parameterCount(network),
  };
}

/** Class probabilities of the incidences of test hyperedges, and of those without a label. */
export function incidencePredictions(network: IncidenceNetwork, data: IncidenceData): Table {
  const { incidences, labels, classes, split, names } = data;
  const edges = incidences.hyperedges.ids.view();
  const probabilities = scope(() => softmax(network.forward(data, inference)).dataSync());
  const unlabelled = Array.from(labels.keys()).filter((i) => (labels[i] as number) < 0);
  return {
    columns: ['node', 'hyperedge', 'label', 'prediction', ...names.classes.map((name) => `p(${name})`)],
    rows: [...split.test, ...unlabelled].map((i) => {
      const own = Array.from(probabilities.subarray(i * classes, (i + 1) * classes));
      return [
        names.vertices[incidences.vertices[i] as number] as string,
        names.hyperedges[edges[i] as number] as string,
        names.classes[labels[i] as number] ?? '',
        names.classes[own.indexOf(Math.max(...own))] as string,
        ...own.map((p) => p.toFixed(4)),
      ];
    }),
  };
}

/** The trained network with what it needs to answer for new hyperedges. */
export function incidenceModel(data: IncidenceData, network: CoNHD): IncidenceModel {
  const { names, features, incidences, positions, statistics } = data;
  const known = {
    incidences,
    features,
    centralities: positions ? centralities(incidences) : [],
    ...(statistics && { statistics }),
  };
  const description = { classes: names.classes, vertices: names.vertices, options: network.options };
  return new IncidenceModel(description, network, known);
}

export function describeIncidences({ name, incidences, classes, features, statistics }: IncidenceData): string {
  const { vertexCount, hyperedgeCount, count: nnz } = incidences;
  const inputs = `${featureCount(features)} ${statistics ? 'features of its own' : name === 'role' ? 'features' : 'features from structure'}`;
  return `${name}: ${vertexCount} vertices, ${hyperedgeCount} hyperedges, ${nnz} incidences, ${classes} classes, ${inputs}`;
}
