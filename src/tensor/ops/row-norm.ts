// Batch norm of rows [n, c]: what `batchNorm` computes where there are no pixels, by kernels that
// read rows and not one channel after another.

import { type Activation, activations, type Device, rowBlock } from '../../engine/index.js';
import { emptyTensor, type Tensor } from '../tensor.js';
import { add, divide, maximum, multiply, subtract } from './binary.js';
import { reshape, slice } from './layout.js';
import { sum } from './reduce.js';
import { rsqrt, square } from './unary.js';

/** Row r of a [k, d] tensor, as [d]. */
function rowOf(x: Tensor, r: number): Tensor {
  return reshape(slice(x, [r, r + 1]), [x.shape[1] as number]);
}

function copyTo(target: Tensor, source: Tensor): void {
  target.device.run('affine', { x: source, y: target, scale: 1, shift: 0, n: target.size });
}

/** Sums of blocks [blocks, parts, d], added up: [parts, d]. */
function totals(partial: Tensor, parts: number, d: number): Tensor {
  return reshape(sum(partial, 0), [parts, d]);
}

/** Writes y, mean and biased variance. To be called privately. */
export function normalizeRows(
  device: Device,
  [x, gamma, beta]: readonly [Tensor, Tensor, Tensor],
  [y, mean, variance]: readonly [Tensor, Tensor, Tensor],
  { epsilon, activation }: { readonly epsilon: number; readonly activation: Activation },
): void {
  const [rows, d] = x.shape as [number, number];
  device.run('sum', { x, y: mean, outer: 1, n: rows, inner: d, divisor: rows });
  const block = rowBlock(d);
  const blocks = Math.ceil(rows / block);
  const partial = emptyTensor([blocks, 2 * d], 'f32', device);
  device.run('rowDeviations', { x, mean, sums: partial, rows, d, block });
  const moments = divide(totals(partial, 2, d), rows);
  // What the f32 mean lacks.
  const rest = rowOf(moments, 0);
  const biased = maximum(subtract(rowOf(moments, 1), square(rest)), 0);
  copyTo(variance, biased);
  const scale = multiply(rsqrt(add(biased, epsilon)), gamma);
  const shift = subtract(beta, multiply(rest, scale));
  device.run('rowAffine', { x, mean, scale, shift, y, d, rows, activation: activations[activation] });
}

/**
 * Writes the gradients of x, γ and β; with `y`, the output after a ReLU, g counts where y > 0. To
 * be called privately.
 */
export function normalizeRowsGradient(
  device: Device,
  [g, x, gamma, mean, variance, y]: readonly [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor | undefined],
  [dx, dGamma, dBeta]: readonly [Tensor, Tensor, Tensor],
  epsilon: number,
): void {
  const [rows, d] = x.shape as [number, number];
  const block = rowBlock(d);
  const partial = emptyTensor([Math.ceil(rows / block), 3 * d], 'f32', device);
  device.run('rowProducts', { g, x, y: y ?? null, mean, sums: partial, rows, d, block });
  const all = totals(partial, 3, d);
  const sums = rowOf(all, 0);
  const rest = divide(rowOf(all, 2), rows);
  const inverse = rsqrt(add(variance, epsilon));
  const products = multiply(subtract(rowOf(all, 1), multiply(rest, sums)), inverse);
  copyTo(dBeta, sums);
  copyTo(dGamma, products);
  // dx = γ·inverse·(g − sums/n − (x − mean − rest)·inverse·products/n).
  const scale = multiply(gamma, inverse);
  const slope = multiply(multiply(multiply(scale, inverse), products), -1 / rows);
  const shift = subtract(multiply(multiply(scale, sums), -1 / rows), multiply(slope, rest));
  device.run('rowNormGradient', { g, x, y: y ?? null, mean, scale, slope, shift, dx, d, rows });
}
