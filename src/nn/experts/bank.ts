// Feed-forward experts with their weights stacked, so that all run in two grouped products.

import { groupedMatmul } from '../../sparse/index.js';
import { multiply, type Random, relu, silu, slice, square, type Tensor } from '../../tensor/index.js';
import { parameter } from '../module.js';
import type { DispatchPlan } from './dispatch.js';

/** `swiglu`: W_d(SiLU(W_g x) ⊙ W_u x); `reglu`: with ReLU; `relu2`: W_d·ReLU(W_u x)². */
export type ExpertActivation = 'swiglu' | 'reglu' | 'relu2';

/** What goes into W_d: f(W_g x) ⊙ W_u x, or without a gate ReLU(W_u x)². */
export function activated(activation: ExpertActivation, gate: Tensor | undefined, up: Tensor): Tensor {
  if (!gate) return square(relu(up));
  return multiply(activation === 'reglu' ? relu(gate) : silu(gate), up);
}

/** Experts that compute the rows which a plan sorted. */
export interface ExpertSet {
  readonly count: number;
  /** Results of a plan's rows [rows, d] → [rows, d]. */
  forward(rows: Tensor, plan: Pick<DispatchPlan, 'segments'>): Tensor;
}

export interface ExpertBankOptions {
  /** Default: `swiglu`. */
  readonly activation?: ExpertActivation | undefined;
}

/** E experts d → f → d. */
export class ExpertBank implements ExpertSet {
  /** [E, 2f, d], gate then up; [E, f, d] without a gate. */
  up: Tensor;
  /** [E, d, f] */
  down: Tensor;
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
