// Temporal link prediction: splits, batches and evaluation in the order of time, transductive or on nodes never seen before.

import { areaUnderCurve, averagePrecision } from '../../nn/index.js';
import type { TemporalGraph } from '../../structure/index.js';
import type { Random } from '../../tensor/index.js';

/** Event numbers of each part, ascending. */
export interface TemporalSplit {
  readonly train: Int32Array;
  readonly validation: Int32Array;
  readonly test: Int32Array;
}

/** 70 : 15 : 15 by time. */
export function chronologicalSplit(graph: TemporalGraph): TemporalSplit {
  const [train, validation, test] = graph.splitByTime([0.7, 0.85]) as [Int32Array, Int32Array, Int32Array];
  return { train, validation, test };
}

/**
 * Inductive: a share of the nodes that appear after the training time is hidden; training and validation keep events without them, the test those with one.
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

/** A scorer of pairs that takes in events as they pass. */
export interface TemporalScorer {
  /** Larger is likelier. */
  score(left: Int32Array, right: Int32Array, times: Float64Array): ArrayLike<number>;
  observe(events: Int32Array): void;
}

export interface StreamScores {
  /** Means over batches. */
  readonly averagePrecision: number;
  readonly auc: number;
  /** Over all scores together. */
  readonly pooledAveragePrecision: number;
}

/** Destinations seen so far, each once: what negatives are drawn from. */
export class SeenTargets {
  readonly list: number[] = [];
  readonly #seen: Uint8Array;

  constructor(nodeCount: number) {
    this.#seen = new Uint8Array(nodeCount);
  }

  add(node: number): void {
    if (this.#seen[node]) return;
    this.#seen[node] = 1;
    this.list.push(node);
  }

  draw(random: Random): number {
    return this.list[random.integer(this.list.length)] as number;
  }
}

/** Events of a batch with a random negative destination each. */
export interface StreamBatch {
  readonly events: Int32Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
}

export function* streamBatches(
  graph: TemporalGraph,
  events: Int32Array,
  size: number,
  seen: SeenTargets,
  random: Random,
): Generator<StreamBatch> {
  for (let at = 0; at < events.length; at += size) {
    const own = events.subarray(at, Math.min(events.length, at + size));
    for (const e of own) seen.add(graph.targets[e] as number);
    const stream = random.split(at);
    const sources = own.map((e) => graph.sources[e] as number);
    const targets = own.map((e) => graph.targets[e] as number);
    const negatives = own.map(() => seen.draw(stream));
    yield { events: own, left: concat(sources, sources), right: concat(targets, negatives) };
  }
}

function concat(a: Int32Array, b: Int32Array): Int32Array {
  const result = new Int32Array(a.length + b.length);
  result.set(a);
  result.set(b, a.length);
  return result;
}

/** Scores a stream of events against random negatives, batch by batch; each batch is taken in after it was scored. */
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
  for (const { events: own, left, right } of streamBatches(graph, events, batchSize, seen, random)) {
    const times = Float64Array.from(
      { length: left.length },
      (_, i) => graph.times[own[i % own.length] as number] as number,
    );
    const scores = Array.from(scorer.score(left, right, times));
    const labels = scores.map((_, i) => Number(i < own.length));
    precisions.push(averagePrecision(scores, labels));
    areas.push(areaUnderCurve(scores, labels));
    all.push(...scores.map((score, i) => ({ score, label: labels[i] as number })));
    scorer.observe(own);
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
