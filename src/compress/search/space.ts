// Discrete search spaces: a configuration is one choice for each of some genes.

import type { Random } from '../../tensor/index.js';

/** A place of a configuration, and how many choices there are. */
export interface Gene {
  /** What is chosen, for messages and logs. */
  readonly name: string;
  /** Number of choices, at least 1. */
  readonly choices: number;
}

/** The choice of each gene, from 0. */
export type Genome = Int32Array;

/**
 * A product of finite sets, whose members are decoded into what they stand for: widths, cells,
 * masks, encodings of sub-networks.
 *
 * @example
 * const widths = [8, 16, 32];
 * const genes = ['first', 'second'].map((name) => ({ name, choices: widths.length }));
 * new SearchSpace(genes, (genome) => Array.from(genome, (at) => widths[at]));
 */
export class SearchSpace<Configuration> {
  /** Number of configurations; Infinity past what a number holds. */
  readonly size: number;

  /**
   * @param decode what a genome stands for
   * @throws RangeError naming a gene without a choice
   */
  constructor(
    readonly genes: readonly Gene[],
    readonly decode: (genome: Genome) => Configuration,
  ) {
    const empty = genes.find(({ choices }) => !(Number.isSafeInteger(choices) && choices >= 1));
    if (empty) throw new RangeError(`search space: "${empty.name}" needs at least one choice, got ${empty.choices}`);
    if (genes.length === 0) throw new RangeError('search space: expected at least one gene');
    this.size = genes.reduce((product, { choices }) => product * choices, 1);
  }

  /** A uniformly random genome. */
  sample(random: Random): Genome {
    return Int32Array.from(this.genes, ({ choices }) => random.integer(choices));
  }

  /** Text that equal genomes share, and others do not. */
  key(genome: Genome): string {
    return genome.join();
  }

  /** Every genome, the last gene changing fastest. */
  *all(): Generator<Genome> {
    const genome = new Int32Array(this.genes.length);
    for (;;) {
      yield genome.slice();
      let at = genome.length - 1;
      while (at >= 0 && genome[at] === (this.genes[at] as Gene).choices - 1) genome[at--] = 0;
      if (at < 0) return;
      genome[at] = (genome[at] as number) + 1;
    }
  }

  /**
   * The genome itself, where it is one of this space.
   *
   * @throws RangeError naming the gene whose choice does not exist
   */
  require(genome: ArrayLike<number>): Genome {
    if (genome.length !== this.genes.length)
      throw new RangeError(`search space: a genome has ${this.genes.length} choices, got ${genome.length}`);
    this.genes.forEach(({ name, choices }, at) => {
      const choice = genome[at] as number;
      if (!(Number.isInteger(choice) && choice >= 0 && choice < choices))
        throw new RangeError(`search space: "${name}" has the choices 0 to ${choices - 1}, got ${choice}`);
    });
    return Int32Array.from(genome);
  }
}
