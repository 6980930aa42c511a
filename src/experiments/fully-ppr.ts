// The claim of distributed fully personalised PageRank: all rows at once by random walks in pipelines, orders of magnitude faster than one source at a time, with a known error.

import { readNpz, toInts } from '../data/index.js';
import { knownArchive, loadEdges, readBytes } from '../data/node.js';
import { alone } from '../distributed/index.js';
import {
  distributedPageRank,
  doublingPageRank,
  forwardPush,
  type PageRankRows,
  personalizedPageRank,
  powerIteration,
  topTargets,
} from '../embedding/index.js';
import { medianSeconds, setThreads, threads } from '../engine/index.js';
import { Graph, rmat } from '../structure/index.js';
import { Random, tensor } from '../tensor/index.js';
import { atLeast, atMost, meanScore } from './claims.js';
import type { Claim, Experiment, MethodScores, RunContext, SeedResult } from './contract.js';
import type { OptionValues } from './options.js';

const options = {
  alpha: { kind: 'number', default: 0.15, minimum: 0.01, maximum: 1, about: 'probability of stopping' },
  sampled: {
    kind: 'number',
    default: 30,
    smoke: 8,
    minimum: 1,
    integer: true,
    about: 'sources whose rows are compared with exact ones',
  },
  scale: {
    kind: 'number',
    default: 16,
    smoke: 10,
    minimum: 4,
    maximum: 22,
    integer: true,
    about: 'the embedded R-MAT graph has 2^scale nodes',
  },
  edges: { kind: 'number', default: 1_000_000, smoke: 10_000, minimum: 10, integer: true, about: 'and so many edges' },
} as const;

type Options = OptionValues<typeof options>;

interface Data {
  readonly name: string;
  readonly graph: Graph;
}

const WALKS = [16, 64, 256, 1024];
const files: Readonly<Record<string, string>> = {
  'wiki-vote': 'web-snap/wiki-Vote.txt.gz',
  'ca-grqc': 'web-snap/ca-GrQc.txt.gz',
  gnutella: 'web-snap/p2p-Gnutella08.txt.gz',
  'cnr-2000': 'web-snap/cnr-2000.npz',
};
/** Walks of the doubling baseline, whose levels all lie in memory. */
const DOUBLING_WALKS = 64;
const doublingTitle = `doubling, ${DOUBLING_WALKS} walks`;
const walkTitle = (walks: number) => `${walks} walks`;

async function load(source: string, { scale, edges }: Options): Promise<Data> {
  if (source === 'rmat') return { name: source, graph: rmat(scale, edges, new Random(1)) };
  const known = files[source];
  const path = known ? knownArchive(source, known) : source;
  if (path.endsWith('.npz')) {
    const { indptr, indices } = readNpz(readBytes(path), source);
    if (!indptr || !indices) throw new Error(`"${path}" needs arrays indptr and indices`);
    return {
      name: source,
      graph: Graph.fromCompressed(toInts(indptr, 'indptr'), toInts(indices, 'indices'), { directed: true }),
    };
  }
  const list = await loadEdges(path);
  return {
    name: source,
    graph: Graph.fromEdges(list.names.count, list.sources, list.targets, { directed: true, weights: list.weights }),
  };
}

/** Sources with edges, drawn at random. */
function sampleSources({ graph }: Data, count: number, random: Random): Int32Array {
  const able = Int32Array.from({ length: graph.nodeCount }, (_, v) => v).filter(
    (v) => (graph.outDegrees[v] as number) > 0,
  );
  return Array.from(random.permutation(able.length).subarray(0, count), (at) => able[at] as number).reduce<Int32Array>(
    (all, v, i) => {
      all[i] = v;
      return all;
    },
    new Int32Array(Math.min(count, able.length)),
  );
}

function topOf(row: Float64Array, k: number): Set<number> {
  const order = Array.from(row.keys()).filter((v) => (row[v] as number) > 0);
  return new Set(order.sort((a, b) => (row[b] as number) - (row[a] as number)).slice(0, k));
}

/** Compares row i with an exact one: ‖π̂ − π‖₂, whose mean square is (1 − ‖π‖²)/ω, and the share of the exact top ten found. */
function compare(rows: PageRankRows, i: number, exact: Float64Array) {
  const estimate = new Float64Array(exact.length);
  for (let e = rows.indptr[i] as number; e < (rows.indptr[i + 1] as number); e++)
    estimate[rows.targets[e] as number] = (rows.counts[e] as number) / rows.walks;
  let squares = 0;
  for (let v = 0; v < exact.length; v++) squares += ((estimate[v] as number) - (exact[v] as number)) ** 2;
  const top = topOf(exact, 10);
  const found = topTargets(rows, i, 10).filter(({ node }) => top.has(node)).length;
  return { error: Math.sqrt(squares), precision: found / top.size };
}

async function runSeed(data: Data, { alpha, sampled }: Options, context: RunContext) {
  const { graph } = data;
  const random = new Random(context.seed);
  const sources = sampleSources(data, sampled, random);
  const results: MethodScores[] = [];
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const scoresOf = (rows: PageRankRows, elapsed: number) => {
    const scores = Array.from(sources, (source, i) => compare(rows, source, exact[i] as Float64Array));
    return {
      error: mean(scores.map((s) => s.error)),
      precision: 100 * mean(scores.map((s) => s.precision)),
      source: elapsed / graph.nodeCount,
      rate: (graph.nodeCount * rows.walks) / elapsed / 1000,
      entries: rows.targets.length / graph.nodeCount,
    };
  };
  const started = performance.now();
  const exact = Array.from(sources, (source) => powerIteration(graph, source, { alpha, tolerance: 1e-7 }));
  results.push({
    method: 'power iteration',
    scores: { error: 0, precision: 100, source: (performance.now() - started) / sources.length },
  });
  const began = performance.now();
  const pushed = Array.from(sources, (source) => forwardPush(graph, source, { alpha, threshold: 1e-6 }));
  const pushSeconds = (performance.now() - began) / sources.length;
  const pushScores = pushed.map(({ estimates }, i) => {
    const row = new Float64Array(graph.nodeCount);
    for (const [v, value] of estimates) row[v] = value;
    const top = topOf(exact[i] as Float64Array, 10);
    return {
      error: Math.sqrt((exact[i] as Float64Array).reduce((total, p, v) => total + (p - (row[v] as number)) ** 2, 0)),
      precision: [...topOf(row, 10)].filter((v) => top.has(v)).length / top.size,
    };
  });
  results.push({
    method: 'forward push',
    scores: {
      error: mean(pushScores.map((s) => s.error)),
      precision: 100 * mean(pushScores.map((s) => s.precision)),
      source: pushSeconds,
    },
  });
  context.signal?.throwIfAborted();
  const doublingStart = performance.now();
  const doubled = doublingPageRank(graph, { alpha, walks: DOUBLING_WALKS, seed: context.seed });
  results.push({
    method: doublingTitle,
    scores: scoresOf(doubled, performance.now() - doublingStart),
  });
  // All rows, since that is what walks are for; the largest graphs stop where the rows fill memory.
  let last: PageRankRows | undefined;
  for (const walks of WALKS.filter((count) => count * graph.nodeCount <= 1e8)) {
    context.signal?.throwIfAborted();
    const start = performance.now();
    const rows = await personalizedPageRank(graph, {
      walks,
      alpha,
      seed: context.seed,
      signal: context.signal,
      onProgress: ({ done }) =>
        context.onEpoch(walkTitle(walks), { epoch: Math.round(100 * done), epochs: 100, loss: 0, seconds: 0 }),
    });
    results.push({ method: walkTitle(walks), scores: scoresOf(rows, performance.now() - start) });
    last = rows;
  }
  return {
    methods: results,
    artifacts: () => ({
      model: {
        weights: { counts: tensor((last as PageRankRows).counts.slice(0, 1)) },
        metadata: { system: 'fully-ppr', data: data.name, alpha: String(alpha) },
      },
      predictions: {
        columns: ['source', 'rank', 'node', 'score'],
        rows: Array.from(sources).flatMap((source) =>
          topTargets(last as PageRankRows, source, 10).map(({ node, score }, at) => [source, at + 1, node, score]),
        ),
      },
    }),
  };
}

async function studies(data: Data, { alpha }: Options) {
  const { graph } = data;
  const walks = Math.max(1, Math.min(16, Math.floor(2e7 / graph.nodeCount)));
  const before = threads();
  const scaling: (string | number)[][] = [];
  const rate: Record<number, number> = {};
  for (const count of [1, 2]) {
    setThreads(count);
    await personalizedPageRank(graph, { walks: 1, alpha });
    const start = performance.now();
    await personalizedPageRank(graph, { walks, alpha });
    rate[count] = (graph.nodeCount * walks) / (performance.now() - start) / 1000;
    scaling.push([count, (rate[count] as number).toFixed(2)]);
  }
  setThreads(before);
  const naive = naiveRate(graph, alpha);
  const gammas = [1, 4, 16].filter((gamma) => gamma <= walks);
  const swept = [...gammas, undefined].map((gamma) => {
    const start = performance.now();
    const { rounds, peakWalkers, gamma: used } = distributedPageRank(graph, alone(), { walks, alpha, gamma });
    return { label: gamma ?? `chosen: ${used}`, ms: performance.now() - start, rounds, peakWalkers };
  });
  const plain = swept.at(-1) as (typeof swept)[number];
  const start = performance.now();
  const big = distributedPageRank(graph, alone(), { walks, alpha, bigMoves: { moves: 8, pool: 8, degree: 4096 } });
  const rows = [
    ...swept.map(({ label, ms, rounds, peakWalkers }) => [
      String(label),
      rounds,
      peakWalkers.toLocaleString('en'),
      ms.toFixed(0),
    ]),
    [
      'chosen, with big moves',
      big.rounds,
      big.peakWalkers.toLocaleString('en'),
      (performance.now() - start).toFixed(0),
    ],
  ];
  return {
    studies: [
      {
        title: 'Threads',
        note: `Millions of walks a second, ${walks} from every node; a plain loop, a walk at a time, makes ${naive.toFixed(2)}.`,
        columns: ['threads', 'million walks/s'],
        rows: scaling,
      },
      {
        title: 'Pipelines on one rank',
        note: `γ walks a node start each round. Walkers are the most that lived at once.`,
        columns: ['γ', 'rounds', 'walkers', 'ms'],
        rows,
      },
    ],
    scores: {
      naiveRatio: (rate[1] as number) / naive,
      scaling: (rate[2] as number) / (rate[1] as number),
      gammaRatio: plain.ms / Math.min(...swept.map(({ ms }) => ms)),
      roundsRatio: plain.rounds / big.rounds,
    },
  };
}

/** A walk at a time in plain JavaScript, by running sums of weights: millions of walks a second. */
function naiveRate(graph: Graph, alpha: number): number {
  const { indptr, indices } = graph.successors;
  const { weights, outDegrees } = graph;
  const random = new Random(3);
  const sources = Math.min(graph.nodeCount, 20_000);
  const seconds = medianSeconds(
    () => {
      for (let u = 0; u < sources; u++) {
        let node = u;
        while (Math.random() >= alpha) {
          const [begin, end] = [indptr[node] as number, indptr[node + 1] as number];
          if (begin === end) break;
          if (!weights) {
            node = indices[begin + Math.floor(Math.random() * (end - begin))] as number;
            continue;
          }
          let left = Math.random() * (outDegrees[node] as number);
          let e = begin;
          while (e + 1 < end && left >= (weights[e] as number)) left -= weights[e++] as number;
          node = indices[e] as number;
        }
      }
      random.word();
    },
    3,
    1,
  );
  return sources / seconds / 1e6;
}

function claims(results: readonly SeedResult[], study: Readonly<Record<string, number>>): Claim[] {
  const last = results[0]?.methods.at(-1)?.method ?? '';
  const mean = (method: string, metric: string) => meanScore(results, method, metric);
  const [fewer, more] = [mean(walkTitle(WALKS[0] as number), 'error'), mean(last, 'error')];
  const factor = Math.sqrt(Number.parseInt(last, 10) / (WALKS[0] as number));
  return [
    atLeast(`Error falls with the walks, as a share of their square root`, fewer / more / factor, 0.8),
    atLeast(
      `A row by ${last} against power iteration (times faster)`,
      mean('power iteration', 'source') / mean(last, 'source'),
      10,
    ),
    atLeast(
      'Walks a second against doubling (times)',
      mean(walkTitle(DOUBLING_WALKS), 'rate') / mean(doublingTitle, 'rate'),
      1,
    ),
    atLeast(`Top ten found by ${last} (%)`, mean(last, 'precision'), 70),
    atLeast('One thread against a walk at a time in JavaScript (times)', study.naiveRatio ?? Number.NaN, 2),
    atLeast('Two threads against one (times)', study.scaling ?? Number.NaN, 1.4),
    atMost('The chosen γ against the best (times the time)', study.gammaRatio ?? Number.NaN, 1.15),
    atLeast('Big moves: times fewer rounds', study.roundsRatio ?? Number.NaN, 1.5),
  ];
}

export const fullyPpr: Experiment<typeof options, Data> = {
  system: 'fully-ppr',
  title: 'Fully personalised PageRank by random walks in pipelines',
  family: 'embedding',
  paper: 'Lin, "Distributed Algorithms for Fully Personalized PageRank on Large Graphs", WWW 2019 (arXiv 1903.11749)',
  abstract:
    'Monte-Carlo walks in parallel pipelines compute all personalised PageRank vectors of large weighted graphs, several orders of magnitude faster than the state of the art and more accurately.',
  options,
  datasets: ['rmat', ...Object.keys(files)],
  ownData: 'a directed edge list (.csv, .tsv, .txt, .gz, .parquet), or a .npz archive with indptr and indices',
  metrics: {
    error: { label: 'error ‖π̂ − π‖', digits: 4, better: 'smaller' },
    precision: { label: 'top ten found', unit: '%', digits: 1, better: 'larger' },
    source: { label: 'a source', unit: 'ms', digits: 4, better: 'smaller' },
    rate: { label: 'million walks/s', digits: 2, better: 'larger' },
    entries: { label: 'entries a row', digits: 0, better: 'neither' },
  },
  methods: WALKS.map(walkTitle),
  notes: ({ sampled }) => [
    `Errors against power iteration on ${sampled} random sources; walks are made from every node. Nodes without edges end a walk. Under mpirun: gossamer rank.`,
  ],
  load,
  describe: ({ name, graph }) => `${name}: ${graph.nodeCount} nodes, ${graph.edgeCount} edges`,
  runSeed,
  studies,
  claims: (results, study) => claims(results, study),
};
