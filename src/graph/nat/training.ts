// NAT as a scorer of event streams, and its training.

import {
  Adam,
  binaryCrossEntropy,
  type FitResult,
  fit,
  inference,
  type Mode,
  type TrainingHooks,
} from '../../nn/index.js';
import type { TemporalGraph } from '../../structure/index.js';
import { type Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import {
  evaluateStream,
  SeenTargets,
  type StreamBatch,
  streamBatches,
  type TemporalScorer,
  type TemporalSplit,
} from '../temporal/evaluation.js';
import type { NAT } from './network.js';

/** A trained NAT as a scorer for `evaluateStream`, without dropout or gradients. */
export function natScorer(model: NAT): TemporalScorer {
  return {
    score: (left, right) => scope(() => Float32Array.from(model.score(left, right, inference).view())),
    observe: (events) => model.observe(events),
  };
}

/** Hyperparameters of `trainTemporal`. */
export interface TemporalTrainingOptions extends Pick<TrainingHooks, 'signal' | 'onEpoch'> {
  /** Maximal number of epochs. Default: 50. */
  readonly epochs?: number;
  /** Events in a batch. Default: 100. */
  readonly batchSize?: number;
  /** Learning rate of Adam. Default: 1e-4. */
  readonly learningRate?: number;
  /** Epochs without a better validation score after which training stops. Default: 3. */
  readonly patience?: number;
}

/**
 * Trains on the training events, selects the epoch by average precision on the validation events,
 * and leaves the model with the weights of that epoch and the caches after validation.
 *
 * The batch size is part of the model: all events of a batch see the caches from before the batch.
 *
 * @returns the history of the training, and the destinations seen by the end of validation, to
 * continue with on the test events
 */
export async function trainTemporal(
  model: NAT,
  graph: TemporalGraph,
  split: TemporalSplit,
  random: Random,
  { epochs = 50, batchSize = 100, learningRate = 1e-4, patience = 3, onEpoch, signal }: TemporalTrainingOptions = {},
): Promise<{ training: FitResult; seen: SeenTargets }> {
  let best = { metric: Number.NEGATIVE_INFINITY, state: model.snapshot() };
  const lossOf = (live: NAT, { events, left, right }: StreamBatch, mode: Mode): Tensor => {
    const labels = Float32Array.from({ length: left.length }, (_, i) => Number(i < events.length));
    return binaryCrossEntropy(live.score(left, right, mode), tensor(labels)).multiply(2);
  };
  let seen = new SeenTargets(graph.nodeCount);
  function* batches(order: Random) {
    model.reset();
    seen = new SeenTargets(graph.nodeCount);
    let previous: Int32Array | undefined;
    for (const batch of streamBatches(graph, split.train, batchSize, seen, order)) {
      if (previous) model.observe(previous);
      previous = batch.events;
      yield batch;
    }
    if (previous) model.observe(previous);
  }
  const training = await fit<NAT, StreamBatch>({
    model,
    loss: lossOf,
    batches,
    optimizer: new Adam({ learningRate }),
    epochs,
    random,
    validate: (live) => {
      const { averagePrecision: metric } = evaluateStream(
        natScorer(live),
        graph,
        split.validation,
        seen,
        random.split('validation'),
        batchSize,
      );
      if (metric > best.metric) best = { metric, state: live.snapshot() };
      return metric;
    },
    patience,
    onEpoch,
    signal,
  });
  model.restore(best.state);
  return { training, seen };
}
