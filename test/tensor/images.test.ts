import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  adaptiveAveragePool2d,
  averagePool2d,
  batchNorm,
  channelAffine,
  globalAveragePool,
  groupNorm,
  maxPool1d,
  maxPool2d,
  resize,
  type Tensor,
  tensor,
} from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

const at = (x: Tensor, plane: number, i: number, j: number) => {
  const [, , height, width] = x.shape as [number, number, number, number];
  return x.view()[(plane * height + i) * width + j] as number;
};

/** The pixels of each window, plane by plane. */
function windows(x: Tensor, kernel: number, stride: number, padding: number): number[][] {
  const [n, c, height, width] = x.shape as [number, number, number, number];
  const count = (length: number) => Math.floor((length + 2 * padding - kernel) / stride) + 1;
  const found: number[][] = [];
  for (let plane = 0; plane < n * c; plane++)
    for (let i = 0; i < count(height); i++)
      for (let j = 0; j < count(width); j++) {
        const pixels: number[] = [];
        for (let y = i * stride - padding; y < i * stride - padding + kernel; y++)
          for (let z = j * stride - padding; z < j * stride - padding + kernel; z++)
            if (y >= 0 && z >= 0 && y < height && z < width) pixels.push(at(x, plane, y, z));
        found.push(pixels);
      }
  return found;
}

describe('pooling', () => {
  const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  test('equals its definition', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 2 }),
        fc.integer({ min: 4, max: 11 }),
        fc.integer({ min: 4, max: 11 }),
        (kernel, stride, extra, height, width) => {
          const padding = Math.min(extra, Math.floor(kernel / 2));
          const x = uniformTensor(height, [2, 3, height, width]);
          const seen = windows(x, kernel, stride, padding);
          expectClose(
            maxPool2d(x, kernel, { stride, padding }).view(),
            seen.map((pixels) => Math.max(...pixels)),
          );
          expectClose(
            averagePool2d(x, kernel, { stride, padding }).view(),
            seen.map((pixels) => total(pixels) / kernel ** 2),
          );
          expectClose(
            averagePool2d(x, kernel, { stride, padding, countPadding: false }).view(),
            seen.map((pixels) => total(pixels) / pixels.length),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  test('adaptive windows cover the image; one window is the mean', () => {
    const x = uniformTensor(1, [2, 3, 7, 5]);
    expectClose(adaptiveAveragePool2d(x, 1).view(), globalAveragePool(x).view());
    expectClose(adaptiveAveragePool2d(x, [7, 5]).view(), x.view());
    const y = adaptiveAveragePool2d(tensor([0, 1, 2, 3, 4], [1, 1, 1, 5]), [1, 2]);
    expect([...y.view()]).toEqual([1, 3]);
  });

  test('a NaN wins, as in a maximum', () => {
    expect(maxPool2d(tensor([1, Number.NaN, 3, 4], [1, 1, 2, 2]), 2).item()).toBeNaN();
    expect([...maxPool1d(tensor([1, 5, 2, 3], [1, 1, 4]), 2).view()]).toEqual([5, 3]);
  });

  test('gradients', () => {
    const x = uniformTensor(5, [1, 2, 5, 6]);
    checkGradient((v) => maxPool2d(v, 3, { stride: 2, padding: 1 }).square(), [x], { step: 1e-3, tolerance: 2e-2 });
    checkGradient((v) => averagePool2d(v, [3, 2], { stride: [2, 1], padding: 1 }), [x]);
    checkGradient((v) => averagePool2d(v, 3, { padding: 1, countPadding: false }), [x]);
    checkGradient((v) => adaptiveAveragePool2d(v, [2, 4]), [x]);
  });

  test('errors', () => {
    const x = uniformTensor(1, [1, 1, 3, 3]);
    expect(() => maxPool2d(x, 4)).toThrow('a window of 4 does not fit 3 pixels');
    expect(() => averagePool2d(x, 2, { padding: 2 })).toThrow('padding ≤ kernel / 2');
    expect(() => maxPool2d(uniformTensor(1, [3, 3]), 2)).toThrow('expected images');
  });
});

describe('resize', () => {
  // PyTorch's interpolate of [[1, 2], [3, 4]] to 4×4.
  const x = tensor([1, 2, 3, 4], [1, 1, 2, 2]);
  test('bilinear, pixels as areas', () => {
    const row = [0, 0.25, 0.75, 1];
    expectClose(
      resize(x, 4).view(),
      row.flatMap((y) => row.map((z) => 1 + z + 2 * y)),
    );
  });
  test('bilinear, corners aligned', () => {
    const row = [0, 1 / 3, 2 / 3, 1];
    expectClose(
      resize(x, 4, { alignCorners: true }).view(),
      row.flatMap((y) => row.map((z) => 1 + z + 2 * y)),
    );
  });
  test('nearest', () => {
    expect([...resize(x, [2, 4], { mode: 'nearest' }).view()]).toEqual([1, 1, 2, 2, 3, 3, 4, 4]);
    expectClose(resize(uniformTensor(2, [1, 2, 3, 3]), 3).view(), uniformTensor(2, [1, 2, 3, 3]).view());
  });
  test('gradients', () => {
    const image = uniformTensor(3, [1, 2, 3, 4]);
    checkGradient((v) => resize(v, [5, 7]), [image]);
    checkGradient((v) => resize(v, [2, 3], { alignCorners: true }), [image]);
    checkGradient((v) => resize(v, 5, { mode: 'nearest' }), [image]);
  });
});

describe('normalisation of images', () => {
  const x = uniformTensor(1, [3, 4, 3, 5], -2, 3);
  const [gamma, beta] = [uniformTensor(2, [4], 0.5, 2), uniformTensor(3, [4])];

  test('batch norm equals its definition', () => {
    const [y, mean, variance] = batchNorm(x, gamma, beta);
    const expected = new Float64Array(x.size);
    for (let c = 0; c < 4; c++) {
      const places = [...x.view().keys()].filter((i) => Math.floor(i / 15) % 4 === c);
      const values = places.map((i) => x.view()[i] as number);
      const average = values.reduce((a, b) => a + b, 0) / values.length;
      const spread = values.reduce((a, b) => a + (b - average) ** 2, 0) / values.length;
      expectClose([mean.view()[c] as number, variance.view()[c] as number], [average, spread]);
      places.forEach((i) => {
        expected[i] =
          (((x.view()[i] as number) - average) / Math.sqrt(spread + 1e-5)) * (gamma.view()[c] as number) +
          (beta.view()[c] as number);
      });
    }
    expectClose(y.view(), expected, 5e-6);
  });

  test('group norm: one group is layer norm over the image, c groups instance norm', () => {
    const [n, c] = [3, 4];
    for (const groups of [1, 2, 4]) {
      const y = groupNorm(x, groups, gamma, beta);
      const size = (c / groups) * 15;
      for (let row = 0; row < n * groups; row++) {
        const standard = [...y.view().subarray(row * size, row * size + size)].map((value, i) => {
          const channel = Math.floor((row * size + i) / 15) % c;
          return (value - (beta.view()[channel] as number)) / (gamma.view()[channel] as number);
        });
        expectClose([standard.reduce((a, b) => a + b, 0) / size], [0], 1e-5);
        expectClose([standard.reduce((a, b) => a + b * b, 0) / size], [1], 1e-4);
      }
    }
  });

  test('gradients, of every output and twice', () => {
    const small = uniformTensor(4, [2, 2, 2, 2], -2, 2);
    const [g, b] = [uniformTensor(5, [2], 0.5, 2), uniformTensor(6, [2])];
    checkGradient((v, w, z) => batchNorm(v, w, z, 1e-2)[0], [small, g, b], { tolerance: 2e-2 });
    checkGradient((v, w, z) => batchNorm(v, w, z, 1e-2)[2], [small, g, b], { tolerance: 2e-2 });
    checkGradient((v, w, z) => batchNorm(v, w, z, 1e-2)[0].square(), [small, g, b], { tolerance: 4e-2 });
    checkGradient((v, w, z) => channelAffine(v, w, z), [small, g, b]);
    checkGradient((v, w, z) => groupNorm(v, 1, w, z, 1e-2), [small, g, b], { tolerance: 2e-2 });
  });

  test('errors', () => {
    expect(() => batchNorm(x, uniformTensor(1, [3]), beta)).toThrow('batchNorm: expected 4 weights');
    expect(() => groupNorm(x, 3)).toThrow('4 channels do not form 3 groups');
  });
});
