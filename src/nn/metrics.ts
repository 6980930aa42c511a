// Classification metrics over class numbers.

import { argmax, type Tensor } from '../tensor/index.js';

/** The most likely class of each row of logits [n, classes]. */
export function predictedClasses(logits: Tensor): Int32Array {
  const classes = argmax(logits, -1);
  const values = classes.dataSync<Int32Array>();
  classes.dispose();
  return values;
}

/** Share of the rows in `subset` (all when left out) whose prediction is right. */
export function accuracy(predicted: ArrayLike<number>, labels: ArrayLike<number>, subset?: ArrayLike<number>): number {
  const count = subset?.length ?? labels.length;
  let right = 0;
  for (let i = 0; i < count; i++) {
    const row = subset ? (subset[i] as number) : i;
    if (predicted[row] === labels[row]) right += 1;
  }
  return count === 0 ? Number.NaN : right / count;
}

/** Unweighted mean of the classes' F1 = 2·TP / (2·TP + FP + FN), over classes that occur in the labels or predictions of the subset. */
export function macroF1(
  predicted: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  subset?: ArrayLike<number>,
): number {
  const right = new Float64Array(classes);
  const seen = new Float64Array(classes);
  const count = subset?.length ?? labels.length;
  for (let i = 0; i < count; i++) {
    const row = subset ? (subset[i] as number) : i;
    const guess = predicted[row] as number;
    const truth = labels[row] as number;
    if (guess === truth) right[truth] = (right[truth] as number) + 1;
    seen[guess] = (seen[guess] as number) + 1;
    seen[truth] = (seen[truth] as number) + 1;
  }
  const scores = Array.from(seen.keys())
    .filter((c) => seen[c] !== 0)
    .map((c) => (2 * (right[c] as number)) / (seen[c] as number));
  return scores.reduce((total, score) => total + score, 0) / scores.length;
}
