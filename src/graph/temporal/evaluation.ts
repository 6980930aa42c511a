// Temporal link prediction: splits, batches and evaluation in chronological order, transductive or
// inductive (on nodes not seen in training).

import { areaUnderCurve, averagePrecision } from '../../nn/index.js';
import type { TemporalGraph } from '../../structure/index.js';
import type { Random } from '../../tensor/index.js';

/** Indices of the events of each part, ascending. */
export interface TemporalSplit {
  /** Events to train on. */
  readonly train: Int32Array;
  /** Events that select the epoch. */
  readonly validation: Int32Array;
  /** Events to report on. */
  readonly test: Int32Array;
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
 * Inductive split: nodes that appear after the training time are sampled and hidden; training and
 * validation keep the events without them, the test those with at least one.
 *
 * @param share number of hidden nodes, as a share of all nodes. Default: 0.1
 */
export function inductiveSplit(graph: TemporalGraph, random: Random, share = 0.1): TemporalSplit {
  const { train, validation, test } = chronologicalSplit(graph);
  const later = new Set(
    [...validation, ...test].flatMap((e) => [graph.sources[e] as number, graph.targets[e] as number]),
  );
  const candidates = Int32Array.from(later).sort();
  const count = Math.max(1, Math.round(share * graph.nodeCount));
  const hidden = new Set(
    Array.from(random.permutation(candidates.length).subarray(0, count), (i) => candidates[i] as number),
  );
  const touches = (e: number) => hidden.has(graph.sources[e] as number) || hidden.has(graph.targets[e] as number);
  return {
    train: train.filter((e) => !touches(e)),
    validation: validation.filter((e) => !touches(e)),
    test: test.filter(touches),
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
  /** Average precision of all scores of the stream together. */
  readonly pooledAveragePrecision: number;
}

/** The set of destinations seen so far, from which negatives are drawn. */
export class SeenTargets {
  /** The destinations in order of appearance. */
  readonly list: number[] = [];
  readonly #seen: Uint8Array;

  constructor(nodeCount: number) {
    this.#seen = new Uint8Array(nodeCount);
  }

  /** Adds a destination, unless it is in the set. */
  add(node: number): void {
    if (this.#seen[node]) return;
    this.#seen[node] = 1;
    this.list.push(node);
  }

  /** A uniformly drawn destination. */
  draw(random: Random): number {
    return this.list[random.integer(this.list.length)] as number;
  }
}

/** Events of a batch, with one random negative destination each. */
export interface StreamBatch {
  /** Indices of the events. */
  readonly events: Int32Array;
  /** Sources of the events, then the same again for the negatives: [2·events]. */
  readonly left: Int32Array;
  /** Destinations of the events, then the negative ones: [2·events]. */
  readonly right: Int32Array;
}

/**
 * Batches of consecutive events with negatives. Destinations of a batch join `seen` before its
 * negatives are drawn.
 *
 * @param size events in a batch
 * @param random stream of the negatives; the same stream gives the same negatives
 */
export function* streamBatches(
  graph: TemporalGraph,
  events: Int32Array,
  size: number,
  seen: SeenTargets,
  random: Random,
): Generator<StreamBatch> {
  for (let at = 0; at < events.length; at += size) {
    const batch = events.subarray(at, Math.min(events.length, at + size));
    for (const e of batch) seen.add(graph.targets[e] as number);
    const stream = random.split(at);
    const sources = batch.map((e) => graph.sources[e] as number);
    const targets = batch.map((e) => graph.targets[e] as number);
    const negatives = batch.map(() => seen.draw(stream));
    yield { events: batch, left: concat(sources, sources), right: concat(targets, negatives) };
  }
}

function concat(a: Int32Array, b: Int32Array): Int32Array {
  const result = new Int32Array(a.length + b.length);
  result.set(a);
  result.set(b, a.length);
  return result;
}

/**
 * Scores a stream of events against random negatives, batch by batch; the scorer observes each
 * batch after scoring it.
 *
 * @param batchSize events in a batch. Default: 100
 */
export function evaluateStream(
  scorer: TemporalScorer,
  graph: TemporalGraph,
  events: Int32Array,
  seen: SeenTargets,
  random: Random,
  batchSize = 100,
): StreamScores {
  const precisions: number[] = [];
  const areas: number[] = [];
  const all: { score: number; label: number }[] = [];
  for (const { events: batch, left, right } of streamBatches(graph, events, batchSize, seen, random)) {
    const times = Float64Array.from(
      { length: left.length },
      (_, i) => graph.times[batch[i % batch.length] as number] as number,
    );
    const scores = Array.from(scorer.score(left, right, times));
    const labels = scores.map((_, i) => Number(i < batch.length));
    precisions.push(averagePrecision(scores, labels));
    areas.push(areaUnderCurve(scores, labels));
    all.push(...scores.map((score, i) => ({ score, label: labels[i] as number })));
    scorer.observe(batch);
  }
  const average = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  return {
    averagePrecision: average(precisions),
    auc: average(areas),
    pooledAveragePrecision: averagePrecision(
      all.map(({ score }) => score),
      all.map(({ label }) => label),
    ),
  };
}
