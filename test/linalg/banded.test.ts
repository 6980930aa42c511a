import { describe, expect, test } from 'vitest';
import { BandedMatrix } from '../../src/linalg/index.js';
import { uniform } from '../oracle.js';

describe('banded systems', () => {
  test('are solved, with pivots where the diagonal is small', () => {
    const [n, lower, upper] = [13, 2, 3];
    const values = uniform(4, n * n);
    const dense = Array.from({ length: n }, (_, i) =>
      Array.from({ length: n }, (_, j) =>
        j - i < -lower || j - i > upper ? 0 : i === j ? 1e-9 : (values[i * n + j] as number),
      ),
    );
    const matrix = new BandedMatrix(n, lower, upper);
    dense.forEach((row, i) => {
      row.forEach((value, j) => {
        if (value !== 0) matrix.add(i, j, value);
      });
    });
    const x = Float64Array.from(uniform(5, n));
    const b = Float64Array.from(dense, (row) => row.reduce((sum, value, j) => sum + value * (x[j] as number), 0));
    matrix.solve(b).forEach((value, i) => {
      expect(value).toBeCloseTo(x[i] as number, 9);
    });
  });

  test('singular systems and elements outside of the band are refused', () => {
    const matrix = new BandedMatrix(3, 1, 1);
    expect(() => matrix.add(0, 2, 1)).toThrow('(0, 2) lies outside of the band of 1, 1');
    matrix.add(0, 0, 1);
    expect(() => matrix.solve(new Float64Array(3))).toThrow('the system is singular');
    expect(() => new BandedMatrix(0, 1, 1)).toThrow('sizes must be whole numbers');
  });
});
