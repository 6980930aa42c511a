// Functions of sets by their means.

import { Linear } from '../../nn/index.js';
import { spmm } from '../../sparse/index.js';
import type { Grouping } from '../../structure/index.js';
import { add, gatherKnownRows, multiply, type Random, relu, type Tensor } from '../../tensor/index.js';
import type { SetFunction } from './set-function.js';

/**
 * UNB: outᵢ = MLP₂([xᵢ ‖ meanⱼ MLP₁(xⱼ)]) with j over the set of i; each MLP is linear → ReLU →
 * linear.
 */
export class MeanBlock implements SetFunction {
  /** MLP₁. */
  readonly message: readonly [Linear, Linear];
  /** Part of the first layer of MLP₂ that reads xᵢ. */
  readonly own: Linear;
  /** Part of the first layer of MLP₂ that reads the set's mean, applied once for each set. */
  readonly mean: Linear;
  /** Second layer of MLP₂. */
  readonly output: Linear;

  constructor(features: number, random: Random) {
    const layer = (label: string, bias = true) => new Linear(features, features, random.split(label), { bias });
    this.message = [layer('message 1'), layer('message 2')];
    this.own = layer('own');
    this.mean = layer('mean', false);
    this.output = layer('output');
  }

  forward(x: Tensor, sets: Grouping): Tensor {
    const messages = this.message[1].forward(this.message[0].forward(x, 'relu'));
    const means = this.mean.forward(spmm(sets.means, messages)); // (sets, d)
    return this.output.forward(relu(add(this.own.forward(x), gatherKnownRows(means, sets.ids))));
  }
}

/**
 * Replaces every member of a set by the mean of the set: all that networks which aggregate a set to
 * one vector can represent. x [nnz, d] → [nnz, d].
 */
export function meanOfSet(x: Tensor, sets: Grouping): Tensor {
  return gatherKnownRows(spmm(sets.means, x), sets.ids);
}

/**
 * Gradient hᵢ − mean(h) of the quadratic structural regulariser Ω(H) = ½·Σᵢ‖hᵢ − mean(h)‖² =
 * Σ_{i<j}‖hᵢ − hⱼ‖²/(2·|set|). x [nnz, d] → [nnz, d].
 */
export function cliqueGradient(x: Tensor, sets: Grouping): Tensor {
  return add(x, multiply(meanOfSet(x, sets), -1));
}

/**
 * Proximal map (x + c·mean(x))/(1 + c) of c times the quadratic structural regulariser. x [nnz, d]
 * → [nnz, d].
 */
export function cliqueProximal(x: Tensor, sets: Grouping, c: number): Tensor {
  return multiply(add(x, multiply(meanOfSet(x, sets), c)), 1 / (1 + c));
}
