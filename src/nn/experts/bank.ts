// A bank of feed-forward experts with stacked weights, computed by two grouped matrix products.

import { groupedMatmul } from '../../sparse/index.js';
import { multiply, type Random, relu, silu, slice, square, type Tensor } from '../../tensor/index.js';
import { parameter } from '../module.js';
import type { DispatchPlan } from './dispatch.js';

/**
 * Feed-forward function of an expert: `swiglu` W_d(SiLU(W_g x) ⊙ W_u x), `reglu`
 * W_d(ReLU(W_g x) ⊙ W_u x), `relu2` W_d·ReLU(W_u x)².
 */
export type ExpertActivation = 'swiglu' | 'reglu' | 'relu2';

/**
 * Input of the down projection W_d: f(gate) ⊙ up, or ReLU(up)² without a gate. gate = W_g x and
 * up = W_u x, both […, f].
 */
export function activated(activation: ExpertActivation, gate: Tensor | undefined, up: Tensor): Tensor {
  if (!gate) return square(relu(up));
  return multiply(activation === 'reglu' ? relu(gate) : silu(gate), up);
}

/** Experts that process token vectors sorted by expert. */
export interface ExpertSet {
  /** Number of experts E. */
  readonly count: number;
  /** Whether `forward` must be called without rows too, since other ranks wait. Default: false. */
  readonly collective?: boolean;
  /** Outputs of the experts for dispatched rows: [rows, d] → [rows, d]. */
  forward(rows: Tensor, plan: Pick<DispatchPlan, 'segments'>): Tensor;
}

/** Options of an expert bank. */
export interface ExpertBankOptions {
  /** Feed-forward function of the experts. Default: `swiglu`. */
  readonly activation?: ExpertActivation | undefined;
}

/**
 * E feed-forward experts d → f → d (d = `features`, f = `hidden`), weights from
 * U(−1/√fan-in, 1/√fan-in).
 */
export class ExpertBank implements ExpertSet {
  /** [E, 2f, d], the gate's rows before the up projection's; [E, f, d] without a gate. */
  up: Tensor;
  /** [E, d, f]. */
  down: Tensor;
  /** Feed-forward function of all experts. */
  readonly activation: ExpertActivation;

  constructor(
    readonly count: number,
    readonly features: number,
    readonly hidden: number,
    random: Random,
    { activation = 'swiglu' }: ExpertBankOptions = {},
  ) {
    this.activation = activation;
    const rows = activation === 'relu2' ? hidden : 2 * hidden;
    const uniform = (shape: readonly number[], fan: number) =>
      parameter(random.uniform(shape, -1 / Math.sqrt(fan), 1 / Math.sqrt(fan)));
    this.up = uniform([count, rows, features], features);
    this.down = uniform([count, features, hidden], hidden);
  }

  forward(rows: Tensor, { segments }: Pick<DispatchPlan, 'segments'>): Tensor {
    const inner = groupedMatmul(rows, this.up, segments, { transposeB: true });
    return groupedMatmul(this.#activate(inner), this.down, segments, { transposeB: true });
  }

  #activate(inner: Tensor): Tensor {
    if (this.activation === 'relu2') return activated(this.activation, undefined, inner);
    const [gate, up] = [slice(inner, null, [0, this.hidden]), slice(inner, null, [this.hidden, 2 * this.hidden])];
    return activated(this.activation, gate, up);
  }
}
