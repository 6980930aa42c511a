// What GraphVite's parts give: sampling and training on two threads, double buffering, moved bytes,
// a memory budget, and the time until LINE's quality is reached.

import type { MultiLabelGraph } from '../../data/index.js';
import {
  type GraphViteOptions,
  type GridTrainer,
  graphViteSettings,
  line,
  type PartStore,
  planTraining,
  type Side,
  startGraphVite,
} from '../../embedding/index.js';
import { withOwnPeak } from '../../engine/index.js';
import { type Graph, rmat } from '../../structure/index.js';
import { Random } from '../../tensor/index.js';
import type { StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import { withThreads } from '../parts/threads.js';
import { type GridOptions, gridRows, gridTask, labelScores } from './grid-methods.js';
import { trainPlain } from './plain-skip-gram.js';

export interface SpeedOptions {
  readonly dim: number;
  /** Edges of the R-MAT graph. */
  readonly speedEdges: number;
  /** Pairs of each measurement. */
  readonly speedPairs: number;
}

/** Edges for each node. */
const DEGREE = 8;
const PARTS = 4;
/** Turns of each measurement, of which the fastest counts. */
const TURNS = 3;
const MIB = 2 ** 20;

const drawn = (edges: number): Graph => rmat(Math.round(Math.log2(edges / DEGREE)), edges, new Random(3)).undirected();

function trainerOf(graph: Graph, pairs: number, options: GraphViteOptions): GridTrainer {
  return startGraphVite(graph, { batch: 1000, parts: PARTS, step: 2, ...options, epochs: pairs / graph.edgeCount });
}

/** Seconds of training and of sampling of a whole run, and on the clock. */
async function timed(graph: Graph, pairs: number, options: GraphViteOptions, threads: number) {
  return withThreads(threads, async () => {
    const trainer = trainerOf(graph, pairs, options);
    const started = performance.now();
    await trainer.train();
    const seconds = (performance.now() - started) / 1000;
    const { pairs: trained, trainingSeconds, samplingSeconds } = trainer.counts;
    trainer.dispose();
    return { seconds, training: trainingSeconds, sampling: samplingSeconds, pairs: trained };
  });
}

type Times = Awaited<ReturnType<typeof timed>>;

/** The fastest of some turns, by what is asked. */
async function fastest(turn: () => Promise<Times>, of: keyof Times): Promise<Times> {
  let best = await turn();
  for (let i = 1; i < TURNS; i++) {
    const own = await turn();
    if (own[of] < best[of]) best = own;
  }
  return best;
}

/** Pairs a second of a plain loop on one thread. */
function plainRate({ nodeCount }: Graph, pairs: number, dim: number): number {
  const random = new Random(9);
  const nodes = () => Int32Array.from({ length: pairs }, () => random.integer(nodeCount));
  const vertices = Float32Array.from({ length: nodeCount * dim }, () => (random.float() - 0.5) / dim);
  const run = { dim, heads: nodes(), tails: nodes(), negatives: nodes(), weight: 5, rate: 0.025, decay: 0.005 };
  let best = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < TURNS; turn++) {
    const started = performance.now();
    trainPlain({ ...run, vertices, contexts: new Float32Array(nodeCount * dim) });
    best = Math.min(best, (performance.now() - started) / 1000);
  }
  return pairs / best;
}

const million = (rate: number) => (rate / 1e6).toFixed(2);

/** @returns the study, with `kernel`, `workers`, `samplers` (times faster) and `rate` (pairs/s) */
export async function rateStudy({ dim, speedEdges, speedPairs }: SpeedOptions): Promise<StudyResults> {
  const graph = drawn(speedEdges);
  const apart = { dim, doubleBuffer: false };
  const on = (threads: number, of: keyof Times) => fastest(() => timed(graph, speedPairs, apart, threads), of);
  const [train1, train2] = [await on(1, 'training'), await on(2, 'training')];
  const [sample1, sample2] = [await on(1, 'sampling'), await on(2, 'sampling')];
  const both = await fastest(() => timed(graph, speedPairs, { dim }, 2), 'seconds');
  const plain = plainRate(graph, Math.ceil(speedPairs / 8), dim);
  const rates = {
    train1: train1.pairs / train1.training,
    train2: train2.pairs / train2.training,
    sample1: sample1.pairs / sample1.sampling,
    sample2: sample2.pairs / sample2.sampling,
    both: both.pairs / both.seconds,
  };
  const days = (pairs: number) => `${(pairs / rates.both / 3600).toFixed(1)} h`;
  return studyOf(
    {
      title: 'Pairs a second',
      note:
        `An R-MAT graph of ${graph.edgeCount.toLocaleString('en')} edges, ${dim} columns, ${PARTS} parts, pairs of walks of 40 edges within 2 steps; ` +
        `the fastest of ${TURNS} turns. At the rate of the last row, 4,000 epochs of YouTube (4.9 million edges, “one minute” on 4 GPUs) take ${days(4.9e6 * 4000)} ` +
        `and 2,000 epochs of Friendster (1.8 billion edges, “20 hours”) ${days(1.8e9 * 2000)}: derived, not run.`,
      columns: ['what', 'threads', 'million pairs a second', 'times the row before'],
      rows: [
        ['plain loop, training', 1, million(plain), ''],
        ['training', 1, million(rates.train1), (rates.train1 / plain).toFixed(2)],
        ['training', 2, million(rates.train2), (rates.train2 / rates.train1).toFixed(2)],
        ['sampling', 1, million(rates.sample1), ''],
        ['sampling', 2, million(rates.sample2), (rates.sample2 / rates.sample1).toFixed(2)],
        ['both, double buffered', 2, million(rates.both), ''],
      ],
    },
    {
      kernel: rates.train1 / plain,
      workers: rates.train2 / rates.train1,
      samplers: rates.sample2 / rates.sample1,
      rate: rates.both,
    },
  );
}

/** Columns among which the one is taken that trains about as fast as it samples. */
const COLUMNS = [4, 16, 32, 64, 128];

/**
 * One sampler and one worker, taking turns on a thread or side by side on two.
 *
 * @returns the study, with `buffered` (share of the time) and `balance` (the longer stage over the
 * shorter)
 */
export async function bufferStudy({ speedEdges, speedPairs }: SpeedOptions): Promise<StudyResults> {
  const graph = drawn(speedEdges);
  const options = (dim: number, doubleBuffer: boolean): GraphViteOptions => ({ dim, doubleBuffer, workers: 1 });
  const apart = [];
  for (const dim of COLUMNS) apart.push({ dim, ...(await timed(graph, speedPairs, options(dim, false), 1)) });
  const ratio = ({ training, sampling }: Times) => Math.max(training, sampling) / Math.min(training, sampling);
  const { dim } = apart.reduce((best, own) => (ratio(own) < ratio(best) ? own : best));
  const off = await fastest(() => timed(graph, speedPairs, options(dim, false), 1), 'seconds');
  const on = await fastest(() => timed(graph, speedPairs, options(dim, true), 2), 'seconds');
  const idle = 1 - (off.training + off.sampling) / (2 * on.seconds);
  return studyOf(
    {
      title: 'Double buffering',
      note: `One worker and one sampler, ${dim} columns, for which both stages take about as long. Taking turns, one of two threads is always idle; with two pools both work.`,
      columns: ['pools', 'training (s)', 'sampling (s)', 'in all (s)', 'idle share of two threads'],
      rows: [
        ['one, in turns', off.training.toFixed(2), off.sampling.toFixed(2), off.seconds.toFixed(2), '50 %'],
        ['two, side by side', '', '', on.seconds.toFixed(2), `${Math.max(0, Math.round(100 * idle))} %`],
      ],
    },
    { buffered: on.seconds / off.seconds, balance: ratio(off) },
  );
}

/** Parts in memory outside the tensors. */
function heapStore(): PartStore {
  const parts = new Map<string, Float32Array>();
  return {
    read: (side: Side, part, into, from = 0) =>
      into.set((parts.get(`${side}${part}`) as Float32Array).subarray(from, from + into.length)),
    write: (side: Side, part, values) => void parts.set(`${side}${part}`, values.slice()),
  };
}

/**
 * Training within a quarter of what the vectors take.
 *
 * @returns the study, with `moved` (over the formula), `barriers` (over the formula), `perPair`
 * (bytes), `overBudget` (peak over budget and pools), `sameBits` (1 or 0), `pools` (bytes with ten
 * times the epochs over those without)
 */
export async function budgetStudy({ dim, speedEdges, speedPairs }: SpeedOptions): Promise<StudyResults> {
  const graph = drawn(speedEdges);
  const own = { dim, batch: 1000, step: 2, epochs: speedPairs / graph.edgeCount, workers: 2 };
  const budget = Math.floor((2 * graph.nodeCount * dim * 4) / 4);
  const settings = graphViteSettings(graph, own);
  const plan = planTraining(graph, settings, budget);
  const nodes = Int32Array.from({ length: graph.nodeCount }, (_, v) => v);
  const run = async (limits: { memory?: number; store?: PartStore }) => {
    const trainer = startGraphVite(graph, { ...own, parts: plan.parts, episode: 8 }, limits);
    await trainer.train();
    const result = { values: trainer.rows('vertices', nodes), counts: trainer.counts, plan: trainer.plan };
    trainer.dispose();
    return result;
  };
  const { result: inside, peakBytes } = await withOwnPeak(() => run({ memory: budget, store: heapStore() }));
  const whole = await run({});
  const { parts, workers, episodes, poolBytes, graphBytes } = inside.plan;
  const partBytes = (graph.nodeCount / parts) * dim * 4;
  const moved = 2 * episodes * (parts + parts ** 2 / workers) * partBytes;
  const barriers = (episodes * parts ** 2) / workers;
  const longer = planTraining(
    graph,
    { ...settings, epochs: 10 * settings.epochs, episode: 8, parts: plan.parts },
    budget,
  );
  const allowed = budget + poolBytes + graphBytes;
  const same = inside.values.every((value, at) => Object.is(value, whole.values[at]));
  const perPair = inside.counts.movedBytes / inside.counts.pairs;
  return studyOf(
    {
      title: 'A quarter of the memory',
      note:
        `Vectors of ${Math.round((8 * graph.nodeCount * dim) / MIB)} MiB within ${Math.round(budget / MIB)} MiB: ${parts} parts, ${workers} workers, episodes of 8 batches a block. ` +
        'By the formula an episode reads each part of V once and all of C for every two rows, and writes what it read.',
      columns: ['', 'counted', 'by the formula'],
      rows: [
        ['bytes of parts moved', inside.counts.movedBytes.toLocaleString('en'), Math.round(moved).toLocaleString('en')],
        ['bytes moved for each pair', perPair.toFixed(2), (moved / inside.counts.pairs).toFixed(2)],
        ['barriers', inside.counts.barriers, barriers],
        ['peak of tensors (MiB)', (peakBytes / MIB).toFixed(1), (allowed / MIB).toFixed(1)],
        ['the same bits as in memory', same ? 'yes' : 'no', 'yes'],
      ],
    },
    {
      moved: inside.counts.movedBytes / moved,
      barriers: inside.counts.barriers / barriers,
      perPair,
      overBudget: peakBytes / allowed,
      sameBits: Number(same),
      pools: longer.poolBytes / poolBytes,
    },
  );
}

/** Shares of the pairs after which quality is looked at. */
const CURVE = [1 / 8, 1 / 4, 1 / 2, 1];

/**
 * Seconds until 99 % of LINE's micro-F1, each training from the start.
 *
 * @returns the study, with `faster` (LINE's seconds over ours), NaN where ours does not get there
 */
export async function timeToQuality(data: MultiLabelGraph, values: GridOptions): Promise<StudyResults> {
  const { graph } = data;
  const { dim, pairs, probe, parts } = values;
  const task = gridTask(data, { ...values, splits: 1 }, new Random(0));
  const score = (vectors: Parameters<typeof labelScores>[0][number]) => labelScores([vectors], task, probe).micro ?? 0;
  const clock = async <T>(body: () => Promise<T>) => {
    const started = performance.now();
    const result = await body();
    return { result, seconds: (performance.now() - started) / 1000 };
  };
  const lines = await clock(() =>
    line(graph, { dim: 2 * Math.ceil(dim / 2), samplesPerEdge: pairs / graph.edgeCount / 2, seed: 1 }),
  );
  const target = 0.99 * score(lines.result);
  lines.result.dispose();
  const curve = [];
  for (const share of CURVE) {
    const own = await clock(() => gridRows(graph, { dim, parts, step: 2, seed: 1, pairs: share * pairs }));
    curve.push({ share, seconds: own.seconds, micro: score(own.result.vertices) });
    own.result.vertices.dispose();
    own.result.contexts.dispose();
  }
  const reached = curve.find(({ micro }) => micro >= target);
  return studyOf(
    {
      title: 'Time to LINE’s quality',
      note: `LINE on ${pairs.toLocaleString('en')} pairs, GraphVite on shares of them; 99 % of LINE’s micro-F1 is ${target.toFixed(1)}. The abstract’s 50 times are of 4 GPUs against a system on 20 threads of a CPU.`,
      columns: ['method', 'pairs', 'seconds', 'micro-F1 (%)'],
      rows: [
        ['LINE', pairs.toLocaleString('en'), lines.seconds.toFixed(2), (target / 0.99).toFixed(1)],
        ...curve.map(({ share, seconds, micro }) => [
          'GraphVite',
          Math.round(share * pairs).toLocaleString('en'),
          seconds.toFixed(2),
          micro.toFixed(1),
        ]),
      ],
    },
    { faster: reached ? lines.seconds / reached.seconds : Number.NaN },
  );
}
