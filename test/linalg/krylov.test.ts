import { describe, expect, test } from 'vitest';
import { conjugateGradients, hermitianEigenpairs, symmetricEigen64 } from '../../src/linalg/index.js';
import { Random } from '../../src/tensor/index.js';
import { expectClose, uniform } from '../oracle.js';

type Matrix = readonly (readonly number[])[];
const at = (a: Matrix, i: number, j: number) => (a[i] as readonly number[])[j] as number;
const times = (a: Matrix) => (x: Float64Array) =>
  Float64Array.from(a, (row) => row.reduce((sum, value, j) => sum + value * (x[j] as number), 0));

describe('conjugate gradients', () => {
  test('solve a positive definite system to its tolerance', () => {
    const values = uniform(1, 64);
    const b = Float64Array.from(uniform(2, 8));
    // BᵀB + I
    const a = Array.from({ length: 8 }, (_, i) =>
      Array.from(
        { length: 8 },
        (_, j) =>
          Number(i === j) +
          Array.from({ length: 8 }, (_, k) => (values[k * 8 + i] as number) * (values[k * 8 + j] as number)).reduce(
            (x, y) => x + y,
            0,
          ),
      ),
    );
    const { x, residual, iterations } = conjugateGradients(times(a), b, { tolerance: 1e-12 });
    expectClose(times(a)(x), b, 1e-10);
    expect(residual).toBeLessThan(1e-12);
    expect(iterations).toBeLessThanOrEqual(10);
  });

  test('give the solution in the range of a singular matrix, and 0 for b = 0', () => {
    // Laplacian of a path of three nodes.
    const a = [
      [1, -1, 0],
      [-1, 2, -1],
      [0, -1, 1],
    ];
    const { x } = conjugateGradients(times(a), Float64Array.of(-1, 0, 1));
    expectClose(
      Float64Array.from(x, (value) => value - (x[0] as number)),
      [0, 1, 2],
      1e-9,
    );
    expect([...conjugateGradients(times(a), new Float64Array(3)).x]).toEqual([0, 0, 0]);
  });
});

describe('eigenpairs of Hermitian matrices', () => {
  /** A random Hermitian matrix as parts. */
  const random = (n: number, seed: number) => {
    const [re, im] = [uniform(seed, n * n), uniform(seed + 1, n * n)];
    const half = (own: Float32Array, i: number, j: number, sign: number) =>
      ((own[i * n + j] as number) + sign * (own[j * n + i] as number)) / 2;
    const of = (own: Float32Array, sign: number) =>
      Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => half(own, i, j, sign)));
    return { real: of(re, 1), imaginary: of(im, -1) };
  };
  const productOf = ({ real, imaginary }: ReturnType<typeof random>) => {
    const n = real.length;
    return (x: Float64Array) => {
      const [re, im] = [x.subarray(0, n), x.subarray(n)];
      const [a, b, c, d] = [times(real)(re), times(imaginary)(im), times(imaginary)(re), times(real)(im)];
      return Float64Array.from({ length: 2 * n }, (_, i) =>
        i < n ? (a[i] as number) - (b[i] as number) : (c[i - n] as number) + (d[i - n] as number),
      );
    };
  };
  /** Each eigenvalue of the real embedding occurs twice. */
  const dense = ({ real, imaginary }: ReturnType<typeof random>) => {
    const n = real.length;
    const rows = Array.from({ length: 4 * n * n }, (_, place) => {
      const [i, j] = [Math.floor(place / (2 * n)), place % (2 * n)];
      if (i < n === j < n) return at(real, i % n, j % n);
      return i < n ? -at(imaginary, i, j - n) : at(imaginary, i - n, j);
    });
    return symmetricEigen64(rows, 2 * n)
      .values.filter((_, i) => i % 2 === 0)
      .reverse();
  };

  test.each([
    [6, 6],
    [60, 5],
  ])('of %i rows: the %i largest, with unit eigenvectors', (n, k) => {
    const matrix = random(n, n);
    const product = productOf(matrix);
    const { values, vectors } = hermitianEigenpairs(product, n, k, new Random(1));
    expectClose(values, dense(matrix).slice(0, k), 1e-7);
    vectors.forEach((vector, i) => {
      expect(Math.hypot(...vector)).toBeCloseTo(1, 9);
      expectClose(
        product(vector),
        vector.map((x) => x * (values[i] as number)),
        1e-6,
      );
    });
  });

  test('eigenvalues are found as often as they occur', () => {
    // Five blocks of ones: the eigenvalue 4 five times.
    const ones = Array.from({ length: 20 }, (_, i) => Array.from({ length: 20 }, (_, j) => Number(i >> 2 === j >> 2)));
    const product = productOf({ real: ones, imaginary: ones.map((row) => row.map(() => 0)) });
    const { values, vectors } = hermitianEigenpairs(product, 20, 7, new Random(2));
    expectClose(values, [4, 4, 4, 4, 4, 0, 0], 1e-8);
    for (const [i, a] of vectors.entries())
      for (const b of vectors.slice(i + 1)) {
        const re = a.reduce((sum, x, j) => sum + x * (b[j] as number), 0);
        expect(Math.abs(re)).toBeLessThan(1e-8);
      }
    expect(() => hermitianEigenpairs(product, 20, 21, new Random(2))).toThrow('21 eigenpairs of a matrix of 20 rows');
  });
});
