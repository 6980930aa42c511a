// Predictive uncertainty of a distribution over networks: averages predictions, not weights.

import { scope, type Tensor } from '../tensor/index.js';

/**
 * Predictive distribution of a classifier with its entropy decomposed; entropies in nats, one for
 * each row.
 */
export interface PredictiveClasses {
  /** Mean of the sampled probabilities [n, classes], row-major. */
  readonly probabilities: Float64Array;
  /** Entropy of the mean prediction: aleatoric + epistemic. */
  readonly total: Float64Array;
  /** Mean entropy of the sampled predictions, which more data would not reduce. */
  readonly aleatoric: Float64Array;
  /** Mutual information of prediction and network: the disagreement of the networks. */
  readonly epistemic: Float64Array;
}

const entropyTerm = (p: number) => (p > 0 ? -p * Math.log(p) : 0);

/**
 * Averages class probabilities over sampled networks and decomposes their entropy.
 *
 * @param sample draws a network and returns its probabilities [n, classes]
 * @param samples number of draws
 */
export function predictiveClasses(sample: (draw: number) => Tensor, samples: number): PredictiveClasses {
  let [rows, classes] = [0, 0];
  let probabilities = new Float64Array(0);
  let aleatoric = new Float64Array(0);
  for (let draw = 0; draw < samples; draw++)
    scope(() => {
      const drawn = sample(draw);
      if (draw === 0) {
        [rows, classes] = drawn.shape as [number, number];
        probabilities = new Float64Array(rows * classes);
        aleatoric = new Float64Array(rows);
      }
      drawn.view().forEach((p, at) => {
        probabilities[at] = (probabilities[at] as number) + p / samples;
        const row = Math.floor(at / classes);
        aleatoric[row] = (aleatoric[row] as number) + entropyTerm(p) / samples;
      });
    });
  const total = new Float64Array(rows);
  probabilities.forEach((p, at) => {
    const row = Math.floor(at / classes);
    total[row] = (total[row] as number) + entropyTerm(p);
  });
  return {
    probabilities,
    total,
    aleatoric,
    epistemic: total.map((entropy, row) => entropy - (aleatoric[row] as number)),
  };
}

/** Predictive mean and variance of a regression, one for each row. */
export interface PredictiveValues {
  /** Mean prediction over the sampled networks. */
  readonly mean: Float64Array;
  /** Variance of the prediction: aleatoric + epistemic. */
  readonly total: Float64Array;
  /** Mean of the variances that the networks predict; 0 if they predict none. */
  readonly aleatoric: Float64Array;
  /** Variance of the predicted means. */
  readonly epistemic: Float64Array;
}

/**
 * Averages regression outputs over sampled networks and decomposes their variance.
 *
 * @param sample draws a network and returns its means [n] and, where it predicts them, variances
 * [n]
 * @param samples number of draws
 */
export function predictiveValues(
  sample: (draw: number) => { readonly mean: Tensor; readonly variance?: Tensor },
  samples: number,
): PredictiveValues {
  let sums = new Float64Array(0);
  let squares = new Float64Array(0);
  let noise = new Float64Array(0);
  for (let draw = 0; draw < samples; draw++)
    scope(() => {
      const { mean, variance } = sample(draw);
      if (draw === 0)
        [sums, squares, noise] = [mean, mean, mean].map(({ size }) => new Float64Array(size)) as [
          Float64Array<ArrayBuffer>,
          Float64Array<ArrayBuffer>,
          Float64Array<ArrayBuffer>,
        ];
      const variances = variance?.view();
      mean.view().forEach((value, i) => {
        sums[i] = (sums[i] as number) + value / samples;
        squares[i] = (squares[i] as number) + value ** 2 / samples;
        noise[i] = (noise[i] as number) + (variances?.[i] ?? 0) / samples;
      });
    });
  const epistemic = squares.map((square, i) => Math.max(0, square - (sums[i] as number) ** 2));
  return { mean: sums, aleatoric: noise, epistemic, total: epistemic.map((e, i) => e + (noise[i] as number)) };
}
