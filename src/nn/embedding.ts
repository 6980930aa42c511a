// Learned vectors by index.

import { gatherRows, type Random, type Tensor } from '../tensor/index.js';
import { parameter } from './module.js';

/** y = W[indices]: W [count, features] drawn from N(0, 1); indices i32 [·] → [·, features]. */
export class Embedding {
  weight: Tensor;

  constructor(
    readonly count: number,
    readonly features: number,
    random: Random,
  ) {
    this.weight = parameter(random.normal([count, features]));
  }

  forward(indices: Tensor): Tensor {
    return gatherRows(this.weight, indices);
  }
}
