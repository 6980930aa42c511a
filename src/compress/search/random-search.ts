// Random search over a discrete space: the best of N independent draws (Farahani 2024). The
// baseline that every other search has to beat with as many evaluations.

import { eventTurn } from '../../engine/index.js';
import { Random } from '../../tensor/index.js';
import type { Genome, SearchSpace } from './space.js';

/** One draw and its fitness. */
export interface Trial {
  /** Its number, from 0. */
  readonly trial: number;
  /** Its choices. */
  readonly genome: Genome;
  /** What it is worth. */
  readonly fitness: number;
}

/** Options of `randomSearch`. */
export interface RandomSearchOptions<Configuration> {
  /** What is drawn from. */
  readonly space: SearchSpace<Configuration>;
  /** Draws a genome, such as one of those that a constraint allows. Default: uniform. */
  readonly sample?: (random: Random) => Genome;
  /** Fitness of a configuration; NaN never wins. */
  readonly fitness: (configuration: Configuration, trial: number) => number | Promise<number>;
  /** Which fitness is better. Default: `smaller`, as of a loss. */
  readonly better?: 'smaller' | 'larger';
  /** N: number of draws. */
  readonly budget: number;
  /** Source of the draws: draw t depends on it and t alone, whatever the budget. */
  readonly seed: number | Random;
  /** Fitness of the first draws, where an earlier run has computed it. Default: none. */
  readonly known?: ArrayLike<number>;
  /** Aborts between two draws; what was drawn so far is returned. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each draw. */
  readonly onTrial?: (trial: Trial) => void;
}

/** What a random search drew. */
export interface RandomSearchResult<Configuration> {
  /** All draws in order. */
  readonly trials: readonly Trial[];
  /** The best draw, the first of equals; undefined when none has a fitness. */
  readonly best: (Trial & { readonly configuration: Configuration }) | undefined;
  /** Whether all draws were made, or the signal came before. */
  readonly stopped: 'completed' | 'aborted';
}

/** Longest time in ms between two returns to the event loop. */
const EVENT_LOOP_MS = 100;

/**
 * Draws `budget` configurations independently and keeps the best.
 *
 * With one draw it is a random configuration. The best fitness never gets worse with the budget, as
 * the draws of a smaller budget are the first of a larger one.
 *
 * @throws RangeError when the budget is not a positive integer, or a draw is not of the space
 * @example
 * const { best } = await randomSearch({ space, fitness: lossOf, budget: 1000, seed: 0 });
 */
export async function randomSearch<Configuration>({
  space,
  sample = (random) => space.sample(random),
  fitness,
  better = 'smaller',
  budget,
  seed,
  known = [],
  signal,
  onTrial,
}: RandomSearchOptions<Configuration>): Promise<RandomSearchResult<Configuration>> {
  if (!(Number.isSafeInteger(budget) && budget >= 1))
    throw new RangeError(`randomSearch: the budget must be a positive integer, got ${budget}`);
  const random = typeof seed === 'number' ? new Random(seed) : seed;
  const sign = better === 'smaller' ? 1 : -1;
  const trials: Trial[] = [];
  let best: Trial | undefined;
  let lastTurn = performance.now();
  for (let trial = 0; trial < budget && !signal?.aborted; trial++) {
    const genome = space.require(sample(random.split(trial)));
    const found = known[trial] ?? (await fitness(space.decode(genome), trial));
    const drawn = { trial, genome, fitness: found };
    trials.push(drawn);
    if (sign * found < (best ? sign * best.fitness : Number.POSITIVE_INFINITY)) best = drawn;
    onTrial?.(drawn);
    if (performance.now() - lastTurn > EVENT_LOOP_MS) {
      await eventTurn();
      lastTurn = performance.now();
    }
  }
  return {
    trials,
    best: best && { ...best, configuration: space.decode(best.genome) },
    stopped: trials.length < budget ? 'aborted' : 'completed',
  };
}
