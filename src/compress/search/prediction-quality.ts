// How well predictions fit: errors, and correlations of ranks.

import { midRanks, spearman } from '../../nn/index.js';

/** How well predictions fit: errors, and correlations of ranks. */
export interface PredictionQuality {
  /** Mean absolute percentage error, in %. */
  readonly mape: number;
  /** Root of the mean squared error, in the units of the labels. */
  readonly rmse: number;
  /** Kendall's τ. */
  readonly kendall: number;
  /** Spearman's ρ. */
  readonly spearman: number;
}

/** Measures of predictions against labels. */
export function predictionQuality(predicted: ArrayLike<number>, labels: ArrayLike<number>): PredictionQuality {
  const n = labels.length;
  let [percent, square] = [0, 0];
  for (let i = 0; i < n; i++) {
    const error = (predicted[i] as number) - (labels[i] as number);
    percent += Math.abs(error / (labels[i] as number));
    square += error ** 2;
  }
  return {
    mape: (100 * percent) / n,
    rmse: Math.sqrt(square / n),
    kendall: kendall(predicted, labels),
    spearman: spearman(predicted, labels),
  };
}

/** Kendall's τ-b: pairs in the same order less those in the other, corrected for ties. */
export function kendall(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [x, y] = [midRanks(a), midRanks(b)];
  let [same, inX, inY] = [0, 0, 0];
  for (let i = 0; i < x.length; i++)
    for (let j = 0; j < i; j++) {
      const [dx, dy] = [Math.sign((x[i] as number) - (x[j] as number)), Math.sign((y[i] as number) - (y[j] as number))];
      same += dx * dy;
      inX += dx * dx;
      inY += dy * dy;
    }
  return same / Math.sqrt(inX * inY);
}
