// Fronts of latency and accuracy: whether one family of networks is ahead of another.

/** One network. */
export interface FrontPoint {
  readonly latency: number;
  readonly accuracy: number;
}

/** Latencies that differ by less are equal. */
const TOLERANCE = 1.02;
const NONE = -100;

/**
 * The most that a baseline at most as slow is ahead of a point, over all points; −100 where no
 * baseline is as fast.
 */
export function worstDeficit(points: readonly FrontPoint[], baselines: readonly FrontPoint[]): number {
  const ahead = points.flatMap((point) =>
    baselines
      .filter(({ latency }) => latency <= TOLERANCE * point.latency)
      .map(({ accuracy }) => accuracy - point.accuracy),
  );
  return Math.max(...ahead, NONE);
}

/** The most that a point is ahead of a baseline at least as slow; −100 where none is as slow. */
export function bestGain(points: readonly FrontPoint[], baselines: readonly FrontPoint[]): number {
  const gains = points.flatMap((point) =>
    baselines.filter(({ latency }) => latency >= point.latency).map(({ accuracy }) => point.accuracy - accuracy),
  );
  return Math.max(...gains, NONE);
}

/**
 * How many times faster a point is than the baselines at its accuracy: between two baselines by the
 * logarithm of latency, above all of them by the slowest; 0 below all of them.
 */
export function speedAtAccuracy({ latency, accuracy }: FrontPoint, baselines: readonly FrontPoint[]): number {
  const sorted = [...baselines].sort((a, b) => a.latency - b.latency);
  for (const [i, b] of sorted.entries()) {
    const a = sorted[i - 1];
    if (!a || (a.accuracy - accuracy) * (b.accuracy - accuracy) > 0) continue;
    const share = (accuracy - a.accuracy) / (b.accuracy - a.accuracy || 1);
    return Math.exp(Math.log(a.latency) + share * (Math.log(b.latency) - Math.log(a.latency))) / latency;
  }
  const above = sorted.every((baseline) => accuracy >= baseline.accuracy);
  return above ? (sorted.at(-1)?.latency ?? 0) / latency : 0;
}
