// What may be chosen of an elastic network: groups of genes, such as a kernel for each layer.

/** One value of each gene, by group: a sub-network. */
export type Configuration = Readonly<Record<string, readonly number[]>>;

/** Genes of one kind, such as the kernels of all layers. */
export interface GeneGroup {
  /** Number of genes. */
  readonly count: number;
  /** What each gene chooses from; the last is the value of the largest network. */
  readonly values: readonly number[];
  /**
   * Whether gene `at` has an effect, such as the kernel of a layer that the depth leaves out.
   * Default: always.
   */
  readonly active?: (at: number, configuration: Configuration) => boolean;
  /** The value that stands for all that have the same effect. Default: each for itself. */
  readonly same?: (value: number, at: number) => number;
}

/** All genes of a network, by group. */
export type Genes = Readonly<Record<string, GeneGroup>>;
