// Intervals by the bootstrap (Efron 1979): the data are drawn again with replacement, and the
// statistic's quantiles over the draws bound it.

import { type Random, scope } from '../tensor/index.js';

/** A mean with its bounds. */
export interface Interval {
  /** Mean of the values. */
  readonly mean: number;
  /** Lower end. */
  readonly low: number;
  /** Upper end. */
  readonly high: number;
}

/** Options of an interval. */
export interface BootstrapOptions {
  /** Share of the draws inside the interval, in (0, 1). Default: 0.95. */
  readonly level?: number;
  /** Number of draws. Default: 10,000, of tables 1,000. */
  readonly draws?: number;
}

/**
 * Percentile interval of the mean of values, such as paired differences over seeds.
 *
 * @throws RangeError without a value, or for a level outside (0, 1)
 */
export function bootstrapInterval(
  values: ArrayLike<number>,
  random: Random,
  { level = 0.95, draws = 10_000 }: BootstrapOptions = {},
): Interval {
  return bootstrapRows([Float64Array.from(values)], random, { level, draws });
}

/**
 * Percentile interval of the mean over a table whose rows (repeats) and columns (test examples) are
 * both drawn again, so that it covers the chance of either.
 *
 * @param rows of equal length; a single row is drawn from its columns alone
 * @throws RangeError without a value, or for a level outside (0, 1)
 */
export function bootstrapRows(
  rows: readonly Float64Array[],
  random: Random,
  { level = 0.95, draws = 1000 }: BootstrapOptions = {},
): Interval {
  const columns = rows[0]?.length ?? 0;
  if (columns === 0) throw new RangeError('bootstrap: there are no values to draw from');
  if (rows.some(({ length }) => length !== columns))
    throw new RangeError(`bootstrap: rows of equal length were expected, got ${rows.map(({ length }) => length)}`);
  if (!(level > 0 && level < 1)) throw new RangeError(`bootstrap: the level must be in (0, 1), got ${level}`);
  if (!(Number.isSafeInteger(draws) && draws >= 1))
    throw new RangeError(`bootstrap: the draws must be a positive integer, got ${draws}`);
  const means = new Float64Array(draws);
  const sums = new Float64Array(columns);
  const places = placesOf(draws, columns, random.split('columns'));
  for (let draw = 0; draw < draws; draw++) {
    sums.fill(0);
    for (let r = 0; r < rows.length; r++) {
      const row = rows[rows.length === 1 ? 0 : random.integer(rows.length)] as Float64Array;
      for (let i = 0; i < columns; i++) sums[i] = (sums[i] as number) + (row[i] as number);
    }
    let total = 0;
    for (let i = 0; i < columns; i++) total += sums[places.next().value] as number;
    means[draw] = total / (columns * rows.length);
  }
  means.sort();
  const mean = rows.reduce((sum, row) => sum + row.reduce((a, b) => a + b, 0), 0) / (columns * rows.length);
  return { mean, low: quantile(means, (1 - level) / 2), high: quantile(means, (1 + level) / 2) };
}

/** Numbers that are drawn at once. */
const BLOCK = 2 ** 16;

/** Uniform columns for all draws. */
function* placesOf(draws: number, columns: number, random: Random): Generator<number, number> {
  for (let left = draws * columns; left > 0; left -= BLOCK) {
    const drawn = scope(() => random.uniform([Math.min(BLOCK, left)]).dataSync<Float32Array>());
    for (const place of drawn) yield Math.floor(place * columns);
  }
  return 0;
}

/** Quantile of sorted values, linear between neighbours. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const [a, b] = [sorted[below] as number, sorted[Math.min(below + 1, sorted.length - 1)] as number];
  return a + (at - below) * (b - a);
}
