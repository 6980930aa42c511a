// Experts whose matrices are sums of a low-rank and a row-sparse part, W = L·R + S (LoSparse: Li et
// al., ICML 2023).

import { groupedMatmul, type Segments } from '../../sparse/index.js';
import { add, type Tensor, zeros } from '../../tensor/index.js';
import { parameter } from '../module.js';
import { activated, type ExpertActivation, type ExpertSet } from './bank.js';
import type { DispatchPlan } from './dispatch.js';

/** Sizes of a bank of low-rank experts. */
export interface LowRankBankOptions {
  /** Rank r of each matrix: gate, up projection, down projection. */
  readonly rank: number;
  /** Feed-forward function of the experts. Default: `swiglu`. */
  readonly activation?: ExpertActivation | undefined;
}

/**
 * m feed-forward experts d → f → d whose matrices are L·R + S. S is dense here, with rows of zeros
 * where it was pruned; all weights start at 0.
 */
export class LowRankBank implements ExpertSet {
  /** L of the gate [m, f, r]; undefined without a gate. */
  gateLeft: Tensor | undefined;
  /** R of the gate [m, r, d]; undefined without a gate. */
  gateRight: Tensor | undefined;
  /** S of the gate [m, f, d]; undefined without a gate. */
  gateSparse: Tensor | undefined;
  /** L of the up projection [m, f, r]. */
  upLeft: Tensor;
  /** R of the up projection [m, r, d]. */
  upRight: Tensor;
  /** S of the up projection [m, f, d]. */
  upSparse: Tensor;
  /** L of the down projection [m, d, r]. */
  downLeft: Tensor;
  /** R of the down projection [m, r, f]. */
  downRight: Tensor;
  /** S of the down projection [m, d, f]. */
  downSparse: Tensor;
  /** Feed-forward function of all experts. */
  readonly activation: ExpertActivation;

  /** @throws RangeError unless the rank is from 1 to the smaller of d and f. */
  constructor(
    readonly count: number,
    readonly features: number,
    readonly hidden: number,
    { rank, activation = 'swiglu' }: LowRankBankOptions,
  ) {
    const largest = Math.min(features, hidden);
    if (!(Number.isInteger(rank) && rank >= 1 && rank <= largest))
      throw new RangeError(`LowRankBank: the rank must be from 1 to ${largest}, got ${rank}`);
    this.activation = activation;
    const empty = (rows: number, columns: number) => parameter(zeros([count, rows, columns]));
    if (activation !== 'relu2') {
      this.gateLeft = empty(hidden, rank);
      this.gateRight = empty(rank, features);
      this.gateSparse = empty(hidden, features);
    }
    this.upLeft = empty(hidden, rank);
    this.upRight = empty(rank, features);
    this.upSparse = empty(hidden, features);
    this.downLeft = empty(features, rank);
    this.downRight = empty(rank, hidden);
    this.downSparse = empty(features, hidden);
  }

  forward(rows: Tensor, { segments }: Pick<DispatchPlan, 'segments'>): Tensor {
    const gate =
      this.gateLeft && product(rows, this.gateLeft, this.gateRight as Tensor, this.gateSparse as Tensor, segments);
    const up = product(rows, this.upLeft, this.upRight, this.upSparse, segments);
    const inner = activated(this.activation, gate, up);
    return product(inner, this.downLeft, this.downRight, this.downSparse, segments);
  }
}

/** (L·R + S)·x for the rows x of each expert. */
function product(x: Tensor, left: Tensor, right: Tensor, sparse: Tensor, segments: Segments): Tensor {
  const grouped = (rows: Tensor, w: Tensor) => groupedMatmul(rows, w, segments, { transposeB: true });
  return add(grouped(grouped(x, right), left), grouped(x, sparse));
}
