import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SparseMatrix, sparseProduct, sparseProjection } from '../../src/sparse/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import { expectClose, uniform } from '../oracle.js';

/** A random matrix with about half its places empty. */
const randomDense = (seed: number, rows: number, columns: number) =>
  tensor(
    uniform(seed, rows * columns).map((value) => (value < 0 ? 0 : value)),
    [rows, columns],
  );

describe('the product of two sparse matrices', () => {
  test('equals the dense one, columns ascending', () => {
    const sizes = fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.nat(50));
    fc.assert(
      fc.property(sizes, ([m, n, p, seed]) => {
        const [a, b] = [randomDense(seed, m, n), randomDense(seed + 1, n, p)];
        const product = sparseProduct(SparseMatrix.fromDense(a), SparseMatrix.fromDense(b));
        expectClose(product.toDense().view(), a.matmul(b).view(), 1e-5);
        const { indptr, indices } = product.pattern;
        for (let row = 0; row < m; row++)
          for (let e = (indptr[row] as number) + 1; e < (indptr[row + 1] as number); e++)
            expect(indices[e] as number).toBeGreaterThan(indices[e - 1] as number);
      }),
      { numRuns: 60 },
    );
  });

  test('counts paths where values are left out; refuses sizes that do not fit', () => {
    const pattern = SparseMatrix.fromCoordinates(3, 3, [0, 0, 1, 2], [1, 2, 0, 0]);
    expect([...sparseProduct(pattern, pattern).toDense().view()]).toEqual([2, 0, 0, 0, 1, 1, 0, 1, 1]);
    const other = SparseMatrix.fromCoordinates(2, 2, [0], [0]);
    expect(() => sparseProduct(pattern, other)).toThrow('inner sizes differ: [3, 3] × [2, 2]');
  });
});

describe('sparse projection', () => {
  test('keeps lengths and inner products of a subspace of ten dimensions', () => {
    const [n, d, inner, rows] = [2000, 512, 10, 200];
    const random = new Random(5);
    const basis = random.split('basis').normal([inner, n]);
    const x = random.split('vectors').normal([rows, inner]).matmul(basis);
    const norms = Array.from({ length: rows }, (_, i) =>
      Math.sqrt(
        x
          .view()
          .subarray(i * n, (i + 1) * n)
          .reduce((sum, value) => sum + value * value, 0),
      ),
    );
    const unit = tensor(
      x.view().map((value, at) => value / (norms[Math.floor(at / n)] as number)),
      [rows, n],
    );
    const y = unit.matmul(sparseProjection(n, d, random.split('projection'), { sparsity: 3 }).toDense());
    const [before, after] = [unit.matmul(unit, { transposeB: true }).view(), y.matmul(y, { transposeB: true }).view()];
    let length = 0;
    const [p, q] = [[] as number[], [] as number[]];
    for (let i = 0; i < rows; i++) {
      length += (after[i * rows + i] as number) / d / rows;
      for (let j = 0; j < i; j++) {
        p.push(before[i * rows + j] as number);
        q.push((after[i * rows + j] as number) / d);
      }
    }
    expect(Math.abs(length - 1)).toBeLessThan(0.1);
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
    const [mp, mq] = [mean(p), mean(q)];
    const covariance = p.reduce((sum, value, i) => sum + (value - mp) * ((q[i] as number) - mq), 0);
    const spread = (values: number[], m: number) => Math.sqrt(values.reduce((sum, value) => sum + (value - m) ** 2, 0));
    expect(covariance / (spread(p, mp) * spread(q, mq))).toBeGreaterThan(0.97);
  });
});
