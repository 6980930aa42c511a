import { expect, test } from 'vitest';
import { setThreads, threads } from '../../src/engine/index.js';
import { blockDiagonalMatmul } from '../../src/sparse/index.js';
import type { Tensor } from '../../src/tensor/index.js';
import { compile, loadPlan, savePlan } from '../../src/trace/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

/** The sum over the columns of a block, one element after the other. */
function naive(x: Tensor, w: Tensor): number[] {
  const [n] = x.shape as [number];
  const [blocks, inner, outer] = w.shape as [number, number, number];
  const [a, b] = [x.view(), w.view()];
  return Array.from({ length: n * blocks * outer }, (_, at) => {
    const [row, column] = [Math.floor(at / (blocks * outer)), at % (blocks * outer)];
    const [e, j] = [Math.floor(column / outer), column % outer];
    let total = 0;
    for (let i = 0; i < inner; i++)
      total += (a[(row * blocks + e) * inner + i] as number) * (b[(e * inner + i) * outer + j] as number);
    return total;
  });
}

const cases = [
  [1, 1, 1, 1],
  [7, 3, 8, 8],
  [4, 2, 5, 3],
  [9, 4, 3, 6],
  [0, 2, 4, 4],
] as const;

test('a product with a block-diagonal matrix, by the sums of its blocks', () => {
  for (const [n, blocks, inner, outer] of cases) {
    const [x, w] = [uniformTensor(1, [n, blocks * inner]), uniformTensor(2, [blocks, inner, outer])];
    const y = blockDiagonalMatmul(x, w);
    expect(y.shape).toEqual([n, blocks * outer]);
    expectClose(y.view(), naive(x, w), 1e-5);
  }
  expect(() => blockDiagonalMatmul(uniformTensor(1, [2, 6]), uniformTensor(2, [2, 4, 4]))).toThrow(
    'the columns of x [2, 6] are not those of the blocks w [2, 4, 4]',
  );
});

test('any number of threads gives the same bits', () => {
  const [x, w] = [uniformTensor(1, [4001, 64]), uniformTensor(2, [8, 8, 8])];
  const one = blockDiagonalMatmul(x, w).view().slice();
  const initial = threads();
  setThreads(2);
  try {
    expect(blockDiagonalMatmul(x, w).view()).toEqual(one);
  } finally {
    setThreads(initial);
  }
});

test('in a plan, also from a file', () => {
  const [x, w] = [uniformTensor(1, [5, 12]), uniformTensor(2, [3, 4, 2])];
  const plan = loadPlan(savePlan(compile((own) => blockDiagonalMatmul(own, w), [x])));
  expectClose((plan.run(x)[0] as Tensor).view(), naive(x, w), 1e-5);
});

test('gradients of both, and of these', () => {
  checkGradient(
    (x: Tensor, w: Tensor) => blockDiagonalMatmul(x, w),
    [uniformTensor(1, [3, 6]), uniformTensor(2, [2, 3, 2])],
  );
  checkGradient(
    (x: Tensor, w: Tensor) => blockDiagonalMatmul(x, w).square(),
    [uniformTensor(3, [3, 4]), uniformTensor(4, [2, 2, 3])],
  );
});
