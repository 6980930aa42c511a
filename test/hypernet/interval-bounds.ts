// Weights against their bounds.

import type { IntervalWeights } from '../../src/hypernet/index.js';
import type { Weights } from '../../src/nn/index.js';
import type { Tensor } from '../../src/tensor/index.js';

/** The numbers of all weights. */
export const values = (weights: Weights) => Object.values(weights).map((weight) => weight.view());

/** How far values lie outside their bounds, at most. */
const outside = (inner: ArrayLike<number>, low: ArrayLike<number>, high: ArrayLike<number>) =>
  Array.from(inner).reduce((most, v, i) => Math.max(most, (low[i] as number) - v, v - (high[i] as number)), -1);

/** The same of one weight by name. */
export const outsideOf = (weight: Tensor, { lower, upper }: IntervalWeights, name: string) =>
  outside(weight.view(), (lower[name] as Tensor).view(), (upper[name] as Tensor).view());
