// Variation of integer genomes: simulated binary crossover and mutation. Genes are rounded and
// clipped here, before anything compares them, so that clones are seen as such.

import type { Random } from '../../tensor/index.js';
import type { Gene, Genome } from './space.js';

/** Options of crossover. */
export interface CrossoverOptions {
  /** Probability that two parents are crossed at all. Default: 0.9. */
  readonly mating?: number;
  /** Probability of each gene in a crossed pair. Default: 0.5. */
  readonly gene?: number;
  /** η: the larger, the closer children are to their parents. Default: 15. */
  readonly eta?: number;
}

/** Options of mutation. */
export interface MutationOptions {
  /**
   * `polynomial`: Deb's, rounded, which hardly moves a gene of few choices at η = 20. `reset`:
   * another choice, all as likely. Default: `reset`.
   */
  readonly kind?: 'polynomial' | 'reset';
  /** Probability that an offspring is mutated at all. Default: 0.9. */
  readonly offspring?: number;
  /** Probability of each gene in a mutated offspring. Default: min(½, 1/genes). */
  readonly gene?: number;
  /** η of the polynomial. Default: 20. */
  readonly eta?: number;
}

/** Mutation as DyNAS-T's settings are read by its library: 0.02 an offspring. */
export const DYNAS_MUTATION: MutationOptions = { kind: 'polynomial', offspring: 0.02, eta: 20 };

/** Rounds to the nearest choice that exists. */
const choiceOf = (value: number, { choices }: Gene) => Math.min(choices - 1, Math.max(0, Math.round(value)));

/**
 * Simulated binary crossover within bounds (Deb & Agrawal 1995), rounded to integers.
 *
 * @returns two children
 */
export function crossover(
  [first, second]: readonly [Genome, Genome],
  genes: readonly Gene[],
  random: Random,
  { mating = 0.9, gene: probability = 0.5, eta = 15 }: CrossoverOptions = {},
): [Genome, Genome] {
  const children: [Genome, Genome] = [first.slice(), second.slice()];
  if (random.float() >= mating) return children;
  genes.forEach((gene, i) => {
    const [a, b] = [first[i] as number, second[i] as number];
    if (random.float() >= probability || a === b) return;
    const [low, high] = a < b ? [a, b] : [b, a];
    const [draw, gap, top] = [random.float(), high - low, gene.choices - 1];
    const spread = (room: number) => {
      const alpha = 2 - (1 + (2 * room) / gap) ** -(eta + 1);
      return draw <= 1 / alpha ? (draw * alpha) ** (1 / (eta + 1)) : (1 / (2 - draw * alpha)) ** (1 / (eta + 1));
    };
    const pair = [
      choiceOf(0.5 * (low + high - spread(low) * gap), gene),
      choiceOf(0.5 * (low + high + spread(top - high) * gap), gene),
    ];
    const from = random.float() < 0.5 ? 0 : 1;
    children[0][i] = pair[from] as number;
    children[1][i] = pair[1 - from] as number;
  });
  return children;
}

/** Mutates a genome, in a copy. */
export function mutate(
  genome: Genome,
  genes: readonly Gene[],
  random: Random,
  {
    kind = 'reset',
    offspring = 0.9,
    gene: probability = Math.min(0.5, 1 / genes.length),
    eta = 20,
  }: MutationOptions = {},
): Genome {
  const mutant = genome.slice();
  if (random.float() >= offspring) return mutant;
  genes.forEach((gene, i) => {
    if (gene.choices < 2 || random.float() >= probability) return;
    const own = mutant[i] as number;
    mutant[i] =
      kind === 'reset'
        ? (own + 1 + random.integer(gene.choices - 1)) % gene.choices
        : choiceOf(own + polynomialStep(own / (gene.choices - 1), random.float(), eta) * (gene.choices - 1), gene);
  });
  return mutant;
}

/** Step of polynomial mutation from a place in [0, 1], relative to the range. */
function polynomialStep(place: number, draw: number, eta: number): number {
  const power = 1 / (eta + 1);
  return draw <= 0.5
    ? (2 * draw + (1 - 2 * draw) * (1 - place) ** (eta + 1)) ** power - 1
    : 1 - (2 * (1 - draw) + 2 * (draw - 0.5) * place ** (eta + 1)) ** power;
}
