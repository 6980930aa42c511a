// Training on labelled programs, in batches of whole programs.

import {
  Adam,
  accuracy,
  cosine,
  crossEntropy,
  type FitResult,
  fit,
  inference,
  type LabelledRows,
  minibatches,
  ReduceOnPlateau,
  type TrainingHooks,
} from '../../nn/index.js';
import { type Random, scope, softmax, type Tensor, tensor } from '../../tensor/index.js';
import { batchOf, type EncodedProgram, type ProgramBatch } from './batch.js';
import type { ProgramNetwork } from './classifier.js';

/** Programs with labels; `train` and `validation` are indices of programs. */
export interface LabelledPrograms extends LabelledRows {
  /** All programs, also those for validation and testing. */
  readonly programs: readonly EncodedProgram[];
}

/** How the learning rate of `trainPrograms` falls. */
export type ProgramSchedule = 'constant' | 'cosine' | 'plateau';

/** Hyperparameters of `trainPrograms`. */
export interface ProgramTrainingOptions extends TrainingHooks {
  /** Number of epochs, each followed by a validation. Default: 20. */
  readonly epochs?: number | undefined;
  /** Programs in a batch. Default: 16. */
  readonly batch?: number | undefined;
  /** Learning rate of Adam. Default: 2e-3. */
  readonly learningRate?: number | undefined;
  /**
   * The learning rate falls to 0 along a cosine, or to a tenth after two epochs without a better
   * validation (`plateau`). Default: `constant`, as in the paper.
   */
  readonly schedule?: ProgramSchedule | undefined;
  /** Epochs without a better validation after which the best weights are reloaded. Default: 5. */
  readonly reloadAfter?: number | undefined;
}

/** Programs in a batch of inference. */
const AT_ONCE = 32;

/**
 * Trains with Adam on cross-entropy and keeps the weights of the best accuracy on the validation
 * programs; after `reloadAfter` epochs without a better one training goes on from these.
 */
export function trainPrograms<Network extends ProgramNetwork & object>(
  network: Network,
  data: LabelledPrograms,
  random: Random,
  options: ProgramTrainingOptions = {},
): Promise<FitResult> {
  const { epochs = 20, batch = 16, learningRate = 2e-3, reloadAfter = 5, schedule = 'constant' } = options;
  const { signal, checkpoint, onEpoch } = options;
  const { programs, labels, train, validation } = data;
  const held = batchesOf(Array.from(validation, (at) => programs[at] as EncodedProgram));
  const plateau = new ReduceOnPlateau({ patience: 1, by: 0.1, better: 'larger' });
  const truth = Array.from(validation, (at) => labels[at] as number);
  return fit({
    model: network,
    *batches(stream) {
      for (const rows of minibatches(train.length, batch, stream)) {
        const own = Array.from(rows, (row) => train[row] as number);
        const classes = tensor(Int32Array.from(own, (at) => labels[at] as number));
        yield { batch: batchOf(own.map((at) => programs[at] as EncodedProgram)), classes };
      }
    },
    loss: (live: Network, { batch: own, classes }: { batch: ProgramBatch; classes: Tensor }, mode) =>
      crossEntropy(live.forward(own, mode), classes),
    optimizer: new Adam({ learningRate }),
    epochs,
    random,
    reloadAfter,
    ...(schedule === 'cosine' && { schedule: cosine(epochs * Math.ceil(train.length / batch)) }),
    ...(schedule === 'plateau' && { schedule: () => plateau.factor }),
    validate: (live) => accuracy(classesOf(probabilitiesIn(live, held)), truth),
    ...{ signal, checkpoint },
    onEpoch(report) {
      plateau.see(report.metric as number);
      onEpoch?.(report);
    },
  });
}

/** Batches for inference. */
export function batchesOf(programs: readonly EncodedProgram[]): readonly ProgramBatch[] {
  const starts = Array.from({ length: Math.ceil(programs.length / AT_ONCE) }, (_, i) => i * AT_ONCE);
  return starts.map((start) => batchOf(programs.slice(start, start + AT_ONCE)));
}

/** Probability of each class of each program. */
export function programProbabilities(
  network: ProgramNetwork,
  programs: readonly EncodedProgram[],
): readonly Float32Array[] {
  // A batch at a time, so that memory holds one.
  return Array.from({ length: Math.ceil(programs.length / AT_ONCE) }, (_, i) =>
    probabilitiesIn(network, [batchOf(programs.slice(i * AT_ONCE, (i + 1) * AT_ONCE))]),
  ).flat();
}

function probabilitiesIn(network: ProgramNetwork, batches: readonly ProgramBatch[]): readonly Float32Array[] {
  return batches.flatMap((batch) =>
    scope(() => {
      const probabilities = softmax(network.forward(batch, inference));
      const [rows, classes] = probabilities.shape as [number, number];
      const values = probabilities.dataSync<Float32Array>();
      return Array.from({ length: rows }, (_, row) => values.slice(row * classes, (row + 1) * classes));
    }),
  );
}

/** The most probable class of each program. */
export function classesOf(probabilities: readonly Float32Array[]): number[] {
  return probabilities.map((row) => row.indexOf(Math.max(...row)));
}
