// Semi-supervised training on labelled vertices: Adam, the best epoch by validation accuracy kept. Teachers, students and baselines all train so.

import {
  type Features,
  type FitResult,
  featureCount,
  type LabelledRows,
  labelledLoss,
  loadState,
  MLP,
  type Mode,
  type SemiSupervisedOptions,
  trainByValidation,
  type Weights,
} from '../nn/index.js';
import type { Hypergraph } from '../structure/index.js';
import { Random } from '../tensor/index.js';
import { HypergraphNetwork, type HypergraphNetworkOptions, type NetworkKind } from './network.js';

export interface TrainingOptions extends SemiSupervisedOptions {
  readonly dropout?: number;
}

/** Labelled vertices. */
export interface Labelled extends LabelledRows {
  readonly features: Features;
  readonly hypergraph: Hypergraph;
  readonly classes: number;
}

export const trainingDefaults = { dropout: 0.5 };

export interface NetworkOptions extends TrainingOptions {
  readonly kind?: NetworkKind;
  /** What vertices in no hyperedge see. */
  readonly isolated?: HypergraphNetworkOptions['isolated'];
  readonly hidden?: number;
}

/** Trains a hypergraph network on the labelled vertices. */
export async function trainNetwork(
  data: Labelled,
  random: Random,
  options: NetworkOptions = {},
): Promise<{ network: HypergraphNetwork; training: FitResult }> {
  const { kind = 'hgnn', hidden = 32, dropout = trainingDefaults.dropout } = options;
  const network = new HypergraphNetwork(
    kind,
    featureCount(data.features),
    hidden,
    data.classes,
    random.split('weights'),
    { dropout, isolated: options.isolated },
  );
  const logits = (live: HypergraphNetwork, mode: Mode) => live.forward(data.features, data.hypergraph, mode);
  return {
    network,
    training: await trainByValidation(network, data, logits, labelledLoss(data.labels, data.train), random, options),
  };
}

/** A perceptron without a hypergraph: linear → ReLU → batch norm → dropout → linear. */
export function newPerceptron(data: Labelled, hidden: number, dropout: number, random: Random): MLP {
  return new MLP([featureCount(data.features), hidden, data.classes], random.split('weights'), {
    norm: 'batch',
    dropout,
  });
}

/** A perceptron from its saved weights, whose shapes tell its sizes. @throws Error when they are not a perceptron's. */
export function perceptronFrom(state: Weights): MLP {
  const first = state['blocks.0.linear.weight'];
  const head = state['head.weight'];
  if (!first || !head) throw new Error('the weights are not those of a LightHGNN student or MLP');
  const [hidden, inFeatures] = first.shape as [number, number];
  const student = new MLP([inFeatures, hidden, head.shape[0] as number], new Random(0), { norm: 'batch' });
  loadState(student, state);
  return student;
}

/** Trains a perceptron on labels alone: the baseline that knows no hypergraph. */
export async function trainMlp(
  data: Labelled,
  random: Random,
  options: TrainingOptions & { readonly hidden?: number } = {},
): Promise<{ student: MLP; training: FitResult }> {
  const student = newPerceptron(data, options.hidden ?? 128, options.dropout ?? trainingDefaults.dropout, random);
  const logits = (live: MLP, mode: Mode) => live.forward(data.features, mode);
  return {
    student,
    training: await trainByValidation(student, data, logits, labelledLoss(data.labels, data.train), random, options),
  };
}
