// Networks on event streams: NAT with and without caches, node memories as in TGN, walks as in
// CAWN, all tuned alike.

import {
  NAT,
  NATModel,
  replay,
  type TemporalNetwork,
  TGN,
  temporalScorer,
  trainTemporal,
  WalkNetwork,
} from '../../graph/index.js';
import { parameterCount } from '../../nn/index.js';
import type { TemporalGraph } from '../../structure/index.js';
import { Random } from '../../tensor/index.js';
import type { Artifacts } from '../parts/contract.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { choice, count, type OptionValues, rate } from '../parts/options.js';
import { type Grid, settingsOf, tuned } from '../parts/tuning.js';
import { type LinkData, type LinkModel, type LinkTask, linkPredictions } from './links.js';

export const OFF = 'NAT without caches';
export const ONE = 'NAT, one hop';
export const TWO = 'NAT, two hops';
export const MEMORIES = 'TGN';
export const WALKS_ONE = 'CAWN, walks of one step';
export const WALKS_TWO = 'CAWN, walks of two steps';
/** Networks without caches that NAT is compared with. */
export const rivals: readonly string[] = [MEMORIES, WALKS_ONE, WALKS_TWO];

export const networkOptions = {
  epochs: count(6, 'epochs at most; training stops after three without a better validation score', { smoke: 2 }),
  learningRate: rate(1e-3, "Adam's usual learning rate"),
  width: count(72, 'usual width of self-representations, memories and encoded walks', { smoke: 16 }),
  trials: count(2, 'settings tried for each network on the validation events', { smoke: 1 }),
  near: count(32, 'slots of the 1-hop cache', { smoke: 16 }),
  far: count(16, 'slots of the 2-hop cache', { smoke: 8 }),
  walks: count(32, 'walks from each end of a pair', { smoke: 4 }),
  aggregate: choice(['sum', 'attention'], 'how joint neighbours are pooled'),
  timeUnit: rate(3600, 'times are divided by it: an hour of seconds'),
  rivals: choice(['none', 'all'], 'networks trained beside NAT: none, or also memories and walks', { smoke: 'all' }),
};

export type NetworkValues = OptionValues<typeof networkOptions>;

/** What the trials of every network choose from. */
export interface LinkSetting {
  readonly learningRate: number;
  readonly width: number;
  readonly dropout: number;
  readonly [name: string]: number;
}

/** The usual values first, then the others of the grid. */
export function linkSettings({ learningRate, width, trials }: NetworkValues): LinkSetting[] {
  const withUsual = (usual: number, values: readonly number[]) => [...new Set([usual, ...values])];
  const grid: Grid<LinkSetting> = {
    learningRate: withUsual(learningRate, [1e-3, 1e-4]),
    width: withUsual(width, [72, 32]),
    dropout: [0.1, 0.3],
  };
  return settingsOf(grid, trials, new Random(0).split('link settings'));
}

type Create = (graph: TemporalGraph, random: Random, setting: Omit<LinkSetting, 'learningRate'>) => TemporalNetwork;

/** Makers of all networks, by title. */
export function linkNetworks({
  near,
  far,
  walks,
  aggregate,
  timeUnit,
}: Pick<NetworkValues, 'near' | 'far' | 'walks' | 'aggregate' | 'timeUnit'>): Readonly<Record<string, Create>> {
  const nat =
    (slots: readonly number[]): Create =>
    (graph, random, { width, dropout }) =>
      new NAT(graph, random, { slots, aggregate, timeUnit, selfWidth: width as number, dropout: dropout as number });
  const cawn =
    (length: number): Create =>
    (graph, random, { width, dropout }) =>
      new WalkNetwork(graph, random, { walks, length, timeUnit, width: width as number, dropout: dropout as number });
  return {
    [OFF]: nat([]),
    [ONE]: nat([near]),
    [TWO]: nat([near, far]),
    [MEMORIES]: (graph, random, { width, dropout }) =>
      new TGN(graph, random, { timeUnit, memory: width as number, dropout: dropout as number }),
    [WALKS_ONE]: cawn(1),
    [WALKS_TWO]: cawn(2),
  };
}

/** Titles of the networks of a run. */
export function networkTitles({ rivals: wanted }: Pick<NetworkValues, 'rivals'>): string[] {
  return [OFF, ONE, TWO, ...(wanted === 'all' ? rivals : [])];
}

/** A trained network, whose state has taken in the events before the test. */
export interface TrainedLinks extends LinkModel {
  readonly network: TemporalNetwork;
}

/**
 * The networks of a run as methods: each has the same trials on the validation events. A
 * chronological split is the same for all seeds, so that the choice is made once; an inductive one
 * is not.
 */
export function networkMethods(data: LinkData, task: LinkTask, values: NetworkValues): Method<TrainedLinks>[] {
  const networks = linkNetworks(values);
  const { graph, split, batch } = task;
  return networkTitles(values).map((title) =>
    tuned<LinkSetting, TrainedLinks>({
      title,
      settings: linkSettings(values),
      ...(split.replay ? {} : { once: data }),
      async train(setting, { random, hooks }: MethodRun) {
        const network = (networks[title] as Create)(graph, random, setting);
        const training = { epochs: values.epochs, learningRate: setting.learningRate, batchSize: batch, ...hooks };
        const { bestMetric = Number.NaN } = await trainTemporal(network, graph, split, random, training);
        return {
          network,
          scorer: temporalScorer(network),
          parameters: parameterCount(network),
          validation: bestMetric,
        };
      },
      validation: ({ validation = Number.NaN }) => validation,
    }),
  );
}

/**
 * The probabilities of the test events, and NAT with the state after the whole stream: the test
 * events, too, are what a user's next question follows.
 */
export function natArtifacts(
  { network }: TrainedLinks,
  data: LinkData,
  task: LinkTask,
  logits: Float64Array = new Float64Array(),
): Artifacts {
  const everything = Int32Array.from({ length: data.graph.eventCount }, (_, event) => event);
  network.reset();
  replay(temporalScorer(network), data.graph, everything);
  return {
    model: new NATModel(network as NAT, data).save({ data: data.name }),
    predictions: linkPredictions(data, task, logits),
  };
}
