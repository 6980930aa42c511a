// Labelled examples in memory, of any kind, and the training that all sparse networks of a
// comparison share.

import {
  type ImageDataset,
  imageTensor,
  type LabelledImages,
  type Rows,
  takeRows,
  tensorOf,
  trainingBatches,
} from '../../data/index.js';
import {
  Adam,
  crossEntropy,
  type FitResult,
  fit,
  inference,
  type Layer,
  meanSquaredError,
  predictedClasses,
  type Schedule,
  type TrainingHooks,
} from '../../nn/index.js';
import { type Random, reshape, scope, type Tensor, tensor } from '../../tensor/index.js';

/** Examples with targets, of which a network computes outputs [n, …]. */
export interface Examples {
  /** Number of examples. */
  readonly count: number;
  /** Inputs of some of them, [indices, …]. */
  inputs(indices: Int32Array): Tensor;
  /** Mean loss of outputs for some of them. */
  loss(outputs: Tensor, indices: Int32Array): Tensor;
  /** A score of each, the larger the better: 1 where the class is right, or −(y − ŷ)². */
  scores(outputs: Tensor, indices: Int32Array): Float64Array;
}

/** Cross-entropy and right classes. */
function classTargets(labels: Int32Array): Pick<Examples, 'loss' | 'scores'> {
  const of = (indices: Int32Array) => indices.map((index) => labels[index] as number);
  return {
    loss: (outputs, indices) => crossEntropy(outputs, tensor(of(indices), [indices.length], 'i32')),
    scores(outputs, indices) {
      const predicted = predictedClasses(outputs);
      return Float64Array.from(of(indices), (label, at) => Number(predicted[at] === label));
    },
  };
}

/** Squared error. */
function valueTargets(values: Float64Array): Pick<Examples, 'loss' | 'scores'> {
  const of = (indices: Int32Array) => Float32Array.from(indices, (index) => values[index] as number);
  return {
    loss: (outputs, indices) => meanSquaredError(reshape(outputs, [indices.length]), tensor(of(indices))),
    scores(outputs, indices) {
      const predicted = outputs.view<Float32Array>();
      return Float64Array.from(of(indices), (value, at) => -((value - (predicted[at] as number)) ** 2));
    },
  };
}

/** Pictures with their classes, as [n, channels, height, width]. */
export function imageExamples(images: LabelledImages, statistics: Pick<ImageDataset, 'mean' | 'deviation'>): Examples {
  return {
    count: images.count,
    inputs: (indices) => imageTensor(images, indices, statistics),
    ...classTargets(images.labels),
  };
}

/** Rows of features, as [n, width], with a class each, or a standardised number. */
export function rowExamples(
  rows: Rows,
  targets: { readonly labels: Int32Array } | { readonly values: Float64Array },
): Examples {
  return {
    count: rows.count,
    inputs: (indices) => tensorOf(takeRows(rows, indices)),
    ...('labels' in targets ? classTargets(targets.labels) : valueTargets(targets.values)),
  };
}

/** Some of the examples, in this order. */
export function someExamples(all: Examples, chosen: Int32Array): Examples {
  const of = (indices: Int32Array) => indices.map((index) => chosen[index] as number);
  return {
    count: chosen.length,
    inputs: (indices) => all.inputs(of(indices)),
    loss: (outputs, indices) => all.loss(outputs, of(indices)),
    scores: (outputs, indices) => all.scores(outputs, of(indices)),
  };
}

/** Examples of a forward pass without gradients. */
const EVALUATED = 500;

/** Numbers of the examples in consecutive parts of at most `most`. */
export function* partsOf(count: number, most = EVALUATED): Generator<Int32Array> {
  for (let first = 0; first < count; first += most)
    yield Int32Array.from({ length: Math.min(most, count - first) }, (_, at) => first + at);
}

/** The score of each example by a network in inference mode, [count]. */
export function scoresOn(model: Layer, examples: Examples): Float64Array {
  const scores = new Float64Array(examples.count);
  for (const part of partsOf(examples.count))
    scope(() => {
      scores.set(examples.scores(model.forward(examples.inputs(part), inference), part), part[0]);
    });
  return scores;
}

/** Mean of the scores. */
export const meanOf = (scores: Float64Array): number => scores.reduce((sum, score) => sum + score, 0) / scores.length;

/** The training that all arms share. */
export interface ArmTraining extends TrainingHooks {
  /** Default: 5. */
  readonly epochs?: number;
  /** Examples per step. Default: 128. */
  readonly batchSize?: number;
  /** Learning rate of Adam. Default: 1e-3. */
  readonly learningRate?: number;
  /** Factor of the learning rate by step, from the number of steps. Default: 1. */
  readonly schedule?: (steps: number) => Schedule;
  /** Called before each step with its number, from 0. */
  readonly onStep?: (step: number) => void;
}

/**
 * Trains a network on examples by Adam, at a constant rate unless there is a schedule.
 *
 * @param random the order of the examples depends on it alone
 */
export function trainOnExamples(
  model: Layer,
  examples: Examples,
  random: Random,
  { epochs = 5, batchSize = 128, learningRate = 1e-3, schedule, onStep, ...hooks }: ArmTraining = {},
): Promise<FitResult> {
  return fit<Layer, Int32Array>({
    ...hooks,
    ...{ model, epochs, random },
    optimizer: new Adam({ learningRate }),
    batches: (order) => batchesOf(examples.count, batchSize, order),
    loss: (live, indices, mode) => examples.loss(live.forward(examples.inputs(indices), mode), indices),
    ...(schedule && { schedule: schedule(epochs * trainingBatches(examples.count, batchSize)) }),
    ...(onStep && { onStep }),
  });
}

/** Shuffled batches; a rest of one joins the batch before it (see `trainingBatches`). */
function* batchesOf(count: number, batchSize: number, random: Random): Generator<Int32Array> {
  const order = random.permutation(count);
  const batches = trainingBatches(count, batchSize);
  for (let at = 0; at < batches; at++)
    yield order.slice(at * batchSize, at === batches - 1 ? count : (at + 1) * batchSize);
}
