import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as ops from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

type Reference = (a: number, b: number) => number;

const references: Record<string, { op: (a: ops.Tensor, b: ops.Tensor) => ops.Tensor; reference: Reference }> = {
  add: { op: ops.add, reference: (a, b) => a + b },
  subtract: { op: ops.subtract, reference: (a, b) => a - b },
  multiply: { op: ops.multiply, reference: (a, b) => a * b },
  divide: { op: ops.divide, reference: (a, b) => a / b },
  power: { op: ops.power, reference: (a, b) => a ** b },
  maximum: { op: ops.maximum, reference: Math.max },
  minimum: { op: ops.minimum, reference: Math.min },
  equal: { op: ops.equal, reference: (a, b) => Number(a === b) },
  notEqual: { op: ops.notEqual, reference: (a, b) => Number(a !== b) },
  less: { op: ops.less, reference: (a, b) => Number(a < b) },
  lessEqual: { op: ops.lessEqual, reference: (a, b) => Number(a <= b) },
  greater: { op: ops.greater, reference: (a, b) => Number(a > b) },
  greaterEqual: { op: ops.greaterEqual, reference: (a, b) => Number(a >= b) },
  positiveMask: { op: ops.positiveMask, reference: (a, b) => (b > 0 ? a : 0) },
};

/** Element of a broadcast operand at a position of the output. */
function at(x: ops.Tensor, position: readonly number[]): number {
  const offset = position.length - x.rank;
  return x.view()[
    x.shape.reduce((index, size, axis) => index * size + (size === 1 ? 0 : (position[axis + offset] as number)), 0)
  ] as number;
}

function naive(a: ops.Tensor, b: ops.Tensor, shape: readonly number[], reference: Reference): number[] {
  const size = shape.reduce((product, length) => product * length, 1);
  return Array.from({ length: size }, (_, index) => {
    let rest = index;
    const position = [...shape].reverse().map((length) => {
      const i = rest % length;
      rest = (rest - i) / length;
      return i;
    });
    position.reverse();
    return reference(at(a, position), at(b, position));
  });
}

/** Two shapes that broadcast, with what they give. */
const shapes = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 7 }), fc.constantFrom('both', 'a', 'b', 'none')), {
    minLength: 1,
    maxLength: 4,
  })
  .chain((axes) =>
    fc.tuple(fc.constant(axes), fc.integer({ min: 0, max: axes.length - 1 }), fc.boolean()).map(([list, cut, cutA]) => {
      const side = (who: 'a' | 'b') => list.map(([size, kept]) => (kept === 'both' || kept === who ? size : 1));
      const a = side('a');
      const b = side('b');
      return { a: cutA ? a.slice(cut) : a, b: cutA ? b : b.slice(cut) };
    }),
  );

describe.each(Object.entries(references))('%s', (_name, { op, reference }) => {
  test('equals a naive loop over any broadcast shapes', () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 0, max: 1000 }), ({ a: shapeA, b: shapeB }, seed) => {
        ops.scope(() => {
          const a = uniformTensor(seed, shapeA, 0.5, 2);
          const b = seed % 3 ? uniformTensor(seed + 1, shapeB, -2, 2) : uniformTensor(seed + 1, shapeB, 0, 3).floor();
          const y = op(a, b);
          expectClose(y.view(), naive(a, b, y.shape, reference), 2e-6);
        });
      }),
      { numRuns: 120 },
    );
  });
});

test.each(['add', 'subtract', 'multiply', 'divide'])('%s has the right gradients under broadcasting', (name) => {
  const { op } = references[name] as { op: (a: ops.Tensor, b: ops.Tensor) => ops.Tensor };
  for (const [a, b] of [
    [
      [3, 4],
      [3, 4],
    ],
    [[3, 4], [4]],
    [[3, 1], [4]],
    [
      [2, 3, 2],
      [3, 1],
    ],
    [[], [3]],
  ]) {
    checkGradient(op, [uniformTensor(1, a as number[], 0.6, 1.5), uniformTensor(2, b as number[], 0.6, 1.5)]);
  }
});

test('power, maximum, minimum and where have the right gradients', () => {
  const a = uniformTensor(1, [5], 0.6, 1.5);
  const b = uniformTensor(2, [5], 0.6, 1.5);
  checkGradient(ops.power, [a, b], { tolerance: 2e-2 });
  checkGradient(ops.maximum, [a, b.add(2)], { second: false });
  checkGradient(ops.minimum, [a, b.add(2)], { second: false });
  checkGradient((x, y) => ops.where(ops.tensor([1, 0, 1, 0, 1]), x, y), [a, b], { second: false });
  checkGradient((x) => ops.clip(x, -0.5, 1.2), [ops.tensor([-2, 0.3, 2])], { second: false });
});

test('numbers stand for tensors on either side', () => {
  const x = ops.tensor([1, 2, 4]);
  expect([...x.add(1).view()]).toEqual([2, 3, 5]);
  expect([...ops.subtract(10, x).view()]).toEqual([9, 8, 6]);
  expect([...ops.divide(8, x).view()]).toEqual([8, 4, 2]);
  expect([...x.power(2).view()]).toEqual([1, 4, 16]);
  expect([...x.maximum(2).view()]).toEqual([2, 2, 4]);
  expect([...ops.greater(x, 1.5).view()]).toEqual([0, 1, 1]);
});

test('what where does not choose has no effect, not even in gradients', () => {
  const x = ops.tensor([0, 4]);
  const y = ops.valueAndGrad((v: ops.Tensor) => ops.where(ops.greater(v, 0), ops.log(v), 0).sum())(x);
  expectClose(y.value.view(), [Math.log(4)]);
});

test('integers add, multiply and compare as integers', () => {
  const a = ops.tensor(Int32Array.of(16777217, -3, 5));
  const b = ops.tensor(Int32Array.of(1, 3, 5));
  expect([...a.add(b).view()]).toEqual([16777218, 0, 10]);
  expect([...a.multiply(b).view()]).toEqual([16777217, -9, 25]);
  expect([...a.maximum(b).view()]).toEqual([16777217, 3, 5]);
  expect([...a.equal(b).view()]).toEqual([0, 0, 1]);
});

test('errors name the operation and both shapes', () => {
  expect(() => ops.add(ops.zeros([2, 3]), ops.zeros([4]))).toThrow('add: shapes do not broadcast: [2, 3] and [4]');
  expect(() => ops.add(ops.zeros([2]), ops.zeros([2], 'i32'))).toThrow(/add: expected f32, got Tensor\(i32\[2\]\)/);
});

test('quotients are correctly rounded, by numbers too', () => {
  const n = Float32Array.from({ length: 1000 }, (_, i) => i + 1);
  const x = ops.tensor(n);
  const right = (y: ops.Tensor, reference: (v: number) => number) => expect(y.view()).toEqual(n.map(reference));
  for (const divisor of [3, 41, 0.1, 1e-39, 2 ** 127, 64])
    right(ops.divide(x, divisor), (v) => v / Math.fround(divisor));
  right(ops.divide(7, x), (v) => 7 / v);
  right(ops.divide(x, x), () => 1);
  expectClose(
    ops
      .grad((v: ops.Tensor) => ops.divide(v, 41).sum())(x)
      .view(),
    n.map(() => 1 / 41),
    1e-8,
  );
});

test('powers follow IEEE at 0, 1, infinities and negative bases', () => {
  const cases: [a: number, b: number, y: number][] = [
    [0, 0, 1],
    [NaN, 0, 1],
    [1, NaN, 1],
    [1, Infinity, 1],
    [-1, Infinity, 1],
    [-1, -Infinity, 1],
    [0, -1, Infinity],
    [-0, -1, -Infinity],
    [-0, 3, -0],
    [0, 2.5, 0],
    [-2, 3, -8],
    [-2, 0.5, NaN],
    [-Infinity, 3, -Infinity],
    [-Infinity, 0.5, Infinity],
    [2, Infinity, Infinity],
    [0.5, Infinity, 0],
    [2, -149, 2 ** -149],
    [2, 128, Infinity],
    [NaN, 2.5, NaN],
    [2, NaN, NaN],
  ];
  const column = (at: 0 | 1 | 2) => ops.tensor(cases.map((c) => c[at]));
  expect([...ops.power(column(0), column(1)).view()]).toEqual(cases.map(([, , y]) => y));
});

test('gradients of powers at 0 are those of the limits', () => {
  const byBase = ops.grad((x: ops.Tensor) => ops.power(x, ops.tensor([0, 1, 2, 0])).sum());
  expect([...byBase(ops.tensor([0, 0, 0, 3])).view()]).toEqual([0, 1, 0, 0]);
  const byExponent = ops.grad((y: ops.Tensor) => ops.power(ops.tensor([0, 0, 2]), y).sum());
  expectClose(byExponent(ops.tensor([0, 1, 2])).view(), [0, 0, 4 * Math.LN2]);
});
