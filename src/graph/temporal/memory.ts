// Temporal link prediction with node memories (Rossi et al., "Temporal Graph Networks for Deep
// Learning on Dynamic Graphs", 2020, arXiv 2006.10637): each node has a memory vector, updated by a
// GRU with the message of its last event and read with attention over its last partners. The two
// nodes are encoded independently: the score uses no joint structure.
//
//   m'_u = GRU([m_u ‖ m_partner ‖ x_e ‖ φ(Δt)], m_u) when read, so that gradients reach the GRU
//   read(u, t) = W_o[m'_u ‖ attention of m'_u over [m'_w ‖ x_e ‖ φ(t − t_e)] of the last partners
//   w] logit(u, v, t) = w·ReLU(W[read(u, t) ‖ read(v, t)])

import { Dropout, GRU, Linear, type Mode } from '../../nn/index.js';
import type { TemporalGraph } from '../../structure/index.js';
import {
  add,
  attention,
  concatenate,
  gatherKnownRows,
  keep,
  multiply,
  type Random,
  subtract,
  type Tensor,
  tensor,
  zeros,
} from '../../tensor/index.js';
import { rowsOrZeros } from './event-rows.js';
import { TimeEncoding } from './time-encoding.js';
import type { TemporalNetwork } from './training.js';

/** Sizes of a `TGN`. */
export interface TGNOptions {
  /** Width of a memory. Default: 72. */
  readonly memory?: number;
  /** Width of a node's embedding. Default: 64. */
  readonly width?: number;
  /** Number of last partners that a node attends to. Default: 10. */
  readonly recent?: number;
  /** Width of encodings of times. Default: 16. */
  readonly timeWidth?: number;
  /** Dropout probability of embeddings. Default: 0.1. */
  readonly dropout?: number;
  /** Spans of time are divided by it before they are encoded. Default: 1. */
  readonly timeUnit?: number;
}

/** What the last `score` computed of the nodes that it read. */
interface Reading {
  readonly position: ReadonlyMap<number, number>;
  /** m': [nodes, memory]. */
  readonly memories: Float32Array;
}

/** State of a `TGN`. */
export interface MemorySnapshot {
  /** m of all nodes: [nodes, memory]. */
  readonly memories: Float32Array;
  /** Partner's m′ at the last event of each node: [nodes, memory]. */
  readonly messages: Float32Array;
  /** Last events, last partners, their events, numbers of events. */
  readonly integers: readonly Int32Array[];
  /** Times of the last events, and the spans before them. */
  readonly times: readonly Float64Array[];
}

/** TGN with the last message of a node, GRU memories and one layer of temporal attention. */
export class TGN implements TemporalNetwork<MemorySnapshot> {
  /** φ. */
  readonly time: TimeEncoding;
  /** GRU of the memories. */
  readonly cell: GRU;
  /** Attention queries. */
  readonly query: Linear;
  /** Attention keys. */
  readonly keys: Linear;
  /** Attention values. */
  readonly values: Linear;
  /** W_o. */
  readonly out: Linear;
  /** W. */
  readonly hidden: Linear;
  /** w. */
  readonly head: Linear;
  readonly #dropout: Dropout;
  readonly #graph: TemporalGraph;
  readonly #sizes: Required<Omit<TGNOptions, 'dropout'>>;
  /** m, and the partner's m′ at the last event of each node: [nodes, memory]. */
  readonly #state: { readonly memories: Tensor; readonly messages: Tensor };
  /** Last event of each node, −1 for none, its time, and the time since the one before. */
  readonly #lastEvents: Int32Array;
  readonly #lastTimes: Float64Array;
  readonly #spans: Float64Array;
  /** Ring buffers of the last partners of each node and their events; numbers of events. */
  readonly #partners: Int32Array;
  readonly #partnerEvents: Int32Array;
  readonly #degrees: Int32Array;
  #reading: Reading | undefined;

  constructor(
    graph: TemporalGraph,
    random: Random,
    { memory = 72, width = 64, recent = 10, timeWidth = 16, dropout = 0.1, timeUnit = 1 }: TGNOptions = {},
  ) {
    const nodes = graph.nodeCount;
    const eventWidth = graph.features?.shape[1] ?? 0;
    this.#graph = graph;
    this.#sizes = { memory, width, recent, timeWidth, timeUnit };
    const layer = (name: string, i: number, o: number) => new Linear(i, o, random.split(name));
    this.time = new TimeEncoding(timeWidth);
    this.cell = new GRU(2 * memory + eventWidth + timeWidth, memory, random.split('cell'));
    this.query = layer('query', memory + timeWidth, width);
    this.keys = layer('keys', memory + eventWidth + timeWidth, width);
    this.values = layer('values', memory + eventWidth + timeWidth, width);
    this.out = layer('out', memory + width, width);
    this.hidden = layer('hidden', 2 * width, width);
    this.head = layer('head', width, 1);
    this.#dropout = new Dropout(dropout);
    this.#state = { memories: keep(zeros([nodes, memory])), messages: keep(zeros([nodes, memory])) };
    this.#lastEvents = new Int32Array(nodes).fill(-1);
    this.#lastTimes = new Float64Array(nodes);
    this.#spans = new Float64Array(nodes);
    this.#partners = new Int32Array(nodes * recent);
    this.#partnerEvents = new Int32Array(nodes * recent).fill(-1);
    this.#degrees = new Int32Array(nodes);
    this.reset();
  }

  reset(): void {
    const { recent } = this.#sizes;
    for (const table of Object.values(this.#state)) table.view().fill(0);
    this.#lastEvents.fill(-1);
    this.#lastTimes.fill(0);
    this.#spans.fill(0);
    // A node without events attends to its own memory.
    for (let at = 0; at < this.#partners.length; at++) this.#partners[at] = Math.floor(at / recent);
    this.#partnerEvents.fill(-1);
    this.#degrees.fill(0);
  }

  get #integers(): Int32Array[] {
    return [this.#lastEvents, this.#partners, this.#partnerEvents, this.#degrees];
  }

  get #times(): Float64Array[] {
    return [this.#lastTimes, this.#spans];
  }

  snapshot(): MemorySnapshot {
    return {
      memories: Float32Array.from(this.#state.memories.view()),
      messages: Float32Array.from(this.#state.messages.view()),
      integers: this.#integers.map((values) => values.slice()),
      times: this.#times.map((values) => values.slice()),
    };
  }

  restore({ memories, messages, integers, times }: MemorySnapshot): void {
    this.#state.memories.view().set(memories);
    this.#state.messages.view().set(messages);
    this.#integers.forEach((values, i) => {
      values.set(integers[i] as Int32Array);
    });
    this.#times.forEach((values, i) => {
      values.set(times[i] as Float64Array);
    });
  }

  /** φ of spans of time: [spans, timeWidth]. */
  #spansOf(spans: Float64Array): Tensor {
    return this.time.forward(Float32Array.from(spans, (span) => span / this.#sizes.timeUnit));
  }

  #withFeatures(parts: readonly Tensor[], events: Int32Array): Tensor {
    const { features } = this.#graph;
    return concatenate([...parts, ...(features ? [rowsOrZeros(features, events)] : [])], 1);
  }

  /** m′ of nodes: [nodes, memory]. */
  #updated(nodes: Int32Array): Tensor {
    const rows = tensor(nodes);
    const events = nodes.map((node) => this.#lastEvents[node] as number);
    const memories = gatherKnownRows(this.#state.memories, rows);
    const spans = this.#spansOf(Float64Array.from(nodes, (node) => this.#spans[node] as number));
    const message = this.#withFeatures([memories, gatherKnownRows(this.#state.messages, rows), spans], events);
    const updated = this.cell.cell(message, memories);
    if (!events.includes(-1)) return updated;
    const known = tensor(
      Float32Array.from(events, (event) => Number(event >= 0)),
      [nodes.length, 1],
    );
    return add(memories, multiply(known, subtract(updated, memories)));
  }

  score(left: Int32Array, right: Int32Array, mode: Mode, times: Float64Array): Tensor {
    const rowsAt = new Map<number, Map<number, number>>();
    const [nodes, at] = [[] as number[], [] as number[]];
    const rowOf = (node: number, time: number) => {
      const rows = rowsAt.get(time) ?? new Map<number, number>();
      rowsAt.set(time, rows);
      const known = rows.get(node);
      if (known !== undefined) return known;
      rows.set(node, nodes.length);
      at.push(time);
      return nodes.push(node) - 1;
    };
    const ends = [left, right].map((own) => own.map((node, i) => rowOf(node, times[i] as number)));
    const embedded = this.#dropout.forward(this.#embed(Int32Array.from(nodes), Float64Array.from(at)), mode);
    const pair = ends.map((rows) => gatherKnownRows(embedded, tensor(rows)));
    return this.head.forward(this.hidden.forward(concatenate(pair, 1), 'relu')).reshape([left.length]);
  }

  /** read(u, t) of the given nodes and times: [nodes, width]. */
  #embed(nodes: Int32Array, at: Float64Array): Tensor {
    const { recent, width } = this.#sizes;
    const n = nodes.length;
    const partners = new Int32Array(n * recent);
    const events = new Int32Array(n * recent);
    const mask = new Float32Array(n * recent);
    nodes.forEach((v, i) => {
      partners.set(this.#partners.subarray(v * recent, (v + 1) * recent), i * recent);
      events.set(this.#partnerEvents.subarray(v * recent, (v + 1) * recent), i * recent);
      mask.fill(-1e9, i * recent + Math.max(1, Math.min(recent, this.#degrees[v] as number)), (i + 1) * recent);
    });
    const position = new Map<number, number>();
    for (const own of [nodes, partners])
      for (const node of own) if (!position.has(node)) position.set(node, position.size);
    const all = this.#updated(Int32Array.from(position.keys()));
    this.#reading = { position, memories: Float32Array.from(all.view()) };
    const rowsOf = (own: Int32Array) => gatherKnownRows(all, tensor(own.map((v) => position.get(v) as number)));
    const spans = Float64Array.from(events, (event, i) => {
      return event < 0 ? 0 : (at[Math.floor(i / recent)] as number) - (this.#graph.times[event] as number);
    });
    const own = rowsOf(nodes);
    const near = this.#withFeatures([rowsOf(partners), this.#spansOf(spans)], events);
    const query = this.query.forward(concatenate([own, this.#spansOf(new Float64Array(n))], 1));
    const heads = (x: Tensor, length: number) => x.reshape([n, 1, length, width]);
    const read = attention(
      heads(query, 1),
      heads(this.keys.forward(near), recent),
      heads(this.values.forward(near), recent),
      { mask: tensor(mask, [n, 1, 1, recent]) },
    );
    return this.out.forward(concatenate([own, read.reshape([n, width])], 1), 'relu');
  }

  observe(events: Int32Array): void {
    const reading = this.#reading;
    if (!reading) throw new Error('TGN.observe: score the events first');
    const { memory } = this.#sizes;
    const [memories, messages] = [this.#state.memories.view(), this.#state.messages.view()];
    const { sources, targets, times } = this.#graph;
    const rowOf = (node: number) => {
      const row = reading.position.get(node);
      if (row === undefined) throw new Error(`TGN.observe: node ${node} was not scored by the last call of score`);
      return reading.memories.subarray(row * memory, (row + 1) * memory);
    };
    for (const event of events) {
      const [u, v, time] = [sources[event] as number, targets[event] as number, times[event] as number];
      for (const [node, partner] of [
        [u, v],
        [v, u],
      ] as const) {
        memories.set(rowOf(node), node * memory);
        messages.set(rowOf(partner), node * memory);
        this.#link(node, partner, event, time);
      }
    }
  }

  #link(node: number, partner: number, event: number, time: number): void {
    const { recent } = this.#sizes;
    this.#spans[node] = this.#lastEvents[node] === -1 ? 0 : time - (this.#lastTimes[node] as number);
    this.#lastEvents[node] = event;
    this.#lastTimes[node] = time;
    const degree = this.#degrees[node] as number;
    const at = node * recent + (degree % recent);
    this.#partners[at] = partner;
    this.#partnerEvents[at] = event;
    this.#degrees[node] = degree + 1;
  }
}
