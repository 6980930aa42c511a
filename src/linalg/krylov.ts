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
 * Solves A·x = b for a symmetric positive semi-definite A and b in its range, by conjugate
 * gradients from 0 (Hestenes & Stiefel 1952).
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
 * The k largest eigenvalues of a Hermitian matrix with their eigenvectors, by the thick-restart
 * Lanczos method with full orthogonalisation (Wu & Simon, SIAM Journal on Matrix Analysis 2000). A
 * Krylov space holds one vector of each eigenspace; so, after those that have converged, the search
 * starts anew orthogonally to them until no larger eigenvalue is left, and eigenvalues are found as
 * often as they occur.
 *
 * @param product x ↦ H·x on vectors of n real parts followed by n imaginary parts
 * @param n rows of H
 * @param k at most n
 * @param random draws the vectors that searches start from
 * @param options tolerance of ‖H·x − λ·x‖, by default 1e-8; restarts at most, by default 1000
 * @throws Error when k eigenpairs do not converge
 */
export function hermitianEigenpairs(
  product: Product,
  n: number,
  k: number,
  random: Random,
  { tolerance = 1e-8, iterations = 1000, dimension = Math.max(2 * k + 20, 40) }: LanczosOptions = {},
): HermitianEigenpairs {
  if (!(Number.isInteger(k) && k >= 1 && k <= n))
    throw new RangeError(`hermitianEigenpairs: ${k} eigenpairs of a matrix of ${n} rows`);
  const found: RitzVector[] = [];
  while (found.length < n) {
    const isCheck = found.length >= k;
    const locked = found.map(({ vector }) => vector);
    const search = { product, locked, wanted: isCheck ? 1 : k - found.length, tolerance, iterations };
    const pairs = largestPairs(search, gaussian(n, random), Math.min(dimension, n - found.length));
    if (isCheck && (pairs[0] as RitzVector).value <= (found[k - 1] as RitzVector).value + tolerance) break;
    found.push(...pairs);
    found.sort((a, b) => b.value - a.value);
  }
  return {
    values: Float64Array.from(found.slice(0, k), ({ value }) => value),
    vectors: found.slice(0, k).map(({ vector }) => vector),
  };
}

interface RitzVector {
  readonly value: number;
  readonly vector: Float64Array;
}

interface Search extends Required<IterationOptions> {
  readonly product: Product;
  /** Unit vectors to which the search is orthogonal. */
  readonly locked: readonly Float64Array[];
  /** Eigenpairs that are looked for. */
  readonly wanted: number;
}

/**
 * The largest eigenpairs of the matrix on the complement of some vectors, as many as are wanted;
 * fewer where the Krylov space of the start is invariant and holds no more.
 */
function largestPairs(search: Search, start: Float64Array, dimension: number): RitzVector[] {
  const { locked, wanted, tolerance, iterations } = search;
  let space: KrylovSpace = { basis: [], projected: [], next: orthogonal(start, locked), coupling: [] };
  for (let restart = 0; restart < iterations; restart++) {
    space = expanded(space, search, dimension);
    const ritz = ritzPairs(space);
    const isInvariant = lengthOf(space.next) < INVARIANT;
    const first = ritz.findIndex(({ residual }) => residual > tolerance);
    const converged = isInvariant || first < 0 ? ritz.length : first;
    if (converged >= Math.min(wanted, ritz.length))
      return ritz.slice(0, wanted).map(({ value, weights }) => ({ value, vector: combine(space.basis, weights) }));
    // Half of what is not wanted stays, so that what is wanted converges faster.
    const kept = ritz.slice(0, Math.min(ritz.length - 1, wanted + Math.floor((dimension - wanted) / 2)));
    space = {
      basis: kept.map(({ weights }) => combine(space.basis, weights)),
      projected: kept.map(({ value }, i) => kept.map((_, j) => (i === j ? value : 0))),
      next: space.next,
      coupling: kept.map(({ coupling }) => coupling),
    };
  }
  throw new Error(`hermitianEigenpairs: ${wanted} eigenpairs did not converge in ${iterations} restarts`);
}

/**
 * Length below which the image of a space leads nowhere else: rounding of a unit vector's image.
 */
const INVARIANT = 1e-11;

interface KrylovSpace {
  /** Orthonormal vectors. */
  readonly basis: readonly Float64Array[];
  /** The matrix within the space: real, diagonal for what a restart kept, then tridiagonal. */
  readonly projected: readonly (readonly number[])[];
  /** What leads out of the space. */
  readonly next: Float64Array;
  /** Elements of the matrix between each vector of the basis and the direction of `next`. */
  readonly coupling: readonly number[];
}

/** Adds images to a space until it has the dimension or is invariant. */
function expanded(space: KrylovSpace, { product, locked }: Search, dimension: number): KrylovSpace {
  const basis = [...space.basis];
  const projected = space.projected.map((row) => [...row]);
  let { next, coupling } = space;
  while (basis.length < dimension) {
    const length = lengthOf(next);
    if (length < INVARIANT) break;
    const v = next.map((value) => value / length);
    const image = product(v);
    const own =
      coupling.length === basis.length ? coupling : basis.map((_, i) => (i + 1 === basis.length ? length : 0));
    own.forEach((value, i) => {
      projected[i]?.push(value);
    });
    projected.push([...own, dot(v, image)]);
    basis.push(v);
    next = orthogonal(image, [...locked, ...basis]);
    coupling = [];
  }
  return { basis, projected, next, coupling: [] };
}

interface RitzPair {
  readonly value: number;
  /** Element of the matrix between the vector and what leads out of the space. */
  readonly coupling: number;
  readonly residual: number;
  readonly weights: readonly number[];
}

/** Eigenpairs of the matrix within the space, largest first. */
function ritzPairs({ projected, next }: KrylovSpace): RitzPair[] {
  const m = projected.length;
  const { values, vectors } = symmetricEigen64(projected.flat(), m);
  const length = lengthOf(next);
  return Array.from(values, (value, i) => {
    const coupling = length * (vectors[(m - 1) * m + i] as number);
    const weights = Array.from({ length: m }, (_, j) => vectors[j * m + i] as number);
    return { value, coupling, residual: Math.abs(coupling), weights };
  }).sort((a, b) => b.value - a.value);
}

function lengthOf(x: Float64Array): number {
  return Math.sqrt(dot(x, x));
}

function combine(basis: readonly Float64Array[], weights: readonly number[]): Float64Array {
  const sum = new Float64Array((basis[0] as Float64Array).length);
  basis.forEach((vector, j) => {
    const weight = weights[j] as number;
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + weight * (vector[i] as number);
  });
  return sum;
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
