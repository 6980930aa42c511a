// Speed of walks for personalised PageRank: by threads, against one walk at a time, and by
// pipelines on one rank.

import { alone } from '../../distributed/index.js';
import {
  distributedPageRank,
  naivePageRank,
  type PipelineOptions,
  personalizedPageRank,
} from '../../embedding/index.js';
import { medianSeconds, setThreads, threads } from '../../engine/index.js';
import type { Graph } from '../../structure/index.js';
import type { StudyResults } from '../parts/contract.js';
import { joinStudies, studyOf } from '../parts/studies.js';

/** Sources that the naive walks are timed on. */
const NAIVE_SOURCES = 20_000;
const GAMMAS = [1, 4, 16];
/** Pre-computed short walks of eight moves, eight for each node of degree up to 4096. */
const BIG_MOVES = { moves: 8, pool: 8, degree: 4096 };

/** Both studies, with as many walks a node as the graph's size allows in seconds. */
export async function walkStudies(graph: Graph, alpha: number): Promise<StudyResults> {
  const walks = Math.max(1, Math.min(16, Math.floor(2e7 / graph.nodeCount)));
  return joinStudies(await threadStudy(graph, alpha, walks), pipelineStudy(graph, alpha, walks));
}

async function threadStudy(graph: Graph, alpha: number, walks: number): Promise<StudyResults> {
  const before = threads();
  const millionsPerSecond = async (count: number) => {
    setThreads(count);
    await personalizedPageRank(graph, { walks: 1, alpha });
    const started = performance.now();
    await personalizedPageRank(graph, { walks, alpha });
    return (graph.nodeCount * walks) / (performance.now() - started) / 1000;
  };
  const [one, two] = [await millionsPerSecond(1), await millionsPerSecond(2)];
  setThreads(before);
  const sources = Int32Array.from({ length: Math.min(graph.nodeCount, NAIVE_SOURCES) }, (_, v) => v);
  const naive = sources.length / medianSeconds(() => naivePageRank(graph, { alpha, sources }), 3, 1) / 1e6;
  const study = {
    title: 'Threads',
    note: `Walks from every node, ${walks} each. "naive": plain JavaScript, a walk at a time.`,
    columns: ['threads', 'million walks/s'],
    rows: [
      ['1, naive', naive.toFixed(2)],
      ['1', one.toFixed(2)],
      ['2', two.toFixed(2)],
    ],
  };
  return studyOf(study, { naiveRatio: one / naive, scaling: two / one });
}

function pipelineStudy(graph: Graph, alpha: number, walks: number): StudyResults {
  const timed = (options: PipelineOptions) => {
    const started = performance.now();
    const { rounds, peakWalkers, gamma } = distributedPageRank(graph, alone(), { walks, alpha, ...options });
    return { rounds, peakWalkers, gamma, milliseconds: performance.now() - started };
  };
  const swept = GAMMAS.filter((gamma) => gamma <= walks).map((gamma) => timed({ gamma }));
  const chosen = timed({});
  const big = timed({ bigMoves: BIG_MOVES });
  const line = (label: string, { rounds, peakWalkers, milliseconds }: ReturnType<typeof timed>) => [
    label,
    rounds,
    peakWalkers.toLocaleString('en'),
    milliseconds.toFixed(0),
  ];
  const study = {
    title: 'Pipelines on one rank',
    note: 'γ walks a node start each round. "walkers" is the most that lived at once.',
    columns: ['γ', 'rounds', 'walkers', 'ms'],
    rows: [
      ...swept.map((run) => line(String(run.gamma), run)),
      line(`chosen: ${chosen.gamma}`, chosen),
      line('chosen, with big moves', big),
    ],
  };
  const [single] = swept;
  return studyOf(study, {
    gammaRatio: chosen.milliseconds / Math.min(chosen.milliseconds, ...swept.map(({ milliseconds }) => milliseconds)),
    gammaSpeed: single ? single.milliseconds / chosen.milliseconds : Number.NaN,
    bigMovesRounds: chosen.rounds / big.rounds,
    bigMovesSpeed: chosen.milliseconds / big.milliseconds,
  });
}
