// Studies of searches of sub-networks: other devices, other metrics, other trainings, predictors.

import {
  fitPredictor,
  GeneSpace,
  hypervolume,
  type PredictionQuality,
  predictionQuality,
  SubNetworkEvaluator,
  type SubNetworkMetric,
  search,
} from '../../compress/index.js';
import { median } from '../../engine/index.js';
import { type Configuration, disposeWeights, type Elastic, type Layer, stateOf } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import type { RunContext, Scores, StudyResults } from '../parts/contract.js';
import { studyOf } from '../parts/studies.js';
import { type Domain, type ElasticProblem, elasticProblem } from './elastic-domains.js';
import { CONCURRENT, EVOLUTION, evaluationsTo, RANDOM, type SearchBudget, type Trace, traceOf } from './search-arms.js';
import { landscape, warmFrom } from './search-landscapes.js';

/** Names of what the studies measure. */
export const STUDIES = {
  warm: 'warm start, share of the cold evaluations, median',
  warmFirst: 'warm start, first population from the given front, share',
  progressiveRandom: 'progressive training, concurrent over random (points)',
  sandwichRandom: 'sandwich training, concurrent over random (points)',
  settings: 'hardware settings, least hypervolume over that of another front',
} as const;

/** Name of the rank correlation of a predictor. */
export const tauOf = (metric: string) => `predictors, τ of ${metric}`;

const quiet = (context: RunContext) => ({ hooks: { signal: context.signal }, progress: () => {} });

/** Problems of the warm start. */
const PAIRS = 5;

/** A search for a second device that begins with the front for the first, against a cold one. */
export async function warmStudy(genes: number, budget: SearchBudget, context: RunContext): Promise<StudyResults> {
  const rows: (string | number)[][] = [];
  const shares: number[] = [];
  let first = 1;
  for (let pair = 0; pair < PAIRS; pair++) {
    const [one, two] = [await landscape(genes, 200 + pair, 0), await landscape(genes, 200 + pair, 1)];
    const options = { ...budget, tactic: 'concurrent', population: 20, seed: pair } as const;
    const { evaluations } = await search({
      ...{ ...options, genes: one.space, evaluate: one.evaluate, objectives: one.objectives, signal: context.signal },
    });
    const warm = warmFrom(evaluations);
    const asked: string[] = [];
    const key = (own: Configuration) => JSON.stringify(own);
    const noting = {
      ...two,
      evaluate: (own: Configuration) => {
        asked.push(key(own));
        return two.evaluate(own);
      },
    };
    const { points: cold } = await traceOf(two, options, quiet(context));
    const { points: warmed } = await traceOf(noting, { ...options, warm }, quiet(context));
    const given = new Set(warm.map(key));
    const begun = asked.slice(0, Math.min(20, warm.length));
    first = Math.min(first, begun.filter((own) => given.has(own)).length / begun.length);
    const volume = hypervolume(cold, two.reference);
    const [coldTo, warmTo] = [cold, warmed].map((trace) => evaluationsTo(trace, volume, two.reference)) as [
      number,
      number,
    ];
    shares.push(warmTo / coldTo);
    rows.push([pair + 1, warm.length, coldTo, warmTo]);
  }
  return studyOf(
    {
      title: 'Warm start: the front for one device begins the search for another',
      columns: ['problem', 'networks given', 'cold: evaluations to its last hypervolume', 'warm: evaluations to that'],
      rows,
      note: `Problems of ${genes} genes whose accuracy is the same and whose latencies are drawn anew for the second device; concurrent searches of ${budget.evaluations} evaluations.`,
    },
    { [STUDIES.warm]: median(shares), [STUDIES.warmFirst]: first },
  );
}

/** Both trainings of an elastic network, searched by the same code. */
export async function trainingStudy(
  problems: Readonly<Record<Elastic['training'], ElasticProblem>>,
  budget: SearchBudget,
  context: RunContext,
): Promise<StudyResults> {
  const rows: (string | number)[][] = [];
  const scores: Record<string, number> = {};
  for (const training of ['sandwich', 'progressive'] as const) {
    const problem = problems[training];
    const volumes: Record<string, number> = {};
    const traces = new Map<string, Trace>();
    for (const [title, tactic] of [
      [CONCURRENT, 'concurrent'],
      [EVOLUTION, 'evolutionary'],
      [RANDOM, 'random'],
    ] as const)
      traces.set(
        title,
        (await traceOf(problem, { ...budget, tactic, population: 20, seed: 1 }, quiet(context))).points,
      );
    const whole = hypervolume([...traces.values()].flat(), problem.reference);
    for (const [title, trace] of traces) volumes[title] = (100 * hypervolume(trace, problem.reference)) / whole;
    const best = Math.max(...[...traces.values()].flat().map(([accuracy = 0]) => -accuracy));
    rows.push([
      training,
      ...[CONCURRENT, EVOLUTION, RANDOM].map((own) => (volumes[own] as number).toFixed(1)),
      best.toFixed(1),
    ]);
    scores[training === 'sandwich' ? STUDIES.sandwichRandom : STUDIES.progressiveRandom] =
      (volumes[CONCURRENT] as number) - (volumes[RANDOM] as number);
  }
  return studyOf(
    {
      title: 'Two ways to train the elastic network, one search',
      columns: ['training', 'concurrent (% of all)', 'NSGA-II', 'random', 'best accuracy found (%)'],
      rows,
      note: `Hypervolumes of accuracy against multiply-adds after ${budget.evaluations} evaluations, in % of that of all three searches together.`,
    },
    scores,
  );
}

/** Hardware settings and metrics, each searched for. */
const TARGETS = [
  { title: 'multiply-adds', metric: 'macs', threads: 1, batch: 1 },
  { title: 'parameters', metric: 'params', threads: 1, batch: 1 },
  { title: 'latency, 1 thread, 1 input', metric: 'latency', threads: 1, batch: 1 },
  { title: 'latency, 2 threads, 16 inputs', metric: 'latency', threads: 2, batch: 16 },
] as const satisfies readonly { title: string; metric: SubNetworkMetric; threads: number; batch: number }[];

/** Rounds in which networks of all fronts are timed in turns. */
const ROUNDS = 3;

/** Searches for different metrics and settings; every front measured under every setting. */
export async function settingsStudy(
  { evaluation }: Domain,
  network: Elastic,
  budget: SearchBudget,
  context: RunContext,
): Promise<StudyResults> {
  const evaluators = TARGETS.map(
    ({ metric, threads, batch }) =>
      new SubNetworkEvaluator(network, evaluation, { threads, batch, metrics: ['accuracy', metric], seconds: 0.05 }),
  );
  const fronts: (readonly Configuration[])[] = [];
  for (const [i, { metric }] of TARGETS.entries()) {
    const evaluator = evaluators[i] as SubNetworkEvaluator;
    const { front } = await search({
      ...{ ...budget, genes: evaluator.genes, evaluate: (own) => evaluator.evaluate(own) },
      ...{ objectives: ['accuracy', metric], population: 20, seed: 3, signal: context.signal },
    });
    context.signal?.throwIfAborted();
    fronts.push(front.map(({ configuration }) => configuration));
  }
  const volumes = evaluators.map((evaluator, i) =>
    volumesUnder(evaluator, (TARGETS[i] as (typeof TARGETS)[number]).metric, fronts),
  );
  const least = Math.min(...volumes.map((row, i) => Math.min(...row.map((other) => (row[i] as number) / other))));
  return studyOf(
    {
      title: 'Each metric and hardware setting has a front of its own',
      columns: ['measured under', ...TARGETS.map(({ title }) => `front for ${title}`)],
      rows: volumes.map((row, i) => [
        (TARGETS[i] as (typeof TARGETS)[number]).title,
        ...row.map((own) => (own / (row[i] as number)).toFixed(3)),
      ]),
      note: `Hypervolume of each front over that of the front that was searched for, all measured again, latencies in ${ROUNDS} rounds in turns; concurrent searches of ${budget.evaluations} evaluations. Above 1 in a row: another front is better there.`,
    },
    { [STUDIES.settings]: least },
  );
}

/** Hypervolume of each front under one setting. */
function volumesUnder(
  evaluator: SubNetworkEvaluator,
  metric: SubNetworkMetric,
  fronts: readonly (readonly Configuration[])[],
): number[] {
  const networks = fronts.map((front) => front.map((own) => evaluator.extract(own)));
  const each = (body: (network: Layer, configuration: Configuration) => number) =>
    networks.map((own, f) => own.map((network, i) => body(network, fronts[f]?.[i] as Configuration)));
  const accuracies = each((network, own) => evaluator.measure(network, own).accuracy as number);
  const rounds = Array.from({ length: metric === 'latency' ? ROUNDS : 1 }, () =>
    each((network, own) =>
      metric === 'latency' ? evaluator.latency(network, own) : (evaluator.measure(network, own)[metric] as number),
    ),
  );
  const points = networks.map((own, f) =>
    own.map((_, i) => [-(accuracies[f]?.[i] as number), median(rounds.map((round) => round[f]?.[i] as number))]),
  );
  for (const network of networks.flat()) disposeWeights(stateOf(network));
  const reference = [0, 1].map((m) => Math.max(...points.flat().map((point) => point[m] as number)));
  return points.map((own) => hypervolume(own, reference));
}

/** Networks that predictors learn from, and those that they rank. */
const [TRAINED, RANKED] = [100, 50];

/** Ranks of predictors of all metrics on random networks that they have not seen. */
export function predictorStudy({ evaluation }: Domain, network: Elastic, trained = TRAINED): StudyResults {
  const evaluator = new SubNetworkEvaluator(network, evaluation, { seconds: 0.05 });
  const space = new GeneSpace(evaluator.genes);
  const random = new Random(0).split('predictors');
  const drawn = new Map<string, Int32Array>();
  while (drawn.size < trained + RANKED) {
    const genome = space.sample(random);
    drawn.set(space.key(genome), genome);
  }
  const genomes = [...drawn.values()];
  const measured = genomes.map((genome) => evaluator.evaluate(space.decode(genome)));
  const features = genomes.map((genome) => space.features(genome));
  const qualities = (['accuracy', 'latency', 'macs', 'params'] as const).map(
    (metric): [string, string, PredictionQuality] => {
      const labels = measured.map((own) => own[metric] as number);
      const { kind, predict } = fitPredictor(
        space.genes,
        features.slice(0, trained),
        labels.slice(0, trained),
        random.split(metric),
      );
      return [metric, kind, predictionQuality(predict(features.slice(trained)), labels.slice(trained))];
    },
  );
  return studyOf(
    {
      title: 'Predictors on random networks that they have not seen',
      columns: ['metric', 'predictor', 'Kendall τ', 'Spearman ρ', 'MAPE (%)'],
      rows: qualities.map(([metric, kind, own]) => [
        metric,
        kind,
        own.kendall.toFixed(3),
        own.spearman.toFixed(3),
        own.mape.toFixed(2),
      ]),
      note: `${trained} random networks train, ${RANKED} others are ranked; the predictor is the better one in cross-validation.`,
    },
    Object.fromEntries(qualities.map(([metric, , own]) => [tauOf(metric), own.kendall])) as Scores,
  );
}

/** An elastic problem for each training. */
export async function bothTrainings(
  domain: Domain,
  sandwich: ElasticProblem,
  context: RunContext,
): Promise<Readonly<Record<Elastic['training'], ElasticProblem>>> {
  const random = new Random(0).split('progressive');
  const network = await domain.train('progressive', random, { signal: context.signal });
  context.signal?.throwIfAborted();
  return { sandwich, progressive: await elasticProblem(domain, network) };
}
