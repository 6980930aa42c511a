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
  /**
   * Most slots that an expert accepts, in token order; further tokens lose that slot. One number for
   * the dispatched experts, or one per expert, those that are not dispatched included. Default: no
   * limit.
   */
  readonly capacity?: number | ArrayLike<number>;
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
  /** Slots dropped since their expert was at capacity, by expert. */
  readonly dropped: Int32Array;
  /** 1 for slots [T·k] that their expert accepted, 0 for dropped ones; undefined if none was. */
  readonly accepted: Uint8Array | undefined;

  /** @param choices experts of each token: i32 [T, k] */
  constructor(
    choices: Tensor,
    readonly count: number,
    { capacity = Number.POSITIVE_INFINITY }: DispatchOptions = {},
  ) {
    const k = choices.shape[1] as number;
    const experts = choices.view<Int32Array>();
    const capacities = typeof capacity === 'number' ? new Float64Array(count).fill(capacity) : capacity;
    const sizes = new Int32Array(capacities.length);
    const accepted = new Uint8Array(experts.length).fill(1);
    this.dropped = new Int32Array(capacities.length);
    for (let slot = 0; slot < experts.length; slot++) {
      const expert = experts[slot] as number;
      if (expert >= capacities.length) continue;
      if ((sizes[expert] as number) < (capacities[expert] as number)) sizes[expert] = (sizes[expert] as number) + 1;
      else {
        this.dropped[expert] = (this.dropped[expert] as number) + 1;
        accepted[slot] = 0;
      }
    }
    this.accepted = this.dropped.some((slots) => slots > 0) ? accepted : undefined;
    this.segments = Segments.fromSizes(sizes.subarray(0, count));
    const next = this.segments.offsets.slice(0, count);
    const slots = new Int32Array(this.segments.size);
    const tokens = new Int32Array(this.segments.size);
    for (let slot = 0; slot < experts.length; slot++) {
      const expert = experts[slot] as number;
      if (expert >= count || accepted[slot] === 0) continue;
      const row = next[expert] as number;
      next[expert] = row + 1;
      slots[row] = slot;
      tokens[row] = Math.floor(slot / k);
    }
    this.slots = tensor(slots);
    this.tokens = tensor(tokens);
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
