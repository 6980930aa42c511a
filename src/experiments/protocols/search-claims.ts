// Options of searches side by side, and what is claimed of them.

import { above, atLeast, atMost, claimsOf, type Evidence, where } from '../parts/claims.js';
import { count, type OptionValues } from '../parts/options.js';
import { imageSets } from './images.js';
import { CONCURRENT, EVOLUTION, medianOf, RANDOM, searchTitles, WEAK } from './search-arms.js';
import { LOGS } from './search-logs.js';
import { STUDIES, tauOf } from './search-studies.js';
import { textSets } from './text.js';

/** Options of the experiment. */
export const searchOptions = {
  genes: count(10, 'genes of made problems, with three choices each', { smoke: 5, minimum: 4 }),
  evaluations: count(150, 'sub-networks that each search measures', { smoke: 16, minimum: 8 }),
  inner: count(5000, 'evaluations of predictors between two loops', { smoke: 100, minimum: 50 }),
  longer: count(4, 'times as many evaluations of NSGA-II and random draws, for what they reach later', { smoke: 2 }),
  target: count(95, 'share of the whole hypervolume to which evaluations are counted, in %', { maximum: 100 }),
  trials: count(3, 'settings tried for each search on another problem', { smoke: 1, maximum: 3 }),
  examples: count(3000, 'training images, or windows of an epoch', { smoke: 64, minimum: 64 }),
  validation: count(1000, 'images, or characters, that measure accuracy, and as many that test', {
    ...{ smoke: 64, minimum: 32 },
  }),
  epochs: count(6, 'epochs of an elastic network', { smoke: 1 }),
  width: count(8, 'channels of the first stage at its widest, or features of a head', { smoke: 4, minimum: 4 }),
  studies: count(1, '0 leaves the studies out', { smoke: 0, minimum: 0, maximum: 1 }),
};

/** Values of the options. */
export type SearchValues = OptionValues<typeof searchOptions>;
type Values = SearchValues;
type Run = Evidence<Values>;

/** Made problems, in place of a data set. */
export const MADE = 'made';
const { abstract, ours } = claimsOf<Values>();
const ratio = (e: Run, title: string, metric: string) => {
  const own = e.scores(CONCURRENT, metric);
  return medianOf(e.scores(title, metric).map((value, i) => value / (own[i] as number)));
};
/** Data of elastic networks. */
export const searchDomains = [...imageSets, ...textSets];
const withStudies = { when: ({ studies }: Values) => studies > 0 };

/** What is claimed. */
export const searchClaims = [
  abstract('time', 'Hypervolume of the concurrent search above NSGA-II, as many evaluations (points)', above(0), (e) =>
    e.gain(CONCURRENT, EVOLUTION, 'volume'),
  ),
  abstract(
    'diversity',
    "Least share of NSGA-II's range of an objective that the front spans, mean of seeds",
    atLeast(0.8),
    (e) => e.mean(CONCURRENT, 'span'),
  ),
  abstract('weaknas', "WeakNAS' evaluations over those for the same hypervolume, median", atLeast(8), (e) =>
    medianOf(e.scores(CONCURRENT, 'toWeak').map((own) => e.options.evaluations / own)),
  ),
  ours('NSGA-II above random draws (points of hypervolume)', above(0), (e) => e.gain(EVOLUTION, RANDOM, 'volume')),
  ours("Evaluations for NSGA-II's last hypervolume, share, median", atMost(0.6), (e) =>
    medianOf(e.scores(CONCURRENT, 'toEvolution').map((own) => own / e.options.evaluations)),
  ),
  ...where<Values>({ data: [MADE] }, [
    ours('To the target: evaluations of NSGA-II over the concurrent ones, median', atLeast(2), (e) =>
      ratio(e, EVOLUTION, 'toTarget'),
    ),
    ours('To the target: evaluations of random draws over the concurrent ones, median', atLeast(3), (e) =>
      ratio(e, RANDOM, 'toTarget'),
    ),
    ours('To the target: evaluations of WeakNAS over the concurrent ones, median', above(1), (e) =>
      ratio(e, WEAK, 'toTarget'),
    ),
    ...where<Values>(withStudies, [
      ours('Warm start: share of the cold evaluations, median', atMost(0.7), (e) => e.study(STUDIES.warm)),
      ours('Warm start: share of the first population that was given', atLeast(1), (e) => e.study(STUDIES.warmFirst)),
      ours('Search logs: farthest hypervolume from our reading (%)', atMost(0.5), (e) => e.study(LOGS.off)),
      ours("Search logs: share of NSGA-II's evaluations that the concurrent search needs", atMost(0.6), (e) =>
        e.study(LOGS.share),
      ),
      ours('Search logs: τ of multiply-adds from active genes', atLeast(0.93), (e) => e.study(LOGS.macs)),
      ours('Search logs: τ of multiply-adds, active genes less all', above(0), (e) => {
        return e.study(LOGS.macs) - e.study(LOGS.macsAll);
      }),
      ours('Search logs: τ of accuracy', atLeast(0.83), (e) => e.study(LOGS.accuracy)),
    ]),
  ]),
  ...where<Values>({ data: searchDomains }, [
    abstract('refined', 'Weights of the elastic network that all searches changed', atMost(0), (e) =>
      Math.max(...searchTitles.map((title) => e.mean(title, 'changed'))),
    ),
    ...where<Values>(withStudies, [
      abstract('domains', 'Sandwich training: concurrent above random (points of hypervolume)', above(0), (e) =>
        e.study(STUDIES.sandwichRandom),
      ),
      abstract('domains', 'Progressive training: concurrent above random (points of hypervolume)', above(0), (e) =>
        e.study(STUDIES.progressiveRandom),
      ),
      abstract(
        'hardware',
        'Least hypervolume of a front, under its own setting, over that of another',
        atLeast(1),
        (e) => e.study(STUDIES.settings),
      ),
      ...(['macs', 'params', 'latency', 'accuracy'] as const).map((metric) =>
        ours(
          `Predictors: τ of ${metric} on unseen networks`,
          atLeast({ macs: 0.85, params: 0.85, latency: 0.7, accuracy: 0.5 }[metric]),
          (e) => e.study(tauOf(metric)),
        ),
      ),
    ]),
  ]),
];
