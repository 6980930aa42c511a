// The three phases in which DASS makes a network sparse, whatever the network: training of the
// dense weights, then of scores that choose which weights stay, then of the weights that stayed.

import type { ImageDataset } from '../../data/index.js';
import { type ImageTrainingOptions, trainOnImages } from '../../models/index.js';
import {
  type EpochReport,
  type FitResult,
  followsSteps,
  type Layer,
  phaseCheckpoints,
  type TrainingHooks,
  type Weights,
} from '../../nn/index.js';
import type { Random } from '../../tensor/index.js';
import { learningNames, requireKeep, Selected, toSparse } from './sparse-layers.js';

/** The phases in order. */
export const sparsePhases = ['pretrain', 'prune', 'finetune'] as const;

/** Name of a phase. */
export type SparsePhase = (typeof sparsePhases)[number];

/** A number for each phase. */
export type ByPhase = Readonly<Record<SparsePhase, number>>;

/**
 * Runs phases one after the other, as one training to its hooks: epochs are counted on, and a
 * resumed run begins in the phase of its checkpoint.
 *
 * @param epochs of each phase
 * @param prepare is called before each phase, those that a resumed run leaves out among them
 * @returns the reports of all phases, and whether the last one that ran finished
 */
export async function runPhases<Phase extends string>(
  epochs: Readonly<Record<Phase, number>>,
  { signal, checkpoint, onEpoch }: TrainingHooks,
  phase: {
    readonly prepare: (phase: Phase) => void;
    readonly train: (phase: Phase, hooks: TrainingHooks) => Promise<Pick<FitResult, 'history' | 'stopped'>>;
  },
): Promise<Pick<FitResult, 'history' | 'stopped'>> {
  const phases = Object.keys(epochs) as Phase[];
  const stores = checkpoint && phaseCheckpoints(checkpoint, phases);
  const resumed = Math.max(
    0,
    phases.findIndex((own) => stores?.[own].load() !== undefined),
  );
  const total = phases.reduce((sum, own) => sum + epochs[own], 0);
  const history: EpochReport[] = [];
  let before = 0;
  for (const [at, own] of phases.entries()) {
    const first = before;
    before += epochs[own];
    phase.prepare(own);
    if (at < resumed || epochs[own] === 0) continue;
    const { stopped } = await phase.train(own, {
      ...(signal && { signal }),
      ...(stores && { checkpoint: stores[own] }),
      onEpoch: (report) => {
        const counted = { ...report, epoch: first + report.epoch, epochs: total };
        history.push(counted);
        onEpoch?.(counted);
      },
    });
    if (stopped === 'aborted') return { history, stopped };
  }
  return { history, stopped: 'completed' };
}

/** Options of `trainSparsely`: those of the training, by phase where they differ. */
export interface SparseTrainingOptions
  extends Omit<ImageTrainingOptions, 'epochs' | 'learningRate' | 'wrapOptimizer' | 'chooseBy'> {
  /** k: share of the weights of each layer that is kept, in (0, 1]. */
  readonly keep: number;
  /** Epochs by phase. Default: 12, 6, 12; without `pretrain` the network is trained already. */
  readonly epochs?: Partial<ByPhase>;
  /** Peak learning rates by phase. Default: 3e-3, 1e-2, 3e-3. */
  readonly learningRates?: Partial<ByPhase>;
}

/** What `trainSparsely` did. */
export interface SparseTraining extends Pick<FitResult, 'history' | 'stopped'> {
  /** Masks by weight name, 1 where a weight is kept. */
  readonly masks: Weights;
}

/** Epochs and learning rates where none are given. */
export const sparseDefaults = {
  epochs: { pretrain: 12, prune: 6, finetune: 12 },
  learningRates: { pretrain: 3e-3, prune: 1e-2, finetune: 3e-3 },
} as const satisfies Record<string, ByPhase>;

/**
 * Trains a classifier and prunes every convolution and linear layer to a share k of its weights, in
 * place:
 *
 * 1. the weights, dense, as `trainOnImages` does;
 * 2. scores that choose the weights to keep, first those of the largest magnitude, while weights
 *    and biases keep their bits (norms learn on);
 * 3. the kept weights.
 *
 * Pruned weights are zeros in the end, for sparse kernels, ONNX and files. An aborted training
 * leaves a dense network.
 *
 * @throws RangeError unless k is in (0, 1]
 * @example await trainSparsely(model, data, random, { keep: 0.05 });
 */
export async function trainSparsely(
  model: Layer,
  data: ImageDataset,
  random: Random,
  { keep, epochs: given, learningRates: rates, signal, checkpoint, onEpoch, ...training }: SparseTrainingOptions,
): Promise<SparseTraining> {
  requireKeep(keep);
  if (followsSteps(model))
    throw new Error(
      'trainSparsely: this network changes along its training; train it first, then prune it by a recipe',
    );
  if (training.average !== undefined)
    throw new Error('trainSparsely: weights are not averaged over phases; leave the average out');
  const epochs = { ...sparseDefaults.epochs, ...given };
  const learningRates = { ...sparseDefaults.learningRates, ...rates };
  const sparse = toSparse(model, random.split('scores'));
  let done: Pick<FitResult, 'history' | 'stopped'> | undefined;
  try {
    done = await runPhases<SparsePhase>(
      { pretrain: epochs.pretrain, prune: epochs.prune, finetune: epochs.finetune },
      { signal, checkpoint, onEpoch },
      {
        prepare(phase) {
          if (phase === 'prune') sparse.scoreByMagnitude();
          sparse.set(phase === 'pretrain' ? 1 : keep, phase === 'prune' ? 'scores' : 'weights');
        },
        train(phase, hooks) {
          const names = learningNames(model, phase === 'prune' ? 'scores' : 'weights');
          return trainOnImages(model, data, random.split(phase), {
            ...training,
            ...hooks,
            ...{ epochs: epochs[phase], learningRate: learningRates[phase] },
            wrapOptimizer: (inner) => new Selected(inner, names),
          });
        },
      },
    );
  } finally {
    if (done?.stopped !== 'completed') sparse.restore();
  }
  return { ...done, masks: done.stopped === 'completed' ? sparse.bake() : {} };
}
