// NAT as a scorer of streams, and its training.

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

export function natScorer(model: NAT): TemporalScorer {
  return {
    score: (left, right) => scope(() => Float32Array.from(model.score(left, right, inference).view())),
    observe: (events) => model.observe(events),
  };
}

export interface TemporalTrainingOptions extends Pick<TrainingHooks, 'signal' | 'onEpoch'> {
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  readonly patience?: number;
}

/**
 * Trains on the first events, chooses the epoch by average precision on the next ones, and leaves the model with that epoch's weights and with the caches as they stood after validation.
 *
 * Batches are part of the model: all events of a batch see the caches of before it.
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
