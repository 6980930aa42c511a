// Temporal link prediction: splits, batches and evaluation in chronological order, transductive or
// inductive (on nodes not seen in training).

import { areaUnderCurve, averagePrecision } from '../../nn/index.js';
import type { TemporalGraph } from '../../structure/index.js';
import { joinedArrays, type Random } from '../../tensor/index.js';

/** Indices of the events of each part, ascending. */
export interface TemporalSplit {
  /** Events to train on. */
  readonly train: Int32Array;
  /** Events that select the epoch. */
  readonly validation: Int32Array;
  /** Events to report on. */
  readonly test: Int32Array;
  /**
   * Events before the test that make the state anew, with the trained weights: of an inductive
   * split, where training has left some out.
   */
  readonly replay?: Int32Array;
  /** 1 for the nodes that training must not see, 0 for the others. */
  readonly hidden?: Uint8Array;
}

/**
 * The first 70 % of the events to train on, the next 15 % to validate, the last 15 % to test;
 * events at the same time stay together.
 */
export function chronologicalSplit(graph: TemporalGraph): TemporalSplit {
  const [train, validation, test] = graph.splitByTime([0.7, 0.85]) as [Int32Array, Int32Array, Int32Array];
  return { train, validation, test };
}

/**
 * Inductive split: some of the nodes that appear after the training time are hidden. Training and
 * validation keep the events without them, the test those with at least one. All events before the
 * test, hidden nodes included, are replayed before it.
 *
 * @param share number of hidden nodes, as a share of all nodes. Default: 0.1
 */
export function inductiveSplit(graph: TemporalGraph, random: Random, share = 0.1): TemporalSplit {
  const { train, validation, test } = chronologicalSplit(graph);
  const { sources, targets, nodeCount } = graph;
  const later = new Set([...validation, ...test].flatMap((e) => [sources[e] as number, targets[e] as number]));
  const candidates = Int32Array.from(later).sort();
  const count = Math.min(candidates.length, Math.max(1, Math.floor(share * nodeCount)));
  const hidden = new Uint8Array(nodeCount);
  for (const i of random.sample(candidates.length, count)) hidden[candidates[i] as number] = 1;
  const touches = (e: number) => hidden[sources[e] as number] === 1 || hidden[targets[e] as number] === 1;
  return {
    train: train.filter((e) => !touches(e)),
    validation: validation.filter((e) => !touches(e)),
    test: test.filter(touches),
    replay: joinedArrays(Int32Array, [train, validation]),
    hidden,
  };
}

/** A scorer of pairs that is updated with events in chronological order. */
export interface TemporalScorer {
  /**
   * Scores of the pairs (left[p], right[p]) at times[p]: [pairs]. A higher score means a likelier
   * link.
   */
  score(left: Int32Array, right: Int32Array, times: Float64Array): ArrayLike<number>;
  /** Updates the scorer with events, by their indices. */
  observe(events: Int32Array): void;
}

/** Metrics of `evaluateStream`. */
export interface StreamScores {
  /** Average precision, the mean over batches. */
  readonly averagePrecision: number;
  /** Area under the ROC curve, the mean over batches. */
  readonly auc: number;
  /** Score of each event. */
  readonly positives: Float64Array;
  /** Score of the negative of each event. */
  readonly negatives: Float64Array;
}

/** Distinct destinations, from which negatives are drawn. */
export class TargetPool {
  /** The destinations in order of appearance. */
  readonly list: number[] = [];
  readonly #known: Uint8Array;

  /**
   * @param grows whether the destinations of a batch join the pool before its negatives are drawn
   */
  constructor(
    nodeCount: number,
    readonly grows = false,
  ) {
    this.#known = new Uint8Array(nodeCount);
  }

  /** Adds a destination, unless it is in the pool. */
  add(node: number): void {
    if (this.#known[node]) return;
    this.#known[node] = 1;
    this.list.push(node);
  }

  /** A uniformly drawn destination. */
  draw(random: Random): number {
    return this.list[random.integer(this.list.length)] as number;
  }
}

/**
 * Destinations that negatives of a part of the stream are drawn from. `phase`: those of this part
 * and the parts before it, as in NAT's own evaluation; the pool of a test batch then holds
 * destinations of later events. `seen`: those of events up to the current batch.
 */
export type Negatives = 'phase' | 'seen';

/** The destinations from which negatives of a part are drawn, at its beginning. */
export function negativePool(
  graph: TemporalGraph,
  split: TemporalSplit,
  part: 'train' | 'validation' | 'test',
  negatives: Negatives,
): TargetPool {
  const parts = (['train', 'validation', 'test'] as const).slice(0, { train: 0, validation: 1, test: 2 }[part]);
  const before = part === 'test' && split.replay ? [split.replay] : parts.map((name) => split[name]);
  const pool = new TargetPool(graph.nodeCount, negatives === 'seen');
  const from = negatives === 'seen' ? before : [...parts, part].map((name) => split[name]);
  for (const events of from) for (const e of events) pool.add(graph.targets[e] as number);
  return pool;
}

/** Events of a batch, with a random negative destination of each pool for each. */
export interface StreamBatch {
  /** Indices of the events. */
  readonly events: Int32Array;
  /** Sources of the events, then the same again for the negatives of each pool. */
  readonly left: Int32Array;
  /** Destinations of the events, then the negative ones, pool by pool. */
  readonly right: Int32Array;
  /** Times of the pairs. */
  readonly times: Float64Array;
}

/**
 * Batches of consecutive events with negatives.
 *
 * @param size events in a batch
 * @param random stream of the negatives; the same stream gives the same negatives
 */
export function* streamBatches(
  graph: TemporalGraph,
  events: Int32Array,
  size: number,
  pools: readonly TargetPool[],
  random: Random,
): Generator<StreamBatch> {
  for (let at = 0; at < events.length; at += size) {
    const batch = events.subarray(at, Math.min(events.length, at + size));
    const sources = batch.map((e) => graph.sources[e] as number);
    const targets = batch.map((e) => graph.targets[e] as number);
    const times = Float64Array.from(batch, (e) => graph.times[e] as number);
    const negatives = pools.map((pool, i) => {
      if (pool.grows) for (const target of targets) pool.add(target);
      const stream = random.split(at).split(i);
      return batch.map(() => pool.draw(stream));
    });
    yield {
      events: batch,
      left: joinedArrays(Int32Array, [sources, ...pools.map(() => sources)]),
      right: joinedArrays(Int32Array, [targets, ...negatives]),
      times: Float64Array.from(
        { length: (pools.length + 1) * batch.length },
        (_, i) => times[i % batch.length] as number,
      ),
    };
  }
}

/** Events in a batch of an evaluation, as in NAT's own. */
export const EVALUATION_BATCH = 32;

/**
 * Scores a stream of events against random negatives of each pool, batch by batch; the scorer
 * observes each batch after scoring it.
 *
 * @param batchSize events in a batch. Default: 32
 * @returns the scores against the negatives of each pool
 */
export function evaluateStream(
  scorer: TemporalScorer,
  graph: TemporalGraph,
  events: Int32Array,
  pools: readonly TargetPool[],
  random: Random,
  batchSize = EVALUATION_BATCH,
): StreamScores[] {
  const positives = new Float64Array(events.length);
  const negatives = pools.map(() => new Float64Array(events.length));
  const precisions = pools.map(() => 0);
  const areas = pools.map(() => 0);
  let [at, count] = [0, 0];
  for (const { events: batch, left, right, times } of streamBatches(graph, events, batchSize, pools, random)) {
    const size = batch.length;
    const scores = Array.from(scorer.score(left, right, times));
    const own = scores.slice(0, size);
    positives.set(own, at);
    const labels = Array.from({ length: 2 * size }, (_, i) => Number(i < size));
    for (const [i] of pools.entries()) {
      const others = scores.slice((i + 1) * size, (i + 2) * size);
      negatives[i]?.set(others, at);
      precisions[i] = (precisions[i] as number) + averagePrecision([...own, ...others], labels);
      areas[i] = (areas[i] as number) + areaUnderCurve([...own, ...others], labels);
    }
    scorer.observe(batch);
    at += size;
    count += 1;
  }
  return pools.map((_, i) => ({
    averagePrecision: (precisions[i] as number) / count,
    auc: (areas[i] as number) / count,
    positives,
    negatives: negatives[i] as Float64Array,
  }));
}
