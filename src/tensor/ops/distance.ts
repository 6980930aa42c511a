// Distances between the rows of two matrices.

import { requireDType } from '../apply.js';
import { requireNumber } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { add, maximum, multiply } from './binary.js';
import { reshape } from './layout.js';
import { matmul } from './matmul.js';
import { sum } from './reduce.js';
import { rsqrt, sqrt, square } from './unary.js';

/** ‖xᵢ − yⱼ‖² = ‖xᵢ‖² + ‖yⱼ‖² − 2·xᵢ·yⱼ, not below 0. x [m, d], y [n, d] → [m, n]. */
export function squaredDistances(x: Tensor, y: Tensor): Tensor {
  requireDType('squaredDistances', 'f32', x, y);
  if (x.rank !== 2 || y.rank !== 2)
    throw new Error(`squaredDistances: expected x [m, d] and y [n, d], got ${x} and ${y}`);
  const norms = (t: Tensor, shape: readonly number[]) => reshape(sum(square(t), -1), shape);
  const products = multiply(matmul(x, y, { transposeB: true }), -2);
  return maximum(add(add(products, norms(x, [-1, 1])), norms(y, [1, -1])), 0);
}

/**
 * ‖xᵢ − yⱼ‖; `epsilon` under the root keeps the gradient of equal rows finite. x [m, d], y [n, d] →
 * [m, n].
 */
export function pairwiseDistances(x: Tensor, y: Tensor, epsilon = 1e-12): Tensor {
  requireNumber('pairwiseDistances', 'epsilon', epsilon);
  return sqrt(add(squaredDistances(x, y), epsilon));
}

/** cos(xᵢ, yⱼ) = xᵢ·yⱼ/(‖xᵢ‖·‖yⱼ‖). x [m, d], y [n, d] → [m, n]. */
export function cosineSimilarities(x: Tensor, y: Tensor, epsilon = 1e-12): Tensor {
  return matmul(normalizeRows(x, epsilon), normalizeRows(y, epsilon), { transposeB: true });
}

/** Rows divided by their Euclidean norm. */
export function normalizeRows(x: Tensor, epsilon = 1e-12): Tensor {
  requireNumber('normalizeRows', 'epsilon', epsilon);
  return multiply(x, rsqrt(add(sum(square(x), -1, { keepAxes: true }), epsilon)));
}
