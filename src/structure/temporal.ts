// Temporal graphs: streams of events (source, target, time, features) in order of time.

import { isIndex, requireLimit, shown } from '../sparse/index.js';
import type { Tensor } from '../tensor/index.js';

/** Events in order of time. */
export interface TemporalEvents {
  /** Source node of each event. */
  readonly sources: ArrayLike<number>;
  /** Target node of each event. */
  readonly targets: ArrayLike<number>;
  /** Time of each event, non-decreasing. */
  readonly times: ArrayLike<number>;
  /** Event features [events, d]. */
  readonly features?: Tensor;
}

/** An immutable event stream among nodes 0 … n − 1. */
export class TemporalGraph {
  /** Source node of each event. */
  readonly sources: Int32Array;
  /** Target node of each event. */
  readonly targets: Int32Array;
  /** Time of each event, non-decreasing. */
  readonly times: Float64Array;
  /** Event features [events, d], if any. */
  readonly features: Tensor | undefined;

  /**
   * @param nodeCount nodes are 0 … nodeCount − 1.
   * @throws RangeError naming the first event whose node is no integer 0 … nodeCount − 1, or whose
   * time is no finite number.
   * @throws Error naming the first event that is earlier than the previous one.
   */
  constructor(
    readonly nodeCount: number,
    { sources, targets, times, features }: TemporalEvents,
  ) {
    if (sources.length !== targets.length || sources.length !== times.length)
      throw new Error(
        `TemporalGraph: ${sources.length} sources, ${targets.length} targets and ${times.length} times do not pair up`,
      );
    if (features && features.shape[0] !== sources.length)
      throw new Error(`TemporalGraph: features for ${features.shape[0]} of ${sources.length} events`);
    requireLimit('TemporalGraph', 'nodes', nodeCount);
    for (let i = 0; i < sources.length; i++) {
      const [u, v, t] = [sources[i] as number, targets[i] as number, times[i] as number];
      if (!(isIndex(u, nodeCount) && isIndex(v, nodeCount)))
        throw new RangeError(
          `TemporalGraph: event ${i} joins ${shown(u)} and ${shown(v)}, outside 0…${nodeCount - 1} (nodes are integers)`,
        );
      if (!Number.isFinite(t))
        throw new RangeError(`TemporalGraph: event ${i} has time ${shown(t)}; times are finite numbers`);
      if (i > 0 && t < (times[i - 1] as number))
        throw new Error(`TemporalGraph: event ${i} at ${t} comes after one at ${times[i - 1]}; sort events by time`);
    }
    this.sources = Int32Array.from(sources);
    this.targets = Int32Array.from(targets);
    this.times = Float64Array.from(times);
    this.features = features;
  }

  /** Number of events. */
  get eventCount(): number {
    return this.sources.length;
  }

  /**
   * Splits event indices at the times below which the given shares of the events lie: [0.7, 0.85]
   * returns training, validation and test events. Events of equal time stay together.
   */
  splitByTime(shares: readonly number[]): Int32Array[] {
    const bounds = shares.map((share) => {
      if (!(share >= 0 && share <= 1))
        throw new RangeError(`TemporalGraph.splitByTime: a share must be from 0 to 1, got ${shown(share)}`);
      const at = Math.min(this.eventCount - 1, Math.floor(share * this.eventCount));
      const time = this.times[at] as number;
      let first = at;
      while (first > 0 && this.times[first - 1] === time) first -= 1;
      return first;
    });
    const edges = [0, ...bounds, this.eventCount];
    return edges.slice(1).map((end, part) => {
      const begin = edges[part] as number;
      return Int32Array.from({ length: Math.max(0, end - begin) }, (_, i) => begin + i);
    });
  }
}
