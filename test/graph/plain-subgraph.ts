// A subgraph network in double precision and plain loops over triples of nodes, in inference mode:
// written from the definition, with the weights of a network.

import { cellNumber, GraphBatches, type Pooling, type Scheme, type SubgraphNetwork } from '../../src/graph/index.js';
import { stateOf } from '../../src/nn/index.js';
import { type Graph, GraphCollection } from '../../src/structure/index.js';

export type Matrix = Float64Array[];
type Cells = Float64Array[][];

/** Graph with features of nodes, and of edges by both ends. */
export interface PlainGraph {
  readonly graph: Graph;
  readonly nodes?: readonly (readonly number[])[];
  readonly edge?: (v: number, w: number) => readonly number[];
}

/** Shortest distances by relaxation, capped. */
export function plainDistances(graph: Graph, cap: number): number[][] {
  const n = graph.nodeCount;
  const all = Array.from({ length: n }, (_, u) => Array.from({ length: n }, (_, v) => (u === v ? 0 : cap)));
  const at = (u: number, v: number) => (all[u] as number[])[v] as number;
  for (let round = 0; round < n; round++)
    for (let u = 0; u < n; u++)
      for (let v = 0; v < n; v++)
        for (const w of graph.neighbours(v)) (all[u] as number[])[v] = Math.min(at(u, v), at(u, w) + 1);
  return all;
}

export class PlainNetwork {
  readonly #state: Readonly<Record<string, Float64Array>>;
  readonly #shapes: Readonly<Record<string, readonly number[]>>;

  constructor(
    network: SubgraphNetwork,
    readonly scheme: Scheme,
    readonly layers: number,
    readonly cap = 5,
  ) {
    const state = stateOf(network);
    this.#state = Object.fromEntries(Object.entries(state).map(([name, x]) => [name, Float64Array.from(x.view())]));
    this.#shapes = Object.fromEntries(Object.entries(state).map(([name, x]) => [name, x.shape]));
  }

  linear(name: string, x: Float64Array): Float64Array {
    const [rows, columns] = this.#shapes[`${name}.weight`] as [number, number];
    const weight = this.#state[`${name}.weight`] as Float64Array;
    const bias = this.#state[`${name}.bias`];
    return Float64Array.from({ length: rows }, (_, r) => {
      let sum = bias?.[r] ?? 0;
      for (let c = 0; c < columns; c++) sum += (weight[r * columns + c] as number) * (x[c] as number);
      return sum;
    });
  }

  norm(name: string, x: Float64Array): Float64Array {
    const of = (key: string) => this.#state[`${name}.${key}`] as Float64Array;
    return x.map(
      (value, c) =>
        ((value - (of('runningMean')[c] as number)) / Math.sqrt((of('runningVariance')[c] as number) + 1e-5)) *
          (of('weight')[c] as number) +
        (of('bias')[c] as number),
    );
  }

  mlp(name: string, x: Float64Array): Float64Array {
    const relu = (y: Float64Array) => y.map((value) => Math.max(0, value));
    return this.linear(`${name}.outer`, relu(this.norm(`${name}.norm`, this.linear(`${name}.inner`, x))));
  }

  /** What an aggregation delivers to (u, v), by its definition. */
  message(layer: string, branch: number, h: Cells, { graph, edge }: PlainGraph, u: number, v: number): Float64Array {
    const n = h.length;
    const d = ((h[0] as Float64Array[])[0] as Float64Array).length;
    const at = (a: number, b: number) => (h[a] as Float64Array[])[b] as Float64Array;
    const total = new Float64Array(d);
    const add = (x: Float64Array) => {
      for (let c = 0; c < d; c++) total[c] = (total[c] as number) + (x[c] as number);
    };
    const sent = (x: Float64Array, a: number, b: number) => {
      const bond = edge && this.linear(`${layer}.branches.${branch}.edges`, Float64Array.from(edge(a, b)));
      return x.map((value, c) => Math.max(0, value + (bond?.[c] ?? 0)));
    };
    const all = Array.from({ length: n }, (_, w) => w);
    switch (this.scheme.aggregations[branch]) {
      case 'vu':
        add(at(v, u));
        break;
      case 'uu':
        add(at(u, u));
        break;
      case 'vv':
        add(at(v, v));
        break;
      case 'uG':
        for (const w of all) add(at(u, w));
        break;
      case 'vG':
        for (const w of all) add(at(w, v));
        break;
      case 'uL':
        for (const w of graph.neighbours(v)) add(sent(at(u, w), v, w));
        break;
      default:
        for (const w of graph.neighbours(u)) add(sent(at(w, v), u, w));
    }
    return total;
  }

  layer(l: number, h: Cells, input: PlainGraph): Cells {
    const name = `layers.${l}`;
    return h.map((row, u) =>
      row.map((own, v) => {
        const total = new Float64Array(own.length);
        this.scheme.aggregations.forEach((_, branch) => {
          const epsilon = (this.#state[`${name}.branches.${branch}.epsilon`] as Float64Array)[0] as number;
          const m = this.message(name, branch, h, input, u, v);
          const out = this.mlp(
            `${name}.branches.${branch}.mlp`,
            m.map((value, c) => value + (1 + epsilon) * (own[c] as number)),
          );
          out.forEach((value, c) => {
            total[c] = (total[c] as number) + value;
          });
        });
        return this.norm(`${name}.norm`, total).map((value) => Math.max(0, value));
      }),
    );
  }

  /** Output of the network for one graph with all cells. */
  forward(input: PlainGraph): Float64Array {
    const { graph, nodes } = input;
    const distances = plainDistances(graph, this.cap);
    const table = this.#state['distances.weight'] as Float64Array;
    const d = (this.#shapes['distances.weight'] as number[])[1] as number;
    let h: Cells = distances.map((row) =>
      row.map((distance, v) => {
        const own = table.slice(distance * d, (distance + 1) * d);
        const atom = nodes && this.linear('nodes', Float64Array.from(nodes[v] as number[]));
        return own.map((value, c) => value + (atom?.[c] ?? 0));
      }),
    );
    for (let l = 0; l < this.layers; l++) h = this.layer(l, h, input);
    return this.#read(h, this.scheme.pooling);
  }

  #read(h: Cells, pooling: Pooling): Float64Array {
    const n = h.length;
    const d = ((h[0] as Float64Array[])[0] as Float64Array).length;
    const mean = new Float64Array(d);
    for (let i = 0; i < n; i++) {
      const pooled = new Float64Array(d);
      for (let j = 0; j < n; j++)
        (pooling === 'VS' ? h[i]?.[j] : h[j]?.[i])?.forEach((value, c) => {
          pooled[c] = (pooled[c] as number) + value;
        });
      this.norm('norm', this.mlp('readout', pooled)).forEach((value, c) => {
        mean[c] = (mean[c] as number) + Math.max(0, value) / n;
      });
    }
    return this.linear(
      'head.1',
      this.linear('head.0', mean).map((value) => Math.max(0, value)),
    );
  }
}

/** All cells of one graph, without features. */
export function oneGraph(graph: Graph) {
  const batches = new GraphBatches({ graphs: GraphCollection.of([graph]), nodes: undefined, edges: undefined });
  return { batches, batch: batches.select([0]), at: cellNumber };
}
