// Scoring links by sampled walks, as CAWN and its kin do (Wang, Chang, Liu, Leskovec, Li, "Inductive Representation Learning in Temporal Networks via Causal Anonymous Walks", ICLR 2021): the walks from both ends are joined anew for
// every pair, which is what caches of neighbours avoid.

import { Linear } from '../../nn/index.js';
import { Segments, segmentSum } from '../../sparse/index.js';
import type { TemporalGraph } from '../../structure/index.js';
import { type Random, scope, tensor } from '../../tensor/index.js';
import type { TemporalScorer } from './evaluation.js';

export interface WalkNetworkOptions {
  /** Walks from each end of a pair. Default: 32. */
  readonly walks?: number;
  /** Steps of a walk. Default: 2. */
  readonly length?: number;
  /** Width of a pair's vector. Default: 64. */
  readonly width?: number;
}

/** Partners of each node in the order of events: what walks are sampled from. */
export class WalkHistory {
  readonly walks: number;
  readonly length: number;
  readonly #partners: number[][];

  constructor(
    readonly graph: TemporalGraph,
    { walks = 32, length = 2 }: Omit<WalkNetworkOptions, 'width'> = {},
  ) {
    this.walks = walks;
    this.length = length;
    this.#partners = Array.from({ length: graph.nodeCount }, () => []);
  }

  observe(events: Int32Array): void {
    for (const event of events) {
      const [u, v] = [this.graph.sources[event] as number, this.graph.targets[event] as number];
      (this.#partners[u] as number[]).push(v);
      (this.#partners[v] as number[]).push(u);
    }
  }

  /** How often each node is met at each step [length + 1] of walks that prefer recent partners. */
  walk(start: number, random: Random): Map<number, Float32Array> {
    const { walks, length } = this;
    const own = new Float32Array(length + 1);
    own[0] = walks;
    const counts = new Map([[start, own]]);
    for (let walk = 0; walk < walks; walk++) {
      let node = start;
      for (let step = 1; step <= length; step++) {
        const partners = this.#partners[node] as number[];
        if (partners.length === 0) break;
        // The larger of two draws: a linear preference for the recent.
        const at = Math.max(random.integer(partners.length), random.integer(partners.length));
        node = partners[at] as number;
        const met = counts.get(node) ?? new Float32Array(length + 1);
        met[step] = (met[step] as number) + 1;
        counts.set(node, met);
      }
    }
    return counts;
  }

  /** Appends the joint row [2·(length + 1)] of every node that walks from u or from v meet. @returns their number */
  joint(u: number, v: number, random: Random, into: number[]): number {
    const sides = [this.walk(u, random), this.walk(v, random)];
    const none = new Float32Array(this.length + 1);
    const nodes = new Set(sides.flatMap((side) => [...side.keys()]));
    for (const node of nodes) for (const side of sides) into.push(...(side.get(node) ?? none));
    return nodes.size;
  }
}

/** logit(u, v) = w·ReLU(W₂·Σ over joint rows of ReLU(W₁·row)), with rows made for each pair. */
export class WalkNetwork implements TemporalScorer {
  readonly pool: Linear;
  readonly hidden: Linear;
  readonly head: Linear;
  /** Numbers in joint rows that were made so far. */
  numbersRead = 0;
  readonly #history: WalkHistory;
  readonly #draws: Random;

  constructor(graph: TemporalGraph, random: Random, { width = 64, ...options }: WalkNetworkOptions = {}) {
    this.#history = new WalkHistory(graph, options);
    this.#draws = random.split('walks');
    this.pool = new Linear(2 * (this.#history.length + 1), 2 * width, random.split('pool'));
    this.hidden = new Linear(2 * width, width, random.split('hidden'));
    this.head = new Linear(width, 1, random.split('head'));
  }

  score(left: Int32Array, right: Int32Array): Float32Array {
    const rows: number[] = [];
    const sizes = Array.from(left, (u, i) => this.#history.joint(u, right[i] as number, this.#draws, rows));
    this.numbersRead += rows.length;
    return scope(() => {
      const width = this.pool.inFeatures;
      const x = tensor(Float32Array.from(rows), [rows.length / width, width]);
      const pooled = segmentSum(this.pool.forward(x, 'relu'), Segments.fromSizes(sizes));
      return Float32Array.from(this.head.forward(this.hidden.forward(pooled, 'relu')).view());
    });
  }

  observe(events: Int32Array): void {
    this.#history.observe(events);
  }
}
