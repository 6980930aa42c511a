// What a row shows over several seeds: both numbers, and how sure the gain is.

import type { Scores } from '../../parts/contract.js';
import { summarize } from '../../parts/statistics.js';
import type { Beside, GuideRow } from './row.js';

/**
 * Added to the seeds of a run. The rows were set up on the first few seeds, so that they are
 * reported on others.
 */
export const FRESH_SEEDS = 1000;

/** What a row shows over its seeds. */
export interface RowSummary {
  readonly hypernet: number;
  readonly plain: number;
  /** Mean of how far the hypernetwork is ahead on a seed, in the direction of the measure. */
  readonly gain: number;
  /** Standard error of that mean; NaN for one seed. */
  readonly error: number;
}

/** Means over seeds, and the standard error of the gain. */
export function summarizeRow({ better }: Pick<GuideRow, 'better'>, runs: readonly Beside[]): RowSummary {
  const gains = runs.map(({ hypernet, plain }) => (better === 'larger' ? hypernet - plain : plain - hypernet));
  const { mean: gain, sd } = summarize(gains);
  return {
    hypernet: summarize(runs.map(({ hypernet }) => hypernet)).mean,
    plain: summarize(runs.map(({ plain }) => plain)).mean,
    gain,
    error: runs.length > 1 ? sd / Math.sqrt(runs.length) : Number.NaN,
  };
}

/** Scores of a row by which its claims are computed. */
export function rowScores(problem: string, { hypernet, plain, gain, error }: RowSummary): Scores {
  return {
    [`${problem}, hypernetwork`]: hypernet,
    [`${problem}, plain`]: plain,
    [`${problem}, gain`]: gain,
    [`${problem}, error`]: error,
  };
}
