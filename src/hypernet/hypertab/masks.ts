// Views of HyperTab: which columns each network of the ensemble sees, and how they are drawn.

import { logisticRegression, logisticScores } from '../../nn/index.js';
import { type Random, scope, tensor } from '../../tensor/index.js';
import type { Rows } from '../tabular/features.js';

/**
 * How the columns of a view are drawn, always without repetition. `uniform`: all alike.
 * `variance-threshold`: uniformly among those whose variance exceeds a threshold.
 * `variance-softmax` and `accuracy-softmax`: one after the other, with probabilities softmax(s/T)
 * over those that are left, s being their variance or the training accuracy of a logistic
 * regression on that column alone; T follows a schedule.
 */
export type MaskDesign = 'uniform' | 'variance-threshold' | 'variance-softmax' | 'accuracy-softmax';

/** What `drawMasks` is told. */
export interface MaskOptions {
  /** How columns are drawn. */
  readonly design: MaskDesign;
  /** ρ: share of the columns in a view, in (0, 1]. */
  readonly subsample: number;
  /** B: number of views. */
  readonly views: number;
  /** Variance that a column must exceed under `variance-threshold`. */
  readonly threshold: number;
  /** T of the first and the last draw of a view under the softmax designs, linear between. */
  readonly temperatures: readonly [number, number];
}

/**
 * B views of m = max(1, ⌊ρ·D⌋) of D columns, each ascending.
 *
 * @param scores for designs other than `uniform`, variance or accuracy of each column
 * @throws Error when fewer than m columns exceed the variance threshold
 */
export function drawMasks(
  columns: number,
  { design, subsample, views, threshold, temperatures }: MaskOptions,
  random: Random,
  scores: ArrayLike<number> = [],
): Int32Array[] {
  const seen = Math.max(1, Math.floor(subsample * columns));
  const all = Array.from({ length: columns }, (_, column) => column);
  const admitted = design === 'variance-threshold' ? all.filter((c) => (scores[c] as number) > threshold) : all;
  if (admitted.length < seen)
    throw new Error(
      `HyperTab: ${admitted.length} of ${columns} columns have a variance above ${threshold}, and a view holds ${seen}; lower the threshold or subsample`,
    );
  return Array.from({ length: views }, (_, b) => {
    const draws = random.split(b);
    const chosen = design.endsWith('softmax')
      ? softmaxSample(scores, seen, temperatures, draws)
      : draws.sample(admitted.length, seen).map((at) => admitted[at] as number);
    return Int32Array.from(chosen).sort();
  });
}

/** k distinct indices, each drawn with probability softmax(s/T) over those that are left. */
function softmaxSample(
  scores: ArrayLike<number>,
  k: number,
  [first, last]: readonly [number, number],
  random: Random,
): number[] {
  const left = Array.from({ length: scores.length }, (_, at) => at);
  return Array.from({ length: k }, (_, draw) => {
    const temperature = k > 1 ? first + ((last - first) * draw) / (k - 1) : first;
    const logits = left.map((at) => (scores[at] as number) / temperature);
    const most = Math.max(...logits);
    const weights = logits.map((logit) => Math.exp(logit - most));
    let rest = random.float() * weights.reduce((sum, weight) => sum + weight, 0);
    let at = 0;
    while (at < left.length - 1 && rest >= (weights[at] as number)) rest -= weights[at++] as number;
    return left.splice(at, 1)[0] as number;
  });
}

/** Variance of each feature over the rows. */
export function variances({ count, width, values }: Rows): Float64Array {
  return Float64Array.from({ length: width }, (_, column) => {
    let [sum, squares] = [0, 0];
    for (let row = 0; row < count; row++) {
      const value = values[row * width + column] as number;
      sum += value;
      squares += value * value;
    }
    return Math.max(0, squares / count - (sum / count) ** 2);
  });
}

/** Training accuracy of a logistic regression on each feature alone. */
export function featureAccuracies({ count, width, values }: Rows, labels: Int32Array, classes: number): Float64Array {
  const oneHot = new Float32Array(count * classes);
  labels.forEach((label, row) => {
    oneHot[row * classes + label] = 1;
  });
  return Float64Array.from({ length: width }, (_, column) =>
    scope(() => {
      const own = Float32Array.from({ length: count }, (_, row) => values[row * width + column] as number);
      const x = tensor(own, [count, 1]);
      const scores = logisticScores(logisticRegression(x, tensor(oneHot, [count, classes]), { iterations: 30 }), x);
      const logits = scores.view();
      let right = 0;
      labels.forEach((label, row) => {
        const row0 = row * classes;
        let best = 0;
        for (let c = 1; c < classes; c++) if ((logits[row0 + c] as number) > (logits[row0 + best] as number)) best = c;
        if (best === label) right += 1;
      });
      return right / count;
    }),
  );
}
