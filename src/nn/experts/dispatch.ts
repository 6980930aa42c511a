// The dispatch plan, which every system with experts shares: rows of tokens sorted by expert, and the way back.

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

export interface DispatchOptions {
  /** Most rows that an expert takes; later tokens lose that slot. */
  readonly capacity?: number;
}

/** Rows of one batch for experts 0 … count − 1; other numbers in the choice are not dispatched. */
export class DispatchPlan {
  /** Rows of each expert, in the order of their tokens. */
  readonly segments: Segments;
  /** The token of each row. */
  readonly tokens: Tensor;
  /** Which of its token's choices each row is: token·k + j. */
  readonly slots: Tensor;
  /** Slots that found no room. */
  readonly dropped: number;

  /** @param choices i32 [T, k] */
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

  /** Rows to compute. */
  get size(): number {
    return this.segments.size;
  }

  /** The tokens' vectors [T, d], sorted by expert: [rows, d]. */
  gather(x: Tensor): Tensor {
    return gatherKnownRows(x, this.tokens);
  }

  /** Σ over a token's rows of gate·result: results [rows, d], gates [T, k] → [T, d]. */
  combine(results: Tensor, gates: Tensor): Tensor {
    const own = gatherRows(reshape(gates, [-1, 1]), this.slots);
    return scatterAddRows(multiply(results, own), this.tokens, gates.shape[0] as number);
  }
}
