// Fully personalised PageRank: the rows of all nodes at once by random walks in pipelines, orders
// of magnitude faster than one source at a time, with a known error.

import { doublingPageRank, forwardPush, personalizedPageRank, powerIteration } from '../../embedding/index.js';
import type { Graph } from '../../structure/index.js';
import { above, atLeast, atMost, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { type Method, runMethods } from '../parts/methods.js';
import { number, type OptionValues } from '../parts/options.js';
import { walkStudies } from '../protocols/ranking-speed.js';
import {
  loadRankingGraph,
  type Ranking,
  rankAll,
  rankEach,
  rankingMetrics,
  rankingOptions,
  rankingScores,
  rankingTable,
  sampleSources,
} from '../protocols/rankings.js';

const options = {
  alpha: number(0.15, 'α: probability of stopping at each node', { minimum: 0.01, maximum: 1 }),
  ...rankingOptions,
};

type Options = OptionValues<typeof options>;

const WALKS = [16, 64, 256, 1024];
/** Walks of the doubling baseline, all of whose levels lie in memory. */
const DOUBLING_WALKS = 64;
/** Entries beyond which the rows of all nodes do not fit in memory. */
const MOST_ENDS = 1e8;

const POWER = 'power iteration';
const PUSH = 'forward push';
const DOUBLING = `doubling, ${DOUBLING_WALKS} walks`;
const walkTitle = (walks: number) => `${walks} walks`;
const walkTitles = WALKS.map(walkTitle);

/** The numbers of walks whose rows fit in memory. */
const walksFor = ({ nodeCount }: Graph) => WALKS.filter((walks) => walks * nodeCount <= MOST_ENDS);

function methodsOf(graph: Graph, sources: Int32Array, { alpha }: Options): Method<Ranking>[] {
  const pushed = (source: number) => {
    const row = new Float64Array(graph.nodeCount);
    for (const [v, value] of forwardPush(graph, source, { alpha, threshold: 1e-6 }).estimates) row[v] = value;
    return row;
  };
  return [
    {
      title: POWER,
      train: () => rankEach(sources, (source) => powerIteration(graph, source, { alpha, tolerance: 1e-7 })),
    },
    { title: PUSH, train: () => rankEach(sources, pushed) },
    {
      title: DOUBLING,
      train: ({ seed }) =>
        rankAll(sources, graph, () => doublingPageRank(graph, { alpha, walks: DOUBLING_WALKS, seed })),
    },
    ...walksFor(graph).map((walks) => ({
      title: walkTitle(walks),
      train: ({ seed, hooks: { signal }, progress }: Parameters<Method<Ranking>['train']>[0]) =>
        rankAll(sources, graph, () =>
          personalizedPageRank(graph, { walks, alpha, seed, signal, onProgress: ({ done }) => progress(done) }),
        ),
    })),
  ];
}

/** The walks that a run made, fewest first. */
const walksOf = ({ methods }: Evidence<Options>) => walkTitles.filter((title) => methods.includes(title));
const mostWalks = (e: Evidence<Options>) => walksOf(e).at(-1) ?? walkTitle(Math.max(...WALKS));

/**
 * Error of doubling over the least error of walks that took no more time; 0 where all took more.
 */
function accuracyAtEqualTime(e: Evidence<Options>): number {
  const time = e.mean(DOUBLING, 'source');
  const inTime = walksOf(e).filter((title) => e.mean(title, 'source') <= time);
  return Math.max(0, ...inTime.map((title) => e.ratio(DOUBLING, title, 'error')));
}

/** How the error falls from the fewest to the most walks, as a share of √(ratio of the walks). */
function errorLaw(e: Evidence<Options>): number {
  const [fewest, most] = [walkTitle(Math.min(...WALKS)), mostWalks(e)];
  return e.ratio(fewest, most, 'error') / Math.sqrt(Number.parseInt(most, 10) / Number.parseInt(fewest, 10));
}

/** Not for the smoke preset, on whose graph fixed costs dominate. */
const fullSize = ({ edges }: Options) => edges >= 1_000_000;

const { abstract, ours } = claimsOf<Options>();
const equalWalks = (e: Evidence<Options>) => e.ratio(DOUBLING, walkTitle(DOUBLING_WALKS), 'source');
const claims = [
  ...where({ when: fullSize }, [
    abstract('speed', 'All rows against doubling, as many walks (times faster)', atLeast(100), equalWalks),
    abstract('accuracy', 'Error of doubling over that of walks in no more time', above(1), accuracyAtEqualTime),
    abstract('shortWalks', 'Pre-computed short walks (times faster)', above(1), (e) => e.study('bigMovesSpeed')),
    abstract('pipelines', 'The chosen walks a pipeline against one (times faster)', above(1), (e) =>
      e.study('gammaSpeed'),
    ),
    ours('All rows against doubling, as many walks, at our size (times faster)', atLeast(1), equalWalks),
    ours('A row by the most walks against power iteration (times faster)', atLeast(10), (e) =>
      e.ratio(POWER, mostWalks(e), 'source'),
    ),
    ours('One thread against a walk at a time in JavaScript (times faster)', atLeast(2), (e) => e.study('naiveRatio')),
    ours('Two threads against one (times faster)', atLeast(1.4), (e) => e.study('scaling')),
    ours('The chosen walks a pipeline against the best (times the time)', atMost(1.15), (e) => e.study('gammaRatio')),
  ]),
  ours('Pre-computed short walks: times fewer rounds', atLeast(1.5), (e) => e.study('bigMovesRounds')),
  ours('Error falls with the walks, as a share of their square root', atLeast(0.8), errorLaw),
  ours('Top ten found by the most walks (%)', atLeast(70), (e) => e.mean(mostWalks(e), 'precision')),
];

export const experiment = defineExperiment({
  options,
  datasets: ['rmat', 'wiki-vote', 'ca-grqc', 'gnutella', 'cnr-2000'],
  ownData: 'a directed edge list (.csv, .tsv, .txt, .gz, .parquet), or a .npz archive with indptr and indices',
  reproduction: [
    { data: 'rmat' },
    { data: 'wiki-vote' },
    { data: 'ca-grqc' },
    { data: 'gnutella' },
    { data: 'cnr-2000', seeds: 1 },
  ],
  metrics: rankingMetrics,
  methods: () => [POWER, PUSH, DOUBLING, ...walkTitles],
  notes: ({ sampled }) => [
    `Errors against power iteration on ${sampled} random sources; walks are made from every node. Nodes without edges end a walk. Under mpirun: gossamer rank.`,
  ],
  load: (source, values) => loadRankingGraph(source, values),
  describe: ({ name, graph }) => `${name}: ${graph.nodeCount} nodes, ${graph.edgeCount} edges`,
  async runSeed({ graph }, values, context) {
    const sources = sampleSources(graph, values.sampled, context.random.split('sources'));
    let exact: Ranking | undefined;
    const { methods, kept } = await runMethods(methodsOf(graph, sources, values), context, {
      // The first method is exact.
      score: (ranking) => rankingScores(ranking, (exact ??= ranking), sources),
      keep: walkTitle(Math.max(...walksFor(graph))),
    });
    return { methods, artifacts: () => ({ predictions: kept && rankingTable(kept, sources) }) };
  },
  studies: ({ graph }, { alpha }) => walkStudies(graph, alpha),
  claims,
  unmeasured: {
    largeNodes: 'peak memory at a node of very high degree is not measured',
    billion: 'neither a cluster nor a graph of a billion edges is at hand',
  },
});
