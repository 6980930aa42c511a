// Hardware-aware search for sub-networks: the concurrent tactic against NSGA-II, a one-shot
// predictor, WeakNAS and random draws, on made problems and on elastic networks of two domains.

import { hypervolume, paretoFront } from '../../compress/index.js';
import type { Configuration } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import { defineExperiment, type Scores } from '../parts/contract.js';
import { runMethods } from '../parts/methods.js';
import { seconds } from '../parts/metrics.js';
import { joinStudies, noStudies } from '../parts/studies.js';
import {
  changedWeights,
  type Domain,
  type ElasticProblem,
  elasticProblem,
  pictureDomain,
  textDomain,
  weightBits,
} from '../protocols/elastic-domains.js';
import { type SearchTrace, searchMethod, searchTitles, traceScores } from '../protocols/search-arms.js';
import { MADE, type SearchValues, searchClaims, searchDomains, searchOptions } from '../protocols/search-claims.js';
import { landscape } from '../protocols/search-landscapes.js';
import { searchLogStudy } from '../protocols/search-logs.js';
import { bothTrainings, predictorStudy, settingsStudy, trainingStudy, warmStudy } from '../protocols/search-studies.js';
import { textSets } from '../protocols/text.js';

type Values = SearchValues;

/** Made problems, or a domain with its elastic network, trained once for all seeds. */
type Loaded =
  | { readonly kind: 'made'; readonly describe: string }
  | { readonly kind: 'domain'; readonly describe: string; readonly domain: Domain; problem?: Promise<ElasticProblem> };

/** Problem of a seed, and the one on which settings are chosen. */
async function problemsOf(loaded: Loaded, values: Values, seed: number, signal: AbortSignal | undefined) {
  const other = await landscape(values.genes, 1000);
  if (loaded.kind === 'made') return { problem: await landscape(values.genes, seed), other, before: undefined };
  const problem = await elasticOf(loaded, signal);
  return { problem, other, before: weightBits(problem.network) };
}

/** The elastic network of a domain, trained by the sandwich rule when it is first asked for. */
function elasticOf(loaded: Extract<Loaded, { kind: 'domain' }>, signal: AbortSignal | undefined) {
  loaded.problem ??= loaded.domain
    .train('sandwich', new Random(0).split('sandwich'), { signal })
    .then((network) => elasticProblem(loaded.domain, network));
  return loaded.problem;
}

/** Scores of a domain: changed weights, and the hypervolume of each front on the test data. */
function domainScores(
  problem: ElasticProblem,
  traces: ReadonlyMap<string, SearchTrace>,
  { evaluations, whole, changed }: { readonly evaluations: number; readonly whole: number; readonly changed: number },
): ReadonlyMap<string, Scores> {
  return new Map(
    Array.from(traces, ([title, { points, configurations }]) => {
      const front = paretoFront(points.slice(0, evaluations));
      const tested = front.map((i) => [-problem.tested(configurations[i] as Configuration), points[i]?.[1] as number]);
      return [title, { changed, test: (100 * hypervolume(tested, problem.reference)) / whole }] as const;
    }),
  );
}

export const experiment = defineExperiment({
  options: searchOptions,
  datasets: [MADE, ...searchDomains],
  ownData: 'none: use gossamer search --model hw-nas',
  presets: Object.fromEntries(searchDomains.map((name) => [name, { longer: 1, evaluations: 100 }])),
  async load(source, values, onDownload): Promise<Loaded> {
    if (source === MADE) return { kind: 'made', describe: `made problems of ${values.genes} genes` };
    const domain = await (textSets.includes(source) ? textDomain : pictureDomain)(source, values, onDownload);
    return { kind: 'domain', describe: `${source}: ${domain.describe}`, domain };
  },
  describe: ({ describe }) => describe,
  reproduction: [
    { data: MADE, seeds: 10 },
    { data: MADE, seeds: 5, set: { genes: 45, evaluations: 250, target: 75, studies: 0 } },
    { data: 'fashion-mnist' },
    { data: 'tinyshakespeare' },
    ...['fashion-mnist', 'tinyshakespeare'].map((data) => ({
      ...{ data, set: { examples: 6000, validation: 2000, evaluations: 150 }, long: true },
    })),
    { data: 'fashion-mnist', set: { examples: 20_000, width: 16, epochs: 12, evaluations: 250 }, long: true },
  ],
  metrics: {
    volume: { label: 'hypervolume', unit: '%', digits: 1, better: 'larger' },
    toTarget: { label: 'evaluations to the target', digits: 0, better: 'smaller' },
    toEvolution: { label: "to NSGA-II's last", digits: 0, better: 'smaller' },
    toWeak: { label: "to WeakNAS' last", digits: 0, better: 'smaller' },
    span: { label: "share of NSGA-II's range", digits: 2, better: 'larger' },
    front: { label: 'networks of the front', digits: 0, better: 'neither' },
    test: { label: 'hypervolume on test', unit: '%', digits: 1, better: 'larger' },
    changed: { label: 'weights changed', digits: 0, better: 'smaller' },
    seconds: { ...seconds, label: 'search' },
  },
  methods: () => searchTitles,
  notes: ({ evaluations, longer, target, genes, trials, validation }) => [
    `Hypervolumes are of the networks measured, without noise, after ${evaluations} evaluations; NSGA-II and random draws go on to ${longer} times as many for the target of ${target} %. What is never reached counts one evaluation more than were made. 100 % is the true front of made problems of up to ten genes, else what a long search or all searches together found.`,
    `Each search has the best of at most ${trials} settings (population, DyNAS-T's mutation or 0.9 an offspring, predictors and draws of WeakNAS, share of random networks) on another made problem of ${genes} genes. WeakNAS has boosted trees of depth 20, 100 rounds, a pool of 10,000, draws from the best tenth.`,
    `Elastic networks are trained once for all seeds; a network is measured once for all searches, on ${validation} validation examples. The front of each search is measured on test data once; these choose nothing.`,
  ],
  async runSeed(loaded, values, context) {
    const { problem, other, before } = await problemsOf(loaded, values, context.seed, context.signal);
    const { evaluations, inner: innerEvaluations, trials, longer, target } = values;
    const budget = { evaluations, innerEvaluations, trials, longer, once: loaded };
    const traces = new Map<string, SearchTrace>();
    const { methods } = await runMethods<SearchTrace>(
      searchTitles.map((title) => searchMethod(title, problem, other, budget)),
      context,
      {
        score: (trace, { title }) => {
          traces.set(title, trace);
          return {};
        },
      },
    );
    const points = new Map(Array.from(traces, ([title, own]) => [title, own.points]));
    const whole = 'whole' in problem ? problem.whole : hypervolume([...points.values()].flat(), problem.reference);
    const scores = traceScores(points, problem, { evaluations, target, whole });
    const more =
      'network' in problem && before
        ? domainScores(problem, traces, { evaluations, whole, changed: changedWeights(problem.network, before) })
        : new Map<string, Scores>();
    return {
      methods: methods.map((own) => ({
        ...own,
        scores: { ...own.scores, ...scores.get(own.method), ...more.get(own.method) },
      })),
    };
  },
  async studies(loaded, { studies, genes, evaluations, inner }, context) {
    if (studies === 0) return noStudies;
    const budget = { evaluations, innerEvaluations: inner };
    if (loaded.kind === 'made') return joinStudies(searchLogStudy(), await warmStudy(genes, budget, context));
    const problem = await elasticOf(loaded, context.signal);
    const own = { evaluations: Math.round((2 / 3) * evaluations), innerEvaluations: inner };
    return joinStudies(
      await trainingStudy(await bothTrainings(loaded.domain, problem, context), own, context),
      await settingsStudy(loaded.domain, problem.network, own, context),
      predictorStudy(loaded.domain, problem.network),
    );
  },
  claims: searchClaims,
  unmeasured: {
    networks: 'the super-networks are not at hand; search logs of MobileNetV3 are read in their place',
  },
});
