import { expect, test } from 'vitest';
import { dropout, grad, Random, sizeOf, type Tensor, tensor } from '../../src/tensor/index.js';
import { philox } from '../../src/tensor/random.js';
import { checkGradient, expectClose } from '../oracle.js';

test('Philox4x32-10 gives the published known answers', () => {
  expect(philox([0, 0, 0, 0], [0, 0])).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  const ones = 0xffffffff;
  expect(philox([ones, ones, ones, ones], [ones, ones])).toEqual([0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
  expect(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])).toEqual([
    0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1,
  ]);
});

test('the kernel draws the words of the reference, element 16b + 4w + l being word w of counter 4b + l', () => {
  const random = new Random(7);
  const key = new Random(7).next();
  const y = random.uniform([37]).view();
  const expected = Array.from(y, (_, i) => {
    const word = philox([4 * (i >> 4) + (i & 3), 0, 0, 0], key)[(i >> 2) & 3] as number;
    return (word >>> 8) * 2 ** -24;
  });
  expectClose(y, expected, 0);
});

test('moments and tails of the distributions', () => {
  const uniform = new Random(1).uniform([200_000], 2, 4);
  expect(uniform.mean().item()).toBeCloseTo(3, 2);
  expect(uniform.variance().item()).toBeCloseTo(4 / 12, 2);
  const normal = new Random(2).normal([200_001], 1, 2);
  expect(normal.mean().item()).toBeCloseTo(1, 1);
  expect(normal.variance().item()).toBeCloseTo(4, 1);
  const beyond = normal.view().filter((v) => Math.abs(v - 1) > 3.92).length / 200_001;
  expect(beyond).toBeGreaterThan(0.047);
  expect(beyond).toBeLessThan(0.053);
  expect(new Random(3).bernoulli([100_000], 0.3).mean().item()).toBeCloseTo(0.3, 2);
});

test('streams: same seed same numbers, other labels other numbers, order of use irrelevant', () => {
  const draw = (random: Random) => [...random.normal([5]).view()];
  expect(draw(new Random(1).split('a'))).toEqual(draw(new Random(1).split('a')));
  expect(draw(new Random(1).split('a'))).not.toEqual(draw(new Random(1).split('b')));
  const parent = new Random(1);
  parent.next();
  expect(draw(parent.split('a'))).toEqual(draw(new Random(1).split('a')));
});

test('permutations and samples are uniform and without repeats', () => {
  const random = new Random(5);
  expect([...random.permutation(50)].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  expect(new Set(random.sample(30, 12)).size).toBe(12);
  const first = Array.from({ length: 6000 }, () => random.sample(5, 2)[0] as number);
  for (let v = 0; v < 5; v++) expect(first.filter((x) => x === v).length / 6000).toBeCloseTo(0.2, 1);
});

test('dropout keeps the mean, repeats its mask in the gradient, and covers tails', () => {
  const x = tensor(new Float32Array(10_007).fill(1));
  const key = new Random(3).next();
  const y = dropout(x, 0.25, key);
  expect(y.view().filter((v) => v === 0).length / sizeOf(x.shape)).toBeCloseTo(0.25, 1);
  expect(new Set(y.view())).toEqual(new Set([0, Math.fround(1 / 0.75)]));
  expect(grad((v: Tensor) => dropout(v, 0.25, key).sum())(x).view()).toEqual(y.view());
  checkGradient((v) => dropout(v, 0.5, key).square(), [tensor([0.3, 1, -2, 0.7, 1.1])]);
  expect(() => dropout(x, 1, key)).toThrow('dropout: expected 0 ≤ p < 1, got 1');
});

test('uniform numbers stay below their end, however they round', () => {
  const largest = (low: number, high: number) =>
    new Random(1)
      .uniform([1 << 22], low, high)
      .max()
      .item();
  expect(largest(1, 2)).toBe(2 - 2 ** -23);
  expect(largest(-2, -1)).toBe(-1 - 2 ** -23);
  expect(largest(1e6, 1e6 + 1)).toBeLessThan(1e6 + 1);
  expect(new Random(1).uniform([100], 5, 5).min().item()).toBe(5);
  expect(largest(-3, 0)).toBeLessThan(0);
  for (const [low, high] of [
    [3, 1],
    [-3e38, 3e38],
    [0, Number.POSITIVE_INFINITY],
    [Number.NEGATIVE_INFINITY, 0],
  ] as const)
    expect(() => new Random(1).uniform([4], low, high)).toThrow('Random.uniform: expected low ≤ high');
});

test('a key of another length is refused', () => {
  for (const key of [[], [1], [1, 2, 3]])
    expect(() => dropout(tensor([1, 2]), 0.5, key as never)).toThrow('two 32-bit words');
});
