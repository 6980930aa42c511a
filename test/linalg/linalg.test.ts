import { expect, test } from 'vitest';
import { cholesky, qr, solve, svd, symmetricEigen } from '../../src/linalg/index.js';
import { eye, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose, uniformTensor } from '../oracle.js';

const diagonal = (values: Tensor) => eye(values.size).multiply(values);

test('factors multiply back, orthonormal where they should be', () => {
  for (const n of [1, 3, 8]) {
    const x = uniformTensor(n, [n + 2, n]);
    const a = x.matmul(x, { transposeA: true }).add(eye(n).multiply(0.1));
    const l = cholesky(a);
    expectClose(l.matmul(l, { transposeB: true }).view(), a.view(), 1e-5);
    const { q, r } = qr(x);
    expectClose(q.matmul(r).view(), x.view(), 1e-5);
    expectClose(q.matmul(q, { transposeA: true }).view(), eye(n).view(), 1e-5);
    const { values, vectors } = symmetricEigen(a);
    expectClose(vectors.matmul(diagonal(values)).matmul(vectors, { transposeB: true }).view(), a.view(), 1e-5);
    expect([...values.view()]).toEqual([...values.view()].sort((p, s) => p - s));
    for (const m of [x, x.transpose()]) {
      const { u, s, v } = svd(m);
      expectClose(u.matmul(diagonal(s)).matmul(v, { transposeB: true }).view(), m.view(), 1e-5);
    }
    const b = uniformTensor(9, [n, 2]);
    expectClose(a.matmul(solve(a, b)).view(), b.view(), 1e-4);
  }
});

test('errors say what is wrong', () => {
  expect(() =>
    cholesky(
      tensor([
        [1, 2],
        [2, 1],
      ]),
    ),
  ).toThrow('not positive definite');
  expect(() =>
    cholesky(
      tensor([
        [1, 2],
        [0, 1],
      ]),
    ),
  ).toThrow('not symmetric');
  expect(() => qr(uniformTensor(1, [2, 3]))).toThrow('at least as many rows');
  expect(() => svd(tensor([[Number.NaN]]))).toThrow('element 0 is NaN');
});
