// Temporal link prediction: each event of a stream is distinguished from one with the same source
// and a random destination seen before. Methods score a batch, then update their state with its
// events.

import { namesOf } from '../../data/index.js';
import { loadTemporal } from '../../data/node.js';
import {
  chronologicalSplit,
  evaluateStream,
  inductiveSplit,
  SeenTargets,
  type TemporalScorer,
  type TemporalSplit,
} from '../../graph/index.js';
import { type TemporalGraph, triadicStream } from '../../structure/index.js';
import { Random } from '../../tensor/index.js';
import type { Metric, Scores } from '../parts/contract.js';
import type { Method } from '../parts/methods.js';
import { auc, averagePrecision, parameters, relabelled } from '../parts/metrics.js';
import { choice, count, type OptionValues } from '../parts/options.js';

/** A generated stream that closes triangles, and the known sets. */
export const linkSets: readonly string[] = ['triadic', ...namesOf('temporal')];

export const linkOptions = {
  events: count(20_000, 'first events of the stream that are used', { smoke: 1500, minimum: 200 }),
  batch: count(100, 'events that are scored before any of them is taken in'),
  setting: choice(['transductive', 'inductive'], 'inductive tests on events of nodes never seen before'),
};

type LinkOptions = OptionValues<typeof linkOptions>;

export const linkMetrics = {
  ap: averagePrecision,
  auc,
  pooled: relabelled(averagePrecision, { label: 'pooled average precision' }),
  rate: { label: 'events scored', unit: '1/s', digits: 0, better: 'larger' },
  parameters,
} satisfies Record<string, Metric>;

export interface LinkData {
  readonly name: string;
  readonly graph: TemporalGraph;
}

/** Training and test data of one seed. */
export interface LinkTask {
  readonly graph: TemporalGraph;
  readonly split: TemporalSplit;
  readonly batch: number;
}

/** `triadic`, a known set, or a table as `loadTemporal` reads it. */
export function loadLinks(source: string, { events }: Pick<LinkOptions, 'events'>): LinkData {
  if (source === 'triadic') return { name: source, graph: triadicStream(new Random(0), { events }) };
  return loadTemporal(source, { limit: events, features: false });
}

/** 70 : 15 : 15 by time; inductive training leaves out the events of a tenth of the nodes. */
export function linkTask({ graph }: LinkData, { setting, batch }: LinkOptions, random: Random): LinkTask {
  const split = setting === 'inductive' ? inductiveSplit(graph, random.split('split')) : chronologicalSplit(graph);
  return { graph, split, batch };
}

/** A scorer updated with the events of training and validation, and their destinations. */
export interface LinkModel {
  readonly scorer: TemporalScorer;
  readonly seen: SeenTargets;
  readonly parameters: number;
}

/** A scorer without parameters: it is updated with the events before the test, without training. */
export function heuristicMethod(
  title: string,
  create: (graph: TemporalGraph) => TemporalScorer,
  { graph, split }: LinkTask,
): Method<LinkModel> {
  return {
    title,
    train() {
      const scorer = create(graph);
      const seen = new SeenTargets(graph.nodeCount);
      for (const part of [split.train, split.validation]) {
        for (const event of part) seen.add(graph.targets[event] as number);
        scorer.observe(part);
      }
      return { scorer, seen, parameters: 0 };
    },
  };
}

/**
 * Average precision and AUC in % as means over batches, average precision of all scores together,
 * test events a second.
 *
 * @param random draws the negatives: methods compared must be given the same stream
 */
export function linkScores(model: LinkModel, { graph, split, batch }: LinkTask, random: Random): Scores {
  const { scorer, seen } = model;
  const started = performance.now();
  const scores = evaluateStream(scorer, graph, split.test, seen, random, batch);
  const seconds = (performance.now() - started) / 1000;
  return {
    ap: 100 * scores.averagePrecision,
    auc: 100 * scores.auc,
    pooled: 100 * scores.pooledAveragePrecision,
    rate: split.test.length / seconds,
    parameters: model.parameters,
  };
}

export function describeLinks({ name, graph }: LinkData): string {
  return `${name}: ${graph.eventCount} events among ${graph.nodeCount} nodes`;
}
