// Linear baselines: logistic regression for classes, ridge regression for numbers, both converged.

import { solve } from '../../linalg/index.js';
import { logisticRegression, logisticScores } from '../../nn/index.js';
import { scope, type Tensor, tensor } from '../../tensor/index.js';
import type { TableLearner } from './classifier.js';
import { type Rows, tensorOf } from './features.js';

/** Options of `LinearLearner`. */
export interface LinearOptions {
  /** Inverse strength of the L2 penalty on the weights. Default: 1. */
  readonly c?: number;
  /** Most iterations of L-BFGS. Default: 1000. */
  readonly iterations?: number;
}

/**
 * Logistic regression by L-BFGS, one class against the rest with probabilities σ(s_c)/Σσ(s), or one
 * score for two classes; for numbers ridge regression, min C·‖y − Xw − b‖² + ‖w‖².
 */
export class LinearLearner implements TableLearner {
  /** Number of classes, or 1 for a numeric target; 0 before fit. */
  classes = 0;
  #weights: Tensor | undefined;
  #intercepts: Tensor | undefined;

  constructor(readonly options: LinearOptions = {}) {}

  async fit(x: Rows, labels: Int32Array, classes: number): Promise<void> {
    const { c = 1, iterations = 1000 } = this.options;
    // Of two classes the second has the score.
    const own = classes === 2 ? [1] : Array.from({ length: classes }, (_, label) => label);
    const targets = Float32Array.from({ length: x.count * own.length }, (_, at) =>
      Number(labels[Math.floor(at / own.length)] === own[at % own.length]),
    );
    this.#keep(
      logisticRegression(tensorOf(x), tensor(targets, [x.count, own.length]), { c, iterations, tolerance: 1e-3 }),
      classes,
    );
  }

  async fitValues({ count, width, values: x }: Rows, y: Float64Array): Promise<void> {
    const { c = 1 } = this.options;
    const mean = (of: (row: number) => number) => {
      let total = 0;
      for (let row = 0; row < count; row++) total += of(row);
      return total / count;
    };
    const at = (row: number, column: number) => x[row * width + column] as number;
    const centre = Float64Array.from({ length: width }, (_, column) => mean((row) => at(row, column)));
    const middle = mean((row) => y[row] as number);
    const normal = new Float32Array(width * width);
    const slope = new Float32Array(width);
    for (let i = 0; i < width; i++) {
      const left = (row: number) => at(row, i) - (centre[i] as number);
      for (let j = 0; j <= i; j++) {
        const product = count * mean((row) => left(row) * (at(row, j) - (centre[j] as number)));
        normal[i * width + j] = normal[j * width + i] = product + (i === j ? 1 / c : 0);
      }
      slope[i] = count * mean((row) => left(row) * ((y[row] as number) - middle));
    }
    const weights = solve(tensor(normal, [width, width]), tensor(slope, [width, 1]))
      .view()
      .slice() as Float32Array;
    const shift = middle - weights.reduce((sum, w, column) => sum + w * (centre[column] as number), 0);
    this.#keep({ weights: tensor(weights, [1, width]), intercepts: tensor(Float32Array.of(shift)) }, 1);
  }

  #keep({ weights, intercepts }: { readonly weights: Tensor; readonly intercepts: Tensor }, outputs: number): void {
    this.#weights = weights;
    this.#intercepts = intercepts;
    this.classes = outputs;
  }

  #scores(x: Rows): Float64Array {
    const { weights, intercepts } = this.state();
    return scope(() =>
      Float64Array.from(
        logisticScores({ weights: weights as Tensor, intercepts: intercepts as Tensor }, tensorOf(x)).view(),
      ),
    );
  }

  values(x: Rows): Float64Array {
    return this.#scores(x);
  }

  probabilities(x: Rows): Float64Array {
    const each = this.#scores(x).map((score) => 1 / (1 + Math.exp(-score)));
    if (this.classes === 2)
      return Float64Array.from({ length: 2 * x.count }, (_, at) => {
        const second = each[at >> 1] as number;
        return at % 2 === 1 ? second : 1 - second;
      });
    for (let from = 0; from < each.length; from += this.classes) {
      const row = each.subarray(from, from + this.classes);
      const total = row.reduce((sum, value) => sum + value, 0);
      row.forEach((value, c) => {
        row[c] = total > 0 ? value / total : 1 / this.classes;
      });
    }
    return each;
  }

  state(): Record<string, Tensor> {
    if (!this.#weights || !this.#intercepts) throw new Error('LinearLearner: call fit before predicting');
    return { weights: this.#weights, intercepts: this.#intercepts };
  }

  restore({ weights, intercepts }: Readonly<Record<string, Tensor>>, _width: number, outputs: number): void {
    if (!weights || !intercepts) throw new Error('LinearLearner: the state holds no weights');
    this.#keep({ weights, intercepts }, outputs);
  }
}
