// Rearrangement of a network's channels: the outputs of a layer change their order, and every
// weight, norm statistic and later layer that depends on them follows, so that the network computes
// the same.

import { inference, type Layer, stateOf, type Weights } from '../nn/index.js';
import { Random, scope, sizeOf, type Tensor } from '../tensor/index.js';
import { type ChannelSlice, dependenciesOf, type PruningGroup, trace } from '../trace/index.js';
import { bestOrder, type ChannelOrder, type GroupedRows } from './grouping.js';
import { type BlockPattern, type Pattern, requireSparsity, unitShape } from './masks.js';

/** Channels that may change places among themselves. */
export interface ChannelClass {
  /** The weights that follow, as `name:axis`. */
  readonly members: readonly string[];
  /**
   * The slices of each channel, in one order for all, so that the i-th of one replaces another's.
   */
  readonly channels: readonly (readonly ChannelSlice[])[];
}

/** The classes of a network, and the output channels that must keep their places. */
export interface ChannelClasses {
  /** Classes of at least two channels. */
  readonly classes: readonly ChannelClass[];
  /** By weight: the output or the operation, such as a reshape, that keeps its output channels. */
  readonly fixed: ReadonlyMap<string, string>;
}

/**
 * Follows the channels of a network from layer to layer: through residual additions and depthwise
 * convolutions, which tie them, concatenations, which keep the channels of each part apart, and
 * flattening, which repeats them.
 *
 * @param example an input of the network; only its shape matters
 */
export function channelClasses(model: Layer, example: Tensor): ChannelClasses {
  const forward = (x: Tensor) => model.forward(x, inference);
  const { groups, fixed } = trace(forward, [example], stateOf(model), dependenciesOf);
  return { classes: groups.flatMap(alike).filter(({ channels }) => channels.length > 1), fixed };
}

/** Splits a group into classes whose channels have as many slices of each weight. */
function alike({ members, channels }: PruningGroup): ChannelClass[] {
  const classes = new Map<string, (readonly ChannelSlice[])[]>();
  for (const slices of channels) {
    const sorted = [...slices].sort((a, b) => a.weight.localeCompare(b.weight) || a.axis - b.axis || a.index - b.index);
    const key = sorted.map(({ weight, axis }) => `${weight}:${axis}`).join();
    classes.set(key, [...(classes.get(key) ?? []), sorted]);
  }
  return [...classes.values()].map((own) => ({ members, channels: own }));
}

/**
 * Gives the places of a class to its channels in a new order, in all weights that depend on them.
 * The network computes the same as before.
 *
 * @param state parameters and buffers by name: `stateOf(model)`; changed in place
 * @param order the channel that each place gets
 * @throws RangeError when the order is not a permutation of the channels
 */
export function permuteChannels(state: Weights, { channels }: ChannelClass, order: ArrayLike<number>): void {
  const given = Array.from(order);
  if (given.length !== channels.length || new Set(given).size !== given.length || given.some((c) => !channels[c]))
    throw new RangeError(`permuteChannels: expected an order of ${channels.length} channels, got ${given.join(', ')}`);
  const moves = new Map<string, { axis: number; weight: string; from: number[]; to: number[] }>();
  given.forEach((channel, place) => {
    const source = channels[channel] as readonly ChannelSlice[];
    (channels[place] as readonly ChannelSlice[]).forEach(({ weight, axis, index }, i) => {
      const key = `${weight}:${axis}`;
      const move = moves.get(key) ?? { axis, weight, from: [], to: [] };
      moves.set(key, move);
      move.to.push(index);
      move.from.push((source[i] as ChannelSlice).index);
    });
  });
  for (const { axis, weight, from, to } of moves.values()) moveSlices(state[weight] as Tensor, axis, from, to);
}

/** Puts slice from[i] of an axis where slice to[i] is. */
function moveSlices(weight: Tensor, axis: number, from: readonly number[], to: readonly number[]): void {
  const values = weight.dataSync();
  const moved = values.slice();
  const inner = sizeOf(weight.shape.slice(axis + 1));
  const length = weight.shape[axis] as number;
  const outer = sizeOf(weight.shape.slice(0, axis));
  from.forEach((source, i) => {
    for (let o = 0; o < outer; o++) {
      const start = (o * length + source) * inner;
      moved.set(values.subarray(start, start + inner), (o * length + (to[i] as number)) * inner);
    }
  });
  weight.assign(moved);
}

/** What `rearrange` did to a class. */
export interface RearrangedClass {
  /** The pruned weights whose output channels changed places. */
  readonly weights: readonly string[];
  /** Channels of the class. */
  readonly channels: number;
  /**
   * Magnitude that masks keep with the channels as they were, sorted by norm, and as they are now.
   */
  readonly retained: { readonly plain: number; readonly sorted: number; readonly refined: number };
}

/** What `rearrange` did. */
export interface Rearrangement {
  /** Classes with pruned weights. */
  readonly classes: readonly RearrangedClass[];
  /** Pruned weights whose channels kept their places, and why. */
  readonly kept: ReadonlyMap<string, string>;
}

/** A weight that is to be pruned. */
export interface PrunedWeight {
  /** Its units. */
  readonly pattern: Pattern;
  /** Share of its units that a mask zeroes, in [0, 1). */
  readonly sparsity: number;
}

/** Largest change of an output, over the largest output, that rounding explains. */
const TOLERANCE = 1e-3;

/**
 * Rearranges the channels of a network, in place, so that groups of output channels lose as little
 * magnitude as possible to masks: by norm, then by exchanges between groups. The network computes
 * the same, up to rounding.
 *
 * The score of a weight depends on the order of its own output channels alone; those of its inputs
 * merely follow. So one pass over the classes suffices.
 *
 * @param example an input of the network; only its shape matters
 * @param pruned by name of the weight
 * @throws Error naming the layer and the operation, where a reshape keeps the channels of a
 * pruned layer in their places; Error when a name is unknown; Error when the outputs
 * change, with the network as it was
 */
export function rearrange(
  model: Layer,
  example: Tensor,
  pruned: Readonly<Record<string, PrunedWeight>>,
  random = new Random(0),
): Rearrangement {
  const state = stateOf(model);
  const unknown = Object.keys(pruned).find((name) => !state[name]);
  if (unknown !== undefined) throw new Error(`rearrange: the model has no weight "${unknown}"`);
  const { classes, fixed } = channelClasses(model, example);
  const kept = keptInPlace(pruned, fixed);
  const probe = random.split('probe').normal(example.shape);
  const output = () => scope(() => model.forward(probe, inference).dataSync<Float32Array>());
  const before = output();
  const undo: (() => void)[] = [];
  const report = classes.flatMap((own, index): RearrangedClass[] => {
    const channels = orderOf(own, state, pruned, kept);
    if (!channels) return [];
    const { order, ...retained } = bestOrder(channels, random.split(index));
    permuteChannels(state, own, order);
    undo.push(() => permuteChannels(state, own, inverse(order)));
    return [{ weights: channels.names, channels: channels.size, retained }];
  });
  const change = changeOf(before, output());
  probe.dispose();
  if (change <= TOLERANCE) return { classes: report, kept };
  for (const step of undo) step();
  throw new Error(
    `rearrange: the network's outputs changed by ${(100 * change).toPrecision(2)} %, so that some operation depends on the order of channels; prune without rearrangement`,
  );
}

/**
 * @throws Error when a reshape keeps the channels of a pruned weight
 */
function keptInPlace(pruned: Readonly<Record<string, PrunedWeight>>, fixed: ReadonlyMap<string, string>) {
  const kept = new Map<string, string>();
  for (const name of Object.keys(pruned)) {
    const reason = fixed.get(name);
    if (reason === undefined) continue;
    if (reason.startsWith('reshape '))
      throw new Error(
        `rearrange: the output channels of "${name}" cannot change places because of ${reason}; leave the layer out, or prune without rearrangement`,
      );
    kept.set(name, `its channels are fixed by ${reason}`);
  }
  return kept;
}

/** The place of each channel. */
function inverse(order: Int32Array): Int32Array {
  const places = new Int32Array(order.length);
  order.forEach((channel, place) => {
    places[channel] = place;
  });
  return places;
}

/** Largest change of an output over the largest output. */
function changeOf(before: Float32Array, after: Float32Array): number {
  const largest = before.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const change = before.reduce((most, value, i) => Math.max(most, Math.abs(value - (after[i] as number))), 0);
  return change === 0 ? 0 : change / largest;
}

/** The pruned weights of a class by their rows; undefined where there are none. */
function orderOf(
  { channels }: ChannelClass,
  state: Weights,
  pruned: Readonly<Record<string, PrunedWeight>>,
  kept: Map<string, string>,
): (ChannelOrder & { readonly names: readonly string[] }) | undefined {
  const names = new Set((channels[0] ?? []).filter(({ axis }) => axis === 0).map(({ weight }) => weight));
  const own = [...names].filter((name) => pruned[name] && pruned[name].pattern !== '2:4');
  const weights = own.flatMap((name) => {
    const rows = channels.map((slices) => slices.filter(({ weight, axis }) => weight === name && axis === 0));
    if (rows.some(({ length }) => length !== 1)) {
      kept.set(name, 'a channel stands for several of its filters');
      return [];
    }
    const rowAt = Int32Array.from(rows, ([slice]) => (slice as ChannelSlice).index);
    return [{ name, rowAt, grouped: groupedRows(state[name] as Tensor, pruned[name] as PrunedWeight) }];
  });
  if (weights.length === 0) return undefined;
  return { size: channels.length, weights, names: weights.map(({ name }) => name) };
}

/** Σ|w| of each unit of each row of a weight [out, …], without the units that always stay. */
export function groupedRows(weight: Tensor, { pattern, sparsity }: PrunedWeight): GroupedRows {
  requireSparsity(sparsity);
  const rows = weight.shape[0] as number;
  const { height, width, across, centre } = unitShape(weight.shape, pattern as BlockPattern);
  const places = Array.from({ length: across }, (_, unit) => unit).filter((unit) => unit !== centre);
  const values = weight.view();
  const scores = new Float32Array(rows * places.length);
  for (let row = 0; row < rows; row++)
    for (const [column, unit] of places.entries()) {
      const start = (row * across + unit) * width;
      let sum = 0;
      for (let i = start; i < start + width; i++) sum += Math.abs(values[i] as number);
      scores[row * places.length + column] = sum;
    }
  const groups = Math.ceil(rows / height);
  const dropped = Math.min(Math.floor(sparsity * groups * across + 1e-9), groups * places.length);
  return { scores, rows, columns: places.length, height, dropped };
}
