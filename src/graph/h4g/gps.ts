// A graph transformer on the subgraph around each node: message passing along edges beside
// attention among all nodes of the subgraph, on text vectors with a random-walk encoding of the
// places. (Rampášek et al., "Recipe for a General, Powerful, Scalable Graph Transformer", NeurIPS
// 2022; Zhu et al., "GraphCLIP", 2024, which reads out the mean of the subgraph and its centre.)

import { joinHeads, LayerNorm, Linear, type Mode, splitHeads } from '../../nn/index.js';
import type { Graph } from '../../structure/index.js';
import {
  add,
  attention,
  gatherKnownRows,
  matmul,
  multiply,
  type Random,
  relu,
  reshape,
  slice,
  sum,
  type Tensor,
  tensor,
} from '../../tensor/index.js';
import type { GraphTextEncoder, PreparedGraph } from './hop-gates.js';

/** Options of `GPSEncoder`. */
export interface GPSOptions {
  /** Layers. Default: 2. */
  readonly layers?: number;
  /** Attention heads, which divide the width. Default: 4. */
  readonly heads?: number;
  /** Nodes of a subgraph at most: the nearest of the centre. Default: 16. */
  readonly nodes?: number;
  /** Steps of the random walk whose probabilities of return encode places. Default: 8. */
  readonly steps?: number;
}

/** Subgraphs of a batch as dense arrays; places beyond a subgraph repeat its centre, hidden. */
interface Subgraphs {
  /** Nodes [rows·size], the centre first. */
  readonly nodes: Int32Array;
  /** Nodes of each subgraph. */
  readonly counts: Int32Array;
  /** D̃^{−1/2}(A + I)D̃^{−1/2} of each subgraph [rows, size, size]. */
  readonly adjacency: Float32Array;
  /** Probability of being back after 1 … steps steps [rows, size, steps]. */
  readonly places: Float32Array;
}

/** The nodes nearest to a centre, breadth first, neighbours in ascending order. */
export function nearestNodes(graph: Graph, centre: number, limit: number): number[] {
  const found = [centre];
  const seen = new Set(found);
  for (let at = 0; at < found.length && found.length < limit; at++)
    for (const u of graph.neighbours(found[at] as number)) {
      if (seen.has(u) || found.length >= limit) continue;
      seen.add(u);
      found.push(u);
    }
  return found;
}

/** One layer: h ← LN(h + ÂhW) + LN(h + attention(h)), then LN(h + MLP(h)). */
class GPSLayer {
  readonly local: Linear;
  readonly qkv: Linear;
  readonly proj: Linear;
  readonly up: Linear;
  readonly down: Linear;
  readonly norms: readonly LayerNorm[];
  readonly #heads: number;

  constructor(width: number, heads: number, random: Random) {
    const linear = (name: string, from: number, to: number) => new Linear(from, to, random.split(name));
    this.local = linear('local', width, width);
    this.qkv = linear('qkv', width, 3 * width);
    this.proj = linear('proj', width, width);
    this.up = linear('up', width, 2 * width);
    this.down = linear('down', 2 * width, width);
    this.norms = [0, 1, 2].map(() => new LayerNorm(width));
    this.#heads = heads;
  }

  /** h [rows, size, width] → the same. */
  forward(h: Tensor, adjacency: Tensor, mask: Tensor): Tensor {
    const width = h.shape[2] as number;
    const projected = this.qkv.forward(h);
    const part = (i: number) => splitHeads(slice(projected, null, null, [i * width, (i + 1) * width]), this.#heads);
    const mixed = this.proj.forward(joinHeads(attention(part(0), part(1), part(2), { mask })));
    const norm = (at: number, x: Tensor) => (this.norms[at] as LayerNorm).forward(x);
    const both = add(norm(0, add(h, matmul(adjacency, this.local.forward(h)))), norm(1, add(h, mixed)));
    return norm(2, add(both, this.down.forward(relu(this.up.forward(both)))));
  }
}

/** z_v = mean of the subgraph + centre, both after the layers. */
export class GPSEncoder implements GraphTextEncoder {
  /** The layers, first to last. */
  readonly layers: readonly GPSLayer[];
  /** From probabilities of return to the width. */
  readonly place: Linear;
  readonly #size: number;
  readonly #steps: number;

  /** @throws RangeError when the heads do not divide the width */
  constructor(width: number, random: Random, { layers = 2, heads = 4, nodes = 16, steps = 8 }: GPSOptions = {}) {
    if (width % heads !== 0) throw new RangeError(`GPSEncoder: ${width} features do not divide among ${heads} heads`);
    this.layers = Array.from({ length: layers }, (_, i) => new GPSLayer(width, heads, random.split(i)));
    this.place = new Linear(steps, width, random.split('place'));
    this.#size = nodes;
    this.#steps = steps;
  }

  prepare(graph: Graph, texts: Tensor): PreparedGraph {
    return { graph, texts, hops: [] };
  }

  forward({ graph, texts }: PreparedGraph, rows: Int32Array, _: Mode): Tensor {
    const size = this.#size;
    const width = texts.shape[1] as number;
    const { nodes, counts, adjacency, places } = subgraphsOf(graph, rows, size, this.#steps);
    const shape = [rows.length, size, width];
    const hidden = Float32Array.from({ length: rows.length * size }, (_, at) =>
      at % size < (counts[Math.floor(at / size)] as number) ? 0 : -1e9,
    );
    const mask = tensor(hidden, [rows.length, 1, 1, size]);
    const operator = tensor(adjacency, [rows.length, size, size]);
    const start = reshape(gatherKnownRows(texts, tensor(nodes)), shape);
    const h = this.layers.reduce(
      (state, layer) => layer.forward(state, operator, mask),
      add(start, this.place.forward(tensor(places, [rows.length, size, this.#steps]))),
    );
    const shares = hidden.map((value, at) => (value === 0 ? 1 / (counts[Math.floor(at / size)] as number) : 0));
    const mean = sum(multiply(h, tensor(shares, [rows.length, size, 1])), 1);
    return add(mean, reshape(slice(h, null, [0, 1], null), [rows.length, width]));
  }
}

/** The subgraphs around some nodes. */
export function subgraphsOf(graph: Graph, rows: Int32Array, size: number, steps: number): Subgraphs {
  const nodes = new Int32Array(rows.length * size);
  const counts = new Int32Array(rows.length);
  const adjacency = new Float32Array(rows.length * size * size);
  const places = new Float32Array(rows.length * size * steps);
  rows.forEach((centre, row) => {
    const own = nearestNodes(graph, centre, size);
    counts[row] = own.length;
    nodes.fill(centre, row * size, (row + 1) * size);
    nodes.set(own, row * size);
    const edges = edgesWithin(graph, own);
    const dense = adjacency.subarray(row * size * size, (row + 1) * size * size);
    const degrees = edges.map((targets) => targets.length + 1);
    const share = (i: number, j: number) => 1 / Math.sqrt((degrees[i] as number) * (degrees[j] as number));
    edges.forEach((targets, i) => {
      for (const j of [i, ...targets]) dense[i * size + j] = share(i, j);
    });
    places.set(returns(edges, steps), row * size * steps);
  });
  return { nodes, counts, adjacency, places };
}

/** Places in a list of nodes that each is joined with, loops aside. */
function edgesWithin(graph: Graph, nodes: readonly number[]): number[][] {
  const placeOf = new Map(nodes.map((v, place) => [v, place]));
  return nodes.map((v) =>
    Array.from(graph.neighbours(v)).flatMap((u) => {
      const place = placeOf.get(u);
      return place === undefined || u === v ? [] : [place];
    }),
  );
}

/**
 * Probability that a random walk from each place is back after 1 … steps steps, [places, steps].
 */
function returns(edges: readonly (readonly number[])[], steps: number): Float32Array {
  const back = new Float32Array(edges.length * steps);
  for (let start = 0; start < edges.length; start++) {
    let at = new Float64Array(edges.length);
    at[start] = 1;
    for (let step = 0; step < steps; step++) {
      const next = new Float64Array(edges.length);
      edges.forEach((targets, i) => {
        for (const j of targets) next[j] = (next[j] as number) + (at[i] as number) / targets.length;
      });
      at = next;
      back[start * steps + step] = at[start] as number;
    }
  }
  return back;
}
