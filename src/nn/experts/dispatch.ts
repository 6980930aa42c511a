// The dispatch plan of a mixture of experts: token vectors sorted by expert, and the weighted sum
// that returns the outputs to their tokens.

import { Segments } from '../../sparse/index.js';
import {
  gatherKnownRows,
  gatherRows,
  multiply,
  reshape,
  scatterAddRows,
  type Tensor,
  tensor,
} from '../../tensor/index.js';

/** Options of a dispatch plan. */
export interface DispatchOptions {
  /** Most rows that an expert accepts; further tokens lose that slot. Default: no limit. */
  readonly capacity?: number;
}

/**
 * Dispatch of one batch to experts 0 … count − 1. Slots with other expert numbers are not
 * dispatched.
 */
export class DispatchPlan {
  /** Rows of each expert, in token order. */
  readonly segments: Segments;
  /** Token of each row: i32 [rows]. */
  readonly tokens: Tensor;
  /** Slot of each row, token·k + j for the token's j-th expert: i32 [rows]. */
  readonly slots: Tensor;
  /** Slots dropped since their expert was at capacity. */
  readonly dropped: number;

  /** @param choices experts of each token: i32 [T, k] */
  constructor(
    choices: Tensor,
    readonly count: number,
    { capacity = Number.POSITIVE_INFINITY }: DispatchOptions = {},
  ) {
    const k = choices.shape[1] as number;
    const experts = choices.view<Int32Array>();
    const sizes = new Int32Array(count);
    const kept = new Int32Array(experts.length).fill(-1);
    let dropped = 0;
    for (let slot = 0; slot < experts.length; slot++) {
      const expert = experts[slot] as number;
      if (expert >= count) continue;
      const before = sizes[expert] as number;
      if (before >= capacity) dropped += 1;
      else {
        sizes[expert] = before + 1;
        kept[slot] = expert;
      }
    }
    this.segments = Segments.fromSizes(sizes);
    const next = this.segments.offsets.slice(0, count);
    const slots = new Int32Array(this.segments.size);
    const tokens = new Int32Array(this.segments.size);
    for (let slot = 0; slot < kept.length; slot++) {
      const expert = kept[slot] as number;
      if (expert < 0) continue;
      const row = next[expert] as number;
      next[expert] = row + 1;
      slots[row] = slot;
      tokens[row] = Math.floor(slot / k);
    }
    this.slots = tensor(slots);
    this.tokens = tensor(tokens);
    this.dropped = dropped;
  }

  /** Number of dispatched rows. */
  get size(): number {
    return this.segments.size;
  }

  /** Token vectors [T, d] in dispatch order: [rows, d]. */
  gather(x: Tensor): Tensor {
    return gatherKnownRows(x, this.tokens);
  }

  /** Σ of gate·output over the rows of each token: results [rows, d], gates [T, k] → [T, d]. */
  combine(results: Tensor, gates: Tensor): Tensor {
    const rowGates = gatherRows(reshape(gates, [-1, 1]), this.slots);
    return scatterAddRows(multiply(results, rowGates), this.tokens, gates.shape[0] as number);
  }
}
