// Spanning trees of the complete graph on a layer's channels.
//
// All minimum spanning trees have the same total, but distances are small integers with many ties,
// so that trees of the same total differ in depth: the length of the chain of channels that wait
// for each other. Prim's algorithm from every root takes the edge of least (distance, depth,
// number).

import { depthsOf } from '../../quantized/index.js';
import { type SignRows, signDistances } from './distances.js';

/** Options of `spanningTree`. */
export interface SpanningTreeOptions {
  /**
   * Most edges between a channel and the root; the total may then be above the minimum. Default: no
   * limit.
   */
  readonly depth?: number;
  /** Whether a channel may be computed from the negative of another one. Default: false. */
  readonly signs?: boolean;
}

/** A tree of channels. */
export interface ChannelTree {
  /** A parent's code for each channel, as `parentOf` reads it; −1 for the root. */
  readonly codes: Int32Array;
  /** The channel that is computed in full. */
  readonly root: number;
  /** Σd: sum of the distances of all edges. */
  readonly total: number;
  /** Most edges between a channel and the root. */
  readonly depth: number;
  /** Distance of each channel to its parent; 0 for the root. */
  readonly edges: Int32Array;
}

/** Channels up to which every one is tried as the root. */
const ALL_ROOTS = 512;
/** Roots that are tried in larger layers: those with the least sum of distances. */
const CENTRAL_ROOTS = 32;

/** The tree that Prim's algorithm grows from a root. */
function grown(distances: Int32Array, channels: number, root: number, limit: number): ChannelTree {
  const codes = new Int32Array(channels).fill(-1);
  const edges = new Int32Array(channels);
  const [best, depths] = [new Int32Array(channels).fill(2 ** 31 - 1), new Int32Array(channels)];
  const waiting = Array.from({ length: channels }, (_, channel) => channel).filter((channel) => channel !== root);
  let [added, total, depth] = [root, 0, 0];
  while (waiting.length > 0) {
    const below = (depths[added] as number) + 1;
    let next = 0;
    for (let at = 0; at < waiting.length; at++) {
      const channel = waiting[at] as number;
      const distance = distances[added * channels + channel] as number;
      const known = best[channel] as number;
      if (below <= limit && (distance < known || (distance === known && below < (depths[channel] as number)))) {
        best[channel] = distance;
        depths[channel] = below;
        codes[channel] = added;
      }
      // Channels wait in ascending order, so that the first of equal ones has the least number.
      const first = waiting[next] as number;
      const nearer = (best[channel] as number) - (best[first] as number);
      if (nearer < 0 || (nearer === 0 && (depths[channel] as number) < (depths[first] as number))) next = at;
    }
    added = waiting.splice(next, 1)[0] as number;
    edges[added] = best[added] as number;
    total += best[added] as number;
    depth = Math.max(depth, depths[added] as number);
  }
  return { codes, root, total, depth, edges };
}

/** Channels in the order of their sums of distances. */
function centralFirst(distances: Int32Array, channels: number): number[] {
  const sums = Array.from({ length: channels }, (_, i) =>
    distances.subarray(i * channels, (i + 1) * channels).reduce((a, b) => a + b, 0),
  );
  return sums.map((_, i) => i).sort((a, b) => (sums[a] as number) - (sums[b] as number) || a - b);
}

/** Distances to the nearer of a channel and its negative. */
function signless(distances: Int32Array, length: number): Int32Array {
  return distances.map((distance) => Math.min(distance, length - distance));
}

/** Codes with the parents negated whose negative is nearer. */
function signed({ codes }: ChannelTree, distances: Int32Array, length: number): Int32Array {
  const channels = codes.length;
  return codes.map((parent, channel) =>
    parent >= 0 && 2 * (distances[channel * channels + parent] as number) > length ? -2 - parent : parent,
  );
}

/**
 * A minimum spanning tree of least depth: the root and tree with the smallest depth, then the
 * smallest sum of depths, then the smallest number. Roots are all channels, or of more than 512 the
 * 32 most central ones.
 *
 * @throws RangeError without channels, or for a depth that is no positive whole number
 */
export function spanningTree(rows: SignRows, { depth, signs = false }: SpanningTreeOptions = {}): ChannelTree {
  const { channels, length } = rows;
  requireChannels(channels);
  if (depth !== undefined && !(Number.isInteger(depth) && depth >= 1))
    throw new RangeError(`spanningTree: the depth must be a whole number of at least 1, got ${depth}`);
  const plain = signDistances(rows);
  const distances = signs ? signless(plain, length) : plain;
  const central = centralFirst(distances, channels);
  const roots = channels > ALL_ROOTS ? central.slice(0, CENTRAL_ROOTS) : central;
  const trees = roots.map((root) => grown(distances, channels, root, depth ?? Number.POSITIVE_INFINITY));
  const best = trees
    .map((tree) => ({ tree, sum: sumOf(depthsOf(tree.codes)) }))
    .reduce((a, b) => {
      // With a limit of depth the totals of the roots differ.
      const order =
        b.tree.total - a.tree.total || b.tree.depth - a.tree.depth || b.sum - a.sum || b.tree.root - a.tree.root;
      return order < 0 ? b : a;
    }).tree;
  return signs ? { ...best, codes: signed(best, plain, length) } : best;
}

/** A minimum spanning tree from a given root, for comparison. */
export function spanningTreeFrom(rows: SignRows, root: number): ChannelTree {
  return grown(signDistances(rows), rows.channels, root, Number.POSITIVE_INFINITY);
}

/**
 * The nearest-neighbour chain, as earlier orders of channels: from one channel to the nearest that
 * is left. The best of all first channels, by the total.
 */
export function nearestChain(rows: SignRows): ChannelTree {
  const { channels } = rows;
  requireChannels(channels);
  const distances = signDistances(rows);
  const chains = Array.from({ length: channels }, (_, first) => chainFrom(distances, channels, first));
  return chains.reduce((a, b) => (b.total < a.total ? b : a));
}

function chainFrom(distances: Int32Array, channels: number, root: number): ChannelTree {
  const codes = new Int32Array(channels).fill(-1);
  const edges = new Int32Array(channels);
  const left = new Set(Array.from({ length: channels }, (_, channel) => channel));
  left.delete(root);
  let [last, total] = [root, 0];
  while (left.size > 0) {
    let nearest = -1;
    for (const channel of left)
      if (
        nearest < 0 ||
        (distances[last * channels + channel] as number) < (distances[last * channels + nearest] as number)
      )
        nearest = channel;
    codes[nearest] = last;
    edges[nearest] = distances[last * channels + nearest] as number;
    total += edges[nearest] as number;
    left.delete(nearest);
    last = nearest;
  }
  return { codes, root, total, depth: channels - 1, edges };
}

/** The star of depth 1 around the channel with the least sum of distances. */
export function channelStar(rows: SignRows): ChannelTree {
  const { channels } = rows;
  requireChannels(channels);
  const distances = signDistances(rows);
  const root = centralFirst(distances, channels)[0] as number;
  const codes = Int32Array.from({ length: channels }, (_, channel) => (channel === root ? -1 : root));
  const edges = distances.slice(root * channels, (root + 1) * channels);
  return { codes, root, total: sumOf(edges), depth: channels > 1 ? 1 : 0, edges };
}

const sumOf = (values: Int32Array) => values.reduce((a, b) => a + b, 0);

function requireChannels(channels: number): void {
  if (!(channels >= 1)) throw new RangeError('spanningTree: a layer has at least one channel');
}
