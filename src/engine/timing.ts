// Times of repeated work.

/** The middle of some values, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

const least = (times: readonly number[]) => Math.min(...times);

/** Options of `secondsInTurns`. */
export interface TurnsOptions {
  /** Rounds that count. Default: 7. */
  readonly repeats?: number;
  /** Rounds before them. Default: 2. */
  readonly warmUp?: number;
  /**
   * What of an arm's times is returned. Default: the least, to which other work on the machine adds
   * nothing. Where rounds differ in what they do, it is the median.
   */
  readonly statistic?: (times: readonly number[]) => number;
}

/**
 * Seconds of each arm of a comparison. In each of `repeats` rounds every arm runs once, after
 * `warmUp` rounds that do not count, so that a machine that slows down slows all arms alike.
 */
export async function secondsInTurns<Arm extends string>(
  arms: Readonly<Record<Arm, () => void | Promise<void>>>,
  { repeats = 7, warmUp = 2, statistic = least }: TurnsOptions = {},
): Promise<Record<Arm, number>> {
  const entries = Object.entries(arms) as [Arm, () => void | Promise<void>][];
  const times = new Map<Arm, number[]>(entries.map(([arm]) => [arm, []]));
  for (let round = -warmUp; round < repeats; round++)
    for (const [arm, body] of entries) {
      const start = performance.now();
      await body();
      if (round >= 0) times.get(arm)?.push((performance.now() - start) / 1000);
    }
  return Object.fromEntries(Array.from(times, ([arm, own]) => [arm, statistic(own)])) as Record<Arm, number>;
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
