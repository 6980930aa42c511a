// Dominant experts and their groups, from routing statistics.

import type { Random } from '../../tensor/index.js';
import type { LayerStatistics } from './statistics.js';

/** How many experts are kept, and in which layers. */
export interface GroupCountOptions {
  /**
   * Whether every merged layer keeps m experts; otherwise m is their mean, and layers of even
   * usage keep more. Default: false.
   */
  readonly uniform?: boolean;
  /** Numbers of the layers that are merged. Default: all. */
  readonly layers?: readonly number[];
}

/**
 * Number of groups of each layer, m on average over the merged ones: the largest usage of each
 * layer counts as 1, as does all usage of layers that stay whole; of all usages in descending order
 * those above the one at place m·(merged layers) + E·(others) have a group of their own. Equal
 * usages at that place may leave fewer.
 *
 * @param usage uₑ of each layer
 * @throws RangeError unless 1 ≤ m < E.
 */
export function groupCounts(
  usage: readonly ArrayLike<number>[],
  m: number,
  { uniform = false, layers = usage.map((_, i) => i) }: GroupCountOptions = {},
): number[] {
  const [{ length: count } = { length: 0 }] = usage;
  if (!(Number.isInteger(m) && m >= 1 && m < count))
    throw new RangeError(`merging to ${m} experts: a layer has ${count}, so that 1 to ${count - 1} are possible`);
  const unknown = layers.find((layer) => !usage[layer]);
  if (unknown !== undefined || layers.length === 0)
    throw new RangeError(`merging: layer ${unknown ?? 'none'} of ${usage.length} expert layers, numbered from 0`);
  const merged = usage.map((_, i) => layers.includes(i));
  if (uniform) return usage.map((_, i) => (merged[i] ? m : count));
  const raised = usage.map((shares, i) => {
    const dominant = largest(shares);
    return Array.from(shares, (share, e) => (!merged[i] || e === dominant ? 1 : share));
  });
  const total = m * layers.length + count * (usage.length - layers.length);
  const threshold = raised.flat().sort((a, b) => b - a)[total] as number;
  return raised.map((shares) => Math.max(1, shares.filter((share) => share > threshold).length));
}

/** Index of the largest value, the first among equals. */
function largest(values: ArrayLike<number>): number {
  return Array.from(values).reduce((best, value, i) => (value > (values[best] as number) ? i : best), 0);
}

/** Experts of a layer in groups. */
export interface Grouping {
  /** Group of each expert [E]. */
  readonly groups: readonly number[];
  /** The dominant expert of each group [m]. */
  readonly dominant: readonly number[];
}

/** Options of `groupExperts`. */
export interface GroupingOptions {
  /** Most members of a group, the dominant one included. Default: no limit. */
  readonly capacity?: number;
}

/**
 * The `count` most used experts each found a group; every other expert, in descending order of
 * usage, joins the one to which its router output is most similar among groups that are not full.
 *
 * @throws RangeError when the groups cannot take all experts.
 */
export function groupExperts(
  { usage, similarity }: LayerStatistics,
  count: number,
  { capacity = Number.POSITIVE_INFINITY }: GroupingOptions = {},
): Grouping {
  const size = usage.length;
  if (count * capacity < size)
    throw new RangeError(`grouping: ${count} groups of at most ${capacity} experts cannot take ${size}`);
  const byUsage = Array.from(usage, (_, e) => e).sort((a, b) => (usage[b] as number) - (usage[a] as number) || a - b);
  const dominant = byUsage.slice(0, count);
  const groups = new Array<number>(size).fill(-1);
  const members = new Array<number>(count).fill(1);
  dominant.forEach((expert, group) => {
    groups[expert] = group;
  });
  for (const expert of byUsage.slice(count)) {
    const open = dominant.map((core, group) =>
      (members[group] as number) < capacity ? (similarity[expert * size + core] as number) : Number.NEGATIVE_INFINITY,
    );
    const group = largest(open);
    groups[expert] = group;
    members[group] = (members[group] as number) + 1;
  }
  return { groups, dominant };
}

/**
 * Groups of nearly equal sizes, their members drawn at random; the first member counts as dominant.
 */
export function randomGroups(experts: number, count: number, random: Random): Grouping {
  const order = Array.from(random.permutation(experts));
  const groups = new Array<number>(experts).fill(0);
  order.forEach((expert, i) => {
    groups[expert] = i % count;
  });
  return { groups, dominant: order.slice(0, count) };
}
