// Temporal link prediction with node memories (Rossi et al., "Temporal Graph Networks for Deep
// Learning on Dynamic Graphs", 2020, arXiv 2006.10637): each node has a memory vector, updated by a
// GRU at its events and read with attention over the memories of its last partners. The two nodes
// are encoded independently: the score uses no joint structure.

import { GRU, Linear } from '../../nn/index.js';
import type { TemporalGraph } from '../../structure/index.js';
import { attention, concatenate, type Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { TemporalScorer } from './evaluation.js';

/** Sizes of a `MemoryNetwork`. */
export interface MemoryNetworkOptions {
  /** Width of a memory. Default: 72. */
  readonly memory?: number;
  /** Width of a node's embedding. Default: 64. */
  readonly width?: number;
  /** Number of last partners that a node attends to. Default: 10. */
  readonly recent?: number;
}

/**
 * logit(u, v) = w·ReLU(W·[read(u) ‖ read(v)]), read(u) = ReLU(W_o·[m_u ‖ attention of m_u over m of
 * its last partners]); at an event m_u ← GRU([m_u ‖ m_v], m_u), and m_v likewise.
 */
export class MemoryNetwork implements TemporalScorer {
  /** GRU of the memories. */
  readonly cell: GRU;
  /** Attention queries, of m_u. */
  readonly query: Linear;
  /** Attention keys, of the partners' memories. */
  readonly keys: Linear;
  /** Attention values, of the partners' memories. */
  readonly values: Linear;
  /** W_o. */
  readonly out: Linear;
  /** W. */
  readonly hidden: Linear;
  /** w. */
  readonly head: Linear;
  readonly #memory: Float32Array;
  /** Ring buffer of the last partners of each node, and its number of events. */
  readonly #partners: Int32Array;
  readonly #degrees: Int32Array;
  readonly #graph: TemporalGraph;
  readonly #recent: number;
  readonly #memoryWidth: number;
  readonly #width: number;

  constructor(
    graph: TemporalGraph,
    random: Random,
    { memory = 72, width = 64, recent = 10 }: MemoryNetworkOptions = {},
  ) {
    const nodes = graph.nodeCount;
    this.#graph = graph;
    this.#recent = recent;
    this.#memoryWidth = memory;
    this.#width = width;
    const layer = (name: string, i: number, o: number) => new Linear(i, o, random.split(name));
    this.cell = new GRU(2 * memory, memory, random.split('cell'));
    [this.query, this.keys, this.values] = [
      layer('query', memory, width),
      layer('keys', memory, width),
      layer('values', memory, width),
    ];
    this.out = layer('out', memory + width, width);
    this.hidden = layer('hidden', 2 * width, width);
    this.head = layer('head', width, 1);
    this.#memory = new Float32Array(nodes * memory);
    // A node without events attends to its own memory.
    this.#partners = Int32Array.from({ length: nodes * recent }, (_, at) => Math.floor(at / recent));
    this.#degrees = new Int32Array(nodes);
  }

  #rows(nodes: Int32Array): Tensor {
    const width = this.#memoryWidth;
    const rows = new Float32Array(nodes.length * width);
    nodes.forEach((v, i) => {
      rows.set(this.#memory.subarray(v * width, (v + 1) * width), i * width);
    });
    return tensor(rows, [nodes.length, width]);
  }

  /** read(u) of the given nodes: [nodes, width]. */
  #embed(nodes: Int32Array): Tensor {
    const [n, recent, width] = [nodes.length, this.#recent, this.#width];
    const partners = new Int32Array(n * recent);
    const mask = new Float32Array(n * recent);
    nodes.forEach((v, i) => {
      partners.set(this.#partners.subarray(v * recent, (v + 1) * recent), i * recent);
      mask.fill(-1e9, i * recent + Math.max(1, Math.min(recent, this.#degrees[v] as number)), (i + 1) * recent);
    });
    const [memories, partnerMemories] = [this.#rows(nodes), this.#rows(partners)];
    const heads = (x: Tensor, length: number) => x.reshape([n, 1, length, width]);
    const read = attention(
      heads(this.query.forward(memories), 1),
      heads(this.keys.forward(partnerMemories), recent),
      heads(this.values.forward(partnerMemories), recent),
      { mask: tensor(mask, [n, 1, 1, recent]) },
    );
    return this.out.forward(concatenate([memories, read.reshape([n, width])], 1), 'relu');
  }

  score(left: Int32Array, right: Int32Array): Float32Array {
    return scope(() => {
      const pair = concatenate([this.#embed(left), this.#embed(right)], 1);
      return Float32Array.from(this.head.forward(this.hidden.forward(pair, 'relu')).view());
    });
  }

  observe(events: Int32Array): void {
    const { sources, targets } = this.#graph;
    const left = events.map((e) => sources[e] as number);
    const right = events.map((e) => targets[e] as number);
    const [width, recent] = [this.#memoryWidth, this.#recent];
    scope(() => {
      const [u, v] = [this.#rows(left), this.#rows(right)];
      const updated = this.cell.cell(
        concatenate([concatenate([u, v], 1), concatenate([v, u], 1)], 0),
        concatenate([u, v], 0),
      );
      const values = updated.view();
      [...left, ...right].forEach((node, i) => {
        this.#memory.set(values.subarray(i * width, (i + 1) * width), node * width);
      });
    });
    const link = (node: number, partner: number) => {
      const degree = this.#degrees[node] as number;
      this.#partners[node * recent + (degree % recent)] = partner;
      this.#degrees[node] = degree + 1;
    };
    left.forEach((u, i) => {
      link(u, right[i] as number);
      link(right[i] as number, u);
    });
  }
}
