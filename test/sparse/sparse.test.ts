import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  productWork,
  Segments,
  SparseMatrix,
  sddmm,
  segmentMax,
  segmentMean,
  segmentSoftmax,
  segmentSum,
  sparseProduct,
  spmm,
} from '../../src/sparse/index.js';
import { multiply, ones, type Tensor, tensor, zeros } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniform, uniformTensor } from '../oracle.js';

/** A random matrix with about half its places empty, some rows wholly. */
function randomDense(seed: number, rows: number, columns: number): Tensor {
  const values = uniform(seed, rows * columns).map((value, i) =>
    value < 0 || (Math.floor(i / columns) + seed) % 4 === 0 ? 0 : value,
  );
  return tensor(values, [rows, columns]);
}

const sizes = fc.tuple(
  fc.integer({ min: 1, max: 12 }),
  fc.integer({ min: 1, max: 12 }),
  fc.constantFrom(1, 2, 3, 4, 7, 8, 11, 32, 45),
  fc.integer({ min: 0, max: 50 }),
);

describe('SparseMatrix', () => {
  test('spmm and its transpose equal the dense product', () => {
    fc.assert(
      fc.property(sizes, ([rows, columns, d, seed]) => {
        const dense = randomDense(seed, rows, columns);
        const sparse = SparseMatrix.fromDense(dense);
        const x = uniformTensor(seed + 1, [columns, d]);
        const y = uniformTensor(seed + 2, [rows, d]);
        expectClose(sparse.toDense().view(), dense.view(), 0);
        expectClose(spmm(sparse, x).view(), dense.matmul(x).view(), 1e-5);
        expectClose(sparse.transpose().matmul(y).view(), dense.matmul(y, { transposeA: true }).view(), 1e-5);
      }),
      { numRuns: 80 },
    );
  });

  test('a dense side may be given transposed, for few and for many stored elements', () => {
    for (const [rows, columns] of [
      [1, 300],
      [40, 6],
    ] as const) {
      const picks = Int32Array.from({ length: rows }, (_, r) => (r * 37) % columns);
      const sparse = SparseMatrix.fromCoordinates(
        rows,
        columns,
        picks.map((_, r) => r),
        picks,
        uniform(1, rows),
      );
      const w = uniformTensor(2, [5, columns]);
      expectClose(spmm(sparse, w, { transposeX: true }).view(), spmm(sparse, w.transpose()).view(), 1e-6);
    }
    const { pattern } = SparseMatrix.fromCoordinates(1, 40, [0, 0], [3, 31]);
    checkGradient(
      (v, x) => spmm(new SparseMatrix(pattern, v), x, { transposeX: true }).square(),
      [uniformTensor(1, [2]), uniformTensor(2, [2, 40])],
    );
  });

  test('sddmm equals the dense product at the stored places', () => {
    fc.assert(
      fc.property(sizes, ([rows, columns, d, seed]) => {
        const { pattern } = SparseMatrix.fromDense(randomDense(seed, rows, columns));
        const a = uniformTensor(seed + 1, [rows, d]);
        const b = uniformTensor(seed + 2, [columns, d]);
        const all = a.matmul(b, { transposeB: true }).view();
        const rowOf = pattern.segments.ids.view<Int32Array>();
        expectClose(
          sddmm(pattern, a, b).view(),
          Array.from(pattern.indices, (column, e) => all[(rowOf[e] as number) * columns + column] as number),
          1e-5,
        );
      }),
      { numRuns: 80 },
    );
  });

  test('gradients to values and to the dense side, twice', () => {
    const { pattern } = SparseMatrix.fromDense(randomDense(3, 4, 3));
    const values = uniformTensor(1, [pattern.nnz]);
    checkGradient((v, x) => spmm(new SparseMatrix(pattern, v), x).square(), [values, uniformTensor(2, [3, 2])]);
    checkGradient((a, b) => sddmm(pattern, a, b).square(), [uniformTensor(3, [4, 2]), uniformTensor(4, [3, 2])]);
    checkGradient(
      (v, l, r) => spmm(new SparseMatrix(pattern, v).scale(l, r), uniformTensor(5, [3, 2])),
      [values, uniformTensor(6, [4]), uniformTensor(7, [3])],
    );
  });

  test('spmm gradient equals the dense one', () => {
    const dense = randomDense(1, 5, 6);
    const x = uniformTensor(2, [6, 3]);
    checkGradient((v) => multiply(spmm(SparseMatrix.fromDense(dense), v), dense.matmul(v)), [x]);
  });

  test('coordinates may come in any order and repeat', () => {
    const matrix = SparseMatrix.fromCoordinates(2, 3, [1, 0, 1, 1], [2, 1, 0, 2], [1, 2, 3, 4]);
    expect([...matrix.toDense().view()]).toEqual([0, 2, 0, 3, 0, 5]);
    expect([...matrix.rowSums()]).toEqual([2, 8]);
  });

  test('rows and columns can be picked out', () => {
    const dense = randomDense(6, 6, 5);
    const sparse = SparseMatrix.fromDense(dense);
    expectClose(
      sparse.selectRows([4, 1, 4]).toDense().view(),
      [4, 1, 4].flatMap((row) => [...dense.view().subarray(row * 5, row * 5 + 5)]),
      0,
    );
    const { matrix, columns } = sparse.selectRows([1]).compactColumns();
    expect(matrix.columns).toBe(columns.length);
  });

  test('errors name the cause', () => {
    expect(() => SparseMatrix.fromCoordinates(2, 2, [0, 2], [0, 0])).toThrow(
      'SparseMatrix: row 2 of element 1 is outside 0…1',
    );
    expect(() => SparseMatrix.fromCoordinates(2, 2, [0], [5])).toThrow('column 5 of element 0 is outside 0…1');
    expect(() => spmm(SparseMatrix.fromDense(zeros([2, 3])), zeros([2, 2]))).toThrow(
      'spmm: inner sizes differ: sparse [2, 3] × [2, 2]',
    );
  });
});

describe('segments', () => {
  const segments = Segments.fromSizes([2, 0, 3, 1]);
  const x = tensor(
    Float32Array.from({ length: 30 }, (_, i) => ((i * 7) % 30) * 0.11 - 1),
    [6, 5],
  );
  const groups = [[0, 1], [], [2, 3, 4], [5]];
  const column = (c: number, rows: number[]) => rows.map((row) => x.view()[row * 5 + c] as number);
  const naive = (reduce: (values: number[]) => number) =>
    groups.flatMap((rows) => [0, 1, 2, 3, 4].map((c) => (rows.length ? reduce(column(c, rows)) : 0)));

  test('sum, mean and max equal loops; empty segments give 0', () => {
    const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
    expectClose(segmentSum(x, segments).view(), naive(sum));
    expectClose(
      segmentMean(x, segments).view(),
      naive((values) => sum(values) / values.length),
    );
    expectClose(
      segmentMax(x, segments).view(),
      naive((values) => Math.max(...values)),
    );
    expect(segmentSum(uniformTensor(1, [6, 2, 3]), segments).shape).toEqual([4, 2, 3]);
  });

  test('softmax sums to 1 in each segment and equals its definition', () => {
    const y = segmentSoftmax(x, segments).view();
    for (const rows of groups) {
      for (let c = 0; c < 5; c++) {
        const total = column(c, rows).reduce((a, v) => a + Math.exp(v), 0);
        rows.forEach((row) => {
          expect(y[row * 5 + c]).toBeCloseTo(Math.exp(x.view()[row * 5 + c] as number) / total, 6);
        });
      }
    }
  });

  test('gradients', () => {
    checkGradient((v) => segmentSum(v, segments).square(), [x]);
    checkGradient((v) => segmentMean(v, segments).square(), [x]);
    checkGradient((v) => segmentMax(v, segments), [x], { second: false });
    checkGradient((v) => segmentSoftmax(v, segments), [x]);
  });

  test('bad offsets are refused', () => {
    expect(() => new Segments(Int32Array.of(0, 3, 2))).toThrow('offsets fall at position 2');
    expect(() => segmentSum(zeros([5, 1]), segments)).toThrow('segmentSum: the segments hold 6 rows');
  });
});

test('long rows and segments neither stop at 2²⁴ nor lose digits', () => {
  const n = 20_000_000;
  expect(segmentSum(ones([n]), Segments.fromSizes([n])).item()).toBe(n);
  const long = 1_000_000;
  const x = uniformTensor(3, [long, 11], 0, 1);
  const exact = Array.from({ length: 11 }, (_, c) =>
    x.view().reduce((total, value, i) => (i % 11 === c ? total + value : total), 0),
  );
  const segments = Segments.fromSizes([3, long - 3]);
  const sums = segmentSum(x, segments).view();
  exact.forEach((value, c) => {
    const total = (sums[c] as number) + (sums[11 + c] as number);
    expect(Math.abs(total - value) / value).toBeLessThan(2e-6);
  });
  const softmax = segmentSoftmax(zeros([long, 5]), Segments.fromSizes([long])).view();
  expect(softmax.every((v) => Math.abs(v * long - 1) < 1e-5)).toBe(true);
});

describe('the product of two sparse matrices', () => {
  const random = (rows: number, columns: number, seed: number) => {
    const values = uniform(seed, rows * columns).map((value) => (Math.abs(value) < 0.6 ? 0 : value));
    return SparseMatrix.fromDense(tensor(values, [rows, columns]));
  };

  test('equals the dense product, its columns ascending', () => {
    for (const [seed, m, n, p] of [
      [1, 7, 5, 9],
      [2, 1, 6, 1],
      [3, 12, 12, 12],
    ] as const) {
      const [a, b] = [random(m, n, seed), random(n, p, seed + 10)];
      const found = sparseProduct(a, b);
      expectClose(found.toDense().view(), a.toDense().matmul(b.toDense()).view());
      const { indptr, indices } = found.pattern;
      for (let row = 0; row < m; row++) {
        const own = [...indices.subarray(indptr[row], indptr[row + 1])];
        expect(own).toEqual([...new Set(own)].sort((x, y) => x - y));
      }
    }
  });

  test('keeps the largest of each row, of equals the first', () => {
    const a = random(8, 10, 4);
    const b = random(10, 12, 5);
    const whole = sparseProduct(a, b).toDense().view();
    const found = sparseProduct(a, b, { top: 3 }).toDense().view();
    for (let row = 0; row < 8; row++) {
      const own = Array.from({ length: 12 }, (_, j) => ({ j, value: whole[row * 12 + j] as number }));
      const kept = new Set(
        own
          .sort((x, y) => Math.abs(y.value) - Math.abs(x.value) || x.j - y.j)
          .slice(0, 3)
          .map(({ j }) => j),
      );
      for (let j = 0; j < 12; j++) expect(found[row * 12 + j]).toBe(kept.has(j) ? whole[row * 12 + j] : 0);
    }
    const ones = SparseMatrix.fromDense(tensor([[1, 1, 1, 1]]));
    const eyes = SparseMatrix.fromCoordinates(4, 4, [0, 1, 2, 3], [3, 2, 1, 0]);
    expect([...sparseProduct(ones, eyes, { top: 2 }).pattern.indices]).toEqual([0, 1]);
  });

  test('counts its work, and refuses what is too large before it is made', () => {
    const [a, b] = [random(8, 10, 4), random(10, 12, 5)];
    const work = a.pattern.indices.reduce(
      (sum, k) => sum + (b.pattern.indptr[k + 1] as number) - (b.pattern.indptr[k] as number),
      0,
    );
    expect(productWork(a.pattern, b.pattern)).toBe(work);
    const { nnz } = sparseProduct(a, b);
    expect(() => sparseProduct(a, b, { limit: nnz - 1 })).toThrow(`has ${nnz} elements`);
    expect(sparseProduct(a, b, { limit: 8 * 2, top: 2 }).nnz).toBeLessThanOrEqual(16);
    expect(() => sparseProduct(a, a)).toThrow('inner sizes differ: [8, 10] × [8, 10]');
  });
});
