// The claims of FastRP's experiment, computed on the methods and studies of node embeddings.

import { above, atLeast, atMost, claimsOf, type Evidence, meanOver, overallClaimsOf, where } from '../parts/claims.js';
import type { OptionValues } from '../parts/options.js';
import type { embeddingOptions } from './embeddings.js';
import { DEEPWALK, NODE2VEC, type skipGramOptions } from './skip-gram-baselines.js';

/** Options that claims depend on. */
export type ClaimOptions = OptionValues<typeof embeddingOptions & typeof skipGramOptions> & {
  readonly transferTrials: number;
  readonly transferDim: number;
  readonly speedEdges: number;
  readonly studies: string;
};

type Run = Evidence<ClaimOptions>;

/** Titles of the projections. */
export const PROJECTIONS = {
  random: 'random',
  fast: 'FastRP',
  tuned: 'FastRP, tuned',
  all: 'FastRP, all orders tuned',
  randne: 'RandNE',
} as const;

const { fast: FAST, tuned: TUNED, randne: RANDNE } = PROJECTIONS;

/** Networks of the abstract's claim on quality. */
export const networks = ['blogcatalog', 'ppi', 'wikipedia-pos'];
/** Graphs on which links are predicted. */
export const linkNetworks = [...networks, 'ca-grqc', 'coauthor-cs'];
const [PAPER_WALKS, MILLION] = [80, 1_000_000];

const walksTuned = ({ walkers, trials }: ClaimOptions) => walkers === 'all' && trials > 1;
/** The walks as their papers have them. */
const paperWalks = (options: ClaimOptions) => options.walkers === 'all' && options.walks >= PAPER_WALKS;
const untuned = (options: ClaimOptions) => paperWalks(options) && options.trials === 1;
/** All methods tuned, the walks as in their papers, with as many columns for all. */
const compared = (options: ClaimOptions) =>
  paperWalks(options) && walksTuned(options) && options.dim === options.walkDim;
const wide = ({ dim, share }: ClaimOptions) => dim === 512 && share === 0.1;

const better = (e: Run, metric: string) => Math.max(e.mean(DEEPWALK, metric), e.mean(NODE2VEC, metric));
const ofBetter = (metric: string) => (e: Run) => e.mean(TUNED, metric) / better(e, metric);
const timesFaster = (than: string) => (e: Run) => e.study(`seconds ${than}`) / e.study(`seconds ${FAST}`);
const lead = (arm: string, other: string) => (e: Run) => e.study(arm) - e.study(other);

const { abstract, paper, ours } = claimsOf<ClaimOptions>();

export const embeddingClaims = [
  ...where(
    { data: linkNetworks, when: (options) => paperWalks(options) },
    [DEEPWALK, NODE2VEC].map((walker) =>
      abstract('speed', `Times faster than ${walker} with 80 walks a node`, atLeast(4000), timesFaster(walker)),
    ),
  ),
  ...where({ data: networks, when: ({ studies }) => studies === 'all' }, [
    abstract('design', 'Orders of transitive relations: above P alone (points of micro-F1)', above(0), (e) =>
      lead('projection', 'neighbours')(e),
    ),
    abstract('design', 'β < 0, chosen on training nodes, above β = 0 (points of micro-F1)', above(0), (e) =>
      lead('chosenExponent', 'withoutDegrees')(e),
    ),
  ]),
  ...where({ data: ['blocks'], when: ({ studies }) => studies === 'all' }, [
    abstract(
      'similarity',
      'An SVD of the same matrix above the projection (points of micro-F1)',
      atMost(5),
      lead('svd', 'projection'),
    ),
    abstract(
      'similarity',
      'An SVD of P alone below the projection (points of micro-F1)',
      atLeast(10),
      lead('projection', 'neighboursSvd'),
    ),
    ours('Transitive similarity: above P alone (points of micro-F1)', atLeast(30), lead('projection', 'neighbours')),
  ]),
  ...where({ data: ['blocks', ...networks], when: ({ studies }) => studies === 'all' }, [
    ours('s = √n and s = 1 differ by (points of micro-F1)', atMost(3), (e) => Math.abs(lead('dense', 'projection')(e))),
    ours('Times fewer stored entries of the projection', atLeast(10), (e) => e.study('entries')),
  ]),
  ...where(
    {
      when: ({ transferTrials, transferDim, studies }) =>
        transferTrials >= 20 && transferDim === 512 && studies === 'all',
    },
    [abstract('ease', 'Rank with 512 columns of the best setting with 64', atMost(5), (e) => e.study('transferRank'))],
  ),
  ...where({ when: ({ speedEdges }) => speedEdges >= MILLION }, [
    abstract('ease', 'Two threads against one (times faster)', atLeast(1.4), (e) => e.study('threads')),
    ours('A graph of a million edges (seconds)', atMost(20), (e) => e.study('largest')),
    ours('Time per edge, a million edges against a quarter million', atMost(1.5), (e) => e.study('growth')),
    ours('Memory per edge, a million edges against a quarter million', atMost(1.5), (e) => e.study('memoryGrowth')),
  ]),
  ...where({ when: ({ speedEdges }) => speedEdges > 0 }, [
    ours('Two threads give the same bits as one (1: yes)', atLeast(1), (e) => e.study('sameBits')),
  ]),
  ...where({ data: ['blogcatalog'], when: wide }, [
    paper('Tuned, 512 columns: micro-F1 (%)', atLeast(36), (e) => e.mean(TUNED, 'micro')),
    paper('Tuned, 512 columns: macro-F1 (%)', atLeast(22), (e) => e.mean(TUNED, 'macro')),
    paper('Tuned, 512 columns: above RandNE (points of micro-F1)', atLeast(2), (e) => e.gain(TUNED, RANDNE, 'micro')),
    paper('Tuned, 512 columns: above DeepWalk (points of micro-F1)', atLeast(-1), (e) =>
      e.gain(TUNED, DEEPWALK, 'micro'),
    ),
  ]),
  ...where({ data: ['blocks'], when: untuned }, [
    ours('Untuned: micro-F1 as a share of DeepWalk’s with 80 walks', atLeast(0.9), (e) =>
      e.ratio(FAST, DEEPWALK, 'micro'),
    ),
    ours('Times faster than DeepWalk with 80 walks', atLeast(100), timesFaster(DEEPWALK)),
  ]),
  ...[
    { data: ['blocks'], bound: 0.9 },
    { data: networks, bound: 0.97 },
  ].flatMap(({ data, bound }) =>
    where({ data, when: walksTuned }, [
      ours('Tuned: micro-F1 as a share of the better walk’s', atLeast(bound), ofBetter('micro')),
      ours('Tuned: macro-F1 as a share of the better walk’s', atLeast(bound), ofBetter('macro')),
    ]),
  ),
  ...where({ data: ['blocks', ...linkNetworks], when: walksTuned }, [
    ours('Tuned: links, AUC as a share of the better walk’s', atLeast(0.97), ofBetter('auc')),
  ]),
];

/**
 * The least share of the better walk's scores over networks, each measured with its papers' walks.
 */
const leastShare = (sets: readonly string[], metrics: readonly string[]) => (runs: readonly Run[]) =>
  Math.min(
    ...sets.flatMap((name) =>
      metrics.map((metric) =>
        meanOver(
          runs.filter(({ data, options }) => data === name && compared(options)),
          ofBetter(metric),
        ),
      ),
    ),
  );

const over = overallClaimsOf<ClaimOptions>();

export const overallEmbeddingClaims = [
  over.abstract(
    'quality',
    'Tuned: micro- and macro-F1 as a share of the better walk’s, least of three networks',
    atLeast(0.97),
    leastShare(networks, ['micro', 'macro']),
  ),
  over.abstract(
    'quality',
    'Tuned: AUC of links as a share of the better walk’s, least of five networks',
    atLeast(0.97),
    leastShare(linkNetworks, ['auc']),
  ),
];
