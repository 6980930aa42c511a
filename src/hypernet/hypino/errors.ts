// Errors of a solution on a grid.

import type { GridSolution } from './finite-differences.js';

/**
 * Errors as the paper has them, over all pixels with holes as exact zeros, and within the domain.
 */
export interface SolutionErrors {
  /** Mean squared error. */
  readonly mse: number;
  /** Mean absolute error. */
  readonly mae: number;
  /** Largest error. */
  readonly max: number;
  /** 100·mean 2|Δ|/(|u| + |û| + 1e-8). */
  readonly smape: number;
  /** ‖û − u‖₂/‖u‖₂ over the pixels of the domain. */
  readonly relative: number;
}

/**
 * Errors of values on the grid of a reference, whose holes are NaN. @throws Error for other sizes
 */
export function errorsOf(reference: GridSolution, values: ArrayLike<number>): SolutionErrors {
  const { values: exact } = reference;
  if (values.length !== exact.length)
    throw new Error(`errorsOf: ${values.length} values for a grid of ${reference.size}²`);
  let [squares, absolutes, largest, symmetric, power] = [0, 0, 0, 0, 0];
  for (let i = 0; i < exact.length; i++) {
    const u = exact[i] as number;
    if (Number.isNaN(u)) continue;
    const error = Math.abs((values[i] as number) - u);
    squares += error ** 2;
    absolutes += error;
    largest = Math.max(largest, error);
    symmetric += (2 * error) / (Math.abs(u) + Math.abs(values[i] as number) + 1e-8);
    power += u * u;
  }
  const count = exact.length;
  return {
    mse: squares / count,
    mae: absolutes / count,
    max: largest,
    smape: (100 * symmetric) / count,
    relative: Math.sqrt(squares / Math.max(power, 1e-300)),
  };
}

/** x and y of the nodes of an n × n grid, the first row at y = 1 [n², 2]. */
export function gridPoints(n: number): Float32Array {
  const points = new Float32Array(2 * n * n);
  for (let at = 0; at < n * n; at++)
    points.set([-1 + (2 * (at % n)) / (n - 1), 1 - (2 * Math.floor(at / n)) / (n - 1)], 2 * at);
  return points;
}
