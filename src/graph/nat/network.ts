// NAT: predicts whether two nodes interact at a given time, from their self-representations and
// from their joint neighbourhood.
//
//   z' = GRU(W[r_key ‖ x_e ‖ φ(t)], z)      cache entries are updated when they are read
//   r' = GRU(W[r_partner ‖ x_e ‖ φ(t)], r)  so are self-representations
//   row of key a: [x_a ‖ Σ z' ‖ PE(bits)]   summed over the caches of u and v that contain a
//   score = MLP[Σ_a W·row_a ‖ r'_u ‖ r'_v]
//
// The state is that before a batch: the batch size is part of the model, and an event is learned
// from when the next one of its nodes is scored.

import { Dropout, Embedding, GRU, Linear, type Mode, parameter, xavierNormal } from '../../nn/index.js';
import { attentionPool, Segments, SparseMatrix, SparsePattern, segmentSum, spmm } from '../../sparse/index.js';
import type { TemporalGraph } from '../../structure/index.js';
import {
  add,
  concatenate,
  gatherKnownRows,
  leakyRelu,
  linear,
  mean,
  multiply,
  type Random,
  reshape,
  slice,
  sum,
  type Tensor,
  tensor,
  zeros,
} from '../../tensor/index.js';
import { rowsOrZeros } from '../temporal/event-rows.js';
import { TimeEncoding } from '../temporal/time-encoding.js';
import type { TemporalNetwork } from '../temporal/training.js';
import { joinPairs } from './joint.js';
import { type Fetched, fetchPlaces, type Reading, type StateSnapshot, TemporalState } from './state.js';

/** Sizes and hyperparameters of NAT. */
export interface NATOptions {
  /** F: width of self-representations. Default: 72. */
  readonly selfWidth?: number;
  /** f: width of cache entries. Default: 4. */
  readonly width?: number;
  /** Slots of the 1-hop and 2-hop caches; [] disables them. Default: [32, 16]. */
  readonly slots?: readonly number[];
  /** Width of the time encoding φ. Default: 1. */
  readonly timeWidth?: number;
  /** Width of the embedding PE of the bit masks. Default: 16. */
  readonly positionWidth?: number;
  /** Projections of a joint row, averaged after pooling. Default: 2. */
  readonly heads?: number;
  /** Width of a pair's pooled joint neighbourhood. Default: 64. */
  readonly outWidth?: number;
  /** Dropout probability of joint rows and of their projections. Default: 0.1. */
  readonly dropout?: number;
  /** α: probability that a new key replaces another in its slot. Default: 0.7. */
  readonly replace?: number;
  /** How joint rows are pooled: by their sum or by attention. Default: 'sum'. */
  readonly aggregate?: 'sum' | 'attention';
  /** Features of the nodes, [nodes, d]. None by default. */
  readonly nodeFeatures?: Tensor;
  /** Times are divided by this number of their units before they are encoded. Default: 1. */
  readonly timeUnit?: number;
  /** Time from which times are counted. Default: that of the first event. */
  readonly timeStart?: number;
  /**
   * Seed of the hash function of slots and of the draws against α. Default: drawn from `random`.
   */
  readonly seed?: number;
}

/** Options with their defaults; only node features may be missing. */
export type ResolvedNATOptions = Required<Omit<NATOptions, 'nodeFeatures'>> & Pick<NATOptions, 'nodeFeatures'>;

/** Defaults of `NATOptions`. */
export const natDefaults = {
  selfWidth: 72,
  width: 4,
  slots: [32, 16],
  timeWidth: 1,
  positionWidth: 16,
  heads: 2,
  outWidth: 64,
  dropout: 0.1,
  replace: 0.7,
  aggregate: 'sum',
  timeUnit: 1,
} as const satisfies NATOptions;

/**
 * NAT for one temporal graph. It is stateful: `score` reads the caches, `observe` updates them with
 * the events that were scored.
 */
export class NAT implements TemporalNetwork<StateSnapshot> {
  /** φ. */
  readonly time: TimeEncoding;
  /** W of the input of cache entries. */
  readonly entryInput: Linear;
  /** GRU of cache entries. */
  readonly entryCell: GRU;
  /** W of the input of self-representations. */
  readonly selfInput: Linear;
  /** GRU of self-representations. */
  readonly selfCell: GRU;
  /** PE: embedding of the 64 bit masks. */
  readonly positions: Embedding;
  /** W of joint rows, for all heads. */
  readonly pool: Linear;
  /** Bias of the pooled rows, [outWidth]. */
  poolBias: Tensor;
  /** Attention vectors [heads, outWidth] of `aggregate: 'attention'`. */
  attention: Tensor | undefined;
  /** Hidden layer of the scoring MLP. */
  readonly hidden: Linear;
  /** Output layer of the scoring MLP. */
  readonly head: Linear;
  /** Options with their defaults filled in. */
  readonly options: ResolvedNATOptions;
  readonly #dropout: Dropout;
  readonly #graph: TemporalGraph;
  readonly #state: { readonly current: TemporalState };
  #reading: Reading | undefined;

  /** A network for the nodes and event features of a temporal graph, with empty caches. */
  constructor(graph: TemporalGraph, random: Random, options: NATOptions = {}) {
    const settings = {
      ...natDefaults,
      timeStart: graph.times[0] ?? 0,
      seed: random.split('caches').integer(2 ** 31),
      ...options,
    };
    const { selfWidth, width, timeWidth, positionWidth, heads, outWidth, nodeFeatures } = settings;
    const eventWidth = graph.features?.shape[1] ?? 0;
    const inputs = selfWidth + eventWidth + timeWidth;
    this.time = new TimeEncoding(timeWidth);
    this.entryInput = new Linear(inputs, width, random.split('entry input'), { bias: false });
    this.entryCell = new GRU(width, width, random.split('entry'));
    this.selfInput = new Linear(inputs, selfWidth, random.split('self input'), { bias: false });
    this.selfCell = new GRU(selfWidth, selfWidth, random.split('self'));
    this.positions = new Embedding(64, positionWidth, random.split('positions'));
    const rowWidth = (nodeFeatures?.shape[1] ?? 0) + width + positionWidth;
    this.pool = new Linear(rowWidth, heads * outWidth, random.split('pool'), { bias: false });
    this.poolBias = parameter(zeros([outWidth]));
    if (settings.aggregate === 'attention')
      this.attention = parameter(xavierNormal(random.split('attention'), [heads, outWidth]));
    const pairWidth = outWidth + 2 * selfWidth;
    this.hidden = new Linear(pairWidth, pairWidth, random.split('hidden'));
    this.hidden.weight = parameter(xavierNormal(random.split('hidden weight'), [pairWidth, pairWidth]));
    this.head = new Linear(pairWidth, 1, random.split('head'));
    this.options = settings;
    this.#dropout = new Dropout(settings.dropout);
    this.#graph = graph;
    this.#state = { current: new TemporalState(graph.nodeCount, settings) };
  }

  /** The current caches and self-representations. */
  get state(): TemporalState {
    return this.#state.current;
  }

  /** Features of the events of the stream, by number, if any. */
  get eventFeatures(): Tensor | undefined {
    return this.#graph.features;
  }

  /** Empties the caches and zeroes the self-representations; weights stay. */
  reset(): void {
    this.state.clear();
  }

  /** A copy of the state, without weights. */
  snapshot(): StateSnapshot {
    return this.state.snapshot();
  }

  /** Restores the state of a snapshot. */
  restore(snapshot: StateSnapshot): void {
    this.state.restore(snapshot);
  }

  /**
   * Logits [pairs] of the pairs (left[p], right[p]), from the current state: all pairs of a call
   * see the same caches.
   */
  score(left: Int32Array, right: Int32Array, mode: Mode): Tensor {
    const { rows, distinct: nodes, position } = indexed([...left, ...right]);
    const [from, to] = [rows.subarray(0, left.length), rows.subarray(left.length)];
    const fetched = fetchPlaces(this.state, nodes);
    const vectors = this.#entries(fetched);
    const selves = this.#selves(nodes);
    this.#reading = {
      ...fetched,
      position,
      selves: Float32Array.from(selves.view()),
      vectors: Float32Array.from(vectors.view()),
    };
    const pair = this.#pairs(fetched, vectors, from, to, mode);
    const ends = [from, to].map((rows) => gatherKnownRows(selves, tensor(rows)));
    const hidden = this.hidden.forward(concatenate([pair, ...ends], 1), 'relu');
    return reshape(this.head.forward(hidden), [left.length]);
  }

  /**
   * Updates the state with events whose nodes the last `score` call read, in order. No gradients
   * flow through it.
   *
   * @param events indices of events of the graph
   * @throws Error when an event was not scored by the last call of `score`
   */
  observe(events: Int32Array): void {
    if (!this.#reading) throw new Error('NAT.observe: score the events first');
    const { sources, targets, times } = this.#graph;
    const of = (ends: Int32Array) => events.map((event) => ends[event] as number);
    this.state.observe(
      {
        events,
        sources: of(sources),
        targets: of(targets),
        times: Float64Array.from(events, (e) => times[e] as number),
      },
      this.#reading,
    );
  }

  /**
   * W[r ‖ x_e ‖ φ(t)] of nodes and events (zeros where −1) and times. W is applied to r once for
   * each distinct node.
   */
  #inputs({ weight }: Linear, nodes: Int32Array, events: Int32Array, times: Float64Array): Tensor {
    const { selfWidth, timeWidth, timeStart, timeUnit } = this.options;
    const { features } = this.#graph;
    const columns = (from: number, to: number) => slice(weight, null, [from, to]);
    const { rows, distinct } = indexed(nodes);
    const selves = linear(rowsOrZeros(this.state.selves, distinct), columns(0, selfWidth));
    const relative = Float32Array.from(times, (t, i) => (events[i] === -1 ? 0 : (t - timeStart) / timeUnit));
    const end = weight.shape[1] as number;
    const terms = [
      gatherKnownRows(selves, tensor(rows)),
      linear(this.time.forward(relative), columns(end - timeWidth, end)),
    ];
    if (features) terms.push(linear(rowsOrZeros(features, events), columns(selfWidth, end - timeWidth)));
    return terms.reduce((total, term) => add(total, term));
  }

  /** z′ of the fetched places, [places, f]: zeros for nodes that had no event. */
  #entries({ hops, places, keys, events, times }: Fetched): Tensor {
    const { width } = this.options;
    const count = places.length;
    const held = new Float32Array(count * width);
    for (let row = 0; row < count; row++) {
      const { vectors } = this.state.hops[hops[row] as number] as (typeof this.state.hops)[number];
      const from = (places[row] as number) * width;
      for (let j = 0; j < width; j++) held[row * width + j] = vectors[from + j] as number;
    }
    if (count === 0) return zeros([0, width]);
    const updated = this.entryCell.cell(
      this.#inputs(this.entryInput, keys, events, times),
      tensor(held, [count, width]),
    );
    if (!events.includes(-1)) return updated;
    const written = Float32Array.from(events, (event) => Number(event >= 0));
    return multiply(updated, tensor(written, [count, 1]));
  }

  /** Updated r' of the given nodes: [nodes, F]. */
  #selves(nodes: Int32Array): Tensor {
    const { state } = this;
    const select = (values: Int32Array) => nodes.map((node) => values[node] as number);
    const times = Float64Array.from(nodes, (node) => state.lastTimes[node] as number);
    const input = this.#inputs(this.selfInput, select(state.partners), select(state.lastEvents), times);
    return this.selfCell.cell(input, gatherKnownRows(state.selves, tensor(nodes)));
  }

  /** Joint neighbourhood of each pair, pooled to one vector: [pairs, outWidth]. */
  #pairs(fetched: Fetched, vectors: Tensor, left: Int32Array, right: Int32Array, mode: Mode): Tensor {
    const { heads, outWidth, nodeFeatures } = this.options;
    const joint = joinPairs(fetched, left, right);
    const segments = new Segments(joint.offsets);
    const parts = [spmm(new SparseMatrix(joint.pattern), vectors), this.positions.forward(tensor(joint.bits))];
    if (nodeFeatures) parts.unshift(gatherKnownRows(nodeFeatures, tensor(joint.keys)));
    const joined = concatenate(parts, 1);
    if (!mode.training && !this.attention) {
      // Without dropout the projection commutes with the sum.
      const pooled = this.pool.forward(segmentSum(joined, segments));
      return add(mean(reshape(pooled, [left.length, heads, outWidth]), 1), this.poolBias);
    }
    const rows = this.#dropout.forward(joined, mode);
    const mapped = reshape(this.#dropout.forward(this.pool.forward(rows), mode), [joint.keys.length, heads, outWidth]);
    const pooled = this.attention ? this.#attend(mapped, segments) : segmentSum(mapped, segments);
    return add(mean(pooled, 1), this.poolBias);
  }

  #attend(rows: Tensor, segments: Segments): Tensor {
    const n = rows.shape[0] as number;
    const order = Int32Array.from({ length: n }, (_, i) => i);
    const pattern = new SparsePattern(segments.count, n, segments.offsets, order);
    return attentionPool(rows, sum(multiply(leakyRelu(rows, 0.2), this.attention as Tensor), -1), pattern);
  }
}

/** The distinct nodes of a list in order of appearance, and the index of each entry among them. */
function indexed(nodes: ArrayLike<number>) {
  const position = new Map<number, number>();
  const rows = Int32Array.from(nodes, (node) => {
    const known = position.get(node) ?? position.size;
    position.set(node, known);
    return known;
  });
  return { rows, distinct: Int32Array.from(position.keys()), position };
}
