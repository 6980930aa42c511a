import { describe, expect, test } from 'vitest';
import { ChannelMatrix } from '../../src/sparse/index.js';
import { conv2d, type Tensor, tensor } from '../../src/tensor/index.js';
import { compile, savePlan } from '../../src/trace/index.js';
import { uniform, uniformTensor } from '../oracle.js';

const heights = [1, 2, 4] as const;
const pixelCounts = [1, 3, 4, 7, 16, 49, 196, 3136];

type Weights = { readonly values: Float32Array; readonly rows: number; readonly columns: number };

/** Random weights in blocks of `height` rows, of which a share is kept; some rows are empty. */
function blocks(seed: number, rows: number, columns: number, height: number, share: number): Weights {
  const kept = uniform(seed, Math.ceil(rows / height) * columns, 0, 1);
  const block = (i: number) => Math.floor(Math.floor(i / columns) / height);
  const values = uniform(seed + 1, rows * columns).map((value, i) =>
    block(i) % 3 === 1 || (kept[block(i) * columns + (i % columns)] as number) >= share ? 0 : value,
  );
  return { values, rows, columns };
}

/** max |y − clamp(W·x + bias)| over 1 + ‖row of W‖₁, by loops in double precision. */
function largestError(
  y: Tensor,
  { values, rows, columns }: Weights,
  x: Tensor,
  bias: Float32Array | undefined,
  clamp: (value: number) => number,
): number {
  const pixels = x.size / columns;
  const [from, to] = [x.view(), y.view()];
  let largest = 0;
  for (let row = 0; row < rows; row++) {
    const weights = values.subarray(row * columns, (row + 1) * columns);
    const norm = weights.reduce((sum, weight) => sum + Math.abs(weight), 0);
    for (let pixel = 0; pixel < pixels; pixel++) {
      let sum = bias?.[row] ?? 0;
      for (let column = 0; column < columns; column++)
        sum += (weights[column] as number) * (from[column * pixels + pixel] as number);
      largest = Math.max(largest, Math.abs((to[row * pixels + pixel] as number) - clamp(sum)) / (1 + norm));
    }
  }
  return largest;
}

const clamps = {
  none: (value: number) => value,
  relu: (value: number) => Math.max(0, value),
  relu6: (value: number) => Math.min(6, Math.max(0, value)),
};

/** Layers that a packed format may get wrong. */
const cases = (height: number): readonly (readonly [string, Weights])[] => {
  const single = new Float32Array(6 * 9);
  single[3 * 9 + 8] = 1.5;
  const oneColumn = new Float32Array(8 * 5).map((_, i) => (i % 5 === 2 ? 1 + i : 0));
  return [
    ['random, with empty rows', blocks(height, 13, 33, height, 0.3)],
    ['rows that divide evenly', blocks(height + 7, 16, 8, height, 0.5)],
    ['all zero', { values: new Float32Array(7 * 5), rows: 7, columns: 5 }],
    ['a single weight', { values: single, rows: 6, columns: 9 }],
    ['one column', { values: oneColumn, rows: 8, columns: 5 }],
  ];
};

describe.each(heights)('sparse products in blocks of %d rows', (height) => {
  test.each(cases(height))('%s: within 1e-5 of loops, for every number of pixels and clamp', (_, weights) => {
    const { values, rows, columns } = weights;
    const matrix = new ChannelMatrix(tensor(values, [rows, columns]), height);
    // Large biases on both sides of the limits, so that the order of bias and clamp shows.
    const bias = uniform(3, rows, -8, 8);
    for (const pixels of pixelCounts) {
      const x = uniformTensor(4, [1, columns, pixels]);
      expect(largestError(matrix.multiply(x), weights, x, undefined, clamps.none)).toBeLessThan(1e-5);
      for (const activation of ['none', 'relu', 'relu6'] as const) {
        const y = matrix.multiply(x, { bias: tensor(bias), activation });
        expect(largestError(y, weights, x, bias, clamps[activation])).toBeLessThan(1e-5);
      }
    }
  });

  test('stored blocks are those with a non-zero, counted by force', () => {
    const { values, rows, columns } = blocks(5, 22, 17, height, 0.4);
    let stored = 0;
    for (let row = 0; row < rows; row += height)
      for (let column = 0; column < columns; column++) {
        const block = Array.from(
          { length: Math.min(height, rows - row) },
          (_, r) => values[(row + r) * columns + column],
        );
        stored += Number(block.some((value) => value !== 0));
      }
    const matrix = new ChannelMatrix(tensor(values, [rows, columns]), height);
    expect(matrix.blocks).toBe(stored);
    expect(matrix.stored).toBe(stored * height);
  });

  test('images of a batch, activations that are curves, and nothing written past the end', () => {
    const weights = blocks(6, 10, 12, height, 0.4);
    const matrix = new ChannelMatrix(tensor(weights.values, [10, 12]), height);
    const x = uniformTensor(7, [3, 12, 21]);
    const y = matrix.multiply(x, { activation: 'silu' }).view();
    for (let image = 0; image < 3; image++) {
      const one = matrix.multiply(tensor(x.dataSync().subarray(image * 252, (image + 1) * 252), [1, 12, 21])).view();
      one.forEach((value, i) => {
        expect(y[image * 210 + i]).toBeCloseTo(value / (1 + Math.exp(-value)), 5);
      });
    }
  });
});

test('blocks of 4 or 2 rows are chosen where at least nine tenths of what they store is not zero', () => {
  for (const height of heights) {
    const { values, rows, columns } = blocks(8, 32, 64, height, 0.3);
    expect(new ChannelMatrix(tensor(values, [rows, columns])).height).toBe(height);
  }
  // 12 blocks of 4 rows with 10 % and with 17 % of their weights zero.
  const filled = (zeros: number) => Float32Array.from({ length: 480 }, (_, i) => (i < zeros ? 0 : 1));
  const heightOf = (values: Float32Array) => new ChannelMatrix(tensor(values, [4, 120])).height;
  expect(heightOf(filled(48))).toBe(4);
  expect(heightOf(filled(80))).not.toBe(4);
});

test('a packed layer takes 8 bytes a non-zero and 4 a row', () => {
  const [rows, columns] = [256, 256];
  const kept = uniform(1, rows * columns, 0, 1);
  const values = uniform(2, rows * columns).map((value, i) => ((kept[i] as number) < 0.1 ? value : 0));
  const nonZeros = values.filter((value) => value !== 0).length;
  const weight = tensor(values, [rows, columns, 1, 1]);
  const plan = compile((x) => conv2d(x, weight), [uniformTensor(3, [1, columns, 4, 4])]);
  expect(plan.constantBytes - (8 * nonZeros + 4 * rows)).toBeLessThan(200);
  expect(savePlan(plan).length - (8 * nonZeros + 4 * rows)).toBeLessThan(3000);
  plan.dispose();
});
