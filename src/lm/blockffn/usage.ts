// Counters of the blocks that tokens use: token-level and chunk-level sparsity.

/** Chunk lengths that are counted. */
export const CHUNK_LENGTHS = [1, 2, 4, 8, 16, 32, 64] as const;

interface LayerCounts {
  /** Chunks of each length, and (chunk, block) pairs without a use. */
  readonly chunks: Map<number, number>;
  readonly unused: Map<number, number>;
  /** Tokens that use each block. */
  readonly active: Float64Array;
  tokens: number;
}

/**
 * Which blocks tokens use. CLS_L is the share of (chunk, block) pairs, a chunk being L consecutive
 * tokens of a document, in which no token uses the block; the tail of a document is dropped. TLS is
 * CLS_1. Both are means over layers.
 */
export class BlockUsage {
  readonly #layers: readonly LayerCounts[];

  constructor(
    layers: number,
    readonly experts: number,
    readonly lengths: readonly number[] = CHUNK_LENGTHS,
  ) {
    const zeros = () => new Map(lengths.map((length) => [length, 0]));
    this.#layers = Array.from({ length: layers }, () => ({
      chunks: zeros(),
      unused: zeros(),
      active: new Float64Array(experts),
      tokens: 0,
    }));
  }

  /**
   * Counts the tokens of one document in one layer.
   *
   * @param gates [tokens·E], 0 for unused blocks
   * @throws RangeError when they are not rows of E.
   */
  add(layer: number, gates: ArrayLike<number>): void {
    const { experts } = this;
    if (gates.length % experts !== 0)
      throw new RangeError(`BlockUsage: ${gates.length} gates are no rows of ${experts}`);
    const counts = this.#layers[layer];
    if (!counts) throw new RangeError(`BlockUsage: there is no layer ${layer}`);
    const tokens = gates.length / experts;
    counts.tokens += tokens;
    for (let i = 0; i < gates.length; i++)
      if (gates[i] !== 0) counts.active[i % experts] = (counts.active[i % experts] as number) + 1;
    for (const length of this.lengths) {
      const chunks = Math.floor(tokens / length);
      let unused = 0;
      for (let chunk = 0; chunk < chunks; chunk++)
        for (let expert = 0; expert < experts; expert++) {
          let isUsed = false;
          for (let t = chunk * length; t < (chunk + 1) * length && !isUsed; t++)
            isUsed = gates[t * experts + expert] !== 0;
          if (!isUsed) unused += 1;
        }
      counts.chunks.set(length, (counts.chunks.get(length) as number) + chunks);
      counts.unused.set(length, (counts.unused.get(length) as number) + unused);
    }
  }

  /** CLS of chunks of a counted length; NaN where no document was as long. */
  cls(length: number): number {
    const each = this.#layers.map(
      ({ chunks, unused }) => (unused.get(length) ?? Number.NaN) / ((chunks.get(length) ?? 0) * this.experts),
    );
    return each.reduce((sum, share) => sum + share, 0) / each.length;
  }

  /** Token-level sparsity. */
  get tls(): number {
    return this.cls(1);
  }

  /** Share of the tokens that use each block, layer by layer. */
  get frequencies(): readonly Float64Array[] {
    return this.#layers.map(({ active, tokens }) => active.map((count) => count / tokens));
  }

  /** Blocks of all layers that no token used. */
  get dead(): number {
    return this.frequencies.reduce((sum, layer) => sum + layer.filter((share) => share === 0).length, 0);
  }

  /** Share of all blocks that between 2 % and 98 % of the tokens use. */
  get selective(): number {
    const all = this.frequencies.flatMap((layer) => [...layer]);
    return all.filter((share) => share > 0.02 && share < 0.98).length / all.length;
  }
}
