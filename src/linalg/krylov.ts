// Krylov methods in double precision, for matrices that are known by their products alone.

import type { Random } from '../tensor/index.js';
import { symmetricEigen64 } from './decompositions.js';

/** x ↦ A·x. */
export type Product = (x: Float64Array) => Float64Array;

/** Accuracy of an iteration. */
export interface IterationOptions {
  /** Relative residual at which it ends. Default: 1e-10. */
  readonly tolerance?: number;
  /** Iterations at most. Default: 1000. */
  readonly iterations?: number;
}

/**
 * Solves A·x = b for a symmetric positive semi-definite A and b in its range, by conjugate gradients
 * from 0 (Hestenes & Stiefel 1952).
 *
 * @returns x, ‖b − A·x‖/‖b‖ as the recurrence has it, and the number of iterations
 */
export function conjugateGradients(
  product: Product,
  b: Float64Array,
  { tolerance = 1e-10, iterations = 1000 }: IterationOptions = {},
): { readonly x: Float64Array; readonly residual: number; readonly iterations: number } {
  const x = new Float64Array(b.length);
  const r = b.slice();
  const p = b.slice();
  const target = dot(b, b);
  let square = target;
  let iteration = 0;
  while (square > tolerance ** 2 * target && iteration < iterations) {
    const image = product(p);
    const curvature = dot(p, image);
    if (!(curvature > 0)) break;
    const step = square / curvature;
    for (let i = 0; i < x.length; i++) {
      x[i] = (x[i] as number) + step * (p[i] as number);
      r[i] = (r[i] as number) - step * (image[i] as number);
    }
    const next = dot(r, r);
    for (let i = 0; i < p.length; i++) p[i] = (r[i] as number) + (next / square) * (p[i] as number);
    square = next;
    iteration += 1;
  }
  return { x, residual: target === 0 ? 0 : Math.sqrt(square / target), iterations: iteration };
}

/** Σ aᵢ·bᵢ. */
function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** Eigenpairs of a Hermitian matrix. */
export interface HermitianEigenpairs {
  /** Eigenvalues in descending order [k]. */
  readonly values: Float64Array;
  /** Unit eigenvectors: n real parts, then n imaginary parts, each [2n]. */
  readonly vectors: readonly Float64Array[];
}

/** Size of the subspaces of `hermitianEigenpairs`, and when it is done. */
export interface LanczosOptions extends IterationOptions {
  /** Dimension of a Krylov space. Default: the larger of 2k + 20 and 40, at most n. */
  readonly dimension?: number;
}

/**
 * The k largest eigenvalues of a Hermitian matrix with their eigenvectors, by the Lanczos method with
 * full orthogonalisation. Vectors that have converged are kept, and the search goes on orthogonally
 * to them, so that eigenvalues are found as often as they occur.
 *
 * @param product x ↦ H·x on vectors of n real parts followed by n imaginary parts
 * @param n rows of H
 * @param k at most n
 * @param random draws the vectors that the search starts from
 * @throws Error when k eigenpairs do not converge
 */
export function hermitianEigenpairs(
  product: Product,
  n: number,
  k: number,
  random: Random,
  { tolerance = 1e-8, iterations = 300, dimension = Math.max(2 * k + 20, 40) }: LanczosOptions = {},
): HermitianEigenpairs {
  if (!(Number.isInteger(k) && k >= 1 && k <= n))
    throw new RangeError(`hermitianEigenpairs: ${k} eigenpairs of a matrix of ${n} rows`);
  const found: RitzVector[] = [];
  let start: Float64Array | undefined;
  // After k pairs one more search makes sure that no larger eigenvalue was left out.
  for (let restart = 0; restart < iterations; restart++) {
    const locked = found.map(({ vector }) => vector);
    if (locked.length === n) break;
    const space = krylovSpace(product, start ?? gaussian(n, random), locked, Math.min(dimension, n - locked.length));
    const ritz = ritzPairs(space);
    const converged = ritz.findIndex(({ residual }) => residual > tolerance);
    const good = converged < 0 ? ritz : ritz.slice(0, converged);
    const [top] = ritz as [RitzPair, ...RitzPair[]];
    if (found.length >= k && top.value + top.residual <= (found[k - 1] as RitzVector).value + tolerance) break;
    for (const { value, weights } of good.slice(0, Math.max(1, k - found.length)))
      found.push({ value, vector: combine(space.basis, weights) });
    found.sort((a, b) => b.value - a.value);
    const left = ritz.slice(good.length, good.length + k);
    start = found.length < k && left.length > 0 ? mixture(space.basis, left, random) : undefined;
  }
  if (found.length < k)
    throw new Error(`hermitianEigenpairs: ${found.length} of ${k} eigenpairs converged in ${iterations} searches`);
  return {
    values: Float64Array.from(found.slice(0, k), ({ value }) => value),
    vectors: found.slice(0, k).map(({ vector }) => vector),
  };
}

interface RitzVector {
  readonly value: number;
  readonly vector: Float64Array;
}

interface KrylovSpace {
  readonly basis: readonly Float64Array[];
  /** Diagonal of the tridiagonal matrix. */
  readonly alpha: readonly number[];
  /** Its off-diagonal; the last element leads out of the space. */
  readonly beta: readonly number[];
}

/** Orthonormal basis of the Krylov space of a start vector, orthogonal to some vectors. */
function krylovSpace(
  product: Product,
  start: Float64Array,
  locked: readonly Float64Array[],
  dimension: number,
): KrylovSpace {
  const basis: Float64Array[] = [];
  const [alpha, beta] = [[] as number[], [] as number[]];
  let next = orthogonal(start, locked);
  for (let j = 0; j < dimension; j++) {
    const norm = Math.sqrt(dot(next, next));
    const v = next.map((value) => value / norm);
    basis.push(v);
    const image = product(v);
    alpha.push(dot(v, image));
    next = orthogonal(image, [...locked, ...basis]);
    beta.push(Math.sqrt(dot(next, next)));
    // The space is invariant: what is left of the image is rounding.
    if ((beta[j] as number) < 1e-12) break;
  }
  return { basis, alpha, beta };
}

interface RitzPair {
  readonly value: number;
  readonly residual: number;
  readonly weights: readonly number[];
}

/** Eigenpairs of the matrix within the space, largest first. */
function ritzPairs({ alpha, beta }: KrylovSpace): RitzPair[] {
  const m = alpha.length;
  const tridiagonal = new Float64Array(m * m);
  for (let i = 0; i < m; i++) {
    tridiagonal[i * m + i] = alpha[i] as number;
    if (i + 1 < m) tridiagonal[i * m + i + 1] = tridiagonal[(i + 1) * m + i] = beta[i] as number;
  }
  const { values, vectors } = symmetricEigen64(tridiagonal, m);
  return Array.from(values, (value, i) => ({
    value,
    residual: (beta[m - 1] as number) * Math.abs(vectors[(m - 1) * m + i] as number),
    weights: Array.from({ length: m }, (_, j) => vectors[j * m + i] as number),
  })).sort((a, b) => b.value - a.value);
}

function combine(basis: readonly Float64Array[], weights: readonly number[]): Float64Array {
  const sum = new Float64Array((basis[0] as Float64Array).length);
  basis.forEach((vector, j) => {
    const weight = weights[j] as number;
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + weight * (vector[i] as number);
  });
  return sum;
}

/**
 * The sum of Ritz vectors that have not converged, from which the search goes on, and a little of a
 * random vector: a Krylov space holds one vector of each eigenspace, whatever its dimension.
 */
function mixture(basis: readonly Float64Array[], ritz: readonly RitzPair[], random: Random): Float64Array {
  const sum = combine(
    basis,
    basis.map((_, j) => ritz.reduce((total, { weights }) => total + (weights[j] as number), 0)),
  );
  const noise = gaussian(sum.length / 2, random);
  const scale = 0.01 / Math.sqrt(sum.length);
  return sum.map((value, i) => value + scale * (noise[i] as number));
}

/** x without its parts along unit vectors, taken off twice against rounding. */
function orthogonal(x: Float64Array, vectors: readonly Float64Array[]): Float64Array {
  const n = x.length / 2;
  const y = x.slice();
  for (let pass = 0; pass < 2; pass++)
    for (const v of vectors) {
      // ⟨v, y⟩ = Σ conj(vᵢ)·yᵢ
      let [re, im] = [0, 0];
      for (let i = 0; i < n; i++) {
        const [a, b, c, d] = [v[i] as number, v[n + i] as number, y[i] as number, y[n + i] as number];
        re += a * c + b * d;
        im += a * d - b * c;
      }
      for (let i = 0; i < n; i++) {
        const [a, b] = [v[i] as number, v[n + i] as number];
        y[i] = (y[i] as number) - (re * a - im * b);
        y[n + i] = (y[n + i] as number) - (re * b + im * a);
      }
    }
  return y;
}

function gaussian(n: number, random: Random): Float64Array {
  return Float64Array.from({ length: 2 * n }, () => random.gaussian());
}
