// Training of a metanetwork on a few trained networks (data models). One step a network: with
// changed weights θ′ from the metanetwork,
//
//   g = Σ over batches ∂CE/∂θ′ + λ·γ_c·θ′,
//
// with batch norms by the running statistics of the network, and AdamW moves the metanetwork's
// weights φ along gᵀ·∂θ′/∂φ. The cross-entropy is summed over batches, so that its weight against
// the group norm's grows with their number, as published.

import { type ImageBatch, type ImageDataset, imageBatches } from '../../data/index.js';
import {
  AdamW,
  type CheckpointStore,
  cloneWeights,
  crossEntropy,
  disposeWeights,
  type FitResult,
  fit,
  gradientsOf,
  inference,
  type Layer,
  milestones,
  parameters,
  type TrainingHooks,
  type Weights,
} from '../../nn/index.js';
import {
  add,
  keep,
  multiply,
  type Random,
  scope,
  stopGradient,
  subtract,
  sum,
  type Tensor,
  tensor,
  zeros,
} from '../../tensor/index.js';
import { exampleOf } from '../footprint.js';
import { type GroupShrinkage, type PrunableNetwork, prunableNetwork, shrinkageGradients } from '../group-norms.js';
import type { NetworkGraph } from './graph.js';
import type { Metanetwork } from './metanetwork.js';
import { networkGraph } from './read-graph.js';

/** A trained network that a metanetwork learns from, with its graph and its dependency groups. */
export interface DataModel {
  /** The network; it stays as it is. */
  readonly model: Layer;
  /** Its graph. */
  readonly graph: NetworkGraph;
  /** Its groups. */
  readonly network: PrunableNetwork;
}

/** Reads the graph and the groups of a network. @param example only its shape matters */
export function dataModel(model: Layer, example: Tensor): DataModel {
  return { model, graph: networkGraph(model, example), network: prunableNetwork(model, example) };
}

/** λ and α of the paper. */
export const publishedShrinkage: GroupShrinkage = { strength: 10, alpha: 16 };

/** Gradients with respect to changed weights θ′. */
export interface InjectedGradients {
  /** Σ over batches of the mean cross-entropy of a batch. */
  readonly crossEntropy: number;
  /** g by name of each weight. */
  readonly gradients: Weights;
}

/**
 * g at changed weights of a network.
 *
 * @param changed θ′: every trained weight by name
 * @throws Error when the cross-entropy is not finite
 */
export function injectedGradients(
  { model, network }: Pick<DataModel, 'model' | 'network'>,
  changed: Weights,
  batches: Iterable<ImageBatch>,
  shrinkage: GroupShrinkage = publishedShrinkage,
): InjectedGradients {
  const sums = Object.fromEntries(Object.entries(changed).map(([name, { shape }]) => [name, keep(zeros(shape))]));
  const accumulate = (target: Tensor, source: Tensor) =>
    target.device.run('accumulate', { target, source, scale: 1, n: target.size });
  let total = 0;
  for (const { images, labels } of batches)
    scope(() => {
      const found = gradientsOf(model, (live) => crossEntropy(live.forward(images, inference), labels), changed);
      total += found.loss.item();
      for (const [name, gradient] of Object.entries(found.gradients)) accumulate(sums[name] as Tensor, gradient);
    });
  if (!Number.isFinite(total)) throw new Error(`metapruning: the cross-entropy of the changed network is ${total}`);
  scope(() => {
    for (const [name, values] of Object.entries(shrinkageGradients(network, changed, shrinkage)))
      accumulate(sums[name] as Tensor, tensor(values, (sums[name] as Tensor).shape));
  });
  return { crossEntropy: total, gradients: sums };
}

/** A scalar of a given value whose gradient with respect to the weights is g. */
function carrying(weights: Weights, { crossEntropy: value, gradients }: InjectedGradients): Tensor {
  const product = Object.entries(gradients)
    .map(([name, gradient]) => sum(multiply(weights[name] as Tensor, gradient)))
    .reduce(add);
  return add(subtract(product, stopGradient(product)), value);
}

/** ∂/∂φ of a step on one network, by name of the metanetwork's weights. */
export function metaGradients(
  metanetwork: Metanetwork,
  own: DataModel,
  batches: Iterable<ImageBatch>,
  shrinkage: GroupShrinkage = publishedShrinkage,
): InjectedGradients {
  const injected = injectedAt(metanetwork, own, batches, shrinkage);
  try {
    const { gradients } = gradientsOf(metanetwork, (live) => carrying(live.weights(own.graph, own.model), injected));
    return { ...injected, gradients };
  } finally {
    disposeWeights(injected.gradients);
  }
}

function injectedAt(
  metanetwork: Metanetwork,
  own: DataModel,
  batches: Iterable<ImageBatch>,
  shrinkage: GroupShrinkage,
): InjectedGradients {
  return scope(() => injectedGradients(own, metanetwork.weights(own.graph, own.model), batches, shrinkage));
}

/** Options of `metaTrain`. */
export interface MetaTrainingOptions extends TrainingHooks {
  /** Passes over the networks. Default: 20. */
  readonly epochs?: number;
  /** Images of a batch. Default: 500. */
  readonly batchSize?: number;
  /** Batches of a step: all of the training images, or one. Default: `all`. */
  readonly batches?: 'all' | 'one';
  /** Learning rate of AdamW. Default: 1e-3. */
  readonly learningRate?: number;
  /** Epoch after which the learning rate falls to a tenth. Default: 3. */
  readonly dropAfter?: number;
  /** Weight decay. Default: 5e-4. */
  readonly weightDecay?: number;
  /** λ and α of the group norm. Default: 10 and 16. */
  readonly shrinkage?: GroupShrinkage;
}

/** The metanetwork of one epoch. */
export interface MetaEpoch {
  /** Number of the epoch, from 1. */
  readonly epoch: number;
  /** Its weights by name. */
  readonly weights: Weights;
}

/** What `metaTrain` gives. */
export interface MetaTraining extends Pick<FitResult, 'history' | 'stopped'> {
  /** The metanetwork after each epoch. */
  readonly epochs: readonly MetaEpoch[];
}

/**
 * Trains a metanetwork in place. The networks stay as they are, running statistics among them.
 * Later epochs make weak channels weaker and cost accuracy, so that the epoch is to be chosen on a
 * network that is none of these: `chooseEpoch`.
 *
 * @param data its training images alone are read
 * @throws Error without a network, for one of another architecture, or when the loss is not finite
 */
export async function metaTrain(
  metanetwork: Metanetwork,
  models: readonly Layer[],
  data: ImageDataset,
  random: Random,
  options: MetaTrainingOptions = {},
): Promise<MetaTraining> {
  const { epochs = 20, batchSize = 500, learningRate = 1e-3, dropAfter = 3, weightDecay = 5e-4, shrinkage } = options;
  if (models.length === 0) throw new Error('metaTrain: expected at least one trained network to learn from');
  const dataModels = models.map((model) => dataModel(model, exampleOf(data)));
  const kept: MetaEpoch[] = [];
  let steps = 0;
  const { history, stopped } = await fit<Metanetwork, readonly [DataModel, InjectedGradients]>({
    model: metanetwork,
    epochs,
    random,
    optimizer: new AdamW({ learningRate, weightDecay }),
    schedule: milestones([dropAfter * models.length]),
    *batches(order) {
      for (const [at, own] of dataModels.entries()) {
        const batches = imageBatches(data.train, data, batchSize, order.split(`images.${at}`));
        const injected = injectedAt(
          metanetwork,
          own,
          options.batches === 'one' ? first(batches) : batches,
          shrinkage ?? publishedShrinkage,
        );
        try {
          yield [own, injected] as const;
        } finally {
          disposeWeights(injected.gradients);
        }
      }
    },
    loss(live, [{ graph, model }, injected]) {
      steps += 1;
      return carrying(live.weights(graph, model), injected);
    },
    signal: options.signal,
    checkpoint: options.checkpoint && withEpochs(options.checkpoint, kept),
    onEpoch(report) {
      // Resuming tells of old epochs before its first step.
      if (steps > 0) kept.push({ epoch: report.epoch, weights: cloneWeights(parameters(metanetwork)) });
      options.onEpoch?.(report);
    },
  });
  return { history, stopped, epochs: kept };
}

/** In a checkpoint, the weights of an epoch go by names such as `epoch 3/nodeIn.weight`. */
const EPOCH = /^epoch (\d+)\/(.*)$/;

/** Keeps the metanetworks of all epochs in the checkpoint too, and takes them up from there. */
function withEpochs(checkpoint: CheckpointStore, kept: MetaEpoch[]): CheckpointStore {
  return {
    save(state) {
      const earlier = kept.flatMap(({ epoch, weights }) =>
        Object.entries(weights).map(([name, own]) => [`epoch ${epoch}/${name}`, own] as const),
      );
      checkpoint.save({ ...state, weights: { ...state.weights, ...Object.fromEntries(earlier) } });
    },
    load() {
      const state = checkpoint.load();
      if (!state) return undefined;
      const weights: Record<string, Tensor> = {};
      const epochs = new Map<number, Record<string, Tensor>>();
      for (const [name, own] of Object.entries(state.weights)) {
        const [, epoch, inner] = EPOCH.exec(name) ?? [];
        if (epoch === undefined || inner === undefined) weights[name] = own;
        else epochs.set(Number(epoch), { ...epochs.get(Number(epoch)), [inner]: own });
      }
      for (const [epoch, own] of epochs) kept.push({ epoch, weights: cloneWeights(own) });
      return { ...state, weights };
    },
  };
}

function* first<Item>(items: Generator<Item>): Generator<Item> {
  for (const item of items) {
    yield item;
    return;
  }
}
