import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { broadcastTo, linear, matmul, ones, scope, type Tensor, tensor, zeros } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniform, uniformTensor } from '../oracle.js';

function naive(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  m: number,
  k: number,
  n: number,
  transposeA: boolean,
  transposeB: boolean,
): Float64Array {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      for (let p = 0; p < k; p++) {
        c[i * n + j] =
          (c[i * n + j] as number) +
          (a[transposeA ? p * m + i : i * k + p] as number) * (b[transposeB ? j * k + p : p * n + j] as number);
      }
    }
  }
  return c;
}

const size = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(31, 32, 33, 64, 65, 100));

test('equals a naive triple loop for any sizes and transposes', () => {
  fc.assert(
    fc.property(size, size, size, fc.boolean(), fc.boolean(), (m, k, n, transposeA, transposeB) => {
      scope(() => {
        const a = uniformTensor(m, transposeA ? [k, m] : [m, k]);
        const b = uniformTensor(n, transposeB ? [n, k] : [k, n]);
        expectClose(
          matmul(a, b, { transposeA, transposeB }).view(),
          naive(a.view(), b.view(), m, k, n, transposeA, transposeB),
          1e-5,
        );
      });
    }),
    { numRuns: 200 },
  );
});

test('sums over several blocks of the inner size', () => {
  const [m, k, n] = [9, 1300, 11];
  const a = uniformTensor(1, [m, k]);
  const b = uniformTensor(2, [k, n]);
  expectClose(matmul(a, b).view(), naive(a.view(), b.view(), m, k, n, false, false), 2e-5);
});

test('batches multiply one by one and broadcast', () => {
  const a = uniformTensor(1, [2, 3, 5, 4]);
  const b = uniformTensor(2, [3, 4, 6]);
  const y = matmul(a, b);
  expect(y.shape).toEqual([2, 3, 5, 6]);
  for (let i = 0; i < 2; i++) {
    for (let j = 0; j < 3; j++) {
      const at = i * 3 + j;
      expectClose(
        y.view().subarray(at * 30, at * 30 + 30),
        naive(a.view().subarray(at * 20, at * 20 + 20), b.view().subarray(j * 24, j * 24 + 24), 5, 4, 6, false, false),
      );
    }
  }
  expect(matmul(uniformTensor(3, [2, 3, 4]), uniformTensor(4, [4, 5])).shape).toEqual([2, 3, 5]);
});

test.each([
  [false, false],
  [false, true],
  [true, false],
  [true, true],
])('gradients with transposes %s, %s', (transposeA, transposeB) => {
  checkGradient(
    (a, b) => matmul(a, b, { transposeA, transposeB }),
    [uniformTensor(1, transposeA ? [4, 3] : [3, 4]), uniformTensor(2, transposeB ? [2, 4] : [4, 2])],
  );
  checkGradient(
    (a, b) => matmul(a, b, { transposeA, transposeB }),
    [uniformTensor(1, transposeA ? [2, 3, 2] : [2, 2, 3]), uniformTensor(2, transposeB ? [2, 3] : [3, 2])],
  );
});

test.each([
  [5, 700, 13],
  [23, 20, 16],
])('linear of [%i, %i] to %i adds the bias and applies ReLU in the same pass', (m, k, n) => {
  const x = uniformTensor(1, [m, k]);
  const w = uniformTensor(2, [n, k]);
  const b = uniform(3, n);
  const sums = naive(x.view(), w.view(), m, k, n, false, true).map((value, i) => value + (b[i % n] as number));
  const own = uniformTensor(3, [n]);
  expectClose(linear(x, w, own).view(), sums, 2e-5);
  expectClose(
    linear(x, w, own, 'relu').view(),
    sums.map((value) => Math.max(0, value)),
    2e-5,
  );
});

test('gradients of linear layers', () => {
  checkGradient(
    (a, c, d) => linear(a, c, d),
    [uniformTensor(1, [3, 4]), uniformTensor(2, [2, 4]), uniformTensor(3, [2])],
  );
  checkGradient(
    (a, c, d) => linear(a, c, d, 'relu'),
    [uniformTensor(1, [3, 4], 1, 2), uniformTensor(2, [2, 4], 0.5, 1), uniformTensor(3, [2])],
  );
});

test('errors name the shapes', () => {
  expect(() => matmul(zeros([32, 784]), zeros([785, 10]))).toThrow('matmul: inner sizes differ: [32, 784] × [785, 10]');
  expect(() => matmul(zeros([3]) as Tensor, zeros([3, 2]))).toThrow(
    'matmul: expected at least two axes each, got [3] × [3, 2]',
  );
  expect(() => linear(zeros([2, 3]), zeros([4, 5]))).toThrow('linear: input has 3 features, weight expects 5');
});

test('empty sizes give empty or zero results', () => {
  expect(matmul(zeros([0, 3]), zeros([3, 2])).shape).toEqual([0, 2]);
  expect(matmul(zeros([2, 0]), zeros([0, 2])).view()).toEqual(new Float32Array(4));
});

test('long products of few rows neither stop at 2²⁴ nor lose digits', () => {
  const n = 20_000_000;
  expect(matmul(ones([1, n]), ones([n, 1])).item()).toBe(n);
  const k = 1_000_000;
  const values = uniform(4, k, 0, 1);
  const exact = values.reduce((total, value) => total + value, 0);
  const x = tensor(values, [1, k]);
  const [error, bound] = [(y: Tensor) => Math.max(...y.view().map((v) => Math.abs(v - exact) / exact)), 5e-6];
  for (const columns of [1, 3, 6, 16, 19]) {
    expect(error(matmul(x, ones([k, columns])))).toBeLessThan(bound);
    expect(error(matmul(x, ones([columns, k]), { transposeB: true }))).toBeLessThan(bound);
  }
  for (const rows of [3, 8]) expect(error(matmul(broadcastTo(x, [rows, k]), ones([k, 2])))).toBeLessThan(bound);
});

test('sums of no products are 0, with leading axes too', () => {
  const zero = (shape: number[]) => zeros(shape);
  for (const [a, b] of [
    [
      [3, 0],
      [0, 4],
    ],
    [
      [2, 3, 0],
      [0, 4],
    ],
    [
      [2, 3, 0],
      [2, 0, 4],
    ],
  ] as const)
    expect(matmul(zero([...a]), zero([...b])).dataSync()).toEqual(
      new Float32Array([...a.slice(0, -1), 4].reduce((n, x) => n * x)),
    );
  expect(linear(zero([2, 3, 0]), zero([4, 0]), ones([4])).dataSync()).toEqual(new Float32Array(24).fill(1));
  expect(linear(zero([2, 0, 5]), zero([4, 5])).shape).toEqual([2, 0, 4]);
});

test('an activation that a layer does not have is refused, not left out', () => {
  expect(() => linear(ones([1, 2]), ones([1, 2]), undefined, 'gelu' as 'relu')).toThrow(
    "linear: the activation must be 'none' or 'relu', got \"gelu\"",
  );
});
