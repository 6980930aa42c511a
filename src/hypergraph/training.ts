// Semi-supervised training on labelled vertices with Adam; the weights of the best epoch by
// validation accuracy are kept. Teachers, students and baselines are all trained this way.

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

/** Hyperparameters of training. */
export interface TrainingOptions extends SemiSupervisedOptions {
  /** Dropout probability between the layers. Default: 0.5. */
  readonly dropout?: number;
}

/** A hypergraph with vertex features and labels, class −1 where unknown. */
export interface Labelled extends LabelledRows {
  /** Vertex features [N, d], dense or sparse. */
  readonly features: Features;
  /** The hypergraph, of N vertices. */
  readonly hypergraph: Hypergraph;
  /** Number of classes. */
  readonly classes: number;
}

/** Defaults of `TrainingOptions`; those of `SemiSupervisedOptions` are set where it is used. */
export const trainingDefaults = { dropout: 0.5 };

/** Layout and training of a hypergraph network. */
export interface NetworkOptions extends TrainingOptions {
  /** Convolution of both layers. Default: 'hgnn'. */
  readonly kind?: NetworkKind;
  /**
   * Propagation to vertices in no hyperedge, see `HypergraphNetworkOptions`. Default: 'selfLoop'.
   */
  readonly isolated?: HypergraphNetworkOptions['isolated'];
  /** Hidden width. Default: 32. */
  readonly hidden?: number;
}

/** Trains a two-layer hypergraph network on the labelled vertices. */
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

/** A perceptron that uses no hypergraph: linear → ReLU → batch norm → dropout → linear. */
export function newPerceptron(data: Labelled, hidden: number, dropout: number, random: Random): MLP {
  return new MLP([featureCount(data.features), hidden, data.classes], random.split('weights'), {
    norm: 'batch',
    dropout,
  });
}

/**
 * A perceptron restored from saved weights; its sizes are taken from their shapes.
 *
 * @throws Error when they are not a perceptron's weights
 */
export function perceptronFrom(state: Weights): MLP {
  const first = state['blocks.0.linear.weight'];
  const head = state['head.weight'];
  if (!first || !head) throw new Error('the weights are not those of a LightHGNN student or MLP');
  const [hidden, inFeatures] = first.shape as [number, number];
  const student = new MLP([inFeatures, hidden, head.shape[0] as number], new Random(0), { norm: 'batch' });
  loadState(student, state);
  return student;
}

/**
 * Trains a perceptron on labels alone: the baseline without a hypergraph.
 *
 * @param options `hidden`, the hidden width, defaults to 128
 */
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
