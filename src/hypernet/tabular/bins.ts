// Columns quantised into at most 256 bins, exactly where they have at most 256 distinct values.

import type { Rows } from './features.js';

/** Most bins of a column. */
export const BINS = 256;

/** A feature matrix quantised into bins. */
export interface BinnedRows {
  /** Number of rows. */
  readonly count: number;
  /** Bin of each value, column-major: codes[column·count + row]. */
  readonly codes: Uint8Array;
  /**
   * For each column the thresholds between its bins, ascending: values of bins ≤ i are ≤
   * edges[column][i].
   */
  readonly edges: readonly Float32Array[];
}

/**
 * Quantises each column: thresholds halfway between distinct values, or at 255 quantiles where
 * there are more than 256.
 */
export function binRows({ count, width, values }: Rows): BinnedRows {
  const codes = new Uint8Array(count * width);
  const edges = Array.from({ length: width }, (_, column) => {
    const own = Float32Array.from({ length: count }, (_, row) => values[row * width + column] as number);
    const sorted = own.slice().sort();
    const distinct = sorted.filter((value, i) => i === 0 || value !== sorted[i - 1]);
    const cuts =
      distinct.length <= BINS
        ? distinct.subarray(0, distinct.length - 1).map((value, i) => (value + (distinct[i + 1] as number)) / 2)
        : quantiles(sorted);
    for (let row = 0; row < count; row++) codes[column * count + row] = place(cuts, own[row] as number);
    return cuts;
  });
  return { count, codes, edges };
}

/** Distinct quantiles of a sorted column as bin thresholds. */
function quantiles(sorted: Float32Array): Float32Array {
  const cuts = Float32Array.from(
    { length: BINS - 1 },
    (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / BINS)] as number,
  );
  return cuts.filter((value, i) => i === 0 || value !== cuts[i - 1]);
}

/** Number of thresholds below a value: its bin. */
function place(cuts: Float32Array, value: number): number {
  let [low, high] = [0, cuts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cuts[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
