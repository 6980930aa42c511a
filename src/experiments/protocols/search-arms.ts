// Searches of sub-networks side by side, on one problem: settings of each chosen on another one,
// cost counted in evaluations, quality by the hypervolume of what was found.

import {
  DYNAS_MUTATION,
  type FitPredictor,
  type GeneSpace,
  hypervolume,
  type Measurement,
  type MutationOptions,
  minimized,
  paretoFront,
  type SearchOptions,
  search,
} from '../../compress/index.js';
import { median } from '../../engine/index.js';
import { GradientBoosting } from '../../hypernet/index.js';
import type { Configuration } from '../../nn/index.js';
import type { Scores } from '../parts/contract.js';
import type { Method, MethodRun } from '../parts/methods.js';
import { type Setting, tuned } from '../parts/tuning.js';

/** What is searched, and how what was found is measured. */
export interface SearchProblem {
  readonly space: GeneSpace;
  readonly objectives: readonly [string, string];
  evaluate(configuration: Configuration): Measurement | Promise<Measurement>;
  /** A measurement without noise, of which hypervolumes are. Default: what the search measured. */
  truth?(configuration: Configuration): Measurement;
  /** The point down to which hypervolumes reach, minimised. */
  readonly reference: readonly number[];
}

/** Points of a search, minimised, in order. */
export type Trace = readonly (readonly number[])[];

/** What a search measured. */
export interface SearchTrace {
  readonly points: Trace;
  readonly configurations: readonly Configuration[];
}

export const CONCURRENT = 'concurrent';
export const EVOLUTION = 'NSGA-II';
export const ONE_SHOT = 'one-shot predictor';
export const WEAK = 'WeakNAS';
export const RANDOM = 'random';

/** All searches, in the order in which they run. */
export const searchTitles = [CONCURRENT, EVOLUTION, ONE_SHOT, WEAK, RANDOM] as const;

type SearchTitle = (typeof searchTitles)[number];

/** Boosted trees as WeakNAS has them on MobileNets, with fewer rounds for fewer measurements. */
const boostedTrees =
  (rounds: number): FitPredictor =>
  async (genes, features, labels, random) => {
    const width = genes.reduce((sum, { choices }) => sum + choices, 0);
    const rowsOf = (rows: readonly Int32Array[]) => {
      const values = new Float32Array(rows.length * width);
      rows.forEach((row, i) => {
        let from = 0;
        genes.forEach(({ choices }, g) => {
          if ((row[g] as number) >= 0) values[i * width + from + (row[g] as number)] = 1;
          from += choices;
        });
      });
      return { values, count: rows.length, width };
    };
    const scale = Math.max(...labels.map(Math.abs)) || 1;
    const mean = labels.reduce((sum, y) => sum + y, 0) / labels.length;
    const trees = new GradientBoosting({ rounds, depth: 20, learningRate: 0.1 });
    await trees.fitValues(
      rowsOf(features),
      labels.map((y) => (y - mean) / scale),
      random,
    );
    return { predict: (rows) => Float64Array.from(trees.values(rowsOf(rows)), (y) => mean + scale * y) };
  };

interface SearchSetting extends Setting {
  /** Networks of a loop or a generation. */
  readonly population: number;
  /** 1 for DyNAS-T's mutation, 0 for 0.9 an offspring. */
  readonly dynas: number;
  /** Rounds of boosted trees; 0 for ridge and kernel ridge regression. */
  readonly trees: number;
  /** Share of the budget that is random at first; 0 for a population. */
  readonly initial: number;
}

const usual: SearchSetting = { population: 50, dynas: 0, trees: 0, initial: 0 };

/** Rounds of WeakNAS' trees, a tenth of the published ones for a hundredth of the measurements. */
const TREES = 100;

/** What is tried of each search; three settings of all that have any. */
const settings: Readonly<Record<SearchTitle, readonly SearchSetting[]>> = {
  [CONCURRENT]: [20, 10, 50].map((population) => ({ ...usual, population })),
  [EVOLUTION]: [usual, { ...usual, population: 20 }, { ...usual, dynas: 1 }],
  [ONE_SHOT]: [0.5, 0.25, 0.75].map((initial) => ({ ...usual, initial })),
  [WEAK]: [
    { ...usual, population: 20, trees: TREES },
    { ...usual, population: 10, trees: TREES },
    { ...usual, population: 20 },
  ],
  [RANDOM]: [usual],
};

const tacticOf = {
  [CONCURRENT]: 'concurrent',
  [EVOLUTION]: 'evolutionary',
  [ONE_SHOT]: 'one-shot',
  [WEAK]: 'weak-predictors',
  [RANDOM]: 'random',
} as const satisfies Readonly<Record<SearchTitle, SearchOptions['tactic']>>;

/** Options that searches share. */
export interface SearchBudget {
  readonly evaluations: number;
  readonly innerEvaluations: number;
}

/** What a search of a problem measured, minimised. */
export async function traceOf(
  { space, objectives, evaluate, truth }: SearchProblem,
  options: Pick<SearchOptions, 'tactic' | 'population' | 'mutation' | 'predictor' | 'initial' | 'warm' | 'seed'> &
    SearchBudget,
  { hooks, progress }: Pick<MethodRun, 'hooks' | 'progress'>,
): Promise<SearchTrace> {
  const goals = Object.fromEntries(
    objectives.map((name) => [name, name === 'accuracy' ? 'larger' : 'smaller'] as const),
  );
  const { evaluations } = await search({
    ...{ ...options, genes: space, objectives, evaluate, signal: hooks.signal },
    onEvaluation: (_, done, of) => progress(done / of),
  });
  hooks.signal?.throwIfAborted();
  return {
    points: evaluations.map(({ configuration, measured }) => minimized(truth?.(configuration) ?? measured, goals)),
    configurations: evaluations.map(({ configuration }) => configuration),
  };
}

/**
 * A search with the setting of the largest mean hypervolume on another problem, over the whole of
 * its budget.
 *
 * @param budget `longer`: evaluations over the common ones, of searches that fit no predictors;
 * `once`: the data for which settings are chosen once
 */
export function searchMethod(
  title: SearchTitle,
  problem: SearchProblem,
  other: SearchProblem,
  budget: SearchBudget & { readonly trials: number; readonly longer: number; readonly once: object },
): Method<SearchTrace> {
  const run = (own: SearchProblem, evaluations: number, setting: SearchSetting, method: MethodRun) => {
    const { population, dynas, trees, initial } = setting;
    const mutation: MutationOptions | undefined = dynas > 0 ? DYNAS_MUTATION : undefined;
    const options = {
      ...{ tactic: tacticOf[title], population, evaluations, innerEvaluations: budget.innerEvaluations },
      ...{
        seed: method.random.word(),
        ...(mutation && { mutation }),
        ...(trees && { predictor: boostedTrees(trees) }),
      },
      ...(initial > 0 && { initial: Math.round(initial * evaluations) }),
    };
    return traceOf(own, options, method);
  };
  const factor = title === EVOLUTION || title === RANDOM ? budget.longer : 1;
  return tuned<SearchSetting, SearchTrace>({
    title,
    settings: settings[title].slice(0, budget.trials),
    once: budget.once,
    train: (setting, method) => run(problem, factor * budget.evaluations, setting, method),
    trial: (setting, method) => run(other, budget.evaluations, setting, method),
    validation: ({ points }) => meanVolume(points, other.reference),
  });
}

/** Mean hypervolume after a quarter, a half, three quarters and all of a trace. */
function meanVolume(trace: Trace, reference: readonly number[]): number {
  const shares = [0.25, 0.5, 0.75, 1];
  const volumes = shares.map((share) => hypervolume(trace.slice(0, Math.round(share * trace.length)), reference));
  return volumes.reduce((sum, volume) => sum + volume, 0) / shares.length;
}

/** Evaluations after which a trace has a hypervolume; one more than it has where it never does. */
export function evaluationsTo(trace: Trace, volume: number, reference: readonly number[]): number {
  const reached = (count: number) => hypervolume(trace.slice(0, count), reference) >= volume * (1 - 1e-9);
  if (!reached(trace.length)) return trace.length + 1;
  let [low, high] = [1, trace.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (reached(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Range of a front in an objective. */
function range(front: Trace, m: number): number {
  const values = front.map((point) => point[m] as number);
  return Math.max(...values) - Math.min(...values);
}

const frontOf = (trace: Trace): Trace => paretoFront(trace).map((i) => trace[i] as readonly number[]);

/** Scores of the traces of a seed: hypervolumes, evaluations to reach others, ranges of fronts. */
export function traceScores(
  traces: ReadonlyMap<string, Trace>,
  { reference }: Pick<SearchProblem, 'reference'>,
  { evaluations, target, whole }: { readonly evaluations: number; readonly target: number; readonly whole: number },
): ReadonlyMap<string, Scores> {
  const within = new Map(Array.from(traces, ([title, trace]) => [title, trace.slice(0, evaluations)]));
  const finalOf = (title: string) => hypervolume(within.get(title) ?? [], reference);
  const nsga = frontOf(within.get(EVOLUTION) ?? []);
  return new Map(
    Array.from(traces, ([title, trace]) => {
      const own = frontOf(within.get(title) ?? []);
      return [
        title,
        {
          volume: (100 * finalOf(title)) / whole,
          toTarget: evaluationsTo(trace, (target / 100) * whole, reference),
          toEvolution: evaluationsTo(trace, finalOf(EVOLUTION), reference),
          toWeak: evaluationsTo(trace, finalOf(WEAK), reference),
          span: Math.min(...[0, 1].map((m) => (range(nsga, m) > 0 ? range(own, m) / range(nsga, m) : 1))),
          front: own.length,
        },
      ] as const;
    }),
  );
}

/** The point that is worst in each objective of random networks. */
export async function nadirOf(
  { space, evaluate, truth, objectives }: Omit<SearchProblem, 'reference'>,
  genomes: readonly Int32Array[],
): Promise<number[]> {
  const goals = Object.fromEntries(
    objectives.map((name) => [name, name === 'accuracy' ? 'larger' : 'smaller'] as const),
  );
  const points: number[][] = [];
  for (const genome of genomes) {
    const configuration = space.decode(genome);
    points.push(minimized(truth?.(configuration) ?? (await evaluate(configuration)), goals));
  }
  return objectives.map((_, m) => Math.max(...points.map((point) => point[m] as number)));
}

/** Median of a metric over seeds. */
export const medianOf = (scores: readonly number[]) => median([...scores]);
