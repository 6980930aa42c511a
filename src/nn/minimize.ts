// Training by a number of steps, where batches are drawn rather than walked through: functions,
// tasks, conditions.

import type { Random, Tensor } from '../tensor/index.js';
import { type FitOptions, fit, type TrainingHooks } from './fit.js';
import type { Mode } from './module.js';

/** What the loss of one step is given. */
export interface Step {
  /** From 0. */
  readonly step: number;
  /** The step's own stream, for its batch. */
  readonly random: Random;
  /** A training mode, with masks from a stream of their own. */
  readonly mode: Mode;
}

/** Options of `minimize`. */
export interface MinimizeOptions<Model extends object>
  extends TrainingHooks,
    Pick<FitOptions<Model, undefined>, 'optimizer' | 'schedule' | 'nonFinite' | 'validate' | 'better'> {
  /** Optimiser steps in all. */
  readonly steps: number;
  /** The stream that batches and masks are drawn from. */
  readonly random: Random;
  /** Steps of an epoch, as reports and checkpoints count them. Default: a fiftieth of all steps. */
  readonly stepsPerEpoch?: number;
}

/**
 * Takes steps down the gradient of a loss: θ ← optimizer(θ, ∂loss/∂θ), in place. A run that was cut
 * off continues from its checkpoint as an unbroken one, since a step draws from a stream of its
 * own. With `validate` the parameters of the best epoch are taken at the end.
 *
 * @returns the loss of each step made; after resuming, of those made since
 * @throws Error when the loss is not finite, unless such steps are skipped; the signal's reason
 * when it aborts
 */
export async function minimize<Model extends object>(
  model: Model,
  loss: (live: Model, step: Step) => Tensor,
  { steps, random, stepsPerEpoch = Math.max(1, Math.floor(steps / 50)), onEpoch, ...options }: MinimizeOptions<Model>,
): Promise<readonly number[]> {
  if (!(Number.isInteger(steps) && steps >= 0))
    throw new RangeError(`minimize: steps must be a non-negative integer, got ${steps}`);
  const draws = random.split('draws');
  const losses: number[] = [];
  let [step, epoch] = [0, 0];
  await fit<Model, undefined>({
    ...options,
    model,
    random,
    epochs: Math.ceil(steps / stepsPerEpoch),
    // The last epoch takes what is left.
    batches: () => Array.from({ length: Math.min(stepsPerEpoch, steps - epoch * stepsPerEpoch) }, () => undefined),
    onStep: (at) => {
      step = at;
    },
    loss: (live, _batch, mode) => loss(live, { step, random: draws.split(step), mode }),
    onLoss: (_step, value) => losses.push(value),
    onEpoch: (report) => {
      epoch = report.epoch;
      onEpoch?.(report);
    },
  });
  options.signal?.throwIfAborted();
  return losses;
}
