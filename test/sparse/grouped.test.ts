import { expect, test } from 'vitest';
import { embeddingBag, groupedMatmul, Segments } from '../../src/sparse/index.js';
import { slice, type Tensor } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

test('a grouped product equals one product a group, empty and large groups among them', () => {
  for (const [k, m] of [
    [5, 3],
    [70, 33],
    [600, 9],
  ] as const) {
    const segments = new Segments(Int32Array.from([0, 3, 3, 60, 61, 200]));
    const x = uniformTensor(1, [200, k]);
    for (const transposeB of [false, true]) {
      const w = uniformTensor(2, transposeB ? [5, m, k] : [5, k, m]);
      const y = groupedMatmul(x, w, segments, { transposeB });
      for (let e = 0; e < 5; e++) {
        const [from, to] = [segments.offsets[e] as number, segments.offsets[e + 1] as number];
        if (from === to) continue;
        const expected = slice(x, [from, to]).matmul(slice(w, [e, e + 1]).reshape(w.shape.slice(1)), { transposeB });
        expectClose(y.view().subarray(from * m, to * m), expected.view(), 1e-5);
      }
    }
  }
});

test('gradients of a grouped product', () => {
  const segments = new Segments(Int32Array.from([0, 2, 2, 5]));
  const x = uniformTensor(1, [5, 3]);
  checkGradient((a: Tensor, w: Tensor) => groupedMatmul(a, w, segments), [x, uniformTensor(2, [3, 3, 2])]);
  checkGradient(
    (a: Tensor, w: Tensor) => groupedMatmul(a, w, segments, { transposeB: true }).square(),
    [x, uniformTensor(2, [3, 2, 3])],
    { tolerance: 5e-2 },
  );
  expect(() => groupedMatmul(x, uniformTensor(2, [2, 3, 2]), segments)).toThrow('5 rows in 3 groups do not fit');
});

test('an embedding bag sums the rows of its bags', () => {
  const weight = uniformTensor(1, [6, 3]);
  const indices = Int32Array.from([0, 5, 5, 2]);
  const offsets = Int32Array.from([0, 3, 3, 4]);
  const row = (i: number) => [...weight.view().subarray(i * 3, i * 3 + 3)];
  const total = row(0).map((v, j) => v + 2 * (row(5)[j] as number));
  expectClose(embeddingBag(weight, indices, offsets).view(), [...total, 0, 0, 0, ...row(2)]);
  expectClose(embeddingBag(weight, indices, offsets, 'mean').view(), [...total.map((v) => v / 3), 0, 0, 0, ...row(2)]);
  checkGradient((w: Tensor) => embeddingBag(w, indices, offsets), [weight]);
});
