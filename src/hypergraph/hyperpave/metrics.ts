// Metrics of rankings of attribute values by product.

import { averagePrecision } from '../../nn/index.js';

/** Scores of products, each a row over all values. */
export interface ProductScores {
  /** Numbers of the products. */
  readonly products: Int32Array;
  /** Scores [products, values]. */
  readonly scores: Float32Array;
  /** Number of values. */
  readonly values: number;
}

/** The scores of the product at a place. */
export function scoresOf({ scores, values }: ProductScores, at: number): Float32Array {
  return scores.subarray(at * values, (at + 1) * values);
}

/**
 * Mean over products of the average precision of their values among the candidates; products that
 * have none of the candidates are left out. NaN when all are.
 *
 * @param labels values of each product of the catalogue
 */
export function meanAveragePrecision(
  scored: ProductScores,
  labels: readonly Int32Array[],
  candidates: Int32Array,
): number {
  let [total, count] = [0, 0];
  scored.products.forEach((product, at) => {
    const own = new Set(labels[product]);
    const truth = Uint8Array.from(candidates, (value) => Number(own.has(value)));
    if (!truth.includes(1)) return;
    const row = scoresOf(scored, at);
    total += averagePrecision(
      Float32Array.from(candidates, (value) => row[value] as number),
      truth,
    );
    count += 1;
  });
  return total / count;
}

/** The k candidates of the largest scores, the first of equals. */
export function topValues(
  row: Float32Array,
  k: number,
  candidates: ArrayLike<number> = Int32Array.from(row.keys()),
): number[] {
  return Array.from(candidates)
    .sort((a, b) => (row[b] as number) - (row[a] as number) || a - b)
    .slice(0, k);
}

/**
 * Recall at k: the mean over products of the share of their values, of those that `counted` names,
 * that are among the k values of the largest scores. Products without such values are left out.
 */
export function recallAt(
  k: number,
  scored: ProductScores,
  labels: readonly Int32Array[],
  counted: (product: number, value: number) => boolean = () => true,
): number {
  let [total, count] = [0, 0];
  scored.products.forEach((product, at) => {
    const own = Array.from(labels[product] as Int32Array).filter((value) => counted(product, value));
    if (own.length === 0) return;
    const top = new Set(topValues(scoresOf(scored, at), k));
    total += own.filter((value) => top.has(value)).length / own.length;
    count += 1;
  });
  return total / count;
}

/** F1 of one value over products. */
export interface ValueF1 {
  /** Number of the value. */
  readonly value: number;
  /** Number of products that have it. */
  readonly support: number;
  /** 2·TP / (2·TP + FP + FN). */
  readonly f1: number;
}

/**
 * F1 of each candidate that some product has or is said to have, where a value is predicted as
 * `predicted` says.
 */
export function valueF1(
  products: Int32Array,
  labels: readonly Int32Array[],
  candidates: Int32Array,
  predicted: (at: number, value: number) => boolean,
): ValueF1[] {
  const sets = Array.from(products, (product) => new Set(labels[product]));
  return Array.from(candidates).flatMap((value) => {
    let [both, either, support] = [0, 0, 0];
    sets.forEach((own, at) => {
      const [has, says] = [own.has(value), predicted(at, value)];
      support += Number(has);
      both += Number(has && says);
      either += Number(has) + Number(says);
    });
    return either === 0 ? [] : [{ value, support, f1: (2 * both) / either }];
  });
}

/** The mean F1 over values. */
export function macroF1Of(values: readonly ValueF1[]): number {
  return values.reduce((sum, { f1 }) => sum + f1, 0) / values.length;
}

/**
 * The threshold of the best macro-F1 over the candidates, among the scores of the products; a value
 * is predicted where its score is at least the threshold.
 *
 * @param most thresholds tried, quantiles of the scores. Default: 100.
 */
export function bestThreshold(
  scored: ProductScores,
  labels: readonly Int32Array[],
  candidates: Int32Array,
  most = 100,
): number {
  const all = Float32Array.from(
    Array.from(scored.products.keys()).flatMap((at) =>
      Array.from(candidates, (value) => scoresOf(scored, at)[value] as number),
    ),
  ).sort();
  let best = { threshold: all[0] ?? 0, f1: Number.NEGATIVE_INFINITY };
  for (let step = 0; step < most; step++) {
    const threshold = all[Math.floor((step * all.length) / most)] as number;
    const f1 = macroF1Of(
      valueF1(scored.products, labels, candidates, (at, value) => (scoresOf(scored, at)[value] as number) >= threshold),
    );
    if (f1 > best.f1) best = { threshold, f1 };
  }
  return best.threshold;
}
