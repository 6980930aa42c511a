// L2-regularised multinomial logistic regression.

import {
  add,
  logSoftmax,
  matmul,
  multiply,
  scope,
  softmax,
  subtract,
  sum,
  type Tensor,
  tensor,
  transpose,
} from '../tensor/index.js';
import { lbfgs } from './lbfgs.js';
import type { LogisticModel, LogisticRegressionOptions } from './logistic-regression.js';

/**
 * Minimises ½‖W‖² + C·Σᵢ −log softmax(W·xᵢ + b)[yᵢ] over all classes at once, by L-BFGS; the
 * intercepts are not regularised. Its logits are those of `logisticScores`.
 *
 * @param x [n, d]
 * @param labels class of each row [n]
 * @param classes number of classes
 */
export function multinomialRegression(
  x: Tensor,
  labels: Int32Array,
  classes: number,
  { c = 1, iterations = 100, tolerance = 1e-3, ...options }: LogisticRegressionOptions = {},
): LogisticModel {
  const [n, d] = x.shape as [number, number];
  const size = classes * d;
  return scope(() => {
    const columns = transpose(x); // (d, n)
    const targets = new Float32Array(classes * n);
    labels.forEach((label, i) => {
      targets[label * n + i] = 1;
    });
    const wanted = tensor(targets, [classes, n]);
    const evaluate = (flat: Float64Array) =>
      scope(() => {
        const values = Float32Array.from(flat);
        const weights = tensor(values.subarray(0, size), [classes, d]);
        const scores = add(matmul(weights, columns), tensor(values.subarray(size), [classes, 1])); // (classes, n)
        const losses = sum(multiply(logSoftmax(scores, 0), wanted), 0).view();
        const errors = multiply(subtract(softmax(scores, 0), wanted), c);
        const slope = matmul(errors, columns, { transposeB: true }).view(); // (classes, d)
        const shift = sum(errors, 1).view();
        let value = 0;
        for (let i = 0; i < n; i++) value -= c * (losses[i] as number);
        const gradient = new Float64Array(flat.length);
        for (let i = 0; i < size; i++) {
          value += (flat[i] as number) ** 2 / 2;
          gradient[i] = (flat[i] as number) + (slope[i] as number);
        }
        for (let k = 0; k < classes; k++) gradient[size + k] = shift[k] as number;
        return { value, gradient };
      });
    const { x: best } = lbfgs(evaluate, new Float64Array(size + classes), { iterations, tolerance, ...options });
    return {
      weights: tensor(Float32Array.from(best.subarray(0, size)), [classes, d]),
      intercepts: tensor(Float32Array.from(best.subarray(size)), [classes]),
    };
  });
}
