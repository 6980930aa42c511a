// Training on random problems, none of which is seen twice.

import {
  Accumulated,
  AdamW,
  Clipped,
  type MinimizeOptions,
  minimize,
  parameterCount,
  warmUpCosine,
} from '../../nn/index.js';
import { type Random, scope } from '../../tensor/index.js';
import { type BatchSizes, drawBatch, type Supervision } from './batch.js';
import { type FamilyName, families } from './family.js';
import { type LossWeights, lossWeights, weightedLoss } from './loss.js';
import type { HyPINO, TrainingSummary } from './model.js';

/** Options of `trainHyPINO`. */
export interface HyPINOTraining extends Omit<MinimizeOptions<HyPINO>, 'steps' | 'random' | 'optimizer'> {
  /** Optimiser steps. */
  readonly steps: number;
  /** Family of the problems. Default: `gentle`. */
  readonly family?: FamilyName;
  /** Which problems have known solutions. Default: `mixed`. */
  readonly supervision?: Supervision;
  /**
   * Problems and points of a step. Default: 16 problems, 96 points of the square, 64 of boundaries.
   */
  readonly batch?: Partial<Omit<BatchSizes, 'grid'>>;
  /**
   * Parts that the problems of a step are divided into, a divisor of their number: gradients are
   * averaged over parts, and memory is that of one. Default: 1.
   */
  readonly parts?: number;
  /** Default: 1e-3. */
  readonly learningRate?: number;
  /** Weights of the terms of the loss. Default: the paper's. */
  readonly weights?: LossWeights;
}

/** Problems and points of a step. */
export const batchDefaults = { problems: 16, interior: 96, boundary: 64 } as const;

/** Norm that gradients are clipped to. */
const CLIP = 1;

/**
 * Trains a HyPINO in place by AdamW with a warm-up and a cosine, and notes on it what it was
 * trained on.
 *
 * @returns the loss of each step
 * @throws RangeError unless the parts divide the problems of a step
 */
export async function trainHyPINO(
  model: HyPINO,
  random: Random,
  {
    steps,
    family = 'gentle',
    supervision = 'mixed',
    batch = {},
    parts = 1,
    learningRate = 1e-3,
    weights = lossWeights,
    ...hooks
  }: HyPINOTraining,
): Promise<readonly number[]> {
  const { problems, ...points } = { ...batchDefaults, ...batch };
  if (!(Number.isInteger(parts) && parts >= 1 && problems % parts === 0))
    throw new RangeError(`trainHyPINO: ${parts} parts do not divide ${problems} problems`);
  const sizes = { ...points, problems: problems / parts, grid: model.grid };
  const optimizer = new Clipped(new AdamW({ learningRate, weightDecay: 1e-4 }), CLIP);
  const losses = await minimize(
    model,
    (live, { step, random: draws }) => {
      const first = (step % parts) * sizes.problems;
      return weightedLoss(live.losses(drawBatch(families[family], supervision, sizes, draws, first)), weights);
    },
    {
      steps: steps * parts,
      random,
      schedule: warmUpCosine(steps * parts),
      ...hooks,
      // Checkpoints lie between steps, not within one.
      stepsPerEpoch: parts * (hooks.stepsPerEpoch ?? Math.max(1, Math.floor(steps / 50))),
      optimizer: parts === 1 ? optimizer : new Accumulated(optimizer, parts),
    },
  );
  model.trained = summaryOf(model, family, steps, random.split('summary'));
  return losses.flatMap((_, at) =>
    (at + 1) % parts === 0 ? [losses.slice(at + 1 - parts, at + 1).reduce((a, b) => a + b) / parts] : [],
  );
}

/** Fresh problems of the summary, one at a time: several with grids of 224 exceed the memory. */
const SUMMARY = 32;

/** Residual and boundary error on fresh problems. */
function summaryOf(model: HyPINO, family: FamilyName, steps: number, random: Random): TrainingSummary {
  const sizes = { problems: 1, interior: 64, boundary: 64, grid: model.grid };
  const errors = Array.from({ length: SUMMARY }, (_, i) =>
    scope(() => {
      const kind = i % 2 === 0 ? 'supervised' : 'physics';
      const { residual, dirichlet } = model.losses(drawBatch(families[family], kind, sizes, random.split(i)));
      return [residual, dirichlet].map((huber) => huber.view()[0] as number) as [number, number];
    }),
  );
  const rms = (term: 0 | 1) => Math.sqrt((2 * errors.reduce((sum, own) => sum + own[term], 0)) / SUMMARY);
  return { family, steps, residual: rms(0), boundary: rms(1) };
}

/** Number of trained numbers. */
export function sizeOfModel(model: HyPINO): number {
  return parameterCount({ encoder: model.encoder, decoder: model.decoder });
}
