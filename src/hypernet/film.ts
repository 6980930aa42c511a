// FiLM: feature-wise linear modulation (Perez, Strub, de Vries, Dumoulin, Courville, "FiLM: Visual
// Reasoning with a General Conditioning Layer", AAAI 2018).

import { parameter } from '../nn/index.js';
import { add, multiply, ones, type Tensor, zeros } from '../tensor/index.js';

/**
 * y = γ·x + β for each channel. A hypernetwork that generates the parameters of these layers alone
 * (`select: { layers: FiLM }`) modulates a network by its condition; with `residual: 'target'` it
 * starts from the identity.
 *
 * **Shapes**: x [n, C, h, w] → [n, C, h, w].
 */
export class FiLM {
  /** γ [C, 1, 1], at first 1. */
  scale: Tensor;
  /** β [C, 1, 1], at first 0. */
  shift: Tensor;

  constructor(readonly channels: number) {
    this.scale = parameter(ones([channels, 1, 1]));
    this.shift = parameter(zeros([channels, 1, 1]));
  }

  /** γ ⊙ x + β, channel by channel. */
  forward(x: Tensor): Tensor {
    return add(multiply(x, this.scale), this.shift);
  }
}
