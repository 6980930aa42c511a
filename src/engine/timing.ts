// Times of repeated work.

/** The middle of some values, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/**
 * Median seconds of `repeats` calls (and as many more as fit `least` seconds) after `warmUp` that
 * do not count.
 */
export function medianSeconds(body: () => void, repeats = 7, warmUp = 3, least = 0): number {
  for (let i = 0; i < warmUp; i++) body();
  const times: number[] = [];
  const started = performance.now();
  while (times.length < repeats || performance.now() - started < 1000 * least) {
    const start = performance.now();
    body();
    times.push((performance.now() - start) / 1000);
  }
  return median(times);
}
