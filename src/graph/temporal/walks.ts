// Temporal link prediction from sampled walks, after CAWN (Wang, Chang, Liu, Leskovec, Li,
// "Inductive Representation Learning in Temporal Networks via Causal Anonymous Walks", ICLR 2021):
// walks from both nodes are sampled and joined again for every pair, the cost that neighbour caches
// avoid.

import { Linear } from '../../nn/index.js';
import { Segments, segmentSum } from '../../sparse/index.js';
import type { TemporalGraph } from '../../structure/index.js';
import { type Random, scope, tensor } from '../../tensor/index.js';
import type { TemporalScorer } from './evaluation.js';

/** Sizes of a `WalkNetwork`. */
export interface WalkNetworkOptions {
  /** Walks from each node of a pair. Default: 32. */
  readonly walks?: number;
  /** Steps of a walk. Default: 2. */
  readonly length?: number;
  /** Width of a pair's hidden vector. Default: 64. */
  readonly width?: number;
}

/** Partners of each node in order of events, from which walks are sampled. */
export class WalkHistory {
  /** Walks from each node. */
  readonly walks: number;
  /** Steps of a walk. */
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

  /** Appends events, by their indices. */
  observe(events: Int32Array): void {
    for (const event of events) {
      const [u, v] = [this.graph.sources[event] as number, this.graph.targets[event] as number];
      (this.#partners[u] as number[]).push(v);
      (this.#partners[v] as number[]).push(u);
    }
  }

  /**
   * Samples walks that prefer recent partners.
   *
   * @returns for every node visited, the number of visits at each step, [length + 1]
   */
  walk(start: number, random: Random): Map<number, Float32Array> {
    const { walks, length } = this;
    const startVisits = new Float32Array(length + 1);
    startVisits[0] = walks;
    const counts = new Map([[start, startVisits]]);
    for (let walk = 0; walk < walks; walk++) {
      let node = start;
      for (let step = 1; step <= length; step++) {
        const partners = this.#partners[node] as number[];
        if (partners.length === 0) break;
        // The larger of two draws: the probability grows linearly with recency.
        const at = Math.max(random.integer(partners.length), random.integer(partners.length));
        node = partners[at] as number;
        const visits = counts.get(node) ?? new Float32Array(length + 1);
        visits[step] = (visits[step] as number) + 1;
        counts.set(node, visits);
      }
    }
    return counts;
  }

  /**
   * Appends to `into` one joint row, [2·(length + 1)] visits, for every node visited from u or from
   * v.
   *
   * @returns number of rows
   */
  joint(u: number, v: number, random: Random, into: number[]): number {
    const sides = [this.walk(u, random), this.walk(v, random)];
    const none = new Float32Array(this.length + 1);
    const nodes = new Set(sides.flatMap((side) => [...side.keys()]));
    for (const node of nodes) for (const side of sides) into.push(...(side.get(node) ?? none));
    return nodes.size;
  }
}

/**
 * logit(u, v) = w·ReLU(W₂·Σ over joint rows of ReLU(W₁·row)), with walks sampled for every pair.
 */
export class WalkNetwork implements TemporalScorer {
  /** W₁. */
  readonly pool: Linear;
  /** W₂. */
  readonly hidden: Linear;
  /** w. */
  readonly head: Linear;
  /** Elements of joint rows computed so far: a measure of work. */
  elementsRead = 0;
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
    this.elementsRead += rows.length;
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
