// Linear baselines: logistic regression for classes, ridge regression for numbers, both converged.

import { solve } from '../../linalg/index.js';
import { logisticRegression, logisticScores } from '../../nn/index.js';
import { matmul, scope, type Tensor, tensor } from '../../tensor/index.js';
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
    const tolerance = Math.max(1e-3, 1e-6 * c * x.count);
    const model = logisticRegression(tensorOf(x), tensor(targets, [x.count, own.length]), { c, iterations, tolerance });
    this.#keep(model, classes);
  }

  async fitValues(x: Rows, y: Float64Array): Promise<void> {
    const { c = 1 } = this.options;
    const { width } = x;
    const { means, products } = centredProducts(x, y);
    const size = width + 1;
    const normal = Float32Array.from(
      { length: width * width },
      (_, at) => products[Math.floor(at / width) * size + (at % width)] as number,
    );
    for (let i = 0; i < width; i++) normal[i * width + i] = (normal[i * width + i] as number) + 1 / c;
    const slope = Float32Array.from({ length: width }, (_, i) => products[i * size + width] as number);
    const weights = solve(tensor(normal, [width, width]), tensor(slope, [width, 1]))
      .view()
      .slice() as Float32Array;
    const shift = weights.reduce((rest, w, column) => rest - w * (means[column] as number), means[width] as number);
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

/** Rows whose products are summed in single precision. */
const CHUNK = 4096;

/** Means of the columns of [x y], and the products Zᵀ·Z of these columns less their means. */
function centredProducts({ count, width, values }: Rows, y: Float64Array) {
  const size = width + 1;
  const means = new Float64Array(size);
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < width; i++) means[i] = (means[i] as number) + (values[row * width + i] as number) / count;
    means[width] = (means[width] as number) + (y[row] as number) / count;
  }
  const products = new Float64Array(size * size);
  for (let from = 0; from < count; from += CHUNK) {
    const rows = Math.min(CHUNK, count - from);
    const centred = new Float32Array(rows * size);
    for (let row = 0; row < rows; row++) {
      const at = (from + row) * width;
      for (let i = 0; i < width; i++) centred[row * size + i] = (values[at + i] as number) - (means[i] as number);
      centred[row * size + width] = (y[from + row] as number) - (means[width] as number);
    }
    const own = scope(() => {
      const z = tensor(centred, [rows, size]);
      return matmul(z, z, { transposeA: true }).view().slice();
    });
    for (let at = 0; at < products.length; at++) products[at] = (products[at] as number) + (own[at] as number);
  }
  return { means, products };
}
