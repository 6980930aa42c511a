import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as ops from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

/** Groups the elements of x by their position along the kept axes. */
function groups(x: ops.Tensor, axes: readonly number[]): number[][] {
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const count = kept.reduce((product, axis) => product * (x.shape[axis] as number), 1);
  const result = Array.from({ length: count }, (): number[] => []);
  x.view().forEach((value, index) => {
    let rest = index;
    const position = new Array<number>(x.rank);
    for (let axis = x.rank - 1; axis >= 0; axis--) {
      position[axis] = rest % (x.shape[axis] as number);
      rest = Math.floor(rest / (x.shape[axis] as number));
    }
    result[kept.reduce((at, axis) => at * (x.shape[axis] as number) + (position[axis] as number), 0)]?.push(value);
  });
  return result;
}

const total = (values: number[]) => values.reduce((a, b) => a + b, 0);
const average = (values: number[]) => total(values) / values.length;

const reductions = {
  sum: { op: ops.sum, reference: total },
  mean: { op: ops.mean, reference: average },
  max: { op: ops.max, reference: (values: number[]) => Math.max(...values) },
  min: { op: ops.min, reference: (values: number[]) => Math.min(...values) },
  variance: {
    op: ops.variance,
    reference: (values: number[]) => average(values.map((v) => (v - average(values)) ** 2)),
  },
  logSumExp: { op: ops.logSumExp, reference: (values: number[]) => Math.log(total(values.map(Math.exp))) },
};

describe.each(Object.entries(reductions))('%s', (_name, { op, reference }) => {
  test('equals a naive loop over any axes', () => {
    const cases = fc.array(fc.integer({ min: 1, max: 19 }), { minLength: 1, maxLength: 3 }).chain((shape) =>
      fc.tuple(
        fc.constant(shape),
        fc.subarray(
          shape.map((_, axis) => axis),
          { minLength: 1 },
        ),
        fc.integer({ min: 0, max: 99 }),
      ),
    );
    fc.assert(
      fc.property(cases, ([shape, axes, seed]) => {
        ops.scope(() => {
          const x = uniformTensor(seed, shape, -2, 2);
          expectClose(op(x, axes).view(), groups(x, axes).map(reference), 3e-5);
          expect(op(x, axes, { keepAxes: true }).shape).toEqual(
            shape.map((size, axis) => (axes.includes(axis) ? 1 : size)),
          );
        });
      }),
      { numRuns: 80 },
    );
  });

  test.each([
    [[7], [0]],
    [[3, 5], [0]],
    [[3, 5], [1]],
    [
      [2, 3, 4],
      [0, 2],
    ],
  ] as const)('has the gradient that finite differences give: shape %j, axes %j', (shape, axes) => {
    // Distinct values, far enough apart that no step changes the largest.
    const size = shape.reduce((product: number, length) => product * length, 1);
    const x = ops.tensor(
      Float32Array.from({ length: size }, (_, i) => ((i * 11) % size) * 0.13 - 1),
      shape,
    );
    checkGradient((v) => op(v, axes), [x], { tolerance: 1e-2, second: op !== ops.max && op !== ops.min });
  });
});

test('long reductions go through blocks and stay exact to single precision', () => {
  const x = uniformTensor(5, [300_001], 0, 1);
  const exact = x.view().reduce((a, b) => a + b, 0);
  expect(Math.abs(ops.sum(x).item() - exact) / exact).toBeLessThan(1e-6);
  const tall = uniformTensor(6, [20_000, 3], 0, 1);
  expectClose(ops.sum(tall, 0).view(), groups(tall, [0]).map(total), 1e-6);
});

test('argmax and argmin give the first of equals', () => {
  const x = ops.tensor([
    [3, 9, 9],
    [-1, -1, -5],
  ]);
  expect([...ops.argmax(x).view()]).toEqual([1, 0]);
  expect([...ops.argmin(x).view()]).toEqual([0, 2]);
  expect([...ops.argmax(x, 0).view()]).toEqual([0, 0, 0]);
});

test('logSumExp neither overflows nor loses a row of −∞', () => {
  expectClose(
    ops
      .logSumExp(
        ops.tensor([
          [1000, 1000],
          [-Infinity, -Infinity],
          [-1000, -1001],
        ]),
        1,
      )
      .view(),
    [1000 + Math.log(2), -Infinity, -1000 + Math.log1p(Math.exp(-1))],
  );
});

test('softmax and logSoftmax equal their definition on any axis', () => {
  for (const axis of [0, 1, 2]) {
    const x = uniformTensor(3, [3, 6, 5], -4, 4);
    const log = x.subtract(ops.logSumExp(x, axis, { keepAxes: true }));
    expectClose(ops.logSoftmax(x, axis).view(), log.view(), 2e-6);
    expectClose(ops.softmax(x, axis).view(), log.exp().view(), 2e-6);
    checkGradient((v) => ops.softmax(v, axis), [uniformTensor(4, [2, 3, 2])]);
    checkGradient((v) => ops.logSoftmax(v, axis), [uniformTensor(4, [2, 3, 2])]);
  }
});

test('empty and scalar inputs', () => {
  expect(ops.sum(ops.zeros([0, 3]), 0).view()).toEqual(new Float32Array(3));
  expect(ops.sum(ops.tensor(4)).item()).toBe(4);
  expect(() => ops.max(ops.zeros([0]))).toThrow('max: no elements along axes [0]');
  expect(() => ops.sum(ops.zeros([2]), 1)).toThrow('sum: axis 1 is out of range for rank 1');
});

test('logSumExp with infinities', () => {
  const of = (...x: number[]) => ops.logSumExp(ops.tensor(x)).item();
  expect([of(Infinity, 1), of(Infinity, -Infinity), of(-Infinity, -Infinity), of(Infinity, NaN)]).toEqual([
    Infinity,
    Infinity,
    -Infinity,
    NaN,
  ]);
  const gradient = (...x: number[]) => [
    ...ops
      .grad((v: ops.Tensor) => ops.logSumExp(v))(ops.tensor(x))
      .view(),
  ];
  expect(gradient(-Infinity, -Infinity)).toEqual([0, 0]);
  expect(gradient(-Infinity, 3)).toEqual([0, 1]);
  expect(gradient(Infinity, 3)[1]).toBe(0);
});

test('softmax and logSoftmax of rows of −∞ or with ∞ are NaN, as in PyTorch', () => {
  for (const row of [
    [-Infinity, -Infinity],
    [Infinity, 1],
  ]) {
    expect([...ops.softmax(ops.tensor(row)).view()]).toEqual([NaN, NaN]);
    expect([...ops.logSoftmax(ops.tensor(row)).view()]).toEqual([NaN, NaN]);
  }
});

test('logSoftmax of large logits keeps their differences', () => {
  expectClose(ops.logSoftmax(ops.tensor([1e6, 1e6])).view(), [-Math.LN2, -Math.LN2], 1e-7);
});

test('means of equal values are that value', () => {
  for (let n = 1; n <= 300; n++) expect(ops.mean(ops.ones([n])).item()).toBe(1);
});

test('variances of values far from 0 keep their digits', () => {
  const x = ops.tensor(Float32Array.from({ length: 1000 }, (_, i) => 1e6 + (i % 4) / 4));
  const expected = [0, 0.25, 0.5, 0.75].reduce((total, v) => total + (v - 0.375) ** 2 / 4, 0);
  expectClose(ops.variance(x).view(), [expected], 1e-6);
  expect(ops.variance(ops.full([777], 1e4 / 3)).item()).toBe(0);
});

test('sums of many ones do not stop at 2²⁴', () => {
  const n = 20_000_000;
  expect(ops.sum(ops.ones([n])).item()).toBe(n);
  expect([...ops.sum(ops.ones([n, 1]).broadcastTo([n, 2]), 0).view()]).toEqual([n, n]);
  expectClose(ops.logSumExp(ops.zeros([n])).view(), [Math.log(n)], 1e-6);
  expect(ops.softmax(ops.zeros([n])).view()[5]).toBe(Math.fround(1 / n));
});
