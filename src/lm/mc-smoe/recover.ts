// Recovery of a compressed mixture by distillation from the model that it came from.

import { randomWindows, type TokenBatch } from '../../data/index.js';
import type { Decoder } from '../../models/index.js';
import {
  AdamW,
  Clipped,
  crossEntropy,
  type FitResult,
  fit,
  klDivergence,
  type Optimizer,
  stateOf,
  type TrainingHooks,
  warmUpLinear,
} from '../../nn/index.js';
import { add, multiply, type Random, reshape, scope, stopGradient, type Tensor } from '../../tensor/index.js';
import { RowPruned, type RowSchedule } from './low-rank.js';

/** Hyperparameters of the recovery. */
export interface RecoveryOptions extends TrainingHooks {
  /** Optimiser steps. Default: 400. */
  readonly steps?: number;
  /** Peak learning rate. Default: 1e-3. */
  readonly learningRate?: number;
  /** λ_task, the weight of the task's own loss. Default: 1. */
  readonly taskWeight?: number;
  /** λ_kd, the weight of KL(teacher ‖ student). Default: 0.2. */
  readonly distillWeight?: number;
  /** Temperature τ of both softmaxes. Default: 2. */
  readonly temperature?: number;
  /** Prunes rows of the sparse parts of low-rank experts meanwhile. Default: no pruning. */
  readonly prune?: Pick<RowSchedule, 'rows' | 'warm'>;
  /** Names of the weights that are trained. Default: all but the router's. */
  readonly trains?: (name: string) => boolean;
  /** Steps of an epoch, after which `onEpoch` is called. Default: 50. */
  readonly reportEvery?: number;
}

/** A task on which a model is recovered: model and batch → logits [n, classes], labels i32 [n]. */
export interface RecoveryTask<Model extends object, Batch> {
  /** Batch of a step. */
  readonly batch: (random: Random) => Batch;
  /** Logits of a batch [n, classes]. */
  readonly logits: (model: Model, batch: Batch) => Tensor;
  /** Labels of a batch: i32 [n]. */
  readonly labels: (batch: Batch) => Tensor;
}

/**
 * Trains `student` in place: λ_task·CE + λ_kd·KL(softmax(teacher/τ) ‖ softmax(student/τ)), the mean
 * over tokens, without a factor τ². AdamW (β 0.9, 0.98; ε 1e-6; decay 0.01 of matrices), 16 steps
 * of warm-up, then linear decay. The best weights are the last: earlier ones would undo pruning.
 */
export async function recover<Model extends object, Batch>(
  student: Model,
  teacher: Model,
  task: RecoveryTask<Model, Batch>,
  random: Random,
  options: RecoveryOptions = {},
): Promise<FitResult> {
  const { steps = 400, learningRate = 1e-3, taskWeight = 1, distillWeight = 0.2, temperature = 2 } = options;
  const { prune, trains } = options;
  const every = Math.min(steps, options.reportEvery ?? 50);
  const all = stateOf(student);
  const weightDecay = (name: string) => ((all[name]?.rank ?? 0) > 1 ? 0.01 : 0);
  const roles = Object.entries(all).map(([name, weight]) => ({ name, weight, role: weight.role }));
  const plain = new Clipped(new AdamW({ learningRate, beta2: 0.98, epsilon: 1e-6, weightDecay }), 1);
  const optimizer: Optimizer = prune ? new RowPruned(plain, { ...prune, steps }) : plain;
  if (trains) for (const { name, weight } of roles) weight.role = trains(name) ? 'parameter' : 'buffer';
  try {
    return await fit<Model, Batch>({
      model: student,
      epochs: Math.ceil(steps / every),
      random,
      optimizer,
      schedule: warmUpLinear(steps, Math.min(16, Math.ceil(steps / 4))),
      *batches(order) {
        for (let i = 0; i < every; i++) yield scope(() => task.batch(order.split(i)));
      },
      loss: (live, batch) => {
        const logits = task.logits(live, batch);
        const taught = stopGradient(task.logits(teacher, batch));
        const own = multiply(crossEntropy(logits, task.labels(batch)), taskWeight);
        return add(own, multiply(klDivergence(logits, taught, temperature), distillWeight));
      },
      signal: options.signal,
      checkpoint: options.checkpoint,
      onEpoch: options.onEpoch,
    });
  } finally {
    for (const { weight, role } of roles) weight.role = role;
  }
}

/** Next-token prediction on random windows of a text. */
export function windowTask(
  tokens: Int32Array,
  { batch = 16, length = 64 }: { readonly batch?: number; readonly length?: number } = {},
): RecoveryTask<Decoder, TokenBatch> {
  return {
    batch: (random) => randomWindows(tokens, batch, length, random),
    logits: (model, { inputs, targets }) => reshape(model.forward(inputs), [targets.size, -1]),
    labels: ({ targets }) => targets,
  };
}
