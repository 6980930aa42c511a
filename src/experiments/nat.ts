// NAT's claims: joint neighbourhoods kept in caches of fixed size tell which nodes will meet, better than representations alone and than heuristics, at constant cost an event.

import { gunzipSync } from 'node:zlib';
import { temporalFromTable } from '../data/index.js';
import { knownArchive, readBytes } from '../data/node.js';
import {
  chronologicalSplit,
  commonNeighbours,
  destinationDegree,
  edgeBank,
  evaluateStream,
  inductiveSplit,
  NAT,
  natScorer,
  SeenTargets,
  type TemporalScorer,
  type TemporalSplit,
  trainTemporal,
} from '../graph/index.js';
import { parameterCount, stateOf } from '../nn/index.js';
import { type TemporalGraph, triadicStream } from '../structure/index.js';
import { Random } from '../tensor/index.js';
import { atLeast, meanScore } from './claims.js';
import type { Claim, Experiment, MethodScores, RunContext, SeedResult } from './contract.js';
import { scoringSpeed } from './nat-speed.js';
import type { OptionValues } from './options.js';

const options = {
  events: {
    kind: 'number',
    default: 20_000,
    smoke: 1500,
    minimum: 200,
    integer: true,
    about: 'first events of the stream that are used',
  },
  epochs: { kind: 'number', default: 6, smoke: 2, minimum: 1, integer: true, about: 'epochs at most' },
  learningRate: { kind: 'number', default: 1e-3, minimum: 1e-9, about: "Adam's learning rate" },
  batch: { kind: 'number', default: 100, minimum: 1, integer: true, about: 'events that see the same caches' },
  setting: {
    kind: 'choice',
    choices: ['transductive', 'inductive'],
    default: 'transductive',
    about: 'inductive tests on events of nodes never seen before',
  },
  near: { kind: 'number', default: 32, smoke: 16, minimum: 1, integer: true, about: 'slots of the 1-hop cache' },
  far: { kind: 'number', default: 16, smoke: 8, minimum: 1, integer: true, about: 'slots of the 2-hop cache' },
  aggregate: {
    kind: 'choice',
    choices: ['sum', 'attention'],
    default: 'sum',
    about: 'how joint neighbours are pooled',
  },
  timeUnit: { kind: 'number', default: 3600, minimum: 1e-9, about: 'times are divided by it: an hour of seconds' },
} as const;

type Options = OptionValues<typeof options>;

interface Data {
  readonly name: string;
  readonly graph: TemporalGraph;
  /** Unit of its times, where the set is known. */
  readonly timeUnit?: number;
}

const titles = {
  bank: 'EdgeBank',
  common: 'common neighbours',
  degree: 'degree',
  off: 'NAT without caches',
  one: 'NAT, one hop',
  two: 'NAT, two hops',
} as const;
const files: Readonly<Record<string, string>> = {
  collegemsg: 'temporal/collegemsg.csv.gz',
  wikipedia: 'temporal/wikipedia.csv.gz',
  'email-eu': 'temporal/email-eu-core-temporal.csv.gz',
  'bitcoin-alpha': 'temporal/bitcoin-alpha.csv.gz',
};

function loadStream(source: string, { events }: Options): Data {
  if (source === 'triadic')
    return { name: source, graph: triadicStream(new Random(0), { events: Math.min(6000, events) }), timeUnit: 1 };
  const known = files[source];
  const path = known ? knownArchive(source, known) : source;
  const bytes = readBytes(path);
  const text = new TextDecoder().decode(path.endsWith('.gz') ? gunzipSync(bytes) : bytes);
  return {
    name: source,
    graph: temporalFromTable(text, source, { limit: events, features: false, sort: !known }).graph,
  };
}

function splitFor({ graph }: Data, { setting }: Options, random: Random): TemporalSplit {
  return setting === 'inductive' ? inductiveSplit(graph, random) : chronologicalSplit(graph);
}

async function runSeed(data: Data, values: Options, context: RunContext) {
  const { graph } = data;
  const random = new Random(context.seed);
  const split = splitFor(data, values, random.split('split'));
  const results: MethodScores[] = [];
  const evaluate = (method: string, scorer: TemporalScorer, seen: SeenTargets, parameters: number) => {
    context.signal?.throwIfAborted();
    const started = performance.now();
    const { averagePrecision, auc, pooledAveragePrecision } = evaluateStream(
      scorer,
      graph,
      split.test,
      seen,
      random.split('test'),
      values.batch,
    );
    const seconds = (performance.now() - started) / 1000;
    results.push({
      method,
      scores: {
        ap: 100 * averagePrecision,
        auc: 100 * auc,
        pooled: 100 * pooledAveragePrecision,
        rate: split.test.length / seconds,
        parameters,
      },
    });
  };
  const heuristics = { [titles.bank]: edgeBank, [titles.common]: commonNeighbours, [titles.degree]: destinationDegree };
  for (const [method, make] of Object.entries(heuristics)) {
    const scorer = make(graph);
    const seen = new SeenTargets(graph.nodeCount);
    for (const part of [split.train, split.validation]) {
      for (const event of part) seen.add(graph.targets[event] as number);
      scorer.observe(part);
    }
    evaluate(method, scorer, seen, 0);
  }
  const slots = { [titles.off]: [], [titles.one]: [values.near], [titles.two]: [values.near, values.far] };
  let last: NAT | undefined;
  for (const [method, own] of Object.entries(slots)) {
    const model = new NAT(graph, random.split(method), {
      slots: own,
      aggregate: values.aggregate,
      timeUnit: data.timeUnit ?? values.timeUnit,
    });
    const { seen } = await trainTemporal(model, graph, split, random.split(method), {
      epochs: values.epochs,
      batchSize: values.batch,
      learningRate: values.learningRate,
      signal: context.signal,
      onEpoch: (report) => context.onEpoch(method, report),
    });
    evaluate(method, natScorer(model), seen, parameterCount(model));
    last = model;
  }
  return {
    methods: results,
    artifacts: () => ({
      model: {
        weights: stateOf(last as NAT),
        metadata: { system: 'nat', data: data.name, slots: `${values.near},${values.far}` },
      },
      predictions: {
        columns: ['source', 'target', 'time'],
        rows: Array.from(split.test.subarray(0, 1000), (e) => [
          graph.sources[e] as number,
          graph.targets[e] as number,
          graph.times[e] as number,
        ]),
      },
    }),
  };
}

function claims(
  results: readonly SeedResult[],
  study: Readonly<Record<string, number>>,
  _: Options,
  data: Data,
): Claim[] {
  const mean = (method: string) => meanScore(results, method, 'ap');
  const synthetic = data.name === 'triadic';
  return [
    atLeast(
      'One hop above no caches (points of average precision)',
      mean(titles.one) - mean(titles.off),
      synthetic ? 10 : 8,
    ),
    synthetic
      ? atLeast('One hop above common neighbours (points)', mean(titles.one) - mean(titles.common), 2)
      : atLeast('One hop above EdgeBank (points)', mean(titles.one) - mean(titles.bank), 2),
    atLeast('Events scored a second against features from sampled walks (times)', study.speedRatio ?? Number.NaN, 4),
    atLeast('Events scored a second against node memories (times)', study.memoryRatio ?? Number.NaN, 1),
  ];
}

export const nat: Experiment<typeof options, Data> = {
  system: 'nat',
  title: 'NAT: neighbourhood-aware temporal network representation',
  family: 'graph',
  paper: 'Luo, Li, "Neighborhood-aware Scalable Temporal Network Representation Learning", LoG 2022 (arXiv 2209.01084)',
  abstract:
    'Dictionaries of neighbours in caches of fixed size give joint neighbourhood features at constant cost: more accurate than baselines by 1.2 (transductive) and 4.2 points (inductive), and 4.1–76.7 times faster than those with joint features.',
  options,
  datasets: ['triadic', ...Object.keys(files)],
  ownData: 'a table (.csv, .tsv, also .gz) with columns source, target and t',
  metrics: {
    ap: { label: 'average precision', unit: '%', digits: 1, better: 'larger' },
    auc: { label: 'AUC', unit: '%', digits: 1, better: 'larger' },
    pooled: { label: 'pooled average precision', unit: '%', digits: 1, better: 'larger' },
    rate: { label: 'events scored', unit: '1/s', digits: 0, better: 'larger' },
    parameters: { label: 'parameters', digits: 0, better: 'smaller' },
  },
  methods: [titles.off, titles.one, titles.two],
  notes: ({ batch, setting }) => [
    `Each event is told from one with a random destination seen before; all methods see the stream in batches of ${batch}, whose events they take in after scoring them. Average precision and AUC are means over batches.`,
    setting === 'inductive'
      ? 'Inductive: every test event has a node that training never saw.'
      : 'Transductive: the last 15 % of the events, whose nodes may be old or new.',
  ],
  async load(source, values) {
    return loadStream(source, values);
  },
  describe: ({ name, graph }) => `${name}: ${graph.eventCount} events among ${graph.nodeCount} nodes`,
  runSeed,
  async studies(data, values, seed) {
    return scoringSpeed(data.graph, new Random(seed), { slots: [values.near], batch: values.batch });
  },
  claims,
};
