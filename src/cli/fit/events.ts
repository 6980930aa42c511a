// Links of an event stream by NAT.

import { existsSync } from 'node:fs';
import { type EventTable, eventsFromTable } from '../../data/index.js';
import { readUnpackedText } from '../../data/node.js';
import {
  chronologicalSplit,
  EventModel,
  edgeBank,
  evaluateStream,
  NAT,
  NATModel,
  negativePool,
  replay,
  scaledEvents,
  type TemporalScorer,
  type TemporalSplit,
  temporalScorer,
  trainTemporal,
  usualInterval,
} from '../../graph/index.js';
import { areaUnderCurve, averagePrecision } from '../../nn/index.js';
import type { TemporalGraph } from '../../structure/index.js';
import type { Random } from '../../tensor/index.js';
import { tableOptionsOf } from '../tables.js';
import type { natOptions } from './hypergraph-options.js';
import type { FitRequest, Fitted } from './learner.js';

/** Fewer events cannot be divided into training, validation and test. */
const LEAST_EVENTS = 20;

/**
 * Trains on the first 70 % of the events, chooses the epoch on the next 15 % and tests on the rest;
 * the model has then taken in all events.
 */
export async function fitEvents(
  path: string,
  { values, random, hooks, reading, note }: FitRequest<typeof natOptions>,
): Promise<Fitted> {
  if (!existsSync(path))
    throw new Error(`there is no file "${path}"; gossamer run nat --data ${path} runs on known sets`);
  const options = tableOptionsOf(reading);
  const data = eventsFromTable(readUnpackedText(path, options), path, {
    ...options,
    features: columnsOf(values.features),
  });
  for (const text of data.notes) note(text);
  const split = requireSplit(data, path);
  const { graph, scaling } = scaledEvents(data.graph, split.train);
  const { width, near, far, dropout, epochs, patience, batch, learningRate } = values;
  const timeUnit = values.timeUnit > 0 ? values.timeUnit : usualInterval(graph);
  const slots = far > 0 ? [near, far] : [near];
  const network = new NAT(graph, random.split('weights'), { selfWidth: width, slots, dropout, timeUnit });
  const training = { epochs, patience, batchSize: batch, learningRate, ...hooks };
  const { stopped } = await trainTemporal(network, graph, split, random.split('fit'), training);
  if (stopped === 'aborted') return { file: () => new Uint8Array(), lines: [], scores: {}, stopped };
  const draws = random.split('test');
  const { scores, lines } = tested('NAT', temporalScorer(network), graph, split, draws);
  const bank = edgeBank(graph);
  for (const part of [split.train, split.validation]) bank.observe(part);
  const baseline = tested('pairs seen before (EdgeBank)', bank, graph, split, draws);
  network.reset();
  replay(
    temporalScorer(network),
    graph,
    Int32Array.from({ length: graph.eventCount }, (_, event) => event),
  );
  const { nodeNames, featureNames } = data;
  const own = new EventModel(
    new NATModel(network, { graph, nodeNames }),
    {
      data: path,
      events: graph.eventCount,
      scores,
      features: featureNames,
      ...(scaling && { scaling: { means: [...scaling.means], deviations: [...scaling.deviations] } }),
      targets: [...new Set(Array.from(graph.targets, (node) => nodeNames[node] as string))],
    },
    graph.times.at(-1) as number,
  );
  const described = featureNames.length > 0 ? `, features ${featureNames.join(', ')}` : '';
  return {
    file: () => own.save(),
    lines: [
      `${path}: ${graph.eventCount} events among ${graph.nodeCount} nodes${described}; ${data.leftOut} rows left out`,
      `on the last ${split.test.length} events, each beside one with a random target:`,
      ...[...lines, ...baseline.lines],
    ],
    scores,
    stopped,
  };
}

function columnsOf(text: string): 'all' | 'none' | readonly string[] {
  return text === 'all' || text === 'none' ? text : text.split(',').map((name) => name.trim());
}

/** @throws Error when a part of the chronological split is empty */
function requireSplit({ graph }: EventTable, path: string): TemporalSplit {
  const split = chronologicalSplit(graph);
  const parts = [split.train, split.validation, split.test];
  if (graph.eventCount < LEAST_EVENTS || parts.some((part) => part.length === 0))
    throw new Error(
      `"${path}" holds ${graph.eventCount} events at ${new Set(graph.times).size} different times, too few to divide by time into training, validation and test`,
    );
  return split;
}

/**
 * Average precision and AUC in % on the test events, on those whose nodes training has seen, and on
 * those with a new node.
 */
function tested(title: string, scorer: TemporalScorer, graph: TemporalGraph, split: TemporalSplit, random: Random) {
  const [result] = evaluateStream(scorer, graph, split.test, [negativePool(graph, split, 'test', 'phase')], random);
  const { positives, negatives } = result as NonNullable<typeof result>;
  const seen = new Uint8Array(graph.nodeCount);
  for (const event of split.train) {
    seen[graph.sources[event] as number] = 1;
    seen[graph.targets[event] as number] = 1;
  }
  const isNew = (event: number) => !(seen[graph.sources[event] as number] && seen[graph.targets[event] as number]);
  const among = (wanted: (event: number) => boolean) => {
    const own = Array.from(split.test.keys()).filter((i) => wanted(split.test[i] as number));
    const all = [positives, negatives].flatMap((values) => own.map((i) => values[i] as number));
    const labels = all.map((_, i) => Number(i < own.length));
    return { count: own.length, ap: 100 * averagePrecision(all, labels), auc: 100 * areaUnderCurve(all, labels) };
  };
  const groups = {
    transductive: among((event) => !isNew(event)),
    inductive: among(isNew),
  };
  const scores: Record<string, number> = {};
  const texts: string[] = [];
  for (const [kind, { count, ap, auc }] of Object.entries(groups)) {
    const nodes = kind === 'inductive' ? 'a new node' : 'known nodes';
    if (count === 0) texts.push(`no event with ${nodes}`);
    else {
      Object.assign(scores, { [`${kind} AP`]: ap, [`${kind} AUC`]: auc });
      texts.push(`${count} with ${nodes} (${kind}): AP ${ap.toFixed(1)} %, AUC ${auc.toFixed(1)} %`);
    }
  }
  return { scores, lines: [`  ${title}: ${texts.join('; ')}`] };
}
