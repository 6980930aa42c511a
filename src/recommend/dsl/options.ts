// Options of dynamic sparse learning, and the share of weights that an exploration exchanges.

import { requireChoice } from '../../tensor/index.js';
import type { SparseInit } from '../weights.js';

/**
 * Which stored weights an exploration removes: those of the smallest magnitude; `set`: half of them
 * the smallest that are not negative, half the negative ones closest to 0; `taylor`: the smallest
 * (w·g)²; `threshold`: all below one magnitude, however many.
 */
export type PruneRule = 'magnitude' | 'set' | 'taylor' | 'threshold';

/**
 * Which places get a weight: those of the largest gradient; `random`; `unfired`: at random among
 * those that never had one; `momentum`: the largest |m|/(√v + 1e-8) of Adam, for which moments of
 * all entries are kept, stored or not.
 */
export type GrowRule = 'gradient' | 'random' | 'unfired' | 'momentum';

/** Options of dynamic sparse learning. */
export interface DSLOptions {
  /** Share of the entries of the sparse matrices that is stored, at all times. Default: 0.1. */
  readonly density?: number;
  /** Default: `exact`. */
  readonly init?: SparseInit;
  /** Steps ΔT from one exploration to the next; 0 for a mask that stays. Default: 3000. */
  readonly interval?: number;
  /** Share r₀ of the stored weights that is exchanged at first. Default: 0.5. */
  readonly ratio?: number;
  /** Share at the end, by the cosine schedule. Default: 0.005. */
  readonly finalRatio?: number;
  /** How the share falls; see `updateRatio`. Default: `cosine`. */
  readonly schedule?: RatioSchedule;
  /** Default: `magnitude`. */
  readonly prune?: PruneRule;
  /** Magnitude below which `threshold` prunes. Default: 1e-3. */
  readonly threshold?: number;
  /** Default: `gradient`. */
  readonly grow?: GrowRule;
  /**
   * `within`: each matrix keeps its number of weights, which move among its rows. `global`: one
   * threshold of |w|/‖W‖ and one order of gradients over all matrices. Default: `within`.
   */
  readonly redistribution?: 'within' | 'global';
  /**
   * Whether entries without a weight keep Adam moments, with which a new weight begins; this costs
   * the memory and the gradients of the dense matrix in every step. Default: false.
   */
  readonly keepMoments?: boolean;
  /** Whether a row keeps at least one weight, so that no user or item scores 0. Default: false. */
  readonly protectRows?: boolean;
}

/** How the exchanged share falls; see `updateRatio`. */
export type RatioSchedule = 'cosine' | 'linear' | 'constant';

/** The published values. */
export const dslDefaults = {
  ...{ density: 0.1, init: 'exact', interval: 3000, ratio: 0.5, finalRatio: 0.005, schedule: 'cosine' },
  ...{ prune: 'magnitude', threshold: 1e-3, grow: 'gradient', redistribution: 'within' },
  ...{ keepMoments: false, protectRows: false },
} as const satisfies DSLOptions;

/** Options with the defaults filled in. @throws RangeError for a value that has no meaning */
export function checkedOptions(options: DSLOptions): Required<DSLOptions> {
  const all = { ...dslDefaults, ...options };
  const { interval, ratio, finalRatio, threshold } = all;
  if (!(Number.isInteger(interval) && interval >= 0 && interval !== 1))
    throw new RangeError(
      `DSL: the interval must be 0 or at least 2 steps, got ${interval}: new weights are 0, and the smallest before they were trained`,
    );
  if (!(finalRatio >= 0 && finalRatio <= ratio && ratio <= 1))
    throw new RangeError(`DSL: expected 0 ≤ finalRatio ≤ ratio ≤ 1, got ${finalRatio} and ${ratio}`);
  if (!(threshold > 0)) throw new RangeError(`DSL: threshold must be positive, got ${threshold}`);
  requireChoice('DSL', 'init', all.init, ['exact', 'bernoulli', 'lotteryTicket']);
  requireChoice('DSL', 'schedule', all.schedule, ['cosine', 'linear', 'constant']);
  requireChoice('DSL', 'prune', all.prune, ['magnitude', 'set', 'taylor', 'threshold']);
  requireChoice('DSL', 'grow', all.grow, ['gradient', 'random', 'unfired', 'momentum']);
  requireChoice('DSL', 'redistribution', all.redistribution, ['within', 'global']);
  return all;
}

/**
 * The share of weights to exchange after t of T steps: by the cosine schedule
 * r(t) = r_T + (r₀ − r_T)(1 + cos(πt/T))/2, by the linear one r₀(1 − t/T), or r₀.
 */
export function updateRatio(
  t: number,
  steps: number,
  { ratio = dslDefaults.ratio, finalRatio = dslDefaults.finalRatio, schedule = dslDefaults.schedule }: DSLOptions = {},
): number {
  const done = Math.min(1, t / steps);
  if (schedule === 'constant') return ratio;
  if (schedule === 'linear') return ratio * (1 - done);
  return finalRatio + ((ratio - finalRatio) * (1 + Math.cos(Math.PI * done))) / 2;
}
