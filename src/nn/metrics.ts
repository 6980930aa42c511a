// Classification metrics of class indices and scores.

import { argmax, type Tensor } from '../tensor/index.js';

/** Argmax of each row of logits: [n, classes] → [n]. */
export function predictedClasses(logits: Tensor): Int32Array {
  const classes = argmax(logits, -1);
  const values = classes.dataSync<Int32Array>();
  classes.dispose();
  return values;
}

/** Share of correct predictions among the rows in `subset`. Default: all rows; NaN for none. */
export function accuracy(predicted: ArrayLike<number>, labels: ArrayLike<number>, subset?: ArrayLike<number>): number {
  const count = subset?.length ?? labels.length;
  let right = 0;
  for (let i = 0; i < count; i++) {
    const row = subset ? (subset[i] as number) : i;
    if (predicted[row] === labels[row]) right += 1;
  }
  return count === 0 ? Number.NaN : right / count;
}

/** F1 = 2·TP / (2·TP + FP + FN) of each class, and the rows labelled and predicted as it. */
function perClassF1(
  predicted: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  subset?: ArrayLike<number>,
): { readonly scores: Float64Array; readonly labelled: Float64Array; readonly seen: Float64Array } {
  const [right, labelled, seen] = [0, 1, 2].map(() => new Float64Array(classes)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const count = subset?.length ?? labels.length;
  for (let i = 0; i < count; i++) {
    const row = subset ? (subset[i] as number) : i;
    const guess = predicted[row] as number;
    const truth = labels[row] as number;
    if (guess === truth) right[truth] = (right[truth] as number) + 1;
    seen[guess] = (seen[guess] as number) + 1;
    seen[truth] = (seen[truth] as number) + 1;
    labelled[truth] = (labelled[truth] as number) + 1;
  }
  return { scores: right.map((value, c) => (2 * value) / (seen[c] as number)), labelled, seen };
}

/**
 * Unweighted mean of the per-class F1 = 2·TP / (2·TP + FP + FN), over classes that occur in the
 * labels or predictions of `subset` (default: all rows).
 */
export function macroF1(
  predicted: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  subset?: ArrayLike<number>,
): number {
  const { scores, seen } = perClassF1(predicted, labels, classes, subset);
  const own = Array.from(scores).filter((_, c) => seen[c] !== 0);
  return own.reduce((total, score) => total + score, 0) / own.length;
}

/** Mean of the per-class F1, each class weighing as much as it has rows; NaN without rows. */
export function weightedF1(predicted: ArrayLike<number>, labels: ArrayLike<number>, classes: number): number {
  const { scores, labelled } = perClassF1(predicted, labels, classes);
  const total = scores.reduce(
    (sum, score, c) => ((labelled[c] as number) > 0 ? sum + score * (labelled[c] as number) : sum),
    0,
  );
  return total / labels.length;
}

/**
 * Area under the ROC curve: probability that a positive (label 1) scores above a negative, ties
 * counting ½. NaN when either class is missing.
 */
export function areaUnderCurve(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const order = Array.from({ length: scores.length }, (_, i) => i).sort(
    (a, b) => (scores[a] as number) - (scores[b] as number),
  );
  let positives = 0;
  let rankSum = 0;
  for (let i = 0; i < order.length; ) {
    let end = i;
    while (end < order.length && scores[order[end] as number] === scores[order[i] as number]) end += 1;
    for (let j = i; j < end; j++)
      if (labels[order[j] as number] === 1) {
        positives += 1;
        rankSum += (i + 1 + end) / 2;
      }
    i = end;
  }
  const negatives = order.length - positives;
  return positives === 0 || negatives === 0
    ? Number.NaN
    : (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/**
 * Hits@k: share of the positives (label 1) that score above the k-th best negative; 1 where there
 * are fewer than k negatives. NaN without positives.
 */
export function hitsAtRank(scores: ArrayLike<number>, labels: ArrayLike<number>, k: number): number {
  const of = (label: boolean) =>
    Array.from({ length: scores.length }, (_, i) => i)
      .filter((i) => (labels[i] === 1) === label)
      .map((i) => scores[i] as number);
  const positives = of(true);
  const least = of(false).sort((a, b) => b - a)[k - 1] ?? Number.NEGATIVE_INFINITY;
  return positives.length === 0 ? Number.NaN : positives.filter((score) => score > least).length / positives.length;
}

/**
 * Average precision: Σ over score thresholds of (increase in recall)·precision; rows of equal score
 * share one threshold. Positives have label 1.
 */
export function averagePrecision(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const order = Array.from({ length: scores.length }, (_, i) => i).sort(
    (a, b) => (scores[b] as number) - (scores[a] as number),
  );
  const positives = order.reduce((count, i) => count + Number(labels[i] === 1), 0);
  let [found, total] = [0, 0];
  for (let i = 0; i < order.length; ) {
    let end = i;
    let atThreshold = 0;
    while (end < order.length && scores[order[end] as number] === scores[order[i] as number])
      atThreshold += Number(labels[order[end++] as number] === 1);
    found += atThreshold;
    total += (atThreshold / positives) * (found / end);
    i = end;
  }
  return total;
}

/** Balanced accuracy: mean recall over the classes that occur in the labels. */
export function balancedAccuracy(predicted: ArrayLike<number>, labels: ArrayLike<number>, classes: number): number {
  const right = new Int32Array(classes);
  const all = new Int32Array(classes);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number;
    all[label] = (all[label] as number) + 1;
    if (predicted[i] === label) right[label] = (right[label] as number) + 1;
  }
  const recalls = Array.from(all.keys())
    .filter((c) => all[c])
    .map((c) => (right[c] as number) / (all[c] as number));
  return recalls.reduce((a, b) => a + b, 0) / recalls.length;
}

/**
 * Confusion matrix [classes, classes], row-major: how often a class (row) is predicted as another
 * (column).
 */
export function confusionMatrix(predicted: ArrayLike<number>, labels: ArrayLike<number>, classes: number): Int32Array {
  const counts = new Int32Array(classes * classes);
  for (let i = 0; i < labels.length; i++) {
    const at = (labels[i] as number) * classes + (predicted[i] as number);
    counts[at] = (counts[at] as number) + 1;
  }
  return counts;
}
