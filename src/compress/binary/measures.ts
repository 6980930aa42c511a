// What an order of channels saves, in operations and in bits.

import { majoritySigns, type SignRows } from './distances.js';
import type { ChannelTree } from './spanning-tree.js';

/** XNORs of an output pixel, with N channels of L weights, and what is stored of them. */
export interface TreeMeasures {
  /** N·L: of the direct sums. */
  readonly direct: number;
  /** L + Σd: of the root and all differences. */
  readonly operations: number;
  /** R_op = N·L/(L + Σd). */
  readonly ratio: number;
  /** Σd/(N·L). */
  readonly share: number;
  /** R_bits: N·L over the bits that store the tree, positions of differences coded. */
  readonly bitsRatio: number;
}

/** Binary entropy in bits. */
function entropy(share: number): number {
  if (share <= 0 || share >= 1) return 0;
  return -share * Math.log2(share) - (1 - share) * Math.log2(1 - share);
}

/**
 * Bits of a tree: the root, the places of each channel's differences (a list of indices or an
 * entropy-coded bitmap, whichever is shorter) and its parent. L + Σ_j min(d_j·⌈log₂ L⌉, H(d_j/L)·L)
 * + N·⌈log₂ N⌉.
 */
export function treeBits({ channels, length }: Omit<SignRows, 'values'>, { edges, root }: ChannelTree): number {
  const index = Math.ceil(Math.log2(length));
  const places = edges.reduce(
    (sum, distance, channel) =>
      channel === root ? sum : sum + Math.min(distance * index, entropy(distance / length) * length),
    0,
  );
  return length + places + channels * Math.ceil(Math.log2(channels));
}

/** What a tree of a layer's channels saves. */
export function treeMeasures(rows: Omit<SignRows, 'values'>, tree: ChannelTree): TreeMeasures {
  const direct = rows.channels * rows.length;
  const operations = rows.length + tree.total;
  return {
    ...{ direct, operations, ratio: direct / operations, share: tree.total / direct },
    bitsRatio: direct / treeBits(rows, tree),
  };
}

/** R_op of the star around the majority vector, which is computed beside the channels. */
export function majorityRatio(rows: SignRows): number {
  const { values, channels, length } = rows;
  const centre = majoritySigns(rows);
  let total = 0;
  for (let row = 0; row < channels; row++)
    for (let at = 0; at < length; at++)
      if ((values[row * length + at] as number) < 0 !== (centre[at] as number) < 0) total += 1;
  return (channels * length) / (length + total);
}
