// Claims that two ways to sparse networks are equal: the 95 % interval of the paired difference has
// to lie within a band, so that too few seeds leave the question open instead of answering it.

import { bootstrapInterval, type Interval } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import type { Evidence } from '../parts/claims.js';
import { wilcoxon } from '../parts/ranks.js';

/** Title of an arm at a share of nodes that are off. */
export const armTitle = (arm: string, sparsity: number): string => `${arm}, p = ${sparsity}`;

/** The pairs that are compared, and by what. */
export interface Comparison {
  readonly arm: string;
  readonly over: string;
  readonly metric: string;
  /** Differences are divided by the mean of `over`, and in %. Default: false. */
  readonly relative?: boolean;
}

/** Differences of two arms at a level, seed by seed. */
function differencesOf<Options>(
  e: Evidence<Options>,
  { arm, over, metric, relative = false }: Comparison,
  sparsity: number,
): number[] {
  const [own, other] = [arm, over].map((name) => e.scores(armTitle(name, sparsity), metric)) as [number[], number[]];
  const unit = relative ? e.mean(armTitle(over, sparsity), metric) / 100 : 1;
  return own.map((value, seed) => (value - (other[seed] as number)) / unit);
}

/** The 95 % bootstrap interval of the mean difference over seeds. */
export function intervalOf<Options>(e: Evidence<Options>, comparison: Comparison, sparsity: number): Interval {
  return bootstrapInterval(differencesOf(e, comparison, sparsity), new Random(0));
}

/** What an interval says, at the level where that is largest. */
function largest<Options>(
  e: Evidence<Options>,
  comparison: Comparison,
  levels: readonly number[],
  of: (interval: Interval, sparsity: number) => number,
): number {
  return Math.max(...levels.map((sparsity) => of(intervalOf(e, comparison, sparsity), sparsity)));
}

/** The farther end of the interval over the band's, at the level where that is largest. */
export function farthest<Options>(
  e: Evidence<Options>,
  comparison: Comparison,
  levels: readonly number[],
  band: (sparsity: number) => number,
): number {
  return largest(
    e,
    comparison,
    levels,
    ({ low, high }, sparsity) => Math.max(Math.abs(low), Math.abs(high)) / band(sparsity),
  );
}

/** The width of the interval over that of the band, at the level where that is largest. */
export function widest<Options>(
  e: Evidence<Options>,
  comparison: Comparison,
  levels: readonly number[],
  band: (sparsity: number) => number,
): number {
  return largest(e, comparison, levels, ({ low, high }, sparsity) => (high - low) / (2 * band(sparsity)));
}

/** The upper end of the interval, at the level where that is largest. */
export function upperEnd<Options>(e: Evidence<Options>, comparison: Comparison, levels: readonly number[]): number {
  return largest(e, comparison, levels, ({ high }) => high);
}

/** Wilcoxon's signed-rank p of a level. */
export function signedRank<Options>(e: Evidence<Options>, comparison: Comparison, sparsity: number): number {
  return wilcoxon(differencesOf(e, comparison, sparsity));
}
