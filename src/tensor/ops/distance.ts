// Distances between the rows of two matrices.

import { activations } from '../../engine/index.js';
import { apply, type Op, onlyGradient, privately, requireDType } from '../apply.js';
import { formatShape, requireNumber, sizeOf } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { add, greater, maximum, multiply, positiveMask, subtract } from './binary.js';
import { transpose } from './layout.js';
import { matmul } from './matmul.js';
import { mean, sum } from './reduce.js';
import { stopGradient } from './stop-gradient.js';
import { rsqrt, sqrt, square } from './unary.js';

/** Both sets of rows minus the mean of the second, which leaves their differences alone. */
function shifted(x: Tensor, y: Tensor): [x: Tensor, y: Tensor] {
  const center = stopGradient(mean(y, 0));
  return [subtract(x, center), subtract(y, center)];
}

/** The operation behind `squaredDistances`. */
export const squaredDistancesOp: Op = {
  name: 'squaredDistances',
  multiplyAdds: ([x], output) => sizeOf(output) * (x?.[1] as number),
  infer: ([left, right]) => {
    const [x, y] = [left as Tensor, right as Tensor];
    requireDType('squaredDistances', 'f32', x, y);
    if (x.rank !== 2 || y.rank !== 2 || x.shape[1] !== y.shape[1])
      throw new Error(
        `squaredDistances: expected x [m, d] and y [n, d], got ${formatShape(x.shape)} and ${formatShape(y.shape)}`,
      );
    return [{ shape: [x.shape[0] as number, y.shape[0] as number], dtype: 'f32' }];
  },
  compute(device, [left, right], [distances]) {
    const [x, z, y] = [left as Tensor, right as Tensor, distances as Tensor];
    const [m, d] = x.shape as [number, number];
    const n = z.shape[0] as number;
    if (m === 0 || n === 0) return;
    privately(() => {
      const [a, b] = shifted(x, z);
      device.run('matmul', {
        a,
        b,
        bias: null,
        c: y,
        batch: 1,
        m,
        n,
        k: d,
        transposeA: 0,
        transposeB: 1,
        activation: activations.none,
      });
      const [squaresX, squaresZ] = [sum(square(a), 1), sum(square(b), 1)];
      device.run('squaredDistances', { x, z, squaresX, squaresZ, y, n, d, rows: m });
    });
  },
  vjp: (backward) => {
    const [x, y] = backward.inputs as [Tensor, Tensor];
    const g = multiply(onlyGradient(backward), 2);
    // Σⱼ 2gᵢⱼ(xᵢ − yⱼ) and Σᵢ 2gᵢⱼ(yⱼ − xᵢ).
    const [a, b] = shifted(x, y);
    const flow = (weights: Tensor, own: Tensor, others: Tensor) =>
      subtract(multiply(own, sum(weights, 1, { keepAxes: true })), matmul(weights, others));
    return [backward.needed[0] ? flow(g, a, b) : undefined, backward.needed[1] ? flow(transpose(g), b, a) : undefined];
  },
};

/**
 * ‖xᵢ − yⱼ‖², to a few units in the last place also for near rows far from the origin. x [m, d],
 * y [n, d] → [m, n].
 */
export function squaredDistances(x: Tensor, y: Tensor): Tensor {
  return apply(squaredDistancesOp, [x, y]);
}

/** ‖xᵢ − yⱼ‖; equal rows have distance 0 and gradient 0. x [m, d], y [n, d] → [m, n]. */
export function pairwiseDistances(x: Tensor, y: Tensor): Tensor {
  const squares = squaredDistances(x, y);
  const equalRows = subtract(1, greater(squares, 0));
  return positiveMask(sqrt(add(squares, equalRows)), squares);
}

/** cos(xᵢ, yⱼ) = xᵢ·yⱼ/(‖xᵢ‖·‖yⱼ‖), norms at least `epsilon`. x [m, d], y [n, d] → [m, n]. */
export function cosineSimilarities(x: Tensor, y: Tensor, epsilon = 1e-12): Tensor {
  return matmul(normalizeRows(x, epsilon), normalizeRows(y, epsilon), { transposeB: true });
}

/** Rows divided by their Euclidean norm, or by `epsilon` where that is larger. */
export function normalizeRows(x: Tensor, epsilon = 1e-12): Tensor {
  requireNumber('normalizeRows', 'epsilon', epsilon);
  return multiply(x, rsqrt(maximum(sum(square(x), -1, { keepAxes: true }), epsilon ** 2)));
}
