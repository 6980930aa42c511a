// Semi-supervised training on labelled vertices: Adam, the best epoch by validation accuracy kept. Teachers, students and baselines all train so.

import {
  Adam,
  accuracy,
  type CheckpointStore,
  crossEntropy,
  type EpochReport,
  type FitResult,
  fit,
  inference,
  loadState,
  MLP,
  type Mode,
  predictedClasses,
  type Weights,
} from '../nn/index.js';
import { SparseMatrix } from '../sparse/index.js';
import type { Hypergraph } from '../structure/index.js';
import { gatherKnownRows, keep, Random, type Tensor, tensor } from '../tensor/index.js';
import { type Features, HypergraphNetwork, type HypergraphNetworkOptions, type NetworkKind } from './network.js';

export interface TrainingOptions {
  readonly epochs?: number;
  readonly learningRate?: number;
  /** L2, added to the gradient. */
  readonly weightDecay?: number;
  readonly dropout?: number;
  readonly onEpoch?: (report: EpochReport) => void;
  readonly signal?: AbortSignal;
  readonly checkpoint?: CheckpointStore;
}

/** Labelled vertices: class −1 where unknown. `train` and `validation` are vertex numbers. */
export interface Labelled {
  readonly features: Features;
  readonly hypergraph: Hypergraph;
  readonly labels: Int32Array;
  readonly classes: number;
  readonly train: Int32Array;
  readonly validation: Int32Array;
}

export const trainingDefaults = { epochs: 200, learningRate: 0.01, weightDecay: 5e-4, dropout: 0.5 };

function featureCount(features: Features): number {
  return features instanceof SparseMatrix ? features.columns : (features.shape[1] as number);
}

/** Supervised loss on the labelled vertices: mean cross-entropy of their rows of the logits. */
export function labelledLoss({ labels, train }: Labelled): (logits: Tensor) => Tensor {
  const rows = keep(tensor(train));
  const truth = keep(tensor(train.map((vertex) => labels[vertex] as number)));
  return (logits) => crossEntropy(gatherKnownRows(logits, rows), truth);
}

/** Adam with the best epoch by validation accuracy kept, as teacher, students and baselines all train. */
export function trainByValidation<M extends object>(
  model: M,
  data: Labelled,
  logits: (model: M, mode: Mode) => Tensor,
  loss: (logits: Tensor, mode: Mode) => Tensor,
  random: Random,
  options: TrainingOptions,
): Promise<FitResult> {
  const { epochs, learningRate, weightDecay } = { ...trainingDefaults, ...options };
  return fit({
    model,
    loss: (live: M, _: undefined, mode) => loss(logits(live, mode), mode),
    optimizer: new Adam({ learningRate, weightDecay }),
    epochs,
    random,
    validate: (live) => accuracy(predictedClasses(logits(live, inference)), data.labels, data.validation),
    onEpoch: options.onEpoch,
    signal: options.signal,
    checkpoint: options.checkpoint,
    checkpointEvery: 20,
  });
}

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
  return { network, training: await trainByValidation(network, data, logits, labelledLoss(data), random, options) };
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
  return { student, training: await trainByValidation(student, data, logits, labelledLoss(data), random, options) };
}
