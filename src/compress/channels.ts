// Structured pruning (Li et al. 2017; Fang et al. 2023): removes whole channels with every slice of
// every weight that depends on them, and leaves a smaller dense network.

import { inference, type Layer, replaceWeights, stateOf } from '../nn/index.js';
import type { Tensor } from '../tensor/index.js';
import { type ChannelSlice, dependencyGroups, eachPlace, type PruningGroup, withoutSlices } from '../trace/index.js';
import { usedMultiplyAdds } from './footprint.js';

/** Options of `removeChannels`. */
export interface ChannelPruningOptions {
  /**
   * p: share of the channels of each group that is removed, in [0, 1). Parameters fall by about 1 −
   * (1 − p)².
   */
  readonly ratio: number;
  /** Exponent of the norm that measures a channel's weights: Σ|w|¹ or Σ|w|². Default: 2. */
  readonly norm?: 1 | 2;
  /**
   * `group` ranks the channels of each dependency group by themselves, `global` ranks all channels
   * together. Default: `group`.
   */
  readonly scope?: 'group' | 'global';
  /**
   * The number of remaining channels is a multiple of this, to suit the kernels; groups of at most
   * this many channels are not pruned. Default: 8.
   */
  readonly roundTo?: number;
  /**
   * Numbers of channels that remain, one for each group, in place of the ratio. Default: by the
   * ratio.
   */
  readonly counts?: readonly number[];
}

/** What `removeChannels` did to one dependency group. */
export interface RemovedChannels {
  /** Layers whose channels are coupled and were removed together. */
  readonly members: readonly string[];
  /** Number of channels before pruning. */
  readonly before: number;
  /** Number of channels that remain. */
  readonly after: number;
}

/**
 * Importance of each channel of a group: Σ|w|ᵖ over its slice of each weight, divided by the mean
 * over the channels of that weight, and averaged over the weights of rank 2 or more.
 *
 * @param norm p, the exponent
 * @returns one score a channel
 */
export function channelImportance(
  { channels }: PruningGroup,
  state: Readonly<Record<string, Tensor>>,
  norm = 2,
): Float64Array {
  const byMember = new Map<string, Float64Array>();
  channels.forEach((slices, channel) => {
    for (const slice of slices) {
      const weight = state[slice.weight] as Tensor;
      if (weight.rank < 2) continue;
      const key = `${slice.weight}:${slice.axis}`;
      const sums = byMember.get(key) ?? new Float64Array(channels.length);
      byMember.set(key, sums);
      const values = weight.view();
      eachPlace(weight, slice, (place) => {
        sums[channel] = (sums[channel] as number) + Math.abs(values[place] as number) ** norm;
      });
    }
  });
  const scores = new Float64Array(channels.length);
  for (const sums of byMember.values()) {
    const mean = sums.reduce((a, b) => a + b, 0) / sums.length || 1;
    sums.forEach((sum, channel) => {
      scores[channel] = (scores[channel] as number) + sum / mean / byMember.size;
    });
  }
  return scores;
}

/**
 * Removes the least important channels of a model, in place (magnitude criterion over dependency
 * groups).
 *
 * @param example an input of the model; only its shape matters
 * @returns what was removed from each group
 * @throws RangeError when the ratio is not in [0, 1); Error when no group has more than one channel
 */
export function removeChannels(
  model: Layer,
  example: Tensor,
  { ratio, norm = 2, scope = 'group', roundTo = 8, counts }: ChannelPruningOptions,
): RemovedChannels[] {
  if (!(ratio >= 0 && ratio < 1)) throw new RangeError(`the share of channels that go must be in [0, 1), got ${ratio}`);
  const state = stateOf(model);
  const groups = dependencyGroups((x) => model.forward(x, inference), [example], state).filter(
    ({ channels }) => channels.length > 1,
  );
  if (groups.length === 0) throw new Error('the model has no channels that could be removed');
  const scores = groups.map((group) => channelImportance(group, state, norm));
  const goal = scope === 'global' ? lowestOfAll(scores, ratio) : scores.map(({ length }) => ratio * length);
  const removed: ChannelSlice[] = [];
  const report = groups.map(({ members, channels }, g) => {
    const importance = scores[g] as Float64Array;
    const total = importance.length;
    const wanted = goal[g] as number;
    const kept =
      counts?.[g] ??
      Math.min(total, Math.max(Math.min(roundTo, total), Math.round((total - wanted) / roundTo) * roundTo));
    const order = Array.from(importance.keys()).sort((a, b) => (importance[a] as number) - (importance[b] as number));
    for (const channel of order.slice(0, total - kept)) removed.push(...(channels[channel] as readonly ChannelSlice[]));
    return { members, before: total, after: kept };
  });
  replaceWeights(model, withoutSlices(state, removed));
  return report;
}

/** Step and largest of the ratios that `channelRatioFor` tries, in percent. */
const RATIO_STEP = 2;
const LARGEST_RATIO = 96;

/**
 * The smallest pruning ratio with which a network uses at most `multiplyAdds`, in steps of 0.02 up
 * to 0.96.
 *
 * @param make creates the network, each time with the same weights; called once for each ratio
 * tried
 * @param example an input of the network
 * @param multiplyAdds largest number of multiply-adds for `example`
 */
export function channelRatioFor(
  make: () => Layer,
  example: Tensor,
  multiplyAdds: number,
  options: Omit<ChannelPruningOptions, 'ratio'> = {},
): number {
  const suffices = (percent: number) => {
    const model = make();
    removeChannels(model, example, { ...options, ratio: percent / 100 });
    return usedMultiplyAdds(model, example) <= multiplyAdds;
  };
  // Bisection: a network from which more channels are removed does not need more.
  let [low, high] = [0, LARGEST_RATIO / RATIO_STEP];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (suffices(middle * RATIO_STEP)) high = middle;
    else low = middle + 1;
  }
  return (low * RATIO_STEP) / 100;
}

/** For each group, the number of its channels among the lowest `share` of all channels. */
function lowestOfAll(scores: readonly Float64Array[], share: number): number[] {
  const all = scores.flatMap((groupScores, group) => Array.from(groupScores, (score) => ({ group, score })));
  const counts = new Array<number>(scores.length).fill(0);
  all.sort((a, b) => a.score - b.score);
  for (const { group } of all.slice(0, Math.floor(share * all.length))) counts[group] = (counts[group] as number) + 1;
  return counts;
}
