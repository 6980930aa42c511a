// Temporal link prediction: each event of a stream is distinguished from one with the same source
// and a random destination. Methods score a batch, then update their state with its events.

import { namesOf } from '../../data/index.js';
import { loadTemporal } from '../../data/node.js';
import {
  chronologicalSplit,
  evaluateStream,
  inductiveSplit,
  negativePool,
  type TemporalScorer,
  type TemporalSplit,
} from '../../graph/index.js';
import { averagePrecision as precisionOf } from '../../nn/index.js';
import { type TemporalGraph, triadicStream } from '../../structure/index.js';
import { Random } from '../../tensor/index.js';
import { numbered } from '../parts/artifacts.js';
import type { Metric, Scores, Table } from '../parts/contract.js';
import type { Method } from '../parts/methods.js';
import { auc, averagePrecision, parameters, relabelled, seconds } from '../parts/metrics.js';
import { choice, count, type OptionValues } from '../parts/options.js';

/** A generated stream that closes triangles, and the known sets. */
export const linkSets: readonly string[] = ['triadic', ...namesOf('temporal')];

export const linkOptions = {
  events: count(20_000, 'first events of the stream, in order of time, that are used', { smoke: 1500, minimum: 200 }),
  batch: count(100, 'events of a training step, scored before any of them is taken in'),
  setting: choice(['transductive', 'inductive'], 'inductive tests on events of nodes never seen before'),
  features: choice(['none', 'events'], 'further numeric columns of the table as features of the events'),
};

type LinkOptions = OptionValues<typeof linkOptions>;

export const linkMetrics = {
  ap: averagePrecision,
  auc,
  apSeen: relabelled(averagePrecision, { label: 'average precision, destinations seen so far' }),
  apNewNew: relabelled(averagePrecision, { label: 'average precision, both nodes hidden' }),
  apNewOld: relabelled(averagePrecision, { label: 'average precision, one node hidden' }),
  seconds,
  parameters,
} satisfies Record<string, Metric>;

export interface LinkData {
  readonly name: string;
  readonly graph: TemporalGraph;
  readonly nodeNames: readonly string[];
}

/** Training and test data of one seed. */
export interface LinkTask {
  readonly graph: TemporalGraph;
  readonly split: TemporalSplit;
  readonly batch: number;
}

/** `triadic`, a known set, or a table as `loadTemporal` reads it. */
export function loadLinks(source: string, { events, features }: Pick<LinkOptions, 'events' | 'features'>): LinkData {
  if (source !== 'triadic') return loadTemporal(source, { limit: events, features: features === 'events' });
  const graph = triadicStream(new Random(0), { events });
  return { name: source, graph, nodeNames: numbered(graph.nodeCount) };
}

/** 70 : 15 : 15 by time; inductive training leaves out the events of a tenth of the nodes. */
export function linkTask({ graph }: LinkData, { setting, batch }: LinkOptions, random: Random): LinkTask {
  const split = setting === 'inductive' ? inductiveSplit(graph, random.split('split')) : chronologicalSplit(graph);
  return { graph, split, batch };
}

/** A scorer that has taken in the events before the test. */
export interface LinkModel {
  readonly scorer: TemporalScorer;
  readonly parameters: number;
  /** Average precision on the validation events, of a trained one. */
  readonly validation?: number;
}

/** A scorer without parameters: it takes in all events before the test, hidden nodes included. */
export function heuristicMethod(
  title: string,
  create: (graph: TemporalGraph, split: TemporalSplit) => TemporalScorer,
  { graph, split }: LinkTask,
): Method<LinkModel> {
  return {
    title,
    train() {
      const scorer = create(graph, split);
      for (const part of split.replay ? [split.replay] : [split.train, split.validation]) scorer.observe(part);
      return { scorer, parameters: 0 };
    },
  };
}

/** Scores of a model, and the score that it gave to each test event. */
export interface LinkResult {
  readonly scores: Scores;
  readonly positives: Float64Array;
}

/**
 * Average precision and AUC in % as means over batches of 32. Negatives are drawn from the
 * destinations of the whole stream, for `apSeen` from those of events up to the batch. With hidden
 * nodes also the average precision of all test events with two of them, and of those with one.
 *
 * @param random draws the negatives: methods compared must be given the same stream
 */
export function linkScores(model: LinkModel, { graph, split }: LinkTask, random: Random): LinkResult {
  const pools = (['phase', 'seen'] as const).map((kind) => negativePool(graph, split, 'test', kind));
  const results = evaluateStream(model.scorer, graph, split.test, pools, random);
  const [phase, seen] = results as [(typeof results)[number], (typeof results)[number]];
  const { hidden } = split;
  const isHidden = (node: number | undefined) => hidden?.[node as number] === 1;
  const countOf = (e: number) => Number(isHidden(graph.sources[e])) + Number(isHidden(graph.targets[e]));
  /** Average precision of the events with so many hidden nodes, where there are any. */
  const among = (wanted: number, name: string) => {
    const own = Array.from(split.test.keys()).filter((i) => countOf(split.test[i] as number) === wanted);
    const scores = [phase.positives, phase.negatives].flatMap((values) => own.map((i) => values[i] as number));
    return own.length === 0
      ? {}
      : {
          [name]:
            100 *
            precisionOf(
              scores,
              scores.map((_, i) => Number(i < own.length)),
            ),
        };
  };
  return {
    scores: {
      ap: 100 * phase.averagePrecision,
      auc: 100 * phase.auc,
      apSeen: 100 * seen.averagePrecision,
      ...(hidden && { ...among(2, 'apNewNew'), ...among(1, 'apNewOld') }),
      parameters: model.parameters,
    },
    positives: phase.positives,
  };
}

/** The test events with the probabilities that logits give them. */
export function linkPredictions({ graph, nodeNames }: LinkData, { split }: LinkTask, logits: Float64Array): Table {
  const rows = Array.from(split.test, (event, i) => [
    nodeNames[graph.sources[event] as number] as string,
    nodeNames[graph.targets[event] as number] as string,
    graph.times[event] as number,
    (1 / (1 + Math.exp(-(logits[i] as number)))).toFixed(4),
  ]);
  return { columns: ['source', 'target', 't', 'probability'], rows };
}

export function describeLinks({ name, graph }: LinkData): string {
  const features = graph.features ? ` with ${graph.features.shape[1]} features` : '';
  return `${name}: ${graph.eventCount} events${features} among ${graph.nodeCount} nodes`;
}

/** How events were told apart, for the report. */
export function linkNotes({
  batch,
  setting,
  trials,
}: Pick<LinkOptions, 'batch' | 'setting'> & { readonly trials: number }): string[] {
  return [
    'Each event is told from one with a random destination, of all destinations of the stream; "seen so far" draws from ' +
      'those of events up to the batch. Networks train in batches of ' +
      `${batch}, all methods are scored in batches of 32 and take a batch in after scoring it; means over batches.`,
    `Each network has ${trials === 1 ? 'one setting' : `${trials} settings to choose from by average precision on the validation events`}.`,
    setting === 'inductive'
      ? 'Inductive: every test event has a hidden node, which training and validation never saw. All methods take in all ' +
        'events before the test, those of hidden nodes included, with their trained weights.'
      : 'Transductive: the last 15 % of the events, whose nodes may be old or new.',
  ];
}
