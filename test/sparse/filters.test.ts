import { describe, expect, test } from 'vitest';
import { Int8SparseFilters, quantizationOf } from '../../src/quantized/index.js';
import { ChannelMatrix, SparseFilters } from '../../src/sparse/index.js';
import { type Tensor, tensor } from '../../src/tensor/index.js';
import { uniform, uniformTensor } from '../oracle.js';

interface Geometry {
  readonly stride?: number;
  readonly padding?: number;
  readonly dilation?: number;
}

/**
 * Weights [rows, inputs, k, k] in groups of `height` rows: whole units (kernels, or taps of
 * depthwise filters) are zero; the second group is empty, the third full.
 */
function grouped(seed: number, [rows, inputs, k]: readonly [number, number, number], height: number): Tensor {
  const width = inputs > 1 ? k * k : 1;
  const across = inputs > 1 ? inputs : k * k;
  const kept = uniform(seed, Math.ceil(rows / height) * across, 0, 1);
  const values = uniform(seed + 1, rows * across * width).map((value, i) => {
    const row = Math.floor(i / (across * width));
    const group = Math.floor(row / height);
    if (group === 1) return 0;
    const unit = group * across + Math.floor((i % (across * width)) / width);
    return group === 2 || (kept[unit] as number) < 0.5 ? value : 0;
  });
  return tensor(values, [rows, inputs, k, k]);
}

/** The convolution by loops, in double precision: y, and Σ|w·x| of each element. */
function naive(
  weight: Float32Array | Float64Array,
  [rows, inGroup, k]: readonly [number, number, number],
  x: ArrayLike<number>,
  [n, channels, height, width]: readonly [number, number, number, number],
  { stride = 1, padding = 0, dilation = 1 }: Geometry,
) {
  const size = (length: number) => Math.floor((length + 2 * padding - dilation * (k - 1) - 1) / stride) + 1;
  const [h, w] = [size(height), size(width)];
  const y = new Float64Array(n * rows * h * w);
  const depthwise = inGroup === 1 && channels > 1;
  for (let image = 0; image < n; image++)
    for (let row = 0; row < rows; row++)
      for (let i = 0; i < h; i++)
        for (let j = 0; j < w; j++) {
          let sum = 0;
          for (let c = 0; c < inGroup; c++)
            for (let ky = 0; ky < k; ky++)
              for (let kx = 0; kx < k; kx++) {
                const [iy, ix] = [i * stride + ky * dilation - padding, j * stride + kx * dilation - padding];
                if (iy < 0 || ix < 0 || iy >= height || ix >= width) continue;
                const channel = depthwise ? row : c;
                const from = ((image * channels + channel) * height + iy) * width + ix;
                sum += (weight[((row * inGroup + c) * k + ky) * k + kx] as number) * (x[from] as number);
              }
          y[((image * rows + row) * h + i) * w + j] = sum;
        }
  return { y, pixels: h * w };
}

const clamps = {
  none: (value: number) => value,
  relu6: (value: number) => Math.min(6, Math.max(0, value)),
  silu: (value: number) => value / (1 + Math.exp(-value)),
};

const geometries: readonly (readonly [string, number, Geometry])[] = [
  ['3×3 with padding', 3, { padding: 1 }],
  ['3×3 at stride 2', 3, { padding: 1, stride: 2 }],
  ['5×5, dilated', 5, { padding: 3, dilation: 2 }],
  ['1×1 at stride 2', 1, { stride: 2 }],
  ['2×2 at stride 3', 2, { stride: 3 }],
];

/** Sizes of images [height, width] that fill no tile. */
const sides = [
  [9, 11],
  [5, 17],
  [12, 37],
] as const;

describe.each([1, 2, 4, 8] as const)('sparse filters in blocks of %d rows', (height) => {
  test.each(geometries)('%s: as loops over the masked weights', (_, k, geometry) => {
    for (const [h, w] of sides) {
      const weight = grouped(k + height, [29, 7, k], height);
      const [x, bias] = [uniformTensor(3, [2, 7, h, w]), uniform(4, 29, -4, 4)];
      const { y, pixels } = naive(weight.view(), [29, 7, k], x.view(), [2, 7, h, w], geometry);
      for (const activation of ['none', 'relu6', 'silu'] as const) {
        const found = new SparseFilters(weight, height).convolve(x, { ...geometry, bias: tensor(bias), activation });
        expect(found.size).toBe(y.length);
        const values = found.view();
        for (const [i, value] of y.entries()) {
          const wanted = clamps[activation](value + (bias[Math.floor(i / pixels) % 29] as number));
          if (!(Math.abs((values[i] as number) - wanted) < 1e-5 * (1 + 7 * k * k))) expect(values[i]).toBe(wanted);
        }
      }
    }
  });

  test('products with few and with many pixels, and with one', () => {
    for (const pixels of [1, 3, 4, 5, 8, 33, 70])
      for (const wide of height === 1 ? [false, true] : [false]) {
        const weight = grouped(height, [29, 19, 1], height);
        const matrix = new ChannelMatrix(weight.reshape([29, 19]), height, { wide });
        const [x, bias] = [uniformTensor(3, [2, 19, pixels]), uniform(4, 29, -4, 4)];
        const { y } = naive(weight.view(), [29, 19, 1], x.view(), [2, 19, 1, pixels], {});
        for (const activation of ['none', 'relu6', 'silu'] as const) {
          const found = matrix.multiply(x, { bias: tensor(bias), activation }).view();
          for (const [i, value] of y.entries()) {
            const wanted = clamps[activation](value + (bias[Math.floor(i / pixels) % 29] as number));
            if (!(Math.abs((found[i] as number) - wanted) < 1e-4)) expect(found[i]).toBe(wanted);
          }
        }
      }
  });
});

describe.each([1, 3, 4, 32])('depthwise filters in groups of %d channels', (height) => {
  test.each(geometries)('%s: as loops over the masked weights', (_, k, geometry) => {
    for (const [h, w] of sides) {
      const weight = grouped(k + height, [13, 1, k], height);
      const [x, bias] = [uniformTensor(3, [2, 13, h, w]), uniform(4, 13, -4, 4)];
      const { y, pixels } = naive(weight.view(), [13, 1, k], x.view(), [2, 13, h, w], geometry);
      const filters = new SparseFilters(weight, height, true);
      for (const activation of ['none', 'relu6', 'silu'] as const) {
        const found = filters.convolve(x, { ...geometry, bias: tensor(bias), activation }).view();
        for (const [i, value] of y.entries()) {
          const wanted = clamps[activation](value + (bias[Math.floor(i / pixels) % 13] as number));
          if (!(Math.abs((found[i] as number) - wanted) < 1e-4)) expect(found[i]).toBe(wanted);
        }
      }
    }
  });
});

/** Weights and input as int8 has them: integers, and the scale of each row times that of the input. */
function quantised(weight: Tensor, x: Tensor, low: number, high: number) {
  const rows = weight.shape[0] as number;
  const columns = weight.size / rows;
  const values = weight.view();
  const scales = Array.from({ length: rows }, (_, row) => {
    const peak = Math.max(...values.subarray(row * columns, (row + 1) * columns).map(Math.abs));
    return peak > 0 ? peak / 127 : 1;
  });
  const whole = Float64Array.from(values, (value, i) =>
    Math.round(value / (scales[Math.floor(i / columns)] as number)),
  );
  const { scale, zero, bits } = quantizationOf(low, high);
  const inverse = Math.fround(1 / scale);
  const quanta = Float64Array.from(x.view(), (value) => {
    const scaled = Math.fround(value * inverse);
    const even = Math.round(scaled) - Number(Math.abs(scaled % 1) === 0.5 && Math.round(scaled) % 2 !== 0);
    return Math.min(127 - zero, Math.max(-128 - zero, even));
  });
  return { whole, quanta, scales: scales.map((own) => own * scale), input: { scale, zero, bits } };
}

describe('sparse filters in int8', () => {
  const kinds = [
    ['blocks of 2', 2, false, 7],
    ['blocks of 4', 4, false, 7],
    ['depthwise, groups of 4', 4, true, 1],
    ['depthwise, groups of 3', 3, true, 1],
  ] as const;

  test.each(kinds)('%s: as integer loops, whatever the sizes', (_, height, depthwise, inputs) => {
    for (const [, k, geometry] of geometries)
      for (const [h, w] of sides) {
        const rows = 13;
        const weight = grouped(k + height, [rows, inputs, k], height);
        const channels = depthwise ? rows : inputs;
        // Values beyond the range are clamped; the range is not symmetric, so that the zero point counts.
        const [x, bias] = [uniformTensor(3, [2, channels, h, w], -1.2, 2.5), uniform(4, rows, -1, 1)];
        const { whole, quanta, scales, input } = quantised(weight, x, -1, 2.2);
        const { y, pixels } = naive(whole, [rows, inputs, k], quanta, [2, channels, h, w], geometry);
        const filters = new Int8SparseFilters(weight, height, input, depthwise);
        for (const activation of ['none', 'relu6', 'silu'] as const) {
          const found = filters.convolve(x, { ...geometry, bias: tensor(bias), activation }).view();
          for (const [i, sum] of y.entries()) {
            const row = Math.floor(i / pixels) % rows;
            const wanted = clamps[activation](sum * (scales[row] as number) + (bias[row] as number));
            if (!(Math.abs((found[i] as number) - wanted) < 1e-4)) expect(found[i]).toBe(wanted);
          }
        }
      }
  });

  test.each([2, 4] as const)('linear layers and single pixels, blocks of %d', (height) => {
    const weight = grouped(height, [29, 19, 1], height).reshape([29, 19]);
    const [x, bias] = [uniformTensor(3, [3, 19]), uniform(4, 29, -1, 1)];
    const { whole, quanta, scales, input } = quantised(weight, x, -1, 1);
    const { y } = naive(whole, [29, 19, 1], quanta, [3, 19, 1, 1], {});
    for (const activation of ['none', 'relu6', 'silu'] as const) {
      const found = new Int8SparseFilters(weight, height, input).convolve(x, { bias: tensor(bias), activation });
      expect(found.shape).toEqual([3, 29]);
      const values = found.view();
      for (const [i, sum] of y.entries()) {
        const wanted = clamps[activation](sum * (scales[i % 29] as number) + (bias[i % 29] as number));
        if (!(Math.abs((values[i] as number) - wanted) < 1e-5)) expect(values[i]).toBe(wanted);
      }
    }
  });

  test('are as near to the floats as steps of 1/127 are', () => {
    const weight = grouped(1, [16, 12, 3], 4);
    const x = uniformTensor(2, [1, 12, 10, 10]);
    const floats = new SparseFilters(weight, 4).convolve(x, { padding: 1 }).view();
    const int8 = new Int8SparseFilters(weight, 4, quantizationOf(-1, 1)).convolve(x, { padding: 1 }).view();
    const largest = Math.max(...floats.map(Math.abs));
    expect(Math.max(...floats.map((value, i) => Math.abs(value - (int8[i] as number))))).toBeLessThan(0.03 * largest);
  });
});

test.each([
  [() => new SparseFilters(uniformTensor(1, [4, 4]), 4), 'expected [out, in, k, k]'],
  [() => new SparseFilters(uniformTensor(1, [4, 4, 1, 1]), 3), 'blocks have 1, 2, 4 or 8 rows, not 3'],
  [() => new SparseFilters(uniformTensor(1, [4, 2, 3, 3]), 4, true), 'depthwise [c, 1, k, k], got [4, 2, 3, 3]'],
  [() => new Int8SparseFilters(uniformTensor(1, [4, 4]), 8, quantizationOf(0, 1)), 'blocks have 2 or 4 rows, not 8'],
  [
    () => new SparseFilters(uniformTensor(1, [4, 2, 3, 3]), 4).convolve(uniformTensor(1, [1, 3, 8, 8])),
    '3 input channels in 1 groups do not fit',
  ],
])('%s says what is wrong', (make, message) => {
  expect(make).toThrow(message);
});
