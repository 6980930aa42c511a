// Dropout (Srivastava et al. 2014).

import { dropout, type Tensor } from '../tensor/index.js';
import { type Mode, randomOf } from './module.js';

/** When training, zeroes each element with probability p and scales the rest by 1/(1 − p); else the identity. */
export class Dropout {
  constructor(readonly p = 0.5) {
    if (!(p >= 0 && p < 1)) throw new RangeError(`Dropout: expected 0 ≤ p < 1, got ${p}`);
  }

  forward(x: Tensor, mode: Mode): Tensor {
    return mode.training && this.p > 0 ? dropout(x, this.p, randomOf(mode, 'Dropout').next()) : x;
  }
}
