// Temporal link prediction from sampled walks, after CAWN (Wang, Chang, Liu, Leskovec, Li,
// "Inductive Representation Learning in Temporal Networks via Causal Anonymous Walks", ICLR 2021):
// walks back in time from both nodes are sampled anew for every pair, and each node on them is
// named by how often the walks from u and from v pass it at each step. It is the cost that
// neighbour caches avoid.
//
//   id(a) = F(counts of a in walks from u) + F(counts of a in walks from v),  F = MLP
//   walk  = GRU over its steps of [id ‖ x_e ‖ φ(t − t_e)]
//   logit = w·ReLU(W·[mean of the walks from u ‖ mean of those from v])

import { Dropout, GRU, Linear, type Mode } from '../../nn/index.js';
import { Segments, segmentSum } from '../../sparse/index.js';
import type { TemporalGraph } from '../../structure/index.js';
import {
  add,
  concatenate,
  gatherKnownRows,
  multiply,
  type Random,
  reshape,
  type Tensor,
  tensor,
  zeros,
} from '../../tensor/index.js';
import { rowsOrZeros } from './event-rows.js';
import { TimeEncoding } from './time-encoding.js';
import type { TemporalNetwork } from './training.js';
import { WalkSampler, type WalkSnapshot } from './walk-sampler.js';

/** Sizes of a `WalkNetwork`. */
export interface WalkNetworkOptions {
  /** Walks from each node of a pair. Default: 32. */
  readonly walks?: number;
  /** Steps of a walk. Default: 2. */
  readonly length?: number;
  /** Width of the encoding of a walk. Default: 64. */
  readonly width?: number;
  /** Width of encodings of times. Default: 16. */
  readonly timeWidth?: number;
  /** Dropout probability of encoded walks. Default: 0.1. */
  readonly dropout?: number;
  /** Spans of time are divided by it before they are encoded. Default: 1. */
  readonly timeUnit?: number;
}

/** CAWN with set-based counts and a GRU over the steps of a walk. */
export class WalkNetwork implements TemporalNetwork<WalkSnapshot> {
  /** φ. */
  readonly time: TimeEncoding;
  /** First layer of F. */
  readonly counts: Linear;
  /** Second layer of F. */
  readonly names: Linear;
  /** GRU over the steps of a walk. */
  readonly cell: GRU;
  /** W. */
  readonly hidden: Linear;
  /** w. */
  readonly head: Linear;
  readonly #dropout: Dropout;
  readonly #sampler: WalkSampler;
  readonly #graph: TemporalGraph;
  readonly #timeUnit: number;

  constructor(
    graph: TemporalGraph,
    random: Random,
    { walks = 32, length = 2, width = 64, timeWidth = 16, dropout = 0.1, timeUnit = 1 }: WalkNetworkOptions = {},
  ) {
    this.#graph = graph;
    this.#timeUnit = timeUnit;
    this.#sampler = new WalkSampler(graph, { walks, length, seed: random.split('walks').integer(2 ** 31) });
    this.time = new TimeEncoding(timeWidth);
    this.counts = new Linear(length + 1, width, random.split('counts'));
    this.names = new Linear(width, width, random.split('names'));
    this.cell = new GRU(width + (graph.features?.shape[1] ?? 0) + timeWidth, width, random.split('cell'));
    this.hidden = new Linear(2 * width, width, random.split('hidden'));
    this.head = new Linear(width, 1, random.split('head'));
    this.#dropout = new Dropout(dropout);
  }

  reset(): void {
    this.#sampler.clear();
  }

  snapshot(): WalkSnapshot {
    return this.#sampler.snapshot();
  }

  restore(snapshot: WalkSnapshot): void {
    this.#sampler.restore(snapshot);
  }

  observe(events: Int32Array): void {
    this.#sampler.observe(events);
  }

  score(left: Int32Array, right: Int32Array, mode: Mode, times: Float64Array): Tensor {
    const { walks, length } = this.#sampler;
    const { rows, counts, events } = this.#sampler.sample(left, right);
    const side = (which: 0 | 1) => {
      const own = tensor(counts[which], [counts[which].length / (length + 1), length + 1]);
      return this.names.forward(this.counts.forward(own, 'relu'));
    };
    const names = add(side(0), side(1));
    const steps = length + 1;
    const pairWalks = 2 * walks;
    // All walks from one end of a pair begin alike: the first step is taken once for each end.
    const starts = this.#step({ names, every: walks * steps, first: 0, rows, events, pairWalks: 2, times });
    let state = this.cell.cell(starts, zeros([2 * left.length, this.cell.hidden]));
    const endOf = Int32Array.from({ length: left.length * pairWalks }, (_, walk) => Math.floor(walk / walks));
    state = gatherKnownRows(state, tensor(endOf));
    for (let first = 1; first <= length; first++)
      state = this.cell.cell(this.#step({ names, every: steps, first, rows, events, pairWalks, times }), state);
    const encoded = this.#dropout.forward(state, mode);
    const sums = segmentSum(encoded, Segments.fromSizes(new Array<number>(2 * left.length).fill(walks)));
    const means = reshape(multiply(sums, 1 / walks), [left.length, 2 * this.cell.hidden]);
    return reshape(this.head.forward(this.hidden.forward(means, 'relu')), [left.length]);
  }

  /** GRU inputs of a step: every so many places on walks, from a first one. */
  #step({ names, rows, events, times, every, first, pairWalks }: WalkStep): Tensor {
    const { features, times: eventTimes } = this.#graph;
    const count = rows.length / every;
    const at = (values: Int32Array) =>
      Int32Array.from({ length: count }, (_, i) => values[i * every + first] as number);
    const [nodes, own] = [at(rows), at(events)];
    const spans = Float32Array.from(own, (event, i) => {
      if (event < 0) return 0;
      return ((times[Math.floor(i / pairWalks)] as number) - (eventTimes[event] as number)) / this.#timeUnit;
    });
    const parts = [rowsOrZeros(names, nodes), ...(features ? [rowsOrZeros(features, own)] : [])];
    return concatenate([...parts, this.time.forward(spans)], 1);
  }
}

/** Places on walks that are encoded together. */
interface WalkStep {
  readonly names: Tensor;
  readonly rows: Int32Array;
  readonly events: Int32Array;
  readonly times: Float64Array;
  readonly every: number;
  readonly first: number;
  /** Places of a pair. */
  readonly pairWalks: number;
}
