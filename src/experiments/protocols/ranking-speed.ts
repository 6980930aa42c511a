// Speed of walks for personalised PageRank: arms in turns on one thread, by threads, by pipelines
// on one rank, and the memory of a hub.

import { alone } from '../../distributed/index.js';
import {
  distributedPageRank,
  naivePageRank,
  type PipelineOptions,
  type PipelineResult,
  personalizedPageRank,
} from '../../embedding/index.js';
import { secondsInTurns, setThreads, threads } from '../../engine/index.js';
import { Graph } from '../../structure/index.js';
import type { StudyResults } from '../parts/contract.js';
import { joinStudies, noStudies, studyOf } from '../parts/studies.js';

const ROUNDS = { repeats: 3, warmUp: 1 };
/** Walks of a timing, and of one turn of the pipelines. */
const TIMED_WALKS = 1e6;
const PIPELINE_WALKS = 64;
const GAMMAS = [1, 4, 16, 64];
/** Nodes up to which pipelines are timed: 64 walkers of each lie in memory at once. */
const MOST_PIPELINE_NODES = 1 << 17;
/** Pre-computed short walks of eight moves, eight for each node of degree up to 4096. */
const BIG_MOVES = { moves: 8, pool: 8, degree: 4096 };
/** Edges below which fixed costs dominate all times, so that no claim is computed on them. */
const LARGE = 20_000;

/** `count` nodes at equal distances, all of them where there are no more. */
export function spreadNodes(n: number, count: number): Int32Array {
  const all = Math.min(n, count);
  return Int32Array.from({ length: all }, (_, i) => Math.floor((i * n) / all));
}

/** Sources of a timing of so many walks each. */
export const timedSources = (n: number, walks: number) => spreadNodes(n, Math.ceil(TIMED_WALKS / walks));

/** Rows of some sources by one method. */
export interface TimedArm {
  /** Sources that one turn answers. */
  readonly sources: number;
  turn(): void | Promise<void>;
}

/** Milliseconds a source of each arm, on one thread. */
export async function millisecondsPerSource(
  arms: ReadonlyMap<string, TimedArm>,
): Promise<Readonly<Record<string, number>>> {
  const before = threads();
  setThreads(1);
  try {
    const turns = Array.from(arms, ([title, { turn }]) => [title, turn] as const);
    const seconds = await secondsInTurns(Object.fromEntries(turns), ROUNDS);
    const ofArm = ([title, { sources }]: [string, TimedArm]) =>
      [title, (1000 * (seconds[title] as number)) / sources] as const;
    return Object.fromEntries(Array.from(arms, ofArm));
  } finally {
    setThreads(before);
  }
}

/** All studies. The score `large` says that times are of a graph on which fixed costs are small. */
export async function walkStudies(name: string, graph: Graph, alpha: number): Promise<StudyResults> {
  return joinStudies(
    { studies: [], scores: graph.edgeCount >= LARGE ? { large: graph.edgeCount } : {} },
    await threadStudy(graph, alpha),
    await pipelineStudy(graph, alpha),
    name === 'rmat' ? hubStudy(alpha) : noStudies,
  );
}

async function threadStudy(graph: Graph, alpha: number): Promise<StudyResults> {
  const walks = 16;
  const sources = timedSources(graph.nodeCount, walks);
  const before = threads();
  const on = (count: number) => async () => {
    setThreads(count);
    await personalizedPageRank(graph, { walks, alpha, sources });
  };
  const { naive, one, two } = await secondsInTurns(
    {
      naive: () => {
        naivePageRank(graph, { walks, alpha, sources });
      },
      one: on(1),
      two: on(2),
    },
    ROUNDS,
  ).finally(() => setThreads(before));
  const rate = (seconds: number) => ((sources.length * walks) / seconds / 1e6).toFixed(2);
  const study = {
    title: 'Threads',
    note: `Rows of ${sources.length.toLocaleString('en')} nodes, ${walks} walks each. "naive": plain JavaScript, a walk at a time.`,
    columns: ['threads', 'million walks/s'],
    rows: [
      ['1, naive', rate(naive)],
      ['1', rate(one)],
      ['2', rate(two)],
    ],
  };
  return studyOf(study, { naiveRatio: naive / one, scaling: one / two });
}

async function pipelineStudy(graph: Graph, alpha: number): Promise<StudyResults> {
  if (graph.nodeCount > MOST_PIPELINE_NODES) return noStudies;
  const runs = new Map<string, PipelineResult>();
  const run = (title: string, options: PipelineOptions) => () => {
    runs.set(title, distributedPageRank(graph, alone(), { walks: PIPELINE_WALKS, alpha, ...options }));
  };
  const sweep = Object.fromEntries(GAMMAS.map((gamma) => [`γ = ${gamma}`, run(`γ = ${gamma}`, { gamma })]));
  const [CHOSEN, BIG] = ['γ chosen', 'γ chosen, big moves'];
  const seconds = await secondsInTurns(
    { ...sweep, [CHOSEN]: run(CHOSEN, {}), [BIG]: run(BIG, { bigMoves: BIG_MOVES }) },
    ROUNDS,
  );
  const [chosen, big] = [runs.get(CHOSEN), runs.get(BIG)] as [PipelineResult, PipelineResult];
  const secondsOf = (title: string) => seconds[title] as number;
  const study = {
    title: 'Pipelines on one rank',
    note: `${PIPELINE_WALKS} walks from each node, of which γ start each round. "walkers" is the most that lived at once.`,
    columns: ['γ', 'rounds', 'walkers', 'ms'],
    rows: Array.from(runs, ([title, { rounds, peakWalkers, gamma }]) => [
      title === CHOSEN ? `${title}: ${gamma}` : title,
      rounds,
      peakWalkers.toLocaleString('en'),
      (1000 * secondsOf(title)).toFixed(0),
    ]),
  };
  // The chosen γ as one of the sweep is the same run twice.
  const swept = GAMMAS.filter((gamma) => gamma !== chosen.gamma).map((gamma) => secondsOf(`γ = ${gamma}`));
  return studyOf(study, {
    gammaRatio: secondsOf(CHOSEN) / Math.min(...swept),
    gammaSpeed: secondsOf('γ = 1') / secondsOf(CHOSEN),
    bigMovesRounds: chosen.rounds / big.rounds,
    bigMovesSpeed: secondsOf(CHOSEN) / secondsOf(BIG),
  });
}

/** Edges of the hub, of the largest unit, and bytes of a weighted edge in memory. */
const HUB_EDGES = 200_000;
const LARGEST_UNIT = 4096;
const EDGE_BYTES = 16;

/** The largest row that a task must hold, at a node with an edge to every other, split or whole. */
function hubStudy(alpha: number): StudyResults {
  const leaves = Int32Array.from({ length: HUB_EDGES }, (_, v) => v + 1);
  const hub = new Int32Array(HUB_EDGES);
  const weights = Float32Array.from({ length: HUB_EDGES }, (_, i) => 1 + (i % 7));
  const star = Graph.fromEdges(HUB_EDGES + 1, hub, leaves, { weights });
  const bytesOf = (largestUnit: number) =>
    EDGE_BYTES * distributedPageRank(star, alone(), { walks: 1, alpha, largestUnit }).largestUnit;
  const [whole, split] = [bytesOf(HUB_EDGES), bytesOf(LARGEST_UNIT)];
  const cap = EDGE_BYTES * LARGEST_UNIT;
  const study = {
    title: `A hub of ${HUB_EDGES.toLocaleString('en')} weighted edges`,
    note: `Bytes of the largest row (targets and alias table) that a task holds; the cap is ${cap.toLocaleString('en')}.`,
    columns: ['edges of the hub', 'bytes'],
    rows: [
      ['in one row', whole.toLocaleString('en')],
      ['a tree of alias tables', split.toLocaleString('en')],
    ],
  };
  return studyOf(study, { hubWhole: whole / cap, hubSplit: split / cap });
}
