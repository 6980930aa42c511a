// Columns quantised into at most 256 bins, exactly where they have at most 256 distinct values.

import { cpu } from '../../engine/index.js';
import { emptyTensor, keep, scope, type Tensor } from '../../tensor/index.js';
import type { Rows } from './features.js';

/** Most bins of a column. */
export const BINS = 256;
/** Values that are quantised at a time: 64 MiB. */
const AT_ONCE = 2 ** 24;

/** A feature matrix quantised into bins. */
export interface BinnedRows {
  /** Number of rows. */
  readonly count: number;
  /** Bin of each value, u8 [columns, rows]. */
  readonly codes: Tensor;
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
  const codes = keep(emptyTensor([width, count], 'u8'));
  const edges: Float32Array[] = [];
  const group = Math.max(1, Math.min(width, Math.floor(AT_ONCE / Math.max(1, count))));
  for (let first = 0; first < width; first += group)
    scope(() => {
      const columns = Math.min(group, width - first);
      const own = emptyTensor([columns, count], 'f32');
      const cuts = emptyTensor([columns, BINS - 1], 'f32');
      const counts = emptyTensor([columns], 'i32');
      const all = own.view();
      for (let row = 0; row < count; row++)
        for (let c = 0; c < columns; c++) all[c * count + row] = values[row * width + first + c] as number;
      const into = { buffer: codes.buffer, byteOffset: codes.byteOffset + first * count };
      cpu.run('binColumns', { values: own, codes: into, cuts, counts, rows: count, columns });
      counts.view<Int32Array>().forEach((length, c) => {
        edges.push(cuts.view().slice(c * (BINS - 1), c * (BINS - 1) + length));
      });
    });
  return { count, codes, edges };
}
