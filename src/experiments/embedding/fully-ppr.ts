// Fully personalised PageRank: the rows of all nodes at once by random walks in pipelines, with a
// known error, beside doubling and the methods of one source at a time.

import { above, atLeast, atMost, claimsOf, type Evidence, where } from '../parts/claims.js';
import { defineExperiment } from '../parts/contract.js';
import { count, number, type OptionValues } from '../parts/options.js';
import {
  PRECISION,
  rankingMethods,
  rankingTitles,
  runRankings,
  WALKS,
  walkTitle,
} from '../protocols/ranking-methods.js';
import { walkStudies } from '../protocols/ranking-speed.js';
import { loadRankingGraph, rankingMetrics, rankingOptions } from '../protocols/rankings.js';

const options = {
  alpha: number(0.15, 'α: probability of stopping at each node', { minimum: 0.01, maximum: 1 }),
  most: count(16_384, 'walks a source at most, where so many are needed', { smoke: 1024, minimum: 256 }),
  ...rankingOptions,
};

type Options = OptionValues<typeof options>;
type Run = Evidence<Options>;

const { power: POWER, push: PUSH, doubling: DOUBLING, equalTime: EQUAL_TIME, needed: NEEDED } = rankingTitles;
const SAME_WALKS = walkTitle(64);

/** Times count on a graph alone on which fixed costs are small. */
const timed = (value: (e: Run) => number) => (e: Run) => {
  e.study('large');
  return value(e);
};
const study = (name: string) => timed((e) => e.study(name));

/** Times faster than doubling with as many walks, at equal error: ω walks err as 1/√ω. */
const againstDoubling = timed(
  (e) => e.ratio(DOUBLING, SAME_WALKS, 'source') * e.ratio(DOUBLING, SAME_WALKS, 'error') ** 2,
);
const againstPower = timed((e) => e.ratio(POWER, NEEDED, 'source'));
const againstPush = timed((e) => e.ratio(PUSH, NEEDED, 'source'));

/** Least-squares slope of log error on log ω, less −½. */
function errorLaw(e: Run): number {
  const points = WALKS.map((walks) => [Math.log(walks), Math.log(e.mean(walkTitle(walks), 'error'))] as const);
  const mean = (at: 0 | 1) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const covariance = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return Math.abs(covariance / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0) + 0.5);
}

const { abstract, ours } = claimsOf<Options>();

/** The embedded graph of the smoke preset is too small to time. */
const canBeTimed = ({ edges }: Options) => edges >= 100_000;

const claims = [
  ...where({ when: canBeTimed }, [
    abstract(
      'speed',
      'Against the fastest of doubling, forward push and power iteration (times faster)',
      atLeast(100),
      (e) => Math.min(againstDoubling(e), againstPush(e), againstPower(e)),
    ),
    abstract(
      'accuracy',
      'Largest error of doubling over that of walks in its time',
      atLeast(2),
      timed((e) => e.ratio(DOUBLING, EQUAL_TIME, 'largest')),
    ),
    abstract('shortWalks', 'Pre-computed short walks (times faster)', atLeast(1.5), study('bigMovesSpeed')),
    abstract('pipelines', 'The chosen walks a pipeline against one (times faster)', atLeast(1.2), study('gammaSpeed')),
    ours('Against doubling at equal error (times faster)', atLeast(2), againstDoubling),
    ours('Against power iteration, walks as needed (times faster)', atLeast(10), againstPower),
    ours('Against forward push at equal error (times faster)', atLeast(1), againstPush),
    ours('One thread against a walk at a time in JavaScript (times faster)', atLeast(2), study('naiveRatio')),
    ours('Two threads against one (times faster)', atLeast(1.4), study('scaling')),
    ours('The chosen walks a pipeline against the best (times the time)', atMost(1.15), study('gammaRatio')),
  ]),
  ...where({ data: ['rmat'] }, [
    abstract('largeNodes', 'A hub of 200,000 edges: largest row over its cap', atMost(1), (e) => e.study('hubSplit')),
    ours('A hub of 200,000 edges in one row: its size over the cap', above(1), (e) => e.study('hubWhole')),
  ]),
  ours('Pre-computed short walks: times fewer rounds', atLeast(1.5), (e) => e.study('bigMovesRounds')),
  ours('Slope of log error on log walks: distance from −½', atMost(0.05), errorLaw),
  ours('Top ten found by the walks as needed (%)', atLeast(PRECISION), (e) => e.mean(NEEDED, 'precision')),
];

export const experiment = defineExperiment({
  options,
  datasets: ['rmat', 'wiki-vote', 'ca-grqc', 'gnutella', 'cnr-2000'],
  ownData:
    'a directed edge list (.csv, .tsv, .txt, .gz, .parquet), a graph of another program (GraphML, GEXF, GML, Pajek, ' +
    'METIS, Matrix Market, node-link JSON), or a .npz archive with indptr and indices',
  presets: { 'cnr-2000': { sampled: 100 } },
  reproduction: [
    { data: 'rmat' },
    { data: 'wiki-vote' },
    { data: 'ca-grqc' },
    { data: 'gnutella' },
    { data: 'cnr-2000', seeds: 1 },
  ],
  metrics: rankingMetrics,
  methods: () => rankingMethods,
  notes: ({ sampled, most }) => [
    `Errors against exact rows of ${sampled} random sources. Times are of one thread, in turns, a source; walks, power iteration and forward push are timed on nodes at equal distances and stand for all.`,
    `Walks as needed: the first of 256, 1024, 4096 and 16,384 walks that find ${PRECISION} % of the ten nearest nodes, at most ${most}. Forward push stops at the mean error ‖π̂ − π‖₁ of these walks.`,
    'On one machine a round costs little beside its moves, so that fewer rounds gain little time; the paper’s orders of magnitude are those of a cluster, where each round is a shuffle. Short walks are used once each, so that walks stay independent: they save rounds, not moves.',
    'Nodes without edges end a walk. Under mpirun: gossamer rank.',
  ],
  load: (source, values) => loadRankingGraph(source, values),
  describe: ({ name, graph }) => `${name}: ${graph.nodeCount} nodes, ${graph.edgeCount} edges`,
  runSeed: ({ graph }, values, context) => runRankings(graph, values, context),
  studies: ({ name, graph }, { alpha }) => walkStudies(name, graph, alpha),
  claims,
  unmeasured: { billion: 'neither a cluster nor a graph of a billion edges is at hand' },
});
