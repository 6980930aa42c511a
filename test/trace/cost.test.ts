import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { groupedMatmul, Segments, SparseMatrix, sddmm, segmentSum, spmm } from '../../src/sparse/index.js';
import * as g from '../../src/tensor/index.js';
import { type Tensor, tensor } from '../../src/tensor/index.js';
import { cost, formatCost, fuse, graphCost, trace } from '../../src/trace/index.js';
import { rangesOf, useInt8Kernels } from '../../src/trace/int8/index.js';
import { useSparseKernels } from '../../src/trace/sparse-kernels.js';
import { uniformTensor } from '../oracle.js';

/** Five elements of a 3×4 matrix. */
const sparse = SparseMatrix.fromCoordinates(3, 4, [0, 0, 1, 2, 2], [0, 3, 1, 1, 2], [1, 2, 3, 4, 5]);

describe('multiply-adds equal those of loops', () => {
  const cases: readonly [string, (...inputs: Tensor[]) => unknown, readonly number[][], number][] = [
    [
      'matmul',
      (a, b) => g.matmul(a, b),
      [
        [2, 3, 4],
        [2, 4, 5],
      ],
      2 * 3 * 4 * 5,
    ],
    [
      'matmul of a transpose',
      (a, b) => g.matmul(a, b, { transposeA: true }),
      [
        [4, 3],
        [4, 5],
      ],
      3 * 4 * 5,
    ],
    [
      'linear',
      (x, w) => g.linear(x, w),
      [
        [2, 3, 4],
        [5, 4],
      ],
      2 * 3 * 4 * 5,
    ],
    [
      'einsum',
      (a, b) => g.einsum('bij,bjk->bik', a, b),
      [
        [2, 3, 4],
        [2, 4, 5],
      ],
      2 * 3 * 4 * 5,
    ],
    // 2 images, 6 filters of 2 channels and 3×3, 2×3 pixels.
    [
      'convolution',
      (x, w) => g.conv2d(x, w, undefined, { groups: 2 }),
      [
        [2, 4, 4, 5],
        [6, 2, 3, 3],
      ],
      2 * 6 * 18 * 6,
    ],
    [
      'transposed convolution',
      (x, w) => g.convTranspose2d(x, w),
      [
        [1, 4, 2, 3],
        [4, 5, 2, 2],
      ],
      4 * 6 * 5 * 4,
    ],
    [
      'aggregation',
      (x, f) => g.aggregate(x, f),
      [
        [1, 4, 3, 3],
        [1, 2, 9, 3, 3],
      ],
      4 * 9 * 9,
    ],
    // 6 scores a head and query from depth 4, and as many values of depth 5.
    [
      'attention',
      (q, k, v) => g.attention(q, k, v),
      [
        [1, 2, 3, 4],
        [1, 2, 6, 4],
        [1, 2, 6, 5],
      ],
      2 * 3 * 6 * (4 + 5),
    ],
    [
      'linear scan',
      (a, b) => g.linearScan(a, b),
      [
        [2, 3, 4],
        [2, 3, 4],
      ],
      2 * 3 * 4,
    ],
    // Per row of 8: 3 stages of 4 complex products, of 4 real ones each.
    ['Fourier transform', (x) => Object.values(g.fft(x)), [[5, 8]], 5 * 3 * 4 * 4],
    ['spmm', (x) => spmm(sparse, x), [[4, 6]], 5 * 6],
    ['spmm of a transpose', (x) => spmm(sparse, x, { transposeX: true }), [[6, 4]], 5 * 6],
    [
      'sddmm',
      (a, b) => sddmm(sparse.pattern, a, b),
      [
        [3, 6],
        [4, 6],
      ],
      5 * 6,
    ],
    [
      'grouped matmul',
      (x, w) => groupedMatmul(x, w, Segments.fromSizes([2, 0, 3])),
      [
        [5, 4],
        [3, 4, 6],
      ],
      5 * 4 * 6,
    ],
  ];
  test.each(cases)('%s', (_, fn, shapes, expected) => {
    const counted = cost(
      fn,
      shapes.map((shape, i) => uniformTensor(i, shape)),
    );
    expect([counted.multiplyAdds, counted.uncounted]).toEqual([expected, []]);
  });

  test('gradients: each operand of a product takes as many again', () => {
    const products: readonly [(a: Tensor, b: Tensor) => Tensor, number[], number[]][] = [
      [(a, b) => g.matmul(a, b), [3, 4], [4, 5]],
      [(a, b) => g.conv2d(a, b), [2, 3, 5, 5], [4, 3, 2, 2]],
      [(a, b) => g.aggregate(a, b), [1, 4, 3, 3], [1, 2, 9, 3, 3]],
      [(a, b) => groupedMatmul(a, b, Segments.fromSizes([2, 3])), [5, 4], [2, 4, 6]],
      [(a, b) => sddmm(sparse.pattern, a, b), [3, 6], [4, 6]],
    ];
    for (const [fn, left, right] of products) {
      const inputs = [uniformTensor(1, left), uniformTensor(2, right)] as const;
      const forward = cost((a, b) => fn(a as Tensor, b as Tensor), inputs).multiplyAdds;
      const both = (a: Tensor, b: Tensor) => g.grad(([p, q]: [Tensor, Tensor]) => fn(p, q).square().sum())([a, b]);
      expect(cost((a, b) => both(a as Tensor, b as Tensor), inputs).multiplyAdds).toBe(3 * forward);
    }
  });

  test('of attention: scores again, then four products', () => {
    const inputs = [
      [1, 2, 3, 4],
      [1, 2, 6, 4],
      [1, 2, 6, 5],
    ].map((shape, i) => uniformTensor(i, shape));
    const gradient = (...tree: Tensor[]) =>
      g.grad(([q, k, v]: Tensor[]) => g.attention(q as Tensor, k as Tensor, v as Tensor).sum())(tree);
    expect(cost(gradient, inputs).multiplyAdds).toBe(36 * (4 + 5) + 36 * (3 * 4 + 2 * 5));
  });

  test('fused, int8 and sparse kernels count as what they stand for', () => {
    const pointwise = uniformTensor(1, [8, 4, 1, 1]);
    pointwise.assign(pointwise.dataSync().map((value, i) => (i % 4 === 0 ? value : 0)));
    const [w, head] = [uniformTensor(2, [4, 3, 3, 3]), uniformTensor(3, [2, 8])];
    const fn = (x: Tensor) =>
      g.linear(g.globalAveragePool(g.conv2d(g.conv2d(x, w).relu(), pointwise).add(1)), head).relu();
    const x = uniformTensor(4, [2, 3, 6, 6]);
    const [first, second, last] = [2 * 4 * 16 * 27, 2 * 8 * 16 * 4, 2 * 2 * 8];
    const counts = trace(fn, [x], {}, (graph) => {
      const fused = fuse(graph);
      const int8 = useInt8Kernels(fused, rangesOf(fused, { calibration: [[x]] }));
      return [graph, fused, int8, useSparseKernels(fused, { choose: 'rule' })].map(
        (rewritten) => graphCost(rewritten, {}).multiplyAdds,
      );
    });
    const all = first + second + last;
    expect(counts).toEqual([all, all, all, first + second / 4 + last]);
  });

  test('what is elementwise, reduces or moves is free', () => {
    const free = (x: Tensor) => [
      g.softmax(g.gelu(x.add(x))).sum(),
      g.layerNorm(x, tensor([1, 1])),
      segmentSum(x.permute([1, 0]), new Segments(Int32Array.of(0, 1, 2))),
      g.topK(x, 1)[0],
    ];
    expect(cost(free, [uniformTensor(1, [3, 2])])).toMatchObject({ multiplyAdds: 0, uncounted: [] });
  });
});

test('operations without a count are named', () => {
  const fn = (x: Tensor) =>
    g.checkpoint(
      (y) => g.matmul(y, y),
      g.checkpoint((y) => g.matmul(y, y), g.matmul(x, x)),
    );
  const counted = cost(fn, [uniformTensor(1, [3, 3])]);
  expect([counted.multiplyAdds, counted.uncounted]).toEqual([27, ['checkpoint']]);
  expect(counted.nodes.map((node) => node.counted)).toEqual([true, false, false]);
  const table = formatCost(counted);
  expect(table).toContain('uncounted');
  expect(table.split('\n').at(-1)).toBe('multiply-adds without those of checkpoint');
  expect(formatCost(cost((x) => g.matmul(x, x), [uniformTensor(1, [3, 3])]))).not.toContain('without');
});

// That every record states its count is a matter of types; here, that none is left uncounted
// without a reason.
test('only checkpoints, whose function the graph does not show, are uncounted', () => {
  const source = resolve(import.meta.dirname, '../../src');
  const uncounted = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [...readFileSync(join(source, file), 'utf8').matchAll(/name: '(\w+)',\s+multiplyAdds: 'unc/g)])
    .map(([, name]) => name);
  expect(uncounted).toEqual(['checkpoint']);
  const records = Object.values(g).filter((value): value is g.Op => 'infer' in Object(value));
  expect(records.length).toBeGreaterThan(30);
  for (const { name, multiplyAdds } of records) expect([name, multiplyAdds]).not.toEqual([name, undefined]);
});
