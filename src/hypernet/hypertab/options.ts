// Options of HyperTab, their defaults, and what they must satisfy.

import type { MaskInput } from './conditions.js';
import type { MaskDesign } from './masks.js';

/** Options of `HyperTab`. */
export interface HyperTabOptions {
  /** ρ: share of the columns in a view, in (0, 1]. Default: 0.5. */
  readonly subsample?: number;
  /** B: number of views (networks of the ensemble). Default: 100. */
  readonly views?: number;
  /** h: width of the hidden layers of each network. Default: 10. */
  readonly hidden?: number;
  /** Passes over the rows. Default: 50. */
  readonly epochs?: number;
  /** Learning rate of Adam. Default: 3e-4. */
  readonly learningRate?: number;
  /** Rows in a batch. Default: 128. */
  readonly batchSize?: number;
  /**
   * Views trained together in a step; 1 is the published loop, more give fewer, larger steps.
   * Default: 1.
   */
  readonly viewsPerStep?: number;
  /**
   * `cartesian`: every batch of rows trains all views, in a fresh order; `slow-step`: one step, on
   * the next of the views in turn. Default: `cartesian`.
   */
  readonly mode?: 'cartesian' | 'slow-step';
  /** Most optimiser steps; an epoch that would pass them is not begun. Default: no limit. */
  readonly maxSteps?: number;
  /** How the columns of a view are drawn. Default: `uniform`. */
  readonly masks?: MaskDesign;
  /**
   * What a view takes or leaves: single `feature`s, or whole `column`s of the table, of which those
   * of text are several features. Default: `feature`.
   */
  readonly unit?: 'feature' | 'column';
  /** Variance that a column must exceed under `variance-threshold`. Default: 0.2. */
  readonly threshold?: number;
  /** T of the first and last draw of a view under the softmax designs. Default: [1, 20]. */
  readonly temperatures?: readonly [number, number];
  /** What the hypernetwork is given of a mask. Default: `mask`. */
  readonly input?: MaskInput;
}

/** Default options of `HyperTab`. */
export const hyperTabDefaults = {
  subsample: 0.5,
  views: 100,
  hidden: 10,
  epochs: 50,
  learningRate: 3e-4,
  batchSize: 128,
  viewsPerStep: 1,
  mode: 'cartesian',
  maxSteps: Number.POSITIVE_INFINITY,
  masks: 'uniform',
  unit: 'feature',
  threshold: 0.2,
  temperatures: [1, 20],
  input: 'mask',
} as const satisfies HyperTabOptions;

/** The options with defaults filled in. @throws RangeError naming the one that is out of range */
export function hyperTabOptions(options: HyperTabOptions): Required<HyperTabOptions> {
  const all = { ...hyperTabDefaults, ...options };
  const { subsample, learningRate, maxSteps, temperatures } = all;
  if (!(subsample > 0 && subsample <= 1))
    throw new RangeError(`HyperTab: subsample must lie in (0, 1], got ${subsample}`);
  for (const name of ['views', 'hidden', 'epochs', 'batchSize', 'viewsPerStep'] as const)
    if (!(Number.isInteger(all[name]) && all[name] >= 1))
      throw new RangeError(`HyperTab: ${name} must be a positive integer, got ${all[name]}`);
  if (!(learningRate > 0)) throw new RangeError(`HyperTab: learningRate must be positive, got ${learningRate}`);
  if (!(maxSteps >= 1)) throw new RangeError(`HyperTab: maxSteps must be at least 1, got ${maxSteps}`);
  if (!temperatures.every((temperature) => temperature > 0))
    throw new RangeError(`HyperTab: temperatures must be positive, got ${temperatures.join(', ')}`);
  return all;
}
