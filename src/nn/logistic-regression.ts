// L2-regularised logistic regression, one-vs-rest for all labels at once.

import {
  abs,
  add,
  matmul,
  multiply,
  negate,
  relu,
  scope,
  sigmoid,
  softplus,
  subtract,
  sum,
  type Tensor,
  tensor,
  transpose,
} from '../tensor/index.js';
import { type LBFGSOptions, lbfgs } from './lbfgs.js';

/**
 * Options of logistic regression, with those of its solver. Defaults: 100 iterations, tolerance
 * 1e-3.
 */
export interface LogisticRegressionOptions extends LBFGSOptions {
  /**
   * Inverse regularisation strength C, the weight of the data term against ½‖w‖². The intercept is
   * not regularised. Default: 1.
   */
  readonly c?: number;
}

/** A linear classifier per label. */
export interface LogisticModel {
  /** w [labels, d]. */
  readonly weights: Tensor;
  /** b [labels]. */
  readonly intercepts: Tensor;
}

/**
 * Minimises ½‖w‖² + C·Σᵢ log(1 + exp(−yᵢ(w·xᵢ + b))) for each label independently, by L-BFGS.
 *
 * @param x [n, d]
 * @param targets [n, labels], 1 where row i has the label, else 0
 */
export function logisticRegression(
  x: Tensor,
  targets: Tensor,
  { c = 1, iterations = 100, tolerance = 1e-3, ...options }: LogisticRegressionOptions = {},
): LogisticModel {
  const [d, labels] = [x.shape[1] as number, targets.shape[1] as number];
  const size = labels * d;
  return scope(() => {
    const evaluate = objective(transpose(x), transpose(targets), c);
    const { x: best } = lbfgs(evaluate, new Float64Array(size + labels), { iterations, tolerance, ...options });
    return {
      weights: tensor(Float32Array.from(best.subarray(0, size)), [labels, d]),
      intercepts: tensor(Float32Array.from(best.subarray(size)), [labels]),
    };
  });
}

/**
 * The function to minimise of all weights, then intercepts. Products with few labels and many rows
 * are fastest where the values of a feature lie side by side.
 *
 * @param x [d, n]
 * @param targets [labels, n]
 */
function objective(x: Tensor, targets: Tensor, c: number) {
  const [d, labels] = [x.shape[0] as number, targets.shape[0] as number];
  const size = labels * d;
  return (flat: Float64Array) =>
    scope(() => {
      const values = Float32Array.from(flat);
      const weights = tensor(values.subarray(0, size), [labels, d]);
      const scores = add(matmul(weights, x), tensor(values.subarray(size), [labels, 1])); // [labels, n]
      // log(1 + e^s) − t·s, without overflow.
      const losses = add(subtract(relu(scores), multiply(scores, targets)), softplus(negate(abs(scores)))).view();
      const errors = multiply(subtract(sigmoid(scores), targets), c);
      const slope = matmul(errors, x, { transposeB: true }).view(); // [labels, d]
      const shift = sum(errors, 1).view();
      // Near the minimum a step changes the sum by less than single precision holds.
      let value = 0;
      for (let i = 0; i < losses.length; i++) value += c * (losses[i] as number);
      const gradient = new Float64Array(flat.length);
      for (let i = 0; i < size; i++) {
        value += (flat[i] as number) ** 2 / 2;
        gradient[i] = (flat[i] as number) + (slope[i] as number);
      }
      for (let label = 0; label < labels; label++) gradient[size + label] = shift[label] as number;
      return { value, gradient };
    });
}

/** Logits x·wᵀ + b: x [n, d] → [n, labels]; positive where the label has a probability above ½. */
export function logisticScores({ weights, intercepts }: LogisticModel, x: Tensor): Tensor {
  return add(matmul(x, weights, { transposeB: true }), intercepts);
}
