// Dropout (Srivastava et al. 2014).

import { dropout, multiply, ones, type Tensor } from '../tensor/index.js';
import { type Mode, randomOf } from './module.js';

/**
 * In training, zeroes each element with probability p (default 0.5) and scales the others by
 * 1/(1 − p); the identity in inference.
 *
 * @throws RangeError unless 0 ≤ p < 1.
 */
export class Dropout {
  constructor(readonly p = 0.5) {
    if (!(p >= 0 && p < 1)) throw new RangeError(`Dropout: expected 0 ≤ p < 1, got ${p}`);
  }

  /**
   * x of any shape → the same shape.
   *
   * @throws Error in training when `mode` has no random stream.
   */
  forward(x: Tensor, mode: Mode): Tensor {
    return mode.training && this.p > 0 ? dropout(x, this.p, randomOf(mode, 'Dropout').next()) : x;
  }
}

/**
 * In training, zeroes whole channels of images with probability p (default 0.5) and scales the
 * others by 1/(1 − p); the identity in inference (Tompson et al. 2015).
 *
 * @throws RangeError unless 0 ≤ p < 1.
 */
export class Dropout2d extends Dropout {
  /**
   * x [n, channels, h, w] → the same shape.
   *
   * @throws Error in training when `mode` has no random stream.
   */
  override forward(x: Tensor, mode: Mode): Tensor {
    if (!mode.training || this.p === 0) return x;
    return multiply(x, super.forward(ones([...x.shape.slice(0, 2), 1, 1]), mode));
  }
}

/**
 * Stochastic depth: in training drops a residual branch of random images with probability p and
 * scales the others by 1/(1 − p); the identity in inference (Huang et al. 2016).
 *
 * @throws RangeError unless 0 ≤ p < 1.
 */
export class StochasticDepth extends Dropout {
  /**
   * x [n, …] → the same shape.
   *
   * @throws Error in training when `mode` has no random stream.
   */
  override forward(x: Tensor, mode: Mode): Tensor {
    if (!mode.training || this.p === 0) return x;
    return multiply(x, super.forward(ones([x.shape[0] as number, ...x.shape.slice(1).map(() => 1)]), mode));
  }
}
