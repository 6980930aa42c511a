// Search tactics: in which order sub-networks are measured.

import type { Random } from '../../tensor/index.js';
import type { Evolution, EvolutionOptions, Individual } from '../search/evolution.js';
import { nsga2 } from '../search/nsga2.js';
import { unsga3 } from '../search/nsga3.js';
import { bestByCrowding } from '../search/pareto.js';
import { type Features, fitPredictor, type Predictor } from '../search/predictors.js';
import type { Gene, Genome } from '../search/space.js';
import type { MutationOptions } from '../search/variation.js';
import type { GeneSpace } from './encoding.js';
import type { LogEntry } from './log.js';

/** Fits a predictor of one objective. */
export type FitPredictor = (
  genes: readonly Gene[],
  features: readonly Features[],
  labels: Float64Array,
  random: Random,
) => Pick<Predictor, 'predict'> | Promise<Pick<Predictor, 'predict'>>;

/** What a tactic works with. */
export interface TacticContext {
  readonly space: GeneSpace;
  readonly random: Random;
  readonly population: number;
  readonly innerEvaluations: number;
  readonly explore: number;
  readonly evaluations: number;
  readonly mutation?: MutationOptions;
  readonly initial?: number;
  readonly predictor?: FitPredictor;
  /** First sub-networks. */
  readonly warm: readonly Genome[];
  /** Number of objectives. */
  readonly objectives: number;
  /** All measurements so far. */
  readonly entries: readonly LogEntry[];
  /** Measurements that are left. */
  left(): number;
  /** Whether a sub-network has been measured. */
  has(genome: Genome): boolean;
  measure(genomes: readonly Genome[]): Promise<LogEntry[]>;
  /** Objectives of a measurement, all minimised. */
  valuesOf(entry: LogEntry): number[];
}

/** Individuals of an evolution on predictors. */
const INNER_POPULATION = 100;

/** The last generations that bring nothing new, after which an evolution ends. */
const IDLE = 20;

/** An evolution by the number of objectives. */
function evolutionFor(
  { space, objectives, population, mutation }: TacticContext,
  random: Random,
  options: EvolutionOptions = {},
): Evolution {
  const own = { population, ...(mutation && { mutation }), ...options };
  return objectives > 2 ? unsga3(space, objectives, random, own) : nsga2(space, random, own);
}

/** Measures different sub-networks at random, up to a number. */
async function measureRandom(context: TacticContext, count: number, random: Random): Promise<void> {
  await context.measure(distinct(context, count, random));
}

/** Configurations up to which a space is listed whole, rather than drawn from. */
const LISTED = 4096;
/** Draws for each wanted sub-network, after which what was found has to do. */
const DRAWS = 20;

/** Random sub-networks that have not been measured, fewer where the space has no more. */
function distinct({ space, has }: TacticContext, count: number, random: Random): Genome[] {
  const found = new Map<string, Genome>();
  const take = (genome: Genome) => {
    if (found.size < count && !has(genome)) found.set(space.key(genome), space.canonical(genome));
  };
  if (space.size <= LISTED) {
    const all = [...space.all()];
    for (const i of random.permutation(all.length)) take(all[i] as Genome);
  } else for (let draws = 0; found.size < count && draws < DRAWS * count; draws++) take(space.sample(random));
  return [...found.values()];
}

async function runRandom(context: TacticContext): Promise<void> {
  await context.measure(context.warm);
  await measureRandom(context, context.left(), context.random.split('sample'));
}

/** NSGA-II, or U-NSGA-III, on measurements. */
async function runEvolutionary(context: TacticContext): Promise<void> {
  const evolution = evolutionFor(context, context.random.split('evolution'), { initial: context.warm });
  for (let idle = 0; context.left() > 0 && idle < IDLE; ) {
    const before = context.left();
    const measured = await context.measure(evolution.ask());
    evolution.tell(measured.map((entry) => ({ genome: entry.genome, values: context.valuesOf(entry) })));
    idle = context.left() < before ? 0 : idle + 1;
  }
}

/** Predictors of all objectives on all measurements, as one function of genomes. */
async function predictorsOf(
  context: TacticContext,
  random: Random,
): Promise<(genomes: readonly Genome[]) => number[][]> {
  const { space, entries, predictor = fitPredictor } = context;
  const features = entries.map(({ genome }) => space.features(genome));
  const values = entries.map((entry) => context.valuesOf(entry));
  const fitted: Pick<Predictor, 'predict'>[] = [];
  for (let m = 0; m < context.objectives; m++)
    fitted.push(
      await predictor(
        space.genes,
        features,
        Float64Array.from(values, (row) => row[m] as number),
        random.split(m),
      ),
    );
  return (genomes) => {
    const rows = genomes.map((genome) => space.features(genome));
    const columns = fitted.map((own) => own.predict(rows));
    return genomes.map((_, i) => columns.map((column) => column[i] as number));
  };
}

/**
 * NSGA-II on predictors, from a fresh random start: the sub-networks not yet measured that are best
 * among all it tried, whole fronts first, then by crowding.
 */
async function promising(context: TacticContext, count: number, random: Random): Promise<Genome[]> {
  const { space, innerEvaluations, has } = context;
  const predict = await predictorsOf(context, random.split('predictors'));
  const evolution = evolutionFor(context, random.split('inner'), { population: INNER_POPULATION, mutation: {} });
  const tried = new Map<string, Individual>();
  let spent = 0;
  while (spent < innerEvaluations) {
    const genomes = evolution.ask().slice(0, innerEvaluations - spent);
    if (genomes.length === 0) break;
    const values = predict(genomes);
    const individuals = genomes.map((genome, i) => ({ genome, values: values[i] as number[] }));
    for (const own of individuals) if (!has(own.genome)) tried.set(space.key(own.genome), own);
    evolution.tell(individuals);
    spent += genomes.length;
  }
  const candidates = [...tried.values()];
  const measured = context.entries.map(({ genome }) => genome);
  // Those that were measured take part in the crowding, so that gaps between them are filled.
  const points = [...candidates.map(({ values }) => values), ...predict(measured)];
  const best = bestByCrowding(points, points.length).filter((i) => i < candidates.length);
  return best.slice(0, count).map((i) => (candidates[i] as Individual).genome);
}

/**
 * Measurements and searches on predictors in turns: the predictors learn where the search leads,
 * and the search follows better predictors.
 */
async function runConcurrent(context: TacticContext): Promise<void> {
  const { random, population, explore, warm } = context;
  await context.measure(warm.slice(0, population));
  await measureRandom(context, Math.max(0, population - context.entries.length), random.split('first'));
  for (let loop = 0; context.left() > 0; loop++) {
    const own = random.split(`loop ${loop}`);
    const before = context.entries.length;
    await context.measure(await promising(context, population - Math.floor(explore * population), own));
    await measureRandom(context, population - (context.entries.length - before), own.split('explore'));
    if (context.entries.length === before) break;
  }
}

/** Random measurements, one search on their predictors, and its best measured. */
async function runOneShot(context: TacticContext): Promise<void> {
  const { random, evaluations, warm } = context;
  const initial = context.initial ?? Math.ceil(evaluations / 2);
  await context.measure(warm);
  await measureRandom(context, Math.max(2, initial - context.entries.length), random.split('first'));
  if (context.left() > 0) await context.measure(await promising(context, context.left(), random.split('verify')));
}

/** Random sub-networks that WeakNAS ranks, and the share of them that it draws from. */
const [POOL, TOP] = [10_000, 0.1];
/** Weights of two objectives that WeakNAS sweeps. */
const SWEEP = 10;

/**
 * WeakNAS (Wu et al., "Stronger NAS with Weaker Predictors", NeurIPS 2021): a predictor of all
 * measurements ranks a pool, and K sub-networks drawn uniformly from its predicted best are
 * measured, again and again. Of several objectives the order is that of weighted sums, with the
 * weights swept over the K.
 */
async function runWeakPredictors(context: TacticContext): Promise<void> {
  const { space, random, population, objectives } = context;
  const pool = distinct(context, POOL, random.split('pool'));
  const initial = context.initial ?? population;
  await context.measure(context.warm);
  await context.measure(pool.slice(0, Math.max(2, initial - context.entries.length)));
  const sweep = objectives === 1 ? [[1]] : weightsOf(objectives, random.split('weights'));
  for (let loop = 0; context.left() > 0; loop++) {
    const own = random.split(`loop ${loop}`);
    const open = pool.filter((genome) => !context.has(genome));
    if (open.length === 0) break;
    const values = standardized((await predictorsOf(context, own.split('predictors')))(open));
    const tops = sweep.map((weights) => {
      const score = values.map((row) => row.reduce((sum, value, m) => sum + value * (weights[m] as number), 0));
      const order = Array.from(open.keys()).sort((a, b) => (score[a] as number) - (score[b] as number));
      return order.slice(0, Math.max(1, Math.round(TOP * pool.length)));
    });
    const asked = new Map<string, Genome>();
    const draws = own.split('draws');
    for (let k = 0; k < population; k++) {
      const top = tops[k % tops.length] as readonly number[];
      const genome = open[top[draws.integer(top.length)] as number] as Genome;
      asked.set(space.key(genome), genome);
    }
    await context.measure([...asked.values()]);
  }
}

/** Weights from one objective to the other; random ones of three and more. */
function weightsOf(objectives: number, random: Random): readonly (readonly number[])[] {
  return Array.from({ length: SWEEP }, (_, i) => {
    if (objectives === 2) return [i / (SWEEP - 1), 1 - i / (SWEEP - 1)];
    const draws = Array.from({ length: objectives }, () => -Math.log(1 - random.float()));
    const sum = draws.reduce((total, value) => total + value, 0);
    return draws.map((value) => value / sum);
  });
}

/** Columns less their means, over their deviations. */
function standardized(rows: readonly (readonly number[])[]): number[][] {
  const columns = rows[0]?.length ?? 0;
  const own = Array.from({ length: columns }, (_, m) => {
    const mean = rows.reduce((sum, row) => sum + (row[m] as number), 0) / rows.length;
    const variance = rows.reduce((sum, row) => sum + ((row[m] as number) - mean) ** 2, 0) / rows.length;
    return { mean, deviation: Math.sqrt(variance) || 1 };
  });
  return rows.map((row) => row.map((value, m) => (value - (own[m]?.mean as number)) / (own[m]?.deviation as number)));
}

/** A tactic, and whether its order of measurements depends on the budget. */
interface Tactic {
  readonly depends: boolean;
  run(context: TacticContext): Promise<void>;
}

/** The tactics by name. */
export const tactics = {
  concurrent: { depends: false, run: runConcurrent },
  evolutionary: { depends: false, run: runEvolutionary },
  'one-shot': { depends: true, run: runOneShot },
  'weak-predictors': { depends: false, run: runWeakPredictors },
  random: { depends: false, run: runRandom },
} as const satisfies Readonly<Record<string, Tactic>>;

/** Name of a tactic. */
export type TacticName = keyof typeof tactics;
