// Fronts of latency and accuracy: whether one family of networks is ahead of another, and how many
// times faster it is at equal accuracy.

/** One network. */
export interface FrontPoint {
  readonly latency: number;
  readonly accuracy: number;
}

/**
 * Accuracy of the best point at most as slow as a baseline, minus the baseline's; undefined where
 * no point is as fast. Latencies are compared without tolerance.
 */
export function leadOver(baseline: FrontPoint, points: readonly FrontPoint[]): number | undefined {
  const asFast = points.filter(({ latency }) => latency <= baseline.latency);
  return asFast.length === 0 ? undefined : Math.max(...asFast.map(({ accuracy }) => accuracy)) - baseline.accuracy;
}

/** One front against another. */
export interface FrontLead {
  /** Baselines for which some point is as fast. */
  readonly counted: number;
  /** The smallest lead over a counted baseline; NaN where fewer than two count. */
  readonly least: number;
  /** The largest lead over a counted baseline; NaN where fewer than two count. */
  readonly most: number;
}

/** The leads of points over those baselines for which some point is as fast. */
export function frontLead(points: readonly FrontPoint[], baselines: readonly FrontPoint[]): FrontLead {
  const leads = baselines.map((baseline) => leadOver(baseline, points)).filter((lead) => lead !== undefined);
  const counted = leads.length;
  if (counted < 2) return { counted, least: Number.NaN, most: Number.NaN };
  return { counted, least: Math.min(...leads), most: Math.max(...leads) };
}

/** The points that no other is both as fast and as accurate as, by latency and accuracy. */
export function frontOf(points: readonly FrontPoint[]): FrontPoint[] {
  const sorted = [...points].sort((a, b) => a.latency - b.latency || b.accuracy - a.accuracy);
  const front: FrontPoint[] = [];
  for (const point of sorted)
    if (point.accuracy > (front.at(-1)?.accuracy ?? Number.NEGATIVE_INFINITY)) front.push(point);
  return front;
}

/**
 * How many times faster a point is than the baselines at its accuracy: their latency there is
 * interpolated linearly between neighbours of their front and never extrapolated. A point above all
 * of them is compared with the most accurate one; below all of them the result is 0.
 */
export function speedAtAccuracy({ latency, accuracy }: FrontPoint, baselines: readonly FrontPoint[]): number {
  const front = frontOf(baselines);
  const above = front.findIndex((baseline) => baseline.accuracy >= accuracy);
  if (above < 0) return (front.at(-1)?.latency ?? 0) / latency;
  const b = front[above] as FrontPoint;
  const a = front[above - 1];
  if (!a) return b.accuracy === accuracy ? b.latency / latency : 0;
  const share = (accuracy - a.accuracy) / (b.accuracy - a.accuracy);
  return (a.latency + share * (b.latency - a.latency)) / latency;
}

/**
 * The least share from which a speed-up is at least 1, interpolated between those measured; 1 where
 * it never is.
 *
 * @param shares ascending
 * @param speeds one a share
 */
export function breakEven(shares: readonly number[], speeds: readonly number[]): number {
  const at = speeds.findIndex((speed) => speed >= 1);
  if (at < 0) return 1;
  const [high, fast] = [shares[at] as number, speeds[at] as number];
  const [low, slow] = [shares[at - 1], speeds[at - 1]];
  return low === undefined || slow === undefined ? high : low + ((1 - slow) / (fast - slow)) * (high - low);
}
