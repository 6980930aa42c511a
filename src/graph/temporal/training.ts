// Training of networks on event streams: batches in order of time, the state passing from batch to
// batch without gradients.

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
  EVALUATION_BATCH,
  evaluateStream,
  type Negatives,
  negativePool,
  type StreamBatch,
  streamBatches,
  type TemporalScorer,
  type TemporalSplit,
} from './evaluation.js';

/**
 * A network whose state follows an event stream. `observe` may use what the last `score` computed
 * for the nodes of its events.
 */
export interface TemporalNetwork<Snapshot = unknown> {
  /**
   * Logits [pairs] of the pairs (left[p], right[p]) at times[p]; all pairs of a call see the same
   * state.
   */
  score(left: Int32Array, right: Int32Array, mode: Mode, times: Float64Array): Tensor;
  /** Updates the state with events that the last call of `score` contained, without gradients. */
  observe(events: Int32Array): void;
  /** Forgets all events; weights stay. */
  reset(): void;
  /** A copy of the state, without weights. */
  snapshot(): Snapshot;
  /** Restores the state of a snapshot. */
  restore(snapshot: Snapshot): void;
}

/** A network as a scorer for `evaluateStream`, without dropout or gradients. */
export function temporalScorer(network: TemporalNetwork): TemporalScorer {
  return {
    score: (left, right, times) => scope(() => Float32Array.from(network.score(left, right, inference, times).view())),
    observe: (events) => network.observe(events),
  };
}

/** Lets a scorer take in events without negatives, in batches. */
export function replay(
  scorer: TemporalScorer,
  { sources, targets, times }: TemporalGraph,
  events: Int32Array,
  batchSize = EVALUATION_BATCH,
): void {
  for (let at = 0; at < events.length; at += batchSize) {
    const batch = events.subarray(at, at + batchSize);
    const ends = (nodes: Int32Array) => batch.map((event) => nodes[event] as number);
    scorer.score(
      ends(sources),
      ends(targets),
      Float64Array.from(batch, (event) => times[event] as number),
    );
    scorer.observe(batch);
  }
}

/** Hyperparameters of `trainTemporal`. */
export interface TemporalTrainingOptions extends TrainingHooks {
  /** Maximal number of epochs. Default: 50. */
  readonly epochs?: number;
  /** Events in a batch of training. Default: 100. */
  readonly batchSize?: number;
  /** Learning rate of Adam. Default: 1e-4. */
  readonly learningRate?: number;
  /** Epochs without a better validation score after which training stops. Default: 3. */
  readonly patience?: number;
  /** Relative gain that makes a validation score better. Default: 1e-3. */
  readonly tolerance?: number;
  /** Where negative destinations come from. Default: 'phase'. */
  readonly negatives?: Negatives;
}

/** Binary cross-entropy of a batch's events against 1 plus that of its negatives against 0. */
export function streamLoss(network: TemporalNetwork, batch: StreamBatch, mode: Mode): Tensor {
  const { events, left, right, times } = batch;
  const labels = Float32Array.from({ length: left.length }, (_, i) => Number(i < events.length));
  return binaryCrossEntropy(network.score(left, right, mode, times), tensor(labels)).multiply(2);
}

/**
 * Trains on the training events, the state empty at the start of each epoch, and selects the epoch
 * by average precision on the validation events. Leaves the network with the weights of that epoch
 * and the state after its validation; where the split has events to replay, they make the state
 * anew. With a checkpoint the events of training and validation always make the state anew, with
 * the weights of the best epoch, so that a run that was resumed ends as one that was not.
 *
 * The batch size is part of the model: all events of a batch see the state from before the batch.
 */
export async function trainTemporal<Snapshot>(
  network: TemporalNetwork<Snapshot>,
  graph: TemporalGraph,
  split: TemporalSplit,
  random: Random,
  options: TemporalTrainingOptions = {},
): Promise<FitResult> {
  const { epochs = 50, batchSize = 100, learningRate = 1e-4, patience = 3, tolerance = 1e-3 } = options;
  const { negatives = 'phase', onEpoch, signal, checkpoint } = options;
  let best: { readonly metric: number; readonly state: Snapshot } | undefined;
  function* batches(order: Random) {
    network.reset();
    let previous: Int32Array | undefined;
    const pool = negativePool(graph, split, 'train', negatives);
    for (const batch of streamBatches(graph, split.train, batchSize, [pool], order)) {
      if (previous) network.observe(previous);
      previous = batch.events;
      yield batch;
    }
    if (previous) network.observe(previous);
  }
  const validate = () => {
    const pools = [negativePool(graph, split, 'validation', negatives)];
    const [scores] = evaluateStream(
      temporalScorer(network),
      graph,
      split.validation,
      pools,
      random.split('validation'),
    );
    const metric = scores?.averagePrecision ?? Number.NaN;
    if (!best || metric > best.metric + tolerance * Math.abs(best.metric)) best = { metric, state: network.snapshot() };
    return metric;
  };
  const result = await fit<TemporalNetwork<Snapshot>, StreamBatch>({
    model: network,
    loss: streamLoss,
    batches,
    optimizer: new Adam({ learningRate }),
    epochs,
    random,
    validate,
    patience,
    tolerance,
    onEpoch,
    signal,
    checkpoint,
  });
  if (split.replay || checkpoint) {
    network.reset();
    for (const part of split.replay ? [split.replay] : [split.train, split.validation])
      replay(temporalScorer(network), graph, part);
  } else if (best) network.restore(best.state);
  return result;
}
