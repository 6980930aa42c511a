import { expect, test } from 'vitest';
import { linearAssignment, svd, truncatedSvd } from '../../src/linalg/index.js';
import { matmul, Random } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';

/** The best total over all permutations. */
function bruteForce(cost: ArrayLike<number>, n: number, better: (a: number, b: number) => boolean): number {
  let best: number | undefined;
  const visit = (row: number, taken: number, total: number): void => {
    if (row === n) {
      if (best === undefined || better(total, best)) best = total;
      return;
    }
    for (let j = 0; j < n; j++)
      if (!(taken & (1 << j))) visit(row + 1, taken | (1 << j), total + (cost[row * n + j] as number));
  };
  visit(0, 0, 0);
  return best as number;
}

test.each([1, 2, 3, 5, 7])('an assignment of %i rows is the best of all permutations', (n) => {
  for (let seed = 0; seed < 12; seed++) {
    const cost = Float64Array.from(new Random(seed).normal([n, n]).view<Float32Array>());
    for (const maximise of [false, true]) {
      const columns = linearAssignment(cost, n, { maximise });
      expect([...columns].sort()).toEqual([...Array(n).keys()]);
      const total = columns.reduce((sum, column, row) => sum + (cost[row * n + column] as number), 0);
      expect(total).toBeCloseTo(
        bruteForce(cost, n, (a, b) => (maximise ? a > b : a < b)),
        6,
      );
    }
  }
});

test('equal costs, integers and a large permutation are assigned', () => {
  expect([...linearAssignment(new Float64Array(9), 3)].sort()).toEqual([0, 1, 2]);
  const n = 200;
  const order = new Random(3).permutation(n);
  const score = new Float64Array(n * n);
  order.forEach((column, row) => {
    score[row * n + column] = 1;
  });
  expect([...linearAssignment(score, n, { maximise: true })]).toEqual([...order]);
  expect([...linearAssignment([], 0)]).toEqual([]);
});

test('a matrix that is not square or not finite is refused', () => {
  expect(() => linearAssignment([1, 2, 3], 2)).toThrow('expected 2×2 values, got 3');
  expect(() => linearAssignment([1, Number.NaN, 3, 4], 2)).toThrow('element 1 is NaN');
});

test('the truncated decomposition of a large matrix by projection equals the whole one', () => {
  const random = new Random(5);
  // Singular values that fall, as those of trained matrices.
  const [u, v] = [random.normal([300, 12]), random.normal([12, 280])];
  const a = matmul(u, v).add(random.normal([300, 280], 0, 0.3));
  const [own, whole] = [truncatedSvd(a, 6, random), svd(a)];
  expectClose(own.s.dataSync(), whole.s.dataSync().slice(0, 6), 1e-4);
  const low = matmul(own.u.multiply(own.s.reshape([1, 6])), own.v, { transposeB: true });
  const rest = a.subtract(low).square().sum().item();
  const tail = whole.s.dataSync().slice(6);
  expect(rest / tail.reduce((sum, value) => sum + value ** 2, 0)).toBeCloseTo(1, 4);
  expect(() => truncatedSvd(a, 281, random)).toThrow('281 singular values of a matrix [300, 280]');
});
