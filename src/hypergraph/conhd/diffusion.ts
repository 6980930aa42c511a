// φ and ϕ: maps of the co-representations within a hyperedge or within a vertex.

import { Dropout, Linear, type Mode } from '../../nn/index.js';
import type { Grouping } from '../../structure/index.js';
import { add, gatherKnownRows, type Random, type Tensor } from '../../tensor/index.js';
import {
  bySetsInParts,
  InducedAttentionBlock,
  MeanBlock,
  meanOfSet,
  PairAttentionBlock,
  type SetFunction,
} from '../sets/index.js';

/** A map of co-representations within sets. */
export interface Diffusion {
  /**
   * x [nnz, d] → messages [nnz, d].
   *
   * @param positions positional encoding of each incidence, [nnz, positions]
   */
  forward(x: Tensor, sets: Grouping, positions: Tensor | undefined, mode: Mode): Tensor;
}

/** Equivariant blocks by name: UNB, ISAB and SAB. */
const blocks = {
  mean: (features: number, random: Random) => new MeanBlock(features, random),
  induced: (features: number, random: Random) => new InducedAttentionBlock(features, random),
  pairs: (features: number, random: Random) => new PairAttentionBlock(features, random),
} as const satisfies Readonly<Record<string, (features: number, random: Random) => SetFunction>>;

/** Names of the equivariant blocks. */
export const blockNames = Object.keys(blocks) as readonly (keyof typeof blocks)[];

/** Layout of φ and of ϕ. */
export interface DiffusionOptions {
  /**
   * Set function: `MeanBlock` (UNB), `InducedAttentionBlock` (ISAB) or `PairAttentionBlock` (SAB).
   * Default: 'mean'.
   */
  readonly block: keyof typeof blocks;
  /** Stacked blocks. Default: 2. */
  readonly depth: number;
  /** Dropout probability of the messages. Default: 0.3. */
  readonly dropout: number;
  /** Width of the positional encoding; 0 uses none. Default: 0. */
  readonly positions: number;
  /**
   * Ablation: replaces every message by the mean of its set, the limitation that the paper removes.
   * Default: false.
   */
  readonly aggregated: boolean;
}

/** A whole layout. */
interface DiffusionLayout extends DiffusionOptions {
  readonly hidden: number;
}

/** Incidences at a time in inference. */
const ROWS_AT_ONCE = 32_768;

/** Stacked set functions on h + W_pe·p, with p the positional encoding; then dropout. */
export class LearnedDiffusion implements Diffusion {
  /** The set functions, in order. */
  readonly blocks: readonly SetFunction[];
  /** W_pe. */
  readonly position: Linear | undefined;
  readonly #dropout: Dropout;
  readonly #aggregated: boolean;

  constructor({ hidden, block, depth, dropout, positions, aggregated }: DiffusionLayout, random: Random) {
    this.blocks = Array.from({ length: depth }, (_, i) => blocks[block](hidden, random.split(i)));
    if (positions > 0) this.position = new Linear(positions, hidden, random.split('position'), { bias: false });
    this.#dropout = new Dropout(dropout);
    this.#aggregated = aggregated;
  }

  /** @throws Error when positions were promised and are not given */
  forward(x: Tensor, sets: Grouping, positions: Tensor | undefined, mode: Mode): Tensor {
    if (this.position && !positions) throw new Error('CoNHD: the network reads positions, the input has none');
    if (mode.training || (x.shape[0] as number) <= ROWS_AT_ONCE)
      return this.#dropout.forward(this.#messages(x, sets, positions), mode);
    return bySetsInParts(sets, ROWS_AT_ONCE, 'members', (part, rows) =>
      this.#messages(gatherKnownRows(x, rows), part, positions && gatherKnownRows(positions, rows)),
    );
  }

  #messages(x: Tensor, sets: Grouping, positions: Tensor | undefined): Tensor {
    const coded = this.position && positions ? add(x, this.position.forward(positions)) : x;
    const out = this.blocks.reduce((y, block) => block.forward(y, sets), coded);
    return this.#aggregated ? meanOfSet(out, sets) : out;
  }
}
