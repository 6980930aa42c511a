// Sampling: weighted draws in constant time, neighbourhoods, pairs without an edge.

import { requireLimit } from '../sparse/index.js';
import type { Random } from '../tensor/index.js';
import { Graph } from './graph.js';

/**
 * Walker's alias method (Vose 1991): after O(n) preparation a draw of i with probability wᵢ / Σw
 * takes one uniform number. Weights are normalised in double precision.
 */
export class AliasTable {
  /** Probability of accepting column i [n]. */
  readonly probabilities: Float32Array;
  /** Result of column i otherwise [n]. */
  readonly aliases: Int32Array;

  /** @throws RangeError unless the weights are finite, non-negative and not all 0. */
  constructor(weights: ArrayLike<number>) {
    const n = weights.length;
    let total = 0;
    for (let i = 0; i < n; i++) {
      const weight = weights[i] as number;
      if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY))
        throw new RangeError(`AliasTable: weight ${i} is ${weight}`);
      total += weight;
    }
    if (!(total > 0)) throw new RangeError('AliasTable: all weights are 0');
    this.probabilities = new Float32Array(n);
    this.aliases = new Int32Array(n);
    fillAlias(weights, 0, n, total, this.probabilities, this.aliases);
  }

  /** A random index 0 … n − 1. */
  draw(random: Random): number {
    const scaled = random.float() * this.probabilities.length;
    const column = Math.floor(scaled);
    return scaled - column < (this.probabilities[column] as number) ? column : (this.aliases[column] as number);
  }
}

/**
 * Alias table of weights[begin … end), written to the same positions; aliases count from `begin`.
 * `total` is the sum of those weights.
 */
export function fillAlias(
  weights: ArrayLike<number>,
  begin: number,
  end: number,
  total: number,
  probabilities: Float32Array,
  aliases: Int32Array,
): void {
  const n = end - begin;
  const scaled = new Float64Array(n);
  const queue = new Int32Array(n);
  let small = 0;
  let large = n;
  for (let i = 0; i < n; i++) {
    const share = ((weights[begin + i] as number) * n) / total;
    scaled[i] = share;
    if (share < 1) queue[small++] = i;
    else queue[--large] = i;
  }
  // Columns below the mean are at the front of the queue, the others at the back.
  for (let low = 0; low < small && large < n; low++) {
    const below = queue[low] as number;
    const above = queue[large] as number;
    probabilities[begin + below] = scaled[below] as number;
    aliases[begin + below] = above;
    const rest = (scaled[above] as number) + (scaled[below] as number) - 1;
    scaled[above] = rest;
    if (rest < 1) {
      queue[small++] = above;
      large += 1;
    }
    queue[low] = -1;
  }
  for (let i = 0; i < n; i++) {
    const column = queue[i] as number;
    if (column < 0) continue;
    probabilities[begin + column] = 1;
    aliases[begin + column] = column;
  }
}

/**
 * Sampled neighbourhoods of one layer: a bipartite graph from `sources` to targets, which are the
 * first `targetCount` sources.
 */
export interface SampledLayer {
  /** Nodes that the layer reads, targets first. */
  readonly sources: Int32Array;
  /** Number of targets. */
  readonly targetCount: number;
  /** Sampled neighbours of each target, as positions in `sources`. */
  readonly neighbours: readonly Int32Array[];
}

/**
 * Neighbour sampling of GraphSAGE (Hamilton, Ying, Leskovec 2017): at most fanOuts[layer]
 * neighbours per node, without replacement. The targets of the last layer are the given nodes;
 * layers are returned in order of application. The sample of a node depends on the random stream,
 * the layer and the node alone.
 */
export function sampleNeighbours(
  graph: Graph,
  nodes: Int32Array,
  fanOuts: readonly number[],
  random: Random,
): SampledLayer[] {
  const layers: SampledLayer[] = [];
  let targets = nodes;
  for (const [depth, fanOut] of [...fanOuts].reverse().entries()) {
    const stream = random.split(depth);
    const position = new Map(Array.from(targets, (v, i) => [v, i]));
    const sources = [...targets];
    const neighbours = Array.from(targets, (v) => {
      const all = graph.neighbours(v);
      const chosen =
        all.length <= fanOut
          ? all
          : stream
              .split(v)
              .sample(all.length, fanOut)
              .map((at) => all[at] as number);
      return chosen.map((u) => {
        const known = position.get(u);
        if (known !== undefined) return known;
        position.set(u, sources.length);
        sources.push(u);
        return sources.length - 1;
      });
    });
    layers.unshift({ sources: Int32Array.from(sources), targetCount: targets.length, neighbours });
    targets = Int32Array.from(sources);
  }
  return layers;
}

/**
 * Uniform pairs u ≠ v without an edge u → v, repeats possible.
 *
 * @throws Error when the graph is too dense to find them.
 */
export function sampleNonEdges(
  graph: Graph,
  count: number,
  random: Random,
): { sources: Int32Array; targets: Int32Array } {
  requireLimit('sampleNonEdges', 'pairs', count);
  const sources = new Int32Array(count);
  const targets = new Int32Array(count);
  let found = 0;
  for (let tries = 0; found < count; tries++) {
    if (tries > 100 * (count + 10)) throw new Error(`sampleNonEdges: found ${found} of ${count} pairs without an edge`);
    const [u, v] = [random.integer(graph.nodeCount), random.integer(graph.nodeCount)];
    if (u === v || graph.hasEdge(u, v)) continue;
    sources[found] = u;
    targets[found++] = v;
  }
  return { sources, targets };
}

/**
 * Splits off a random share of the edges, as for link prediction: the remaining graph and the
 * held-out edges.
 */
export function holdOutEdges(
  graph: Graph,
  share: number,
  random: Random,
): { graph: Graph; sources: Int32Array; targets: Int32Array } {
  if (!(share >= 0 && share <= 1)) throw new RangeError(`holdOutEdges: the share must be from 0 to 1, got ${share}`);
  const { sources, targets, weights } = graph.edges();
  const order = random.permutation(sources.length);
  const held = order.subarray(0, Math.floor(share * order.length));
  const kept = order.subarray(held.length).sort();
  const pick = <T extends Int32Array | Float32Array>(values: T, at: Int32Array) =>
    (values.constructor as unknown as { from(source: Iterable<number>): T }).from(
      Array.from(at, (e) => values[e] as number),
    );
  return {
    graph: Graph.fromEdges(graph.nodeCount, pick(sources, kept), pick(targets, kept), {
      directed: graph.directed,
      weights: weights && pick(weights, kept),
    }),
    sources: pick(sources, held),
    targets: pick(targets, held),
  };
}
