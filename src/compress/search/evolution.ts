// A genetic algorithm that asks for what is to be measured and is told the objectives, so that the
// same loop runs on predictors and on networks that take minutes each.

import type { Random } from '../../tensor/index.js';
import type { ObjectiveValues } from './pareto.js';
import type { Genome, SearchSpace } from './space.js';
import { type CrossoverOptions, crossover, type MutationOptions, mutate } from './variation.js';

/** What an algorithm needs of a space. */
export interface EvolvableSpace extends Pick<SearchSpace<unknown>, 'genes' | 'sample' | 'key'> {
  /** The form that equal configurations share. Default: the genome itself. */
  canonical?(genome: Genome): Genome;
}

/** A genome with its objectives, all minimised. */
export interface Individual {
  /** Its choices. */
  readonly genome: Genome;
  /** Its objectives. */
  readonly values: ObjectiveValues;
}

/** What a survival keeps, best first, and which of two parents wins a tournament. */
export interface Survivors {
  /** Indices of those who survive. */
  readonly chosen: readonly number[];
  /** Below 0 where the survivor at place a beats that at b; 0 for a draw. */
  compare(a: number, b: number): number;
}

/** Chooses who survives. */
export type Survival = (points: readonly ObjectiveValues[], count: number, random: Random) => Survivors;

/** Options of an evolution. */
export interface EvolutionOptions {
  /** Individuals of a generation. Default: 50. */
  readonly population?: number;
  /** First individuals, before random ones fill up. Default: none. */
  readonly initial?: readonly Genome[];
  /** Default: SBX of 0.9 of the pairs, η = 15. */
  readonly crossover?: CrossoverOptions;
  /** Default: 0.9 of the offspring, 1/genes of their genes. */
  readonly mutation?: MutationOptions;
}

/** Draws without a new genome after which a generation stays smaller. */
const MOST_DRAWS = 100;

/**
 * Generations of tournament, crossover, mutation and survival of parents and offspring together.
 * No genome occurs twice in a population and its offspring.
 *
 * @example
 * const evolution = nsga2(space, random);
 * for (let g = 0; g < 20; g++) {
 *   const asked = evolution.ask();
 *   evolution.tell(asked.map((genome) => ({ genome, values: measure(genome) })));
 * }
 */
export class Evolution {
  /** Survivors of the last generation, the best first. */
  population: readonly Individual[] = [];
  #compare: Survivors['compare'] = () => 0;
  #started = false;

  constructor(
    readonly space: EvolvableSpace,
    readonly survival: Survival,
    readonly random: Random,
    readonly options: EvolutionOptions = {},
  ) {
    const { population = 50 } = options;
    if (!(Number.isInteger(population) && population >= 2))
      throw new RangeError(`evolution: a population has at least 2 individuals, got ${population}`);
  }

  /**
   * What to measure next: the first population, then offspring. Fewer than a population where the
   * space has no more, and none at its end.
   */
  ask(): Genome[] {
    const { population: count = 50, initial = [] } = this.options;
    const { space, random } = this;
    const known = new Set(this.population.map(({ genome }) => space.key(genome)));
    const asked: Genome[] = [];
    const take = (genome: Genome): boolean => {
      const own = space.canonical?.(genome) ?? genome;
      const key = space.key(own);
      if (asked.length >= count || known.has(key)) return false;
      known.add(key);
      asked.push(own);
      return true;
    };
    if (!this.#started) for (const genome of initial) take(genome);
    const draw = this.population.length < 2 ? () => [space.sample(random)] : () => this.#offspring();
    this.#started = true;
    for (let failed = 0; asked.length < count && failed < MOST_DRAWS * count; )
      for (const genome of draw()) if (!take(genome)) failed += 1;
    return asked;
  }

  /** Joins measured individuals to the population and keeps those who survive. */
  tell(measured: readonly Individual[]): void {
    const { population: count = 50 } = this.options;
    const all = [...this.population, ...measured];
    const { chosen, compare } = this.survival(
      all.map(({ values }) => values),
      count,
      this.random,
    );
    this.population = chosen.map((i) => all[i] as Individual);
    this.#compare = compare;
  }

  #offspring(): Genome[] {
    const { space, random, options } = this;
    const parents: [Genome, Genome] = [this.#winner(), this.#winner()];
    const children = crossover(parents, space.genes, random, options.crossover);
    return children.map((child) => mutate(child, space.genes, random, options.mutation));
  }

  /** The better of two drawn parents; either in a draw. */
  #winner(): Genome {
    const { population, random } = this;
    const [a, b] = [random.integer(population.length), random.integer(population.length)];
    const order = this.#compare(a, b) || random.float() - 0.5;
    return (population[order < 0 ? a : b] as Individual).genome;
  }
}
