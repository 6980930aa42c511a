// Which output channels share a group: an order of channels that keeps as much magnitude as
// possible once ⌊s·G⌋ units of n consecutive channels are zeroed.
//
// The score that a mask keeps is R = Σ_layers Σ_{kept units} Σ|w|. Sorting channels by norm gives a
// first order; then pairs of channels in different groups change places where R grows. For a
// threshold θ on a unit's mean magnitude, R is Σ max(0, score − θ·size) up to a constant, so that a
// change of two groups costs one pass over their columns; θ is renewed in every sweep.

import type { Random } from '../tensor/index.js';
import { keepLargest } from './masks.js';

/** A pruned weight as seen by the order of its output channels. */
export interface GroupedRows {
  /** Σ|w| of each unit of a single row: [rows, columns]. */
  readonly scores: Float32Array;
  /** Output channels. */
  readonly rows: number;
  /** Units that can be pruned in a row. */
  readonly columns: number;
  /** n: consecutive rows of a group. */
  readonly height: number;
  /** Units that a mask zeroes, of ⌈rows / n⌉·columns. */
  readonly dropped: number;
}

/** Channels whose order is free, in one or more pruned weights. */
export interface ChannelOrder {
  /** Channels. */
  readonly size: number;
  /** Each weight, and the row that holds each place of the order. */
  readonly weights: readonly { readonly grouped: GroupedRows; readonly rowAt: Int32Array }[];
}

/** The row of the original weight that each row holds under an order. */
function contents({ grouped, rowAt }: ChannelOrder['weights'][number], order: Int32Array): Int32Array {
  const rows = Int32Array.from({ length: grouped.rows }, (_, row) => row);
  order.forEach((channel, place) => {
    rows[rowAt[place] as number] = rowAt[channel] as number;
  });
  return rows;
}

/** Σ|w| of each unit [groups, columns]. */
function unitSums({ scores, columns, height }: GroupedRows, rows: Int32Array): Float32Array {
  const sums = new Float32Array(Math.ceil(rows.length / height) * columns);
  rows.forEach((from, row) => {
    const group = Math.floor(row / height) * columns;
    for (let column = 0; column < columns; column++)
      sums[group + column] = (sums[group + column] as number) + (scores[from * columns + column] as number);
  });
  return sums;
}

/** Rows in the group that a unit belongs to. */
function sizeOfGroup({ rows, height }: GroupedRows, group: number): number {
  return Math.min(height, rows - group * height);
}

function meansOf(grouped: GroupedRows, sums: Float32Array): Float32Array {
  return sums.map((sum, unit) => sum / sizeOfGroup(grouped, Math.floor(unit / grouped.columns)));
}

/** R of one weight whose rows hold these rows of the original. */
function retainedOf(grouped: GroupedRows, rows: Int32Array): number {
  const sums = unitSums(grouped, rows);
  const kept = keepLargest(meansOf(grouped, sums), grouped.dropped / sums.length);
  return sums.reduce((total, sum, unit) => total + (kept[unit] ? sum : 0), 0);
}

/**
 * R: the magnitude that the masks of all weights keep.
 *
 * @param order the channel at each place
 */
export function retainedScore({ weights }: ChannelOrder, order: Int32Array): number {
  return weights.reduce((sum, weight) => sum + retainedOf(weight.grouped, contents(weight, order)), 0);
}

/** The order as it is. */
export function plainOrder({ size }: Pick<ChannelOrder, 'size'>): Int32Array {
  return Int32Array.from({ length: size }, (_, place) => place);
}

/** Channels by falling L1 norm, summed over the weights (1×N pruning, Lin et al. 2022). */
export function normOrder({ size, weights }: ChannelOrder): Int32Array {
  const norms = new Float64Array(size);
  for (const { grouped, rowAt } of weights)
    for (let channel = 0; channel < size; channel++) {
      const start = (rowAt[channel] as number) * grouped.columns;
      for (let column = 0; column < grouped.columns; column++)
        norms[channel] = (norms[channel] as number) + (grouped.scores[start + column] as number);
    }
  return plainOrder({ size }).sort((a, b) => (norms[b] as number) - (norms[a] as number) || a - b);
}

/** Trials are at most so many times the channels. */
const TRIALS = 20;
/** A sweep that gains less than this share of R is the last. */
const LEAST_GAIN = 1e-5;

/** Orders of at most so many channels are refined from so many random starts too. */
const FEW = { channels: 64, starts: 4 };

/**
 * The best of the order as it is, the norm order and those refined from either, by R.
 *
 * @returns the channel at each place, and R of the three
 */
export function bestOrder(
  channels: ChannelOrder,
  random: Random,
): { readonly order: Int32Array; readonly plain: number; readonly sorted: number; readonly refined: number } {
  const starts = [plainOrder(channels), normOrder(channels)];
  const [plain, sorted] = starts.map((order) => retainedScore(channels, order)) as [number, number];
  const further = channels.size <= FEW.channels ? FEW.starts : 0;
  for (let start = 0; start < further; start++) starts.push(random.split(start).permutation(channels.size));
  const found = [...starts.slice(0, 2), ...starts.map((start) => refine(channels, start, random))];
  const scores = found.map((order) => retainedScore(channels, order));
  const refined = Math.max(...scores);
  return { order: found[scores.indexOf(refined)] as Int32Array, plain, sorted, refined };
}

/** One weight during refinement. */
class Refined {
  readonly grouped: GroupedRows;
  readonly rowAt: Int32Array;
  readonly rows: Int32Array;
  #sums: Float32Array;
  #threshold = 0;

  constructor(weight: ChannelOrder['weights'][number], order: Int32Array) {
    this.grouped = weight.grouped;
    this.rowAt = weight.rowAt;
    this.rows = contents(weight, order);
    this.#sums = unitSums(this.grouped, this.rows);
  }

  /** Sets θ to the smallest mean that a mask would keep. */
  renew(): void {
    this.#sums = unitSums(this.grouped, this.rows);
    const { dropped } = this.grouped;
    const sorted = meansOf(this.grouped, this.#sums).sort();
    this.#threshold = dropped === 0 ? 0 : (sorted[Math.min(dropped, sorted.length) - 1] as number);
  }

  /** How much Σ max(0, score − θ·size) grows when two places change their channels. */
  gain(p: number, q: number): number {
    const { columns, height, scores } = this.grouped;
    const [a, b] = [this.rowAt[p] as number, this.rowAt[q] as number];
    const [g, h] = [Math.floor(a / height), Math.floor(b / height)];
    if (g === h) return 0;
    const [lowG, lowH] = [g, h].map((group) => this.#threshold * sizeOfGroup(this.grouped, group)) as [number, number];
    const [fromA, fromB] = [(this.rows[a] as number) * columns, (this.rows[b] as number) * columns];
    let total = 0;
    for (let column = 0; column < columns; column++) {
      const moved = (scores[fromB + column] as number) - (scores[fromA + column] as number);
      const before = (this.#sums[g * columns + column] as number) - lowG;
      const after = before + moved;
      const other = (this.#sums[h * columns + column] as number) - lowH;
      const otherAfter = other - moved;
      total += (after > 0 ? after : 0) - (before > 0 ? before : 0);
      total += (otherAfter > 0 ? otherAfter : 0) - (other > 0 ? other : 0);
    }
    return total;
  }

  swap(p: number, q: number): void {
    const { columns, height, scores } = this.grouped;
    const [a, b] = [this.rowAt[p] as number, this.rowAt[q] as number];
    const [g, h] = [Math.floor(a / height) * columns, Math.floor(b / height) * columns];
    const [rowA, rowB] = [this.rows[a] as number, this.rows[b] as number];
    for (let column = 0; column < columns; column++) {
      const moved = (scores[rowB * columns + column] as number) - (scores[rowA * columns + column] as number);
      this.#sums[g + column] = (this.#sums[g + column] as number) + moved;
      this.#sums[h + column] = (this.#sums[h + column] as number) - moved;
    }
    [this.rows[a], this.rows[b]] = [rowB, rowA];
  }
}

/** Places of one group, by the weight with the lowest groups that are not single rows. */
function placesByGroup({ size, weights }: ChannelOrder): number[][] {
  const shared = weights.filter(({ grouped }) => grouped.height > 1);
  const finest = shared.reduce<(typeof shared)[number] | undefined>(
    (best, weight) => (best && best.grouped.height <= weight.grouped.height ? best : weight),
    undefined,
  );
  if (!finest) return [];
  const groups = new Map<number, number[]>();
  for (let place = 0; place < size; place++) {
    const group = Math.floor((finest.rowAt[place] as number) / finest.grouped.height);
    groups.set(group, [...(groups.get(group) ?? []), place]);
  }
  return [...groups.values()];
}

/** Exchanges channels between random pairs of groups. @returns the best order of all sweeps */
function refine(channels: ChannelOrder, start: Int32Array, random: Random): Int32Array {
  const order = Int32Array.from(start);
  const groups = placesByGroup(channels);
  if (groups.length < 2) return order;
  const weights = channels.weights.map((weight) => new Refined(weight, order));
  let best = { order: Int32Array.from(order), score: retainedScore(channels, order) };
  // θ costs a sort: renewed after as many trials as there are groups where those are few.
  const trials = channels.size <= FEW.channels ? groups.length : channels.size;
  for (let left = TRIALS * channels.size; left > 0; left -= trials) {
    for (const weight of weights) weight.renew();
    let gained = 0;
    for (let trial = 0; trial < trials; trial++) {
      const g = random.integer(groups.length);
      const h = (g + 1 + random.integer(groups.length - 1)) % groups.length;
      gained += exchange(weights, groups[g] as number[], groups[h] as number[], order);
    }
    const score = retainedScore(channels, order);
    if (score > best.score) best = { order: Int32Array.from(order), score };
    if (gained <= LEAST_GAIN * score) break;
  }
  return best.order;
}

/** The best exchange of one place of each group, where one gains. @returns its gain */
function exchange(
  weights: readonly Refined[],
  first: readonly number[],
  second: readonly number[],
  order: Int32Array,
): number {
  let best = { gain: 0, p: -1, q: -1 };
  for (const p of first)
    for (const q of second) {
      const gain = weights.reduce((sum, weight) => sum + weight.gain(p, q), 0);
      if (gain > best.gain) best = { gain, p, q };
    }
  const { gain, p, q } = best;
  if (p < 0) return 0;
  for (const weight of weights) weight.swap(p, q);
  [order[p], order[q]] = [order[q] as number, order[p] as number];
  return gain;
}
