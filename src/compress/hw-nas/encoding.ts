// Sub-networks as integer vectors: a table {group: {count, values}} flattens to one gene for each
// choice. Genes that have no effect, such as kernels of layers that the depth leaves out, are set
// to their first choice, so that equal sub-networks have equal vectors, and count for no predictor.

import type { Configuration, GeneGroup, Genes } from '../../nn/index.js';
import type { Features } from '../search/predictors.js';
import { type Genome, SearchSpace } from '../search/space.js';

/** Where a gene stands in its group. */
interface Place {
  readonly group: string;
  readonly at: number;
}

/**
 * The vectors of a table of genes.
 *
 * @example
 * const space = new GeneSpace({
 *   depth: { count: 1, values: [1, 2] },
 *   kernel: { count: 2, values: [3, 5], active: (at, { depth }) => at < depth[0] },
 * });
 * space.encode({ depth: [1], kernel: [5, 3] }); // 0 1 0
 */
export class GeneSpace extends SearchSpace<Configuration> {
  readonly #places: readonly Place[];
  readonly #isPlain: boolean;
  /** Canonical vectors that were made here, with what predictors see of them. */
  readonly #made = new WeakMap<Genome, Features>();

  /** @throws RangeError naming a group without a gene or a value, or with a value twice */
  constructor(readonly groups: Genes) {
    const places = Object.entries(groups).flatMap(([group, { count }]) =>
      Array.from({ length: count }, (_, at) => ({ group, at })),
    );
    for (const [name, { count, values }] of Object.entries(groups)) {
      if (!(Number.isInteger(count) && count >= 1 && values.length >= 1))
        throw new RangeError(`genes "${name}": expected a count and values, got ${count} of [${values.join(', ')}]`);
      if (new Set(values).size < values.length || !values.every(Number.isFinite))
        throw new RangeError(`genes "${name}": expected different numbers, got ${values.join(', ')}`);
    }
    super(
      places.map(({ group, at }) => ({
        name: (groups[group] as GeneGroup).count === 1 ? group : `${group}.${at}`,
        choices: (groups[group] as GeneGroup).values.length,
      })),
      (genome) => this.#valuesOf(genome),
    );
    this.#places = places;
    this.#isPlain = Object.values(groups).every(({ active, same }) => !active && !same);
  }

  /**
   * The vector of a configuration, in canonical form.
   *
   * @throws RangeError naming the gene that is missing or takes another value
   */
  encode(configuration: Configuration): Genome {
    const unknown = Object.keys(configuration).find((name) => !Object.hasOwn(this.groups, name));
    if (unknown !== undefined)
      throw new RangeError(`genes: there is no "${unknown}", only ${Object.keys(this.groups).join(', ')}`);
    const genome = this.#places.map(({ group, at }, i) => {
      const { count, values } = this.groups[group] as GeneGroup;
      const given = configuration[group];
      if (given?.length !== count)
        throw new RangeError(`genes: expected ${count} of "${group}", got ${given?.length ?? 'none'}`);
      const choice = values.indexOf(given[at] as number);
      if (choice < 0)
        throw new RangeError(`genes: ${this.genes[i]?.name} is one of ${values.join(', ')}, got ${given[at]}`);
      return choice;
    });
    return this.canonical(Int32Array.from(genome));
  }

  /** A uniformly random vector, in canonical form. */
  override sample(random: Parameters<SearchSpace<Configuration>['sample']>[0]): Genome {
    return this.canonical(super.sample(random));
  }

  /** The vector that all vectors of the same sub-network share; it must not be changed. */
  canonical(genome: Genome): Genome {
    if (this.#isPlain || this.#made.has(genome)) return genome;
    const configuration = this.#valuesOf(genome);
    const features = genome.map((choice, i) => {
      const { group, at } = this.#places[i] as Place;
      const { values, active, same } = this.groups[group] as GeneGroup;
      if (active && !active(at, configuration)) return -1;
      return same ? values.indexOf(same(values[choice] as number, at)) : choice;
    });
    const canonical = features.map((choice) => Math.max(0, choice));
    this.#made.set(canonical, features);
    return canonical;
  }

  /** Text that vectors of one sub-network share, and others do not. */
  override key(genome: Genome): string {
    return this.canonical(genome).join();
  }

  /** The vector as predictors see it: −1 where a gene has no effect. */
  features(genome: Genome): Features {
    if (this.#isPlain) return genome;
    return this.#made.get(this.canonical(genome)) as Features;
  }

  /** The largest sub-network: the last value of each gene. */
  largest(): Genome {
    return this.canonical(Int32Array.from(this.genes, ({ choices }) => choices - 1));
  }

  /** The smallest sub-network: the first value of each gene. */
  smallest(): Genome {
    return this.canonical(new Int32Array(this.genes.length));
  }

  #valuesOf(genome: Genome): Configuration {
    const configuration: Record<string, number[]> = {};
    let i = 0;
    for (const [name, { count, values }] of Object.entries(this.groups))
      configuration[name] = Array.from({ length: count }, () => values[genome[i++] as number] as number);
    return configuration;
  }
}
