// The methods of a seed of personalised PageRank: walks, doubling, and the methods of one source at
// a time, scored against exact rows and timed in turns on one thread.

import {
  doublingPageRank,
  exactRows,
  ForwardPush,
  personalizedPageRank,
  powerIteration,
} from '../../embedding/index.js';
import type { Graph } from '../../structure/index.js';
import type { MethodScores, RunContext, SeedOutcome } from '../parts/contract.js';
import { type Method, runMethods } from '../parts/methods.js';
import { millisecondsPerSource, spreadNodes, type TimedArm, timedSources } from './ranking-speed.js';
import {
  pushRanking,
  type Ranking,
  rankingScores,
  rankingTable,
  sampleSources,
  thresholdForError,
  walkRanking,
} from './rankings.js';

/** Walks whose errors show the law. */
export const WALKS = [16, 64, 256] as const;
/** Walks of doubling, all of whose levels lie in memory. */
export const DOUBLING_WALKS = 64;
/** As many walks as find this share of the ten nearest nodes: the first of `TRIED` that do. */
export const PRECISION = 90;
export const TRIED = [256, 1024, 4096, 16_384] as const;
/** Sources of power iteration, which is exact but slow, and of forward push in a timing. */
const POWER_SOURCES = 4;
const PUSH_SOURCES = 200;
/** Share of the time of doubling that walks may take, so that noise does not lend them more. */
const EQUAL_SHARE = 0.9;

export const walkTitle = (walks: number) => `${walks} walks`;
export const rankingTitles = {
  power: 'power iteration',
  push: 'forward push, error of the walks',
  doubling: `doubling, ${DOUBLING_WALKS} walks`,
  equalTime: 'walks in the time of doubling',
  needed: 'walks as needed',
} as const;
const { power: POWER, push: PUSH, doubling: DOUBLING, equalTime: EQUAL_TIME, needed: NEEDED } = rankingTitles;

/** All methods, in the order of the tables. */
export const rankingMethods = [POWER, PUSH, DOUBLING, ...WALKS.map(walkTitle), EQUAL_TIME, NEEDED];

interface RankingValues {
  readonly alpha: number;
  readonly sampled: number;
  /** ω beyond which no more walks are tried. */
  readonly most: number;
}

/** Runs, scores and times all methods. */
export async function runRankings(graph: Graph, values: RankingValues, context: RunContext): Promise<SeedOutcome> {
  const { alpha, sampled, most } = values;
  const sources = sampleSources(graph, sampled, context.random.split('sources'));
  const exact = exactRows(graph, sources, { alpha });
  const make = makersOf(graph, sources, alpha, context);
  const results = new Map<string, MethodScores>();
  const run = async (method: Method<Ranking>) => {
    const { methods, kept } = await runMethods([method], context, {
      score: (ranking) => rankingScores(ranking, method.title === POWER ? exact.slice(0, POWER_SOURCES) : exact),
      keep: method.title,
    });
    const [result] = methods as [MethodScores];
    results.set(method.title, result);
    return { scores: result.scores, ranking: kept as Ranking };
  };
  const arms = new Map<string, TimedArm>([
    [POWER, make.powerArm()],
    [DOUBLING, make.doublingArm()],
  ]);
  const walk = (title: string, walks: number) => {
    arms.set(title, make.walkArm(walks));
    return run(make.walks(title, walks));
  };

  await run(make.power());
  await run(make.doubling());
  for (const walks of WALKS) await walk(walkTitle(walks), walks);
  const faster = await timesFaster(make.doublingArm(), make.walkArm(DOUBLING_WALKS));
  await walk(EQUAL_TIME, Math.max(1, Math.floor(EQUAL_SHARE * DOUBLING_WALKS * faster)));
  let needed = await walk(NEEDED, TRIED[0]);
  for (const walks of TRIED.slice(1))
    if (walks <= most && (needed.scores.precision as number) < PRECISION) needed = await walk(NEEDED, walks);
  const threshold = thresholdForError(graph, sources, alpha, needed.scores.total as number);
  arms.set(PUSH, make.pushArm(threshold));
  await run(make.push(threshold));

  const milliseconds = await millisecondsPerSource(arms);
  const methods = rankingMethods.map((title) => {
    const { scores } = results.get(title) as MethodScores;
    return { method: title, scores: { ...scores, source: milliseconds[title] as number } };
  });
  return { methods, artifacts: () => ({ predictions: rankingTable(needed.ranking, sources) }) };
}

/** How many times longer the first arm takes a source. */
async function timesFaster(slow: TimedArm, fast: TimedArm): Promise<number> {
  const { slow: before, fast: after } = await millisecondsPerSource(new Map(Object.entries({ slow, fast })));
  return (before as number) / (after as number);
}

/** Each method on the sampled sources, and what one turn of its timing does. */
function makersOf(graph: Graph, sources: Int32Array, alpha: number, { seed, signal }: RunContext) {
  const n = graph.nodeCount;
  const exactly = (source: number) => powerIteration(graph, source, { alpha, tolerance: 1e-6 });
  const double = () => doublingPageRank(graph, { alpha, walks: DOUBLING_WALKS, seed });
  /** Nodes at equal distances stand for all sources. */
  const arm = (timed: Int32Array, body: (source: number) => unknown): TimedArm => ({
    sources: timed.length,
    turn: () => {
      for (const source of timed) body(source);
    },
  });
  return {
    power: (): Method<Ranking> => ({
      title: POWER,
      train: () => {
        const rows = Array.from(sources.subarray(0, POWER_SOURCES), exactly);
        return (i) => rows[i] as Float64Array;
      },
    }),
    powerArm: () => arm(spreadNodes(n, POWER_SOURCES), exactly),
    push: (threshold: number): Method<Ranking> => ({
      title: PUSH,
      train: () => {
        const push = new ForwardPush(graph, { alpha, threshold });
        const rows = Array.from(sources, (source) => push.from(source));
        return pushRanking(rows, n);
      },
    }),
    pushArm: (threshold: number) => {
      const push = new ForwardPush(graph, { alpha, threshold });
      return arm(spreadNodes(n, PUSH_SOURCES), (source) => push.from(source));
    },
    doubling: (): Method<Ranking> => ({
      title: DOUBLING,
      train: () => walkRanking(double(), n, (i) => sources[i] as number),
      score: () => ({ walks: DOUBLING_WALKS }),
    }),
    doublingArm: (): TimedArm => ({ sources: n, turn: () => void double() }),
    walks: (title: string, walks: number): Method<Ranking> => ({
      title,
      train: async ({ progress }) => {
        const onProgress = ({ done }: { readonly done: number }) => progress(done);
        const rows = await personalizedPageRank(graph, { walks, alpha, seed, sources, signal, onProgress });
        return walkRanking(rows, n, (i) => i);
      },
      score: () => ({ walks }),
    }),
    walkArm: (walks: number): TimedArm => {
      const timed = timedSources(n, walks);
      return {
        sources: timed.length,
        turn: async () => void (await personalizedPageRank(graph, { walks, alpha, seed, sources: timed })),
      };
    },
  };
}
