// Which rows of each segment a pooling keeps.

import type { Segments } from '../../sparse/index.js';

/** @throws RangeError unless 0 < ratio ≤ 1 */
export function requireRatio(operation: string, ratio: number): void {
  if (!(ratio > 0 && ratio <= 1))
    throw new RangeError(`${operation}: the ratio must be above 0 and at most 1, got ${ratio}`);
}

/**
 * The ⌈ratio·rows⌉ rows of highest score of each segment, all rows ascending; of equals the first
 * is higher. An empty segment keeps none.
 *
 * @param scores one a row
 * @throws RangeError unless 0 < ratio ≤ 1
 */
export function topShare(scores: ArrayLike<number>, { offsets, count, size }: Segments, ratio: number): Int32Array {
  requireRatio('topShare', ratio);
  if (scores.length !== size) throw new Error(`topShare: ${scores.length} scores of ${size} rows`);
  const kept = new Uint8Array(size);
  for (let s = 0; s < count; s++) {
    const [begin, end] = [offsets[s] as number, offsets[s + 1] as number];
    const own = Int32Array.from({ length: end - begin }, (_, i) => begin + i);
    own.sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
    for (const row of own.subarray(0, shareOf(ratio, own.length))) kept[row] = 1;
  }
  return Int32Array.from({ length: size }, (_, row) => row).filter((row) => kept[row]);
}

/** ⌈ratio·count⌉; a product within rounding of an integer is that integer, as 0.35·20 is 7. */
function shareOf(ratio: number, count: number): number {
  const share = ratio * count;
  const whole = Math.round(share);
  return Math.min(count, Math.max(1, Math.abs(share - whole) < 1e-9 ? whole : Math.ceil(share)));
}
