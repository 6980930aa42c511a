// Embedding tables.

import { gatherRows, type Random, type Tensor } from '../tensor/index.js';
import { parameter } from './module.js';

/**
 * Embedding table of `count` vectors with `features` components: y = W[indices], W drawn from
 * N(0, 1).
 */
export class Embedding {
  /** [count, features]. */
  weight: Tensor;

  constructor(
    readonly count: number,
    readonly features: number,
    random: Random,
  ) {
    this.weight = parameter(random.normal([count, features]));
  }

  /** indices i32 […] → […, features]. */
  forward(indices: Tensor): Tensor {
    return gatherRows(this.weight, indices);
  }
}
