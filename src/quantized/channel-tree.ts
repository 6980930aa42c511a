// Output channels of a binary layer computed from each other.
//
// With weights b_j ∈ {−1, 1}^L and a parent p, channel j differs from p at D = {q: b_j[q] ≠
// b_p[q]}:
//
//   y_j = y_p + 2·Σ_{q∈D} b_j[q]·x[q]
//
// In counts m_j = (L − y_j)/2 of differing bits, with X_q = 1 for x[q] = −1, that is
//
//   m_j = m_p + Σ_{q∈D} (2·P_q − 1),  P_q = X_q for b_j[q] = 1, 1 − X_q for b_j[q] = −1
//
// A channel without a parent counts all of its L planes P_q.

/** Planes are added in groups of 16. */
const GROUP = 16;
/** Bytes of a plane in a tile. */
const PLANE = 16;

/** The channel that another one is computed from. */
export interface Parent {
  /** Its number. */
  readonly channel: number;
  /** Whether it is taken with the opposite sign: y_j = −y_p + … */
  readonly negated: boolean;
}

/**
 * The parent in a list of codes: −1 is none, p ≥ 0 channel p, and −2 − p its negative.
 *
 * @throws RangeError for a code of no channel
 */
export function parentOf(codes: ArrayLike<number>, channel: number): Parent | undefined {
  const code = codes[channel] as number;
  const parent = code >= 0 ? code : -2 - code;
  if (code === -1) return undefined;
  if (!(Number.isInteger(code) && parent < codes.length))
    throw new RangeError(`channel tree: channel ${channel} has the parent code ${code}, of ${codes.length} channels`);
  return { channel: parent, negated: code < 0 };
}

/** Depth of every channel: 0 without a parent, else one more than its parent's. */
export function depthsOf(codes: ArrayLike<number>): Int32Array {
  const depths = new Int32Array(codes.length).fill(-1);
  for (let start = 0; start < codes.length; start++) {
    const path: number[] = [];
    let at: number | undefined = start;
    while (at !== undefined && depths[at] === -1) {
      if (path.length >= codes.length)
        throw new RangeError(`channel tree: channel ${start} is computed from itself, by a circle of parents`);
      path.push(at);
      at = parentOf(codes, at)?.channel;
    }
    let depth = at === undefined ? -1 : (depths[at] as number);
    for (const channel of path.reverse()) {
      depth += 1;
      depths[channel] = depth;
    }
  }
  return depths;
}

/** What the kernels take of a tree. */
export interface ChannelLists {
  /** Channels in the order of evaluation: by depth, then by number. */
  readonly order: Int32Array;
  /** Of each position: 2·position of the parent, and 1 more where it is negated; −1 for none. */
  readonly parents: Int32Array;
  /** Ends of each position's planes in `offsets`, from 0 on. */
  readonly ends: Int32Array;
  /** Bytes of planes in a tile [X, 1 − X, zeros], filled up to groups of 16 by zeros. */
  readonly offsets: Int32Array;
  /** Of each position: what is added to a count to have m. */
  readonly corrections: Int32Array;
  /** Positions at which depths end, from 0 on. */
  readonly levels: readonly number[];
  /** Weights that differ from the parent's, by position; L without one. */
  readonly differences: Int32Array;
}

/**
 * The lists of the trees of a layer.
 *
 * @param weights signs [channels, length]: negative values stand for −1
 * @param codes a parent's code for each channel, see `parentOf`
 * @throws RangeError when parents form a circle or are no channels
 */
export function channelLists(weights: ArrayLike<number>, length: number, codes: ArrayLike<number>): ChannelLists {
  const count = codes.length;
  const depths = depthsOf(codes);
  const order = Int32Array.from({ length: count }, (_, channel) => channel).sort(
    (a, b) => (depths[a] as number) - (depths[b] as number) || a - b,
  );
  const positions = new Int32Array(count);
  order.forEach((channel, position) => {
    positions[channel] = position;
  });
  const [parents, ends, corrections, differences] = [count, count + 1, count, count].map(
    (size) => new Int32Array(size),
  ) as [Int32Array, Int32Array, Int32Array, Int32Array];
  const offsets: number[] = [];
  const isNegative = (channel: number, at: number) => (weights[channel * length + at] as number) < 0;
  order.forEach((channel, position) => {
    const parent = parentOf(codes, channel);
    let planes = 0;
    for (let at = 0; at < length; at++) {
      const negative = isNegative(channel, at);
      if (parent && negative === (isNegative(parent.channel, at) !== parent.negated)) continue;
      offsets.push(PLANE * (negative ? length + at : at));
      planes += 1;
    }
    while (offsets.length % GROUP !== 0) offsets.push(PLANE * 2 * length);
    ends[position + 1] = offsets.length;
    differences[position] = planes;
    if (!parent) {
      parents[position] = -1;
      return;
    }
    const source = positions[parent.channel] as number;
    const before = corrections[source] as number;
    parents[position] = 2 * source + Number(parent.negated);
    corrections[position] = (parent.negated ? length + 1 - before : before) - planes;
  });
  const levels = [0];
  order.forEach((channel, position) => {
    if (position > 0 && depths[channel] !== depths[order[position - 1] as number]) levels.push(position);
  });
  return {
    ...{ order, parents, ends, corrections, differences },
    offsets: Int32Array.from(offsets),
    levels: [...levels, count],
  };
}

/** Slices that hold counts of up to `length` with a sign; the kernels take five at least. */
export function slicesFor(length: number): number {
  return Math.max(5, Math.ceil(Math.log2(length + 1)) + 1);
}
