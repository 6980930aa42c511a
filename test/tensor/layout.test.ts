import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import * as ops from '../../src/tensor/index.js';
import { checkGradient, uniformTensor } from '../oracle.js';

const shape = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

function offset(sizes: readonly number[], position: readonly number[]): number {
  return sizes.reduce((index, size, axis) => index * size + (position[axis] as number), 0);
}

function* positions(sizes: readonly number[]): Generator<number[]> {
  if (sizes.length === 0) {
    yield [];
    return;
  }
  const [first = 0, ...rest] = sizes;
  for (let i = 0; i < first; i++) for (const tail of positions(rest)) yield [i, ...tail];
}

test('permute moves every element to its place', () => {
  fc.assert(
    fc.property(
      shape.chain((sizes) =>
        fc.tuple(
          fc.constant(sizes),
          fc.shuffledSubarray(
            sizes.map((_, axis) => axis),
            { minLength: sizes.length },
          ),
        ),
      ),
      ([sizes, order]) => {
        ops.scope(() => {
          const x = uniformTensor(1, sizes);
          const y = ops.permute(x, order);
          for (const position of positions(y.shape)) {
            const source = order.reduce<number[]>((all, axis, at) => Object.assign(all, { [axis]: position[at] }), []);
            expect(y.view()[offset(y.shape, position)]).toBe(x.view()[offset(sizes, source)]);
          }
        });
      },
    ),
    { numRuns: 60 },
  );
});

test('permute and slice take more axes than the kernel joins', () => {
  const sizes = [2, 3, 4, 2, 3, 2, 3];
  const x = ops.arange(864).reshape(sizes);
  const order = [0, 3, 5, 1, 4, 6, 2];
  const y = ops.permute(x, order);
  for (const position of positions(y.shape)) {
    const source = order.reduce<number[]>((all, axis, at) => Object.assign(all, { [axis]: position[at] }), []);
    expect(y.view()[offset(y.shape, position)]).toBe(offset(sizes, source));
  }
  const z = x.slice([0, 2], [0, 2], [1, 3], [1, 2], [0, 3, 2], [1, -3, -1], [0, 2]);
  for (const [a, b, c, d, e, f, g] of positions(z.shape) as Generator<
    [number, number, number, number, number, number, number]
  >)
    expect(z.view()[offset(z.shape, [a, b, c, d, e, f, g])]).toBe(offset(sizes, [a, b, c + 1, d + 1, 2 * e, 1 - f, g]));
  const small = uniformTensor(1, [2, 2, 2, 2, 2, 2, 2]);
  checkGradient((v) => v.permute([6, 4, 2, 0, 5, 3, 1]).square(), [small]);
});

test('slice takes what NumPy would, with steps and negative positions', () => {
  const x = ops.arange(24).reshape([4, 6]);
  expect([...x.slice([1, 3], [0, 2]).view()]).toEqual([6, 7, 12, 13]);
  expect([...x.slice([-1, 4], [0, 6, 2]).view()]).toEqual([18, 20, 22]);
  expect([...x.slice(null, [5, -7, -5]).view()]).toEqual([5, 0, 11, 6, 17, 12, 23, 18]);
  expect([...x.flip(0).slice([0, 1]).view()]).toEqual([18, 19, 20, 21, 22, 23]);
  expect(x.slice([2, 2]).shape).toEqual([0, 6]);
});

test('rows are a view of the same memory, and outlive the tensor they came from', () => {
  const x = ops.arange(6).reshape([3, 2]);
  const row = x.slice([1, 2]);
  expect(row.buffer).toBe(x.buffer);
  x.dispose();
  expect([...row.view()]).toEqual([2, 3]);
});

test('pad, concatenate, stack, broadcastTo', () => {
  const x = ops.tensor([
    [1, 2],
    [3, 4],
  ]);
  expect([
    ...x
      .pad(
        [
          [1, 0],
          [0, 1],
        ],
        9,
      )
      .view(),
  ]).toEqual([9, 9, 9, 1, 2, 9, 3, 4, 9]);
  expect([...ops.concatenate([x, x.multiply(10)], 1).view()]).toEqual([1, 2, 10, 20, 3, 4, 30, 40]);
  expect(ops.stack([x, x], 1).shape).toEqual([2, 2, 2]);
  expect([
    ...ops
      .tensor([[1], [2]])
      .broadcastTo([2, 2, 3])
      .view(),
  ]).toEqual([1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2]);
});

test('large transposes agree with the definition', () => {
  const x = uniformTensor(2, [3, 37, 53]);
  const y = x.transpose();
  for (const [b, i, j] of [
    [0, 0, 0],
    [1, 36, 52],
    [2, 17, 3],
    [2, 35, 49],
  ] as const) {
    expect(y.view()[(b * 53 + j) * 37 + i]).toBe(x.view()[(b * 37 + i) * 53 + j]);
  }
});

test('gradients of views and copies', () => {
  const x = uniformTensor(1, [3, 4]);
  checkGradient((v) => v.reshape([2, 6]).square(), [x]);
  checkGradient((v) => v.transpose().square(), [x]);
  checkGradient((v) => v.reshape([3, 2, 2]).permute([2, 0, 1]).square(), [x]);
  checkGradient((v) => v.slice([1, 3]).square(), [x]);
  checkGradient((v) => v.slice([0, 3, 2], [1, 4, 2]).square(), [x]);
  checkGradient((v) => v.flip(1).square(), [x]);
  checkGradient(
    (v) =>
      v
        .pad([
          [1, 1],
          [0, 2],
        ])
        .square(),
    [x],
  );
  checkGradient((v, w) => ops.concatenate([v, w], 0).square(), [x, uniformTensor(2, [2, 4])]);
  checkGradient((v) => v.reshape([3, 1, 4]).broadcastTo([3, 2, 4]).square(), [x]);
});

test('gathers and scatters equal loops, and are each other’s gradients', () => {
  const x = uniformTensor(1, [5, 3]);
  const indices = ops.tensor(Int32Array.of(4, 0, 4, 2));
  expect([...ops.gatherRows(x, indices).view()]).toEqual(
    [4, 0, 4, 2].flatMap((row) => [...x.view().subarray(row * 3, row * 3 + 3)]),
  );
  const y = uniformTensor(2, [4, 3]);
  const summed = new Float32Array(15);
  [4, 0, 4, 2].forEach((row, i) => {
    for (let c = 0; c < 3; c++) summed[row * 3 + c] = (summed[row * 3 + c] as number) + (y.view()[i * 3 + c] as number);
  });
  expect(ops.scatterAddRows(y, indices, 5).view()).toEqual(summed);
  checkGradient((v) => ops.gatherRows(v, indices).square(), [x]);
  checkGradient((v) => ops.scatterAddRows(v, indices, 5).square(), [y]);
  checkGradient((v) => ops.pickColumns(v, ops.tensor(Int32Array.of(0, 2, 1, 1))).square(), [y]);
  const positions = ops.tensor(Int32Array.of(0, 4, -1, 2, 2, 2), [2, 3]);
  checkGradient((v) => ops.takeRows(v, positions).square(), [x]);
  checkGradient((v) => ops.putRows(v, positions, 5).square(), [uniformTensor(3, [2, 3])]);
  expect(() => ops.gatherRows(x, ops.tensor(Int32Array.of(0, 5)))).toThrow(
    'gatherRows: index 5 at position 1 is outside 0…4',
  );
});

test('bad shapes are refused by name', () => {
  const x = ops.zeros([2, 3]);
  expect(() => x.reshape([4, 2])).toThrow('reshape: [2, 3] has 6 elements, which do not fill [4, 2]');
  expect(() => ops.permute(x, [0, 0])).toThrow('permute: [0, 0] is not an order');
  expect(() => ops.concatenate([x, ops.zeros([2, 4])], 0)).toThrow('concatenate');
  expect(() => ops.tensor([[1, 2], [3]])).toThrow('ragged');
});

test('a size beside one of 0 cannot be inferred', () => {
  expect(() => ops.zeros([0, 3]).reshape([-1, 0])).toThrow('reshape: [0, 3] has 0 elements, which do not fill [-1, 0]');
  expect(ops.zeros([0, 3]).reshape([-1, 3]).shape).toEqual([0, 3]);
  expect(ops.zeros([0, 3]).reshape([-1]).shape).toEqual([0]);
});
