// Comparison of several methods over several data sets: ranks, and tests of their differences
// (Demšar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 2006).

import { midRanks } from '../../nn/index.js';

/** Ranks from 1, the largest value first; ties share the mean of their places. */
export function ranksOf(values: readonly number[]): number[] {
  return Array.from(
    midRanks(
      values.map((value) => -value),
      1e-9,
    ),
  );
}

/** Mean rank of each method. @param scores by data set, method after method */
export function meanRanks(scores: readonly (readonly number[])[]): number[] {
  const ranks = scores.map(ranksOf);
  return (scores[0] ?? []).map((_, k) => ranks.reduce((sum, own) => sum + (own[k] as number), 0) / ranks.length);
}

/**
 * Friedman's test that k methods rank alike on N data sets: χ² = 12N/(k(k + 1))·(Σ R² − k(k +
 * 1)²/4), with k − 1 degrees of freedom.
 *
 * @param scores by data set, method after method
 */
export function friedman(scores: readonly (readonly number[])[]): { readonly chiSquare: number; readonly p: number } {
  const ranks = meanRanks(scores);
  const k = ranks.length;
  const squares = ranks.reduce((sum, rank) => sum + rank * rank, 0);
  const chiSquare = ((12 * scores.length) / (k * (k + 1))) * (squares - (k * (k + 1) ** 2) / 4);
  return { chiSquare, p: chiSquareTail(chiSquare, k - 1) };
}

/** P(X > x) of a χ² distribution: Q(d/2, x/2) by its recurrence from d = 1 or 2. */
function chiSquareTail(x: number, degrees: number): number {
  const half = x / 2;
  const odd = degrees % 2 === 1;
  // Q(a + 1, h) = Q(a, h) + hᵃ·e⁻ʰ/Γ(a + 1).
  let total = odd ? complementaryError(Math.sqrt(half)) : Math.exp(-half);
  let term = odd ? (Math.sqrt(half) * Math.exp(-half)) / (Math.sqrt(Math.PI) / 2) : half * Math.exp(-half);
  for (let a = odd ? 0.5 : 1; a < degrees / 2; a++) {
    total += term;
    term *= half / (a + 1);
  }
  return Math.min(1, total);
}

/** erfc(x) for x ≥ 0, within 1.2e-7 of itself (Numerical Recipes, Chebyshev fit). */
function complementaryError(x: number): number {
  const t = 1 / (1 + x / 2);
  const fit = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
    0.17087277,
  ].reduceRight((sum, c) => sum * t + c, 0);
  return t * Math.exp(-x * x + fit);
}

/**
 * Two-sided Wilcoxon signed-rank test of paired differences, exact: the share of all sign patterns
 * whose smaller rank sum is at most the one seen. Differences of zero are left out; equal ones
 * share their ranks.
 *
 * @returns p; 1 when no difference is left
 */
export function wilcoxon(differences: readonly number[]): number {
  const kept = differences.filter((difference) => Math.abs(difference) > 1e-9);
  // Twice the ranks by ascending size, which are integers also where ties share them.
  const doubled = ranksOf(kept.map((difference) => -Math.abs(difference))).map((rank) => Math.round(2 * rank));
  const all = doubled.reduce((sum, rank) => sum + rank, 0);
  const positive = doubled.reduce((sum, rank, at) => sum + ((kept[at] as number) > 0 ? rank : 0), 0);
  const seen = Math.min(positive, all - positive);
  // Probability of each sum of the positive ranks, one rank after the other.
  let chances = new Float64Array(all + 1);
  chances[0] = 1;
  for (const rank of doubled)
    chances = chances.map((chance, sum) => (chance + (sum >= rank ? (chances[sum - rank] as number) : 0)) / 2);
  const tail = chances.subarray(0, seen + 1).reduce((sum, chance) => sum + chance, 0);
  return Math.min(1, 2 * tail);
}

/** Holm's correction: the i-th smallest of m p-values times m − i, ascending, at most 1. */
export function holm(ps: readonly number[]): number[] {
  const order = Array.from(ps.keys()).sort((a, b) => (ps[a] as number) - (ps[b] as number));
  const corrected = new Array<number>(ps.length).fill(1);
  let least = 0;
  for (const [place, at] of order.entries()) {
    least = Math.min(1, Math.max(least, (ps.length - place) * (ps[at] as number)));
    corrected[at] = least;
  }
  return corrected;
}
