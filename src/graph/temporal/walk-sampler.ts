// Sampling of walks back in time, in typed arrays and with a generator that hashes a counter.

import type { TemporalGraph } from '../../structure/index.js';
import { KeyTable } from './key-table.js';

/** State of a `WalkSampler`. */
export interface WalkSnapshot {
  /** Number of events of each node. */
  readonly degrees: Int32Array;
  /** Partners of each node, node by node. */
  readonly partners: Int32Array;
  /** Events with these partners. */
  readonly events: Int32Array;
  /** Numbers drawn so far. */
  readonly draws: number;
}

/** Walks from both nodes of each pair. */
export interface PairWalks {
  /**
   * Row of the node at each step of each walk, [pairs, 2, walks, length + 1], those from u first;
   * −1 once a walk has ended.
   */
  readonly rows: Int32Array;
  /** Event that led to each step, −1 at the start and once a walk has ended. */
  readonly events: Int32Array;
  /**
   * One row for each node around each pair: how often the walks from u, and those from v, pass it
   * at each step, as shares of the walks: two tables [rows, length + 1].
   */
  readonly counts: readonly [Float32Array, Float32Array];
}

/** Partners of each node in order of events, from which walks are sampled. */
export class WalkSampler {
  /** Walks from each node. */
  readonly walks: number;
  /** Steps of a walk. */
  readonly length: number;
  readonly #seed: number;
  /** Partners and events of node v lie at offsets[v] … offsets[v] + degrees[v] − 1. */
  readonly #offsets: Int32Array;
  readonly #degrees: Int32Array;
  readonly #partners: Int32Array;
  readonly #events: Int32Array;
  readonly #table = new KeyTable();
  #draws = 0;

  constructor(
    readonly graph: TemporalGraph,
    { walks, length, seed }: { readonly walks: number; readonly length: number; readonly seed: number },
  ) {
    this.walks = walks;
    this.length = length;
    this.#seed = seed;
    const { nodeCount, sources, targets } = graph;
    this.#offsets = new Int32Array(nodeCount + 1);
    for (const ends of [sources, targets])
      for (const v of ends) this.#offsets[v + 1] = (this.#offsets[v + 1] as number) + 1;
    for (let v = 0; v < nodeCount; v++)
      this.#offsets[v + 1] = (this.#offsets[v + 1] as number) + (this.#offsets[v] as number);
    this.#degrees = new Int32Array(nodeCount);
    this.#partners = new Int32Array(2 * graph.eventCount);
    this.#events = new Int32Array(2 * graph.eventCount);
  }

  /** Forgets all events, and starts the draws again. */
  clear(): void {
    this.#degrees.fill(0);
    this.#draws = 0;
  }

  /** A copy of the state. */
  snapshot(): WalkSnapshot {
    return {
      degrees: this.#degrees.slice(),
      partners: this.#partners.slice(),
      events: this.#events.slice(),
      draws: this.#draws,
    };
  }

  /** Restores the state of a snapshot. */
  restore({ degrees, partners, events, draws }: WalkSnapshot): void {
    this.#degrees.set(degrees);
    this.#partners.set(partners);
    this.#events.set(events);
    this.#draws = draws;
  }

  /** Appends events, by their indices. */
  observe(events: Int32Array): void {
    const { sources, targets } = this.graph;
    for (const event of events) {
      const [u, v] = [sources[event] as number, targets[event] as number];
      this.#append(u, v, event);
      this.#append(v, u, event);
    }
  }

  #append(node: number, partner: number, event: number): void {
    const at = (this.#offsets[node] as number) + (this.#degrees[node] as number);
    this.#degrees[node] = (this.#degrees[node] as number) + 1;
    this.#partners[at] = partner;
    this.#events[at] = event;
  }

  /** A uniform integer below n: the counter hashed by the finaliser of murmur3. */
  #integer(n: number): number {
    let h = Math.imul(this.#draws++ ^ this.#seed, 0x9e3779b1);
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return Math.floor((((h ^ (h >>> 16)) >>> 0) / 2 ** 32) * n);
  }

  /** Number of events of a node that are earlier than a given one. */
  #earlier(node: number, event: number): number {
    const first = this.#offsets[node] as number;
    let [low, high] = [0, this.#degrees[node] as number];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[first + middle] as number) < event) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Samples walks from the nodes of each pair. Each step goes to a partner met before the step
   * that led here, with a probability that grows linearly with recency.
   */
  sample(left: Int32Array, right: Int32Array): PairWalks {
    const { walks, length } = this;
    const steps = length + 1;
    const rows = new Int32Array(2 * left.length * walks * steps).fill(-1);
    const events = new Int32Array(rows.length).fill(-1);
    // There are at most as many rows as places on walks.
    const counts = [new Float32Array(rows.length * steps), new Float32Array(rows.length * steps)] as const;
    const share = 1 / walks;
    let [used, at] = [0, 0];
    for (let pair = 0; pair < left.length; pair++) {
      this.#table.clear();
      for (const [side, ends] of [left, right].entries())
        for (let walk = 0; walk < walks; walk++, at += steps) {
          let node = ends[pair] as number;
          let choices = this.#degrees[node] as number;
          for (let step = 0; step < steps; step++) {
            let row = this.#table.find(node);
            if (row < 0) {
              row = used++;
              this.#table.put(node, row);
            }
            rows[at + step] = row;
            const own = counts[side] as Float32Array;
            own[row * steps + step] = (own[row * steps + step] as number) + share;
            if (step === length || choices === 0) break;
            // The larger of two draws prefers recent partners.
            const chosen = (this.#offsets[node] as number) + Math.max(this.#integer(choices), this.#integer(choices));
            node = this.#partners[chosen] as number;
            const event = this.#events[chosen] as number;
            events[at + step + 1] = event;
            choices = this.#earlier(node, event);
          }
        }
    }
    return { rows, events, counts: [counts[0].subarray(0, used * steps), counts[1].subarray(0, used * steps)] };
  }
}
