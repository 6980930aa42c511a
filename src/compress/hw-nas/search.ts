// Search for the Pareto-optimal sub-networks of any super-network: it needs the genes, and a
// function that measures a sub-network. Every measurement counts as one evaluation, is logged, and
// is made once.
//
// Sarah, Cummings, Sridhar, Sundaresan, Szankin, Webb, Muñoz, "A Hardware-Aware System for
// Accelerating Deep Neural Network Optimization", arXiv 2202.12954, 2022; tactics as in DyNAS-T.

import type { Configuration, Genes } from '../../nn/index.js';
import { Random } from '../../tensor/index.js';
import { paretoFront } from '../search/pareto.js';
import type { Genome } from '../search/space.js';
import type { MutationOptions } from '../search/variation.js';
import { GeneSpace } from './encoding.js';
import { type Evaluated, type LogEntry, type LogStore, loggedEvaluations, logText, type Measurement } from './log.js';
import { type FitPredictor, type TacticName, tactics } from './tactics.js';

/** Which way an objective is better. */
export type Goal = 'larger' | 'smaller';

/** Options of `search`. */
export interface SearchOptions {
  /** What may be chosen. */
  readonly genes: Genes | GeneSpace;
  /** Measures a sub-network: accuracy, latency and whatever else, by name. */
  readonly evaluate: (configuration: Configuration, evaluation: number) => Measurement | Promise<Measurement>;
  /**
   * Names of what is optimised, each larger or smaller; of names alone, `accuracy` is to be larger
   * and all others smaller.
   */
  readonly objectives: readonly string[] | Readonly<Record<string, Goal>>;
  /**
   * `concurrent`: measurements and a search on predictors of all of them in turns.
   * `evolutionary`: NSGA-II on measurements, U-NSGA-III for three objectives and more.
   * `one-shot`: a search on predictors of random sub-networks, verified. `weak-predictors`:
   * WeakNAS. `random`: different random sub-networks. Default: `concurrent`.
   */
  readonly tactic?: TacticName;
  /** Number of measurements. Default: 250. */
  readonly evaluations?: number;
  /** Sub-networks of a generation, or of a loop. Default: 50. */
  readonly population?: number;
  /** Evaluations of predictors in a search on them. Default: 5000. */
  readonly innerEvaluations?: number;
  /** Share of each loop of the concurrent tactic that is random, rounded down. Default: 0.05. */
  readonly explore?: number;
  /** Mutation of the evolutionary tactic. Default: 0.9 an offspring, 1/genes a gene. */
  readonly mutation?: MutationOptions;
  /** Random sub-networks before the first predictor of one-shot and WeakNAS. */
  readonly initial?: number;
  /** Predictor of one objective. Default: the better of ridge and kernel ridge regression. */
  readonly predictor?: FitPredictor;
  /** First sub-networks, such as the front of a search for another device. Default: none. */
  readonly warm?: readonly Configuration[];
  /** Seed. Default: 42. */
  readonly seed?: number;
  /** Keeps every measurement; a stopped search goes on from it. Default: none. */
  readonly log?: LogStore;
  /** What the log is of, beside genes and options, such as a device. Default: nothing. */
  readonly about?: Readonly<Record<string, unknown>>;
  /** Stops after the measurement at hand. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each evaluation, those of the log among them. */
  readonly onEvaluation?: (evaluated: Evaluated, done: number, of: number) => void;
}

/** What a search found. */
export interface SearchResult {
  /** All measurements in order. */
  readonly evaluations: readonly Evaluated[];
  /** Those that no other dominates, ascending in the first objective. */
  readonly front: readonly Evaluated[];
  /** Whether the budget was spent, or the signal came before. */
  readonly stopped: 'completed' | 'aborted';
}

/** The direction of each objective. */
export function goalsOf(objectives: SearchOptions['objectives']): Readonly<Record<string, Goal>> {
  const goals = isList(objectives)
    ? Object.fromEntries(objectives.map((name) => [name, name === 'accuracy' ? 'larger' : 'smaller'] as const))
    : objectives;
  if (Object.keys(goals).length === 0) throw new RangeError('search: expected at least one objective');
  return goals;
}

const isList = (objectives: SearchOptions['objectives']): objectives is readonly string[] => Array.isArray(objectives);

/**
 * The objectives of a measurement, all minimised: what is to be larger is negated.
 *
 * @throws Error naming an objective that was not measured, or is not finite
 */
export function minimized(measured: Measurement, goals: Readonly<Record<string, Goal>>): number[] {
  return Object.entries(goals).map(([name, goal]) => {
    const value = measured[name];
    if (value === undefined)
      throw new Error(`search: there is no objective "${name}"; measured are ${Object.keys(measured).join(', ')}`);
    if (!Number.isFinite(value)) throw new Error(`search: a sub-network has ${name} ${value}`);
    return goal === 'larger' ? -value : value;
  });
}

/** The evaluations that no other dominates. */
export function frontOf<Own extends { readonly measured: Measurement }>(
  evaluations: readonly Own[],
  objectives: SearchOptions['objectives'],
): Own[] {
  const goals = goalsOf(objectives);
  const front = paretoFront(evaluations.map(({ measured }) => minimized(measured, goals)));
  return front.map((i) => evaluations[i] as Own);
}

/** Measures each sub-network once, and logs it. */
class Recorder {
  readonly entries: LogEntry[] = [];
  readonly #known = new Map<string, LogEntry>();
  readonly #logged: readonly LogEntry[];

  constructor(
    readonly space: GeneSpace,
    readonly options: SearchOptions,
    readonly budget: number,
    readonly identity: Readonly<Record<string, unknown>>,
  ) {
    this.#logged = options.log ? loggedEvaluations(options.log, identity, space) : [];
  }

  get left(): number {
    return this.options.signal?.aborted ? 0 : this.budget - this.entries.length;
  }

  has(genome: Genome): boolean {
    return this.#known.has(this.space.key(genome));
  }

  /** The measurements of genomes, those of the budget alone. */
  async measure(genomes: readonly Genome[]): Promise<LogEntry[]> {
    const measured: LogEntry[] = [];
    for (const genome of genomes) {
      const key = this.space.key(genome);
      const known = this.#known.get(key) ?? (this.left > 0 ? await this.#evaluate(genome) : undefined);
      if (known === undefined) continue;
      this.#known.set(key, known);
      measured.push(known);
    }
    return measured;
  }

  async #evaluate(genome: Genome): Promise<LogEntry> {
    const { space, options, entries, budget } = this;
    const own = space.canonical(genome);
    const logged = this.#logged[entries.length];
    if (logged && space.key(logged.genome) !== space.key(own))
      throw new Error(
        `search: evaluation ${entries.length + 1} of the log is of another sub-network than this search asks for; the log is of another search`,
      );
    const configuration = space.decode(own);
    const entry = logged ?? { genome: own, measured: await options.evaluate(configuration, entries.length) };
    minimized(entry.measured, goalsOf(options.objectives));
    entries.push(entry);
    if (!logged) options.log?.save(logText(this.identity, space, entries));
    options.onEvaluation?.({ configuration, measured: entry.measured }, entries.length, budget);
    return entry;
  }
}

/** Genes as an identity holds them: without the functions. */
const plainGenes = (genes: Genes) =>
  Object.fromEntries(Object.entries(genes).map(([name, { count, values }]) => [name, { count, values }]));

/**
 * Searches the sub-networks of a super-network.
 *
 * @example
 * const { front } = await search({
 *   genes: { depth: { count: 1, values: [1, 2, 3] }, kernel: { count: 3, values: [3, 5] } },
 *   evaluate: ({ depth, kernel }) => ({ accuracy: …, latency: … }),
 *   objectives: ['accuracy', 'latency'],
 * });
 * @throws Error naming an objective that is not measured, or what differs in the log of another
 * search; RangeError for options out of range
 */
export async function search(options: SearchOptions): Promise<SearchResult> {
  const { genes, objectives, tactic = 'concurrent', evaluations = 250, seed = 42 } = options;
  const { population = 50, innerEvaluations = 5000, explore = 0.05, mutation, initial, predictor, warm = [] } = options;
  const space = genes instanceof GeneSpace ? genes : new GeneSpace(genes);
  const goals = goalsOf(objectives);
  const chosen = Object.hasOwn(tactics, tactic) ? tactics[tactic] : undefined;
  if (!chosen) throw new RangeError(`search: tactic "${tactic}" is none of ${Object.keys(tactics).join(', ')}`);
  for (const [name, value, least] of [
    ['evaluations', evaluations, 1],
    ['population', population, 2],
    ['innerEvaluations', innerEvaluations, 1],
  ] as const)
    if (!(Number.isInteger(value) && value >= least))
      throw new RangeError(`search: ${name} must be an integer of at least ${least}, got ${value}`);
  if (!(explore >= 0 && explore <= 1)) throw new RangeError(`search: explore is a share, got ${explore}`);
  const first = warm.map((configuration) => space.encode(configuration));
  const identity = {
    ...{ genes: plainGenes(space.groups), objectives: goals, tactic, seed, population, innerEvaluations, explore },
    ...{ mutation, initial, warm: first.map((genome) => genome.join(' ')), ...options.about },
    ...(chosen.depends && { evaluations }),
  };
  const recorder = new Recorder(space, options, evaluations, identity);
  await chosen.run({
    ...{ space, random: new Random(seed), population, innerEvaluations, explore, evaluations, warm: first },
    ...(mutation && { mutation }),
    ...(initial !== undefined && { initial }),
    ...(predictor && { predictor }),
    objectives: Object.keys(goals).length,
    entries: recorder.entries,
    left: () => recorder.left,
    has: (genome) => recorder.has(genome),
    measure: (genomes) => recorder.measure(genomes),
    valuesOf: ({ measured }) => minimized(measured, goals),
  });
  const all = recorder.entries.map(({ genome, measured }) => ({ configuration: space.decode(genome), measured }));
  return {
    evaluations: all,
    front: frontOf(all, objectives),
    stopped: options.signal?.aborted && recorder.entries.length < evaluations ? 'aborted' : 'completed',
  };
}
