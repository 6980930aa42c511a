// Structured pruning (Li et al. 2017; Fang et al. 2023): whole channels go, with every slice of every weight that depends on them, and a smaller dense network stays.

import { inference, type Layer, replaceWeights, stateOf } from '../nn/index.js';
import { sizeOf, type Tensor, tensor } from '../tensor/index.js';
import { type ChannelSlice, dependencyGroups, type PruningGroup } from '../trace/index.js';
import { usedMultiplyAdds } from './footprint.js';

export interface ChannelPruningOptions {
  /** Share of the channels of each group that goes; parameters fall by about 1 − (1 − p)². */
  readonly ratio: number;
  /** Exponent of the weights' norm: 1 or 2. */
  readonly norm?: 1 | 2;
  /** `group` judges each group of layers by itself, `global` ranks all channels together. */
  readonly scope?: 'group' | 'global';
  /** The channels that stay are a multiple of this, as kernels like; groups of no more channels stay whole. */
  readonly roundTo?: number;
}

export interface RemovedChannels {
  readonly members: readonly string[];
  readonly before: number;
  readonly after: number;
}

/** Elements of a weight at an index of an axis. */
function* slicePlaces({ shape }: Tensor, { axis, index }: ChannelSlice): Generator<number> {
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  const length = shape[axis] as number;
  for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) yield (o * length + index) * inner + i;
}

/** Importance of each channel of a group: Σ|w|ᵖ of its slices, each weight's share of its own mean, averaged over the weights of at least two axes. */
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
      for (const place of slicePlaces(weight, slice))
        sums[channel] = (sums[channel] as number) + Math.abs(values[place] as number) ** norm;
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
 * Removes the least important channels of a model, in place.
 *
 * @param example an input that the model takes
 * @returns what was removed of each group
 * @throws RangeError when the ratio is not in [0, 1).
 */
export function removeChannels(
  model: Layer,
  example: Tensor,
  { ratio, norm = 2, scope = 'group', roundTo = 8 }: ChannelPruningOptions,
): RemovedChannels[] {
  if (!(ratio >= 0 && ratio < 1)) throw new RangeError(`the share of channels that go must be in [0, 1), got ${ratio}`);
  const state = stateOf(model);
  const groups = dependencyGroups((x) => model.forward(x, inference), [example], state).filter(
    ({ channels }) => channels.length > 1,
  );
  if (groups.length === 0) throw new Error('the model has no channels that could be removed');
  const scores = groups.map((group) => channelImportance(group, state, norm));
  const goal = scope === 'global' ? lowestOfAll(scores, ratio) : scores.map((own) => ratio * own.length);
  const removed: ChannelSlice[] = [];
  const report = groups.map(({ members, channels }, g) => {
    const own = scores[g] as Float64Array;
    const wanted = goal[g] as number;
    const stay = Math.min(
      own.length,
      Math.max(Math.min(roundTo, own.length), Math.round((own.length - wanted) / roundTo) * roundTo),
    );
    const order = Array.from(own.keys()).sort((a, b) => (own[a] as number) - (own[b] as number));
    for (const channel of order.slice(0, own.length - stay))
      removed.push(...(channels[channel] as readonly ChannelSlice[]));
    return { members, before: own.length, after: stay };
  });
  replaceWeights(model, withoutSlices(state, removed));
  return report;
}

/** Hundredths between two shares of channels that `channelRatioFor` tries, and the largest. */
const RATIO_STEP = 2;
const LARGEST_RATIO = 96;

/**
 * The smallest share of channels without which a network uses at most so many multiply-adds, in steps of 0.02 up to
 * 0.96.
 *
 * @param make a new network, from which channels are then removed
 * @param example an input that the network takes
 */
export function channelRatioFor(
  make: () => Layer,
  example: Tensor,
  multiplyAdds: number,
  options: Omit<ChannelPruningOptions, 'ratio'> = {},
): number {
  for (let percent = 0; percent < LARGEST_RATIO; percent += RATIO_STEP) {
    const model = make();
    removeChannels(model, example, { ...options, ratio: percent / 100 });
    if (usedMultiplyAdds(model, example) <= multiplyAdds) return percent / 100;
  }
  return LARGEST_RATIO / 100;
}

/** How many channels of each group are among the lowest share of all. */
function lowestOfAll(scores: readonly Float64Array[], share: number): number[] {
  const all = scores.flatMap((own, group) => Array.from(own, (score) => ({ group, score })));
  const counts = new Array<number>(scores.length).fill(0);
  all.sort((a, b) => a.score - b.score);
  for (const { group } of all.slice(0, Math.floor(share * all.length))) counts[group] = (counts[group] as number) + 1;
  return counts;
}

/** The weights that change, without the slices. */
function withoutSlices(
  state: Readonly<Record<string, Tensor>>,
  removed: readonly ChannelSlice[],
): Record<string, Tensor> {
  const gone = new Map<string, Map<number, Set<number>>>();
  for (const { weight, axis, index } of removed) {
    const axes = gone.get(weight) ?? new Map<number, Set<number>>();
    gone.set(weight, axes.set(axis, (axes.get(axis) ?? new Set()).add(index)));
  }
  return Object.fromEntries(
    [...gone].map(([name, axes]) => {
      const weight = state[name] as Tensor;
      const kept = weight.shape.map((length, axis) =>
        Array.from({ length }, (_, i) => i).filter((i) => !axes.get(axis)?.has(i)),
      );
      return [name, select(weight, kept)];
    }),
  );
}

/** The elements at chosen indices of every axis. */
function select(weight: Tensor, kept: readonly (readonly number[])[]): Tensor {
  const values = weight.view();
  let places = [0];
  weight.shape.forEach((length, axis) => {
    const indices = kept[axis] as readonly number[];
    places = places.flatMap((place) => indices.map((index) => place * length + index));
  });
  return tensor(
    Float32Array.from(places, (place) => values[place] as number),
    kept.map(({ length }) => length),
  );
}
