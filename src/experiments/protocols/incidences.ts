// Edge-dependent classification: a class for every vertex in every hyperedge. Incidences of test
// hyperedges take part without their labels.

import { type IncidenceDataset, namesOf, roleDataset } from '../../data/index.js';
import { loadIncidences } from '../../data/node.js';
import { type IncidenceNetwork, rankPositions, structuralFeatures, trainIncidences } from '../../hypergraph/index.js';
import {
  accuracy,
  inference,
  macroF1,
  parameterCount,
  predictedClasses,
  type SemiSupervisedOptions,
} from '../../nn/index.js';
import { keep, type Random, scope, softmax, type Tensor, tensor } from '../../tensor/index.js';
import { numbered, predictionTable } from '../parts/artifacts.js';
import type { Scores, Table } from '../parts/contract.js';
import type { Method } from '../parts/methods.js';

/** The generated roles, and the known sets. */
export const incidenceSets: readonly string[] = ['role', ...namesOf('incidences')];

export interface IncidenceData extends IncidenceDataset {
  /** Vertex features [N, d]. */
  readonly features: Tensor;
  /** Rank features of each vertex within its hyperedge [nnz, 4], where requested. */
  readonly positions: Tensor | undefined;
}

export interface IncidenceInputs {
  /** Singular vectors in the features of sets that have none of their own. */
  readonly vectors: number;
  readonly positions: 'ranks' | 'none';
}

/**
 * `role`, a known set, or an archive as `loadIncidences` reads it, with features made from the
 * hypergraph.
 *
 * @param random draws the generated roles and starts the decomposition
 */
export function incidenceData(source: string, inputs: IncidenceInputs, random: Random): IncidenceData {
  const { features, ...data } = source === 'role' ? roles(random) : archived(source, inputs, random);
  return { ...data, features, positions: inputs.positions === 'ranks' ? rankPositions(data.incidences) : undefined };
}

function roles(random: Random): IncidenceDataset & { readonly features: Tensor } {
  const { features, width, ...data } = roleDataset(random);
  return { ...data, features: keep(tensor(features, [data.incidences.vertexCount, width])) };
}

function archived(source: string, { vectors }: IncidenceInputs, random: Random) {
  const data = loadIncidences(source);
  return { ...data, features: structuralFeatures(data.incidences, random, vectors) };
}

/** Number of vertex features and of rank features; 0 for none. */
export function incidenceWidths({ features, positions }: IncidenceData) {
  return { inFeatures: features.shape[1] as number, positions: positions?.shape[1] ?? 0 };
}

/** Trains full-batch on the training hyperedges and keeps the best epoch by validation. */
export async function trainOnSplit<Network extends IncidenceNetwork>(
  network: Network,
  data: IncidenceData,
  random: Random,
  options: SemiSupervisedOptions,
): Promise<Network> {
  await trainIncidences(network, { ...data, ...data.split }, random, options);
  return network;
}

/** Makes a network and trains it. */
export function incidenceMethod(
  title: string,
  create: (random: Random) => IncidenceNetwork & object,
  data: IncidenceData,
  options: SemiSupervisedOptions,
): Method<IncidenceNetwork & object> {
  return {
    title,
    train: ({ random, hooks }) => trainOnSplit(create(random), data, random, { ...options, ...hooks }),
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

/** Predictions on the incidences of test hyperedges. */
export function incidencePredictions(network: IncidenceNetwork, data: IncidenceData): Table {
  const { incidences, labels, classes, split } = data;
  const edges = incidences.hyperedges.ids.view();
  const probabilities = scope(() => softmax(network.forward(data, inference)).dataSync());
  const { columns, rows } = predictionTable({
    row: 'vertex',
    rowNames: split.test.map((i) => incidences.vertices[i] as number),
    classNames: numbered(classes),
    probabilities: Array.from(split.test).flatMap((i) => [...probabilities.subarray(i * classes, (i + 1) * classes)]),
    labels: split.test.map((i) => labels[i] as number),
  });
  return {
    columns: ['hyperedge', ...columns],
    rows: rows.map((row, at) => [edges[split.test[at] as number] as number, ...row]),
  };
}

export function describeIncidences({ name, incidences, classes }: IncidenceData): string {
  const { vertexCount, hyperedgeCount, count } = incidences;
  return `${name}: ${vertexCount} vertices, ${hyperedgeCount} hyperedges, ${count} incidences, ${classes} classes`;
}
