// The load-balancing term of sparse hyperedge selection.

import {
  add,
  divide,
  mean,
  multiply,
  oneHot,
  softmax,
  sqrt,
  square,
  stopGradient,
  straightThrough,
  subtract,
  sum,
  type Tensor,
  variance,
} from '../tensor/index.js';

/** What the term depends on beside the scores. */
export interface BalanceOptions {
  /** Hyperedges that each image uses. */
  readonly k: number;
  /** Weight of the term. */
  readonly balance: number;
  /** `none`: a constant, without gradient. */
  readonly gradient: 'straight-through' | 'none';
}

/**
 * balance · (1/M)·Σₘ (pₘ − k/M)², where pₘ is the share of images that use hyperedge m.
 *
 * The share is a step function of the scores u. Its gradient is that of the mean over images of
 * k·softmaxₘ(u/τ), τ the deviation of the image's scores plus 1e-6 (straight-through).
 *
 * @param scores u [B, M]
 * @param positions the k hyperedges of each image: i32 [B, k]
 */
export function selectionBalance(scores: Tensor, positions: Tensor, { k, balance, gradient }: BalanceOptions): Tensor {
  const count = scores.shape[1] as number;
  const used = mean(sum(oneHot(positions, count), 1), 0); // [M]
  const shares = gradient === 'none' ? used : straightThrough(used, softShares(scores, k));
  return multiply(mean(square(subtract(shares, k / count))), balance);
}

/** The mean over images of k·softmax(u/τ): [M]. */
function softShares(scores: Tensor, k: number): Tensor {
  const temperature = stopGradient(add(sqrt(variance(scores, 1, { keepAxes: true })), 1e-6));
  return multiply(mean(softmax(divide(scores, temperature)), 0), k);
}

/** How often the hyperedges of a set of images are used. */
export interface HyperedgeUsage {
  /**
   * −Σₘ p̄ₘ·ln p̄ₘ of the shares of use, p̄ summing to 1; at most ln M, when all are used alike.
   */
  readonly entropy: number;
  /** Hyperedges that no image uses. */
  readonly dead: number;
}

/**
 * Usage of hyperedges `first` … `first + count − 1`.
 *
 * @param numbers of the hyperedges that images use, those outside the range left out
 */
export function hyperedgeUsage(numbers: Iterable<number>, first: number, count: number): HyperedgeUsage {
  const uses = new Float64Array(count);
  for (const number of numbers)
    if (number >= first && number < first + count) uses[number - first] = (uses[number - first] as number) + 1;
  const total = uses.reduce((a, b) => a + b, 0);
  const entropy = uses.reduce((sum, own) => (own > 0 ? sum - (own / total) * Math.log(own / total) : sum), 0);
  return { entropy, dead: uses.filter((own) => own === 0).length };
}
