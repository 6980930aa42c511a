// CoNHD: a vertex's role differs from hyperedge to hyperedge, so each incidence has a
// representation of its own; diffusion among them tells roles that vertices alone do not.

import { hasHypergraph } from '../../data/node.js';
import type { CoNHD } from '../../hypergraph/index.js';
import type { Random } from '../../tensor/index.js';
import { above, atLeast, atMost, claimsOf, type Evidence, meanOver, overallClaimsOf, where } from '../parts/claims.js';
import { defineExperiment, type RunContext } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { macroF1, microF1, parameters, seconds } from '../parts/metrics.js';
import { summarize } from '../parts/statistics.js';
import { joinStudies, noStudies } from '../parts/studies.js';
import {
  ADMM,
  AGGREGATED,
  CONHD,
  type Create,
  incidenceMethods,
  incidenceTitles,
  MLP,
  type NetworkValues,
  networkOptions,
  networksOf,
  RANKS,
  rivals,
  WHATSNET,
} from '../protocols/incidence-networks.js';
import { costStudy, depthStudy, headStudy } from '../protocols/incidence-studies.js';
import {
  describeIncidences,
  type IncidenceData,
  incidenceData,
  incidenceModel,
  incidencePredictions,
  incidenceScores,
  incidenceSets,
} from '../protocols/incidences.js';

type Options = NetworkValues;

/** Makers of networks, of given titles, for a study. */
function chosen<T>(titles: readonly string[], make: (title: string) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(titles.map((title) => [title, make(title)]));
}

/** Depth on the small sets, cost on the real ones, heads beside the set of Cora. */
async function studiesOf(data: IncidenceData, values: Options, context: RunContext) {
  const { dropout, epochs } = values;
  const networks = networksOf(data, values);
  const ofDepth = (title: string) => (random: Random, layers: number) =>
    (networks[title] as Create)(random, { layers, dropout });
  const ofWidth = (title: string) => (random: Random, hidden: number) =>
    (networksOf(data, { ...values, hidden })[title] as Create)(random, { layers: 1, dropout });
  const depths = (each: number) =>
    depthStudy(chosen([CONHD, WHATSNET, 'HGNN'], ofDepth), data, { ...values, epochs: each }, context);
  if (data.name === 'role') return depths(epochs);
  const costs = await costStudy(chosen([...rivals, AGGREGATED, CONHD, ADMM], ofWidth), data, values, context);
  if (data.name !== 'cora-outsider') return costs;
  const curves = values.layers === 'either' ? await depths(60) : noStudies;
  const heads = hasHypergraph('cocitation-cora') ? await headStudy(context) : noStudies;
  return joinStudies(curves, costs, heads);
}

/**
 * The mean gain over another method, less one standard error of the gain over the seeds; NaN for
 * one seed, which has none.
 */
function gainBeyondError(e: Evidence<Options>, other: string, metric: string): number {
  const theirs = e.scores(other, metric);
  const gains = e.scores(CONHD, metric).map((score, seed) => score - (theirs[seed] as number));
  const { mean, sd } = summarize(gains);
  return gains.length > 1 ? mean - sd / Math.sqrt(gains.length) : Number.NaN;
}

/** The smallest such gain over everything that is not a variant of CoNHD. */
function aboveOthers(e: Evidence<Options>, metric: string): number {
  const others = [MLP, ...(e.options.positions === 'ranks' ? [RANKS] : []), ...rivals];
  return Math.min(...others.map((other) => gainBeyondError(e, other, metric)));
}

const realSets = incidenceSets.slice(1);
const depth = (e: Evidence<Options>, title: string) => e.study(`${title} 8`) - e.study(`${title} 2`);
const { abstract, paper, ours } = claimsOf<Options>();

const claims = [
  ...where({ data: ['role'] }, [
    ours('CoNHD above MLP, least of the seeds (points of micro-F1)', atLeast(10), (e) =>
      e.leastGain(CONHD, MLP, 'micro'),
    ),
    ours('CoNHD above HGNN, least of the seeds (points of micro-F1)', atLeast(15), (e) =>
      e.leastGain(CONHD, 'HGNN', 'micro'),
    ),
    ours('Roles: CoNHD of eight layers above that of two (points of micro-F1)', atLeast(-2), (e) => depth(e, CONHD)),
  ]),
  ...where({ data: ['role', 'cora-outsider'] }, [
    abstract('smoothing', 'CoNHD of eight layers above that of two, one seed (points of micro-F1)', atLeast(0), (e) =>
      depth(e, CONHD),
    ),
    abstract(
      'smoothing',
      'WHATsNet of eight layers below that of two, one seed (points of micro-F1)',
      above(0),
      (e) => -depth(e, WHATSNET),
    ),
  ]),
  ...where({ data: ['stackoverflow-biology'] }, [
    ours('CoNHD above HGNN (points of micro-F1)', atLeast(4), (e) => e.gain(CONHD, 'HGNN', 'micro')),
    ours('CoNHD above HGNN (points of macro-F1)', atLeast(6), (e) => e.gain(CONHD, 'HGNN', 'macro')),
  ]),
  ...where({ data: ['stackoverflow-biology'], when: ({ positions }) => positions === 'ranks' }, [
    ours('CoNHD above MLP with ranks (points of micro-F1)', atLeast(3), (e) => e.gain(CONHD, RANKS, 'micro')),
  ]),
  ...where({ data: realSets }, [
    ...(['micro', 'macro'] as const).map((metric) =>
      ours(`CoNHD above every other method, less a standard error (points of ${metric}-F1)`, above(0), (e) =>
        aboveOthers(e, metric),
      ),
    ),
    ...(['micro', 'macro'] as const).map((metric) =>
      paper(`CoNHD above its aggregated twin, less a standard error (points of ${metric}-F1)`, above(0), (e) =>
        gainBeyondError(e, AGGREGATED, metric),
      ),
    ),
    abstract(
      'efficiency',
      'Time of a training step as a share of WHATsNet’s',
      atMost(1),
      (e) => e.study(`seconds ${CONHD}`) / e.study(`seconds ${WHATSNET}`),
    ),
    abstract(
      'efficiency',
      'Memory of a training step as a share of WHATsNet’s',
      atMost(1),
      (e) => e.study(`bytes ${CONHD}`) / e.study(`bytes ${WHATSNET}`),
    ),
  ]),
];

/** The sets of the paper; those that are not at hand count against it. */
const paperSets = [
  ...realSets,
  'email-enron',
  'stackoverflow-physics',
  'aminer',
  ...['dblp', 'citeseer', 'pubmed'].map((name) => `${name}-outsider`),
];

const overall = [
  overallClaimsOf<Options>().abstract(
    'best',
    'Of the paper’s ten sets (four are at hand), those where CoNHD is above every other method in micro- and macro-F1',
    atLeast(paperSets.length),
    (runs) => {
      const full = runs.filter((run) => paperSets.includes(run.data) && run.options.layers === 'either');
      const isBest = (run: Evidence<Options>) => ['micro', 'macro'].every((metric) => aboveOthers(run, metric) > 0);
      return Math.round(full.length * meanOver(full, (run) => Number(isBest(run))));
    },
  ),
];

const long = { epochs: 10, steps: 60, trials: 4, layers: 'either' };

export const experiment = defineExperiment({
  options: networkOptions,
  datasets: incidenceSets,
  ownData:
    'a folder with hyperedges.csv (edge,node,label,split) and maybe nodes.csv with features, or with hypergraph.txt and ' +
    'labels.txt line by line; or a .npz archive with he_indptr, he_indices, pin_labels and split (0 train, ' +
    '1 validation, 2 test, one a hyperedge)',
  presets: {
    role: { positions: 'none', layers: '2', epochs: 120, batch: 0, patience: 120, dropout: 0.2, trials: 1 },
    'cora-outsider': { positions: 'none', steps: 20 },
  },
  reproduction: [
    { data: 'role', seeds: 3 },
    { data: 'stackoverflow-biology', seeds: 3 },
    { data: 'cora-outsider', seeds: 3 },
    ...realSets.map((data) => ({ data, seeds: 5, set: long, long: true })),
  ],
  metrics: { micro: microF1, macro: macroF1, seconds, parameters },
  methods: incidenceTitles,
  notes: ({ trials }) => [
    'A label for every vertex in every hyperedge; scores over the incidences of test hyperedges, which take part in ' +
      'diffusion without their labels. Vertices of test hyperedges keep all their hyperedges.',
    `Every method has the same inputs, ${trials === 1 ? 'one setting' : `${trials} settings to choose from on validation data`} and the same number of steps.`,
    '"Aggregated" replaces each message by the mean of its set: what networks with one vector a vertex or hyperedge ' +
      'can pass on. A gain within one standard error of the seeds is a tie, and a tie holds no claim.',
  ],
  load: (source: string, values: Options) => incidenceData(source, values),
  describe: describeIncidences,
  async runSeed(data, values, context) {
    const { methods, kept } = await runMethods(incidenceMethods(data, values), context, {
      score: (network) => incidenceScores(network, data),
      keep: CONHD,
    });
    const network = kept as CoNHD;
    return {
      methods,
      artifacts: () => ({
        model: incidenceModel(data, network).save({ data: data.name }),
        predictions: incidencePredictions(network, data),
      }),
    };
  },
  studies: (data, values, context) =>
    incidenceSets.includes(data.name) ? studiesOf(data, values, context) : noStudies,
  claims,
  overall,
  unmeasured: {
    downstream:
      'the abstract does not say which tasks; heads for vertices and hyperedges of cocitation-cora are shown beside cora-outsider, without a claim',
  },
});
