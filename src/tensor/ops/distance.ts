// Distances between the rows of two matrices.

import type { Tensor } from '../tensor.js';
import { add, maximum, multiply } from './binary.js';
import { reshape } from './layout.js';
import { matmul } from './matmul.js';
import { sum } from './reduce.js';
import { rsqrt, sqrt, square } from './unary.js';

/** ‖xᵢ − yⱼ‖² = ‖xᵢ‖² + ‖yⱼ‖² − 2·xᵢ·yⱼ, not below 0. x [m, d], y [n, d] → [m, n]. */
export function squaredDistances(x: Tensor, y: Tensor): Tensor {
  const norms = (t: Tensor, shape: readonly number[]) => reshape(sum(square(t), -1), shape);
  const products = multiply(matmul(x, y, { transposeB: true }), -2);
  return maximum(add(add(products, norms(x, [-1, 1])), norms(y, [1, -1])), 0);
}

/**
 * ‖xᵢ − yⱼ‖; `epsilon` under the root keeps the gradient of equal rows finite. x [m, d], y [n, d] →
 * [m, n].
 */
export function pairwiseDistances(x: Tensor, y: Tensor, epsilon = 1e-12): Tensor {
  return sqrt(add(squaredDistances(x, y), epsilon));
}

/** cos(xᵢ, yⱼ) = xᵢ·yⱼ/(‖xᵢ‖·‖yⱼ‖). x [m, d], y [n, d] → [m, n]. */
export function cosineSimilarities(x: Tensor, y: Tensor, epsilon = 1e-12): Tensor {
  return matmul(normalizeRows(x, epsilon), normalizeRows(y, epsilon), { transposeB: true });
}

/** Rows divided by their Euclidean norm. */
export function normalizeRows(x: Tensor, epsilon = 1e-12): Tensor {
  return multiply(x, rsqrt(add(sum(square(x), -1, { keepAxes: true }), epsilon)));
}
