import { expect, test } from 'vitest';
import { setThreads, threads } from '../../src/engine/index.js';
import { aggregate, conv2d, reshape, tensor, valueAndGrad } from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

function naive(x: Float32Array, f: Float32Array, [n, c, h, w]: readonly number[], sharing: number): Float32Array {
  const [images, channels, height, width] = [n, c, h, w] as [number, number, number, number];
  const y = new Float32Array(x.length);
  for (let b = 0; b < images; b++)
    for (let ch = 0; ch < channels; ch++)
      for (let i = 0; i < height; i++)
        for (let j = 0; j < width; j++)
          for (let u = 0; u < 3; u++)
            for (let v = 0; v < 3; v++) {
              const [row, column] = [i + u - 1, j + v - 1];
              if (row < 0 || row >= height || column < 0 || column >= width) continue;
              const at = ((b * channels + ch) * height + i) * width + j;
              const filter = (((b * sharing + (ch % sharing)) * 9 + 3 * u + v) * height + i) * width + j;
              y[at] =
                (y[at] as number) +
                (f[filter] as number) * (x[((b * channels + ch) * height + row) * width + column] as number);
            }
  return y;
}

test.each([
  [[1, 8, 14, 14], 1],
  [[2, 6, 5, 7], 3],
  [[1, 4, 3, 3], 2],
  [[2, 4, 1, 1], 4],
  [[1, 16, 7, 4], 2],
  [[1, 2, 2, 9], 1],
] as const)('%j with %i filter channels equals the definition, for any number of threads', (shape, sharing) => {
  const x = uniformTensor(1, shape);
  const f = uniformTensor(2, [shape[0], sharing, 9, shape[2], shape[3]]);
  const expected = naive(x.dataSync(), f.dataSync(), shape, sharing);
  const before = threads();
  for (const count of [1, 2]) {
    setThreads(count);
    expectClose(aggregate(x, f).dataSync(), expected);
  }
  setThreads(before);
});

test.each([
  [[1, 4, 3, 5], 2],
  [[2, 2, 2, 2], 1],
  [[1, 2, 2, 6], 2],
] as const)('gradients of images and filters, twice, at %j', (shape, sharing) => {
  checkGradient(aggregate, [uniformTensor(3, shape), uniformTensor(4, [shape[0], sharing, 9, shape[2], shape[3]])]);
});

test('gradients of a large one equal those of the definition, element by element', () => {
  const shape = [1, 4, 6, 11] as const;
  const x = uniformTensor(5, shape);
  const f = uniformTensor(6, [1, 2, 9, 6, 11]);
  const weights = uniformTensor(7, shape);
  const { gradient } = valueAndGrad(([a, b]: (typeof x)[]) =>
    aggregate(a as typeof x, b as typeof x)
      .multiply(weights)
      .sum(),
  )([x, f]);
  // ∂/∂x of a bilinear sum: what the sum changes by when one element becomes one.
  const value = (a: Float32Array, b: Float32Array) =>
    naive(a, b, shape, 2).reduce((sum, y, i) => sum + y * (weights.view()[i] as number), 0);
  const unit = (length: number, at: number) => Float32Array.from({ length }, (_, i) => Number(i === at));
  expectClose(
    gradient[0]?.dataSync() as Float32Array,
    Float32Array.from({ length: x.size }, (_, i) => value(unit(x.size, i), f.dataSync())),
    1e-4,
  );
  expectClose(
    gradient[1]?.dataSync() as Float32Array,
    Float32Array.from({ length: f.size }, (_, i) => value(x.dataSync(), unit(f.size, i))),
    1e-4,
  );
});

test('filters that are the same at all pixels are a depthwise convolution', () => {
  const x = uniformTensor(8, [2, 6, 8, 9]);
  const taps = uniformTensor(9, [1, 3, 9, 1, 1]);
  const everywhere = taps.broadcastTo([2, 3, 9, 8, 9]);
  const kernel = reshape(
    tensor(Float32Array.from({ length: 54 }, (_, i) => taps.view()[i % 27] as number)),
    [6, 1, 3, 3],
  );
  expectClose(aggregate(x, everywhere).dataSync(), conv2d(x, kernel, undefined, { padding: 1, groups: 6 }).dataSync());
});

test('shapes that do not fit are an error', () => {
  const x = uniformTensor(1, [1, 6, 4, 4]);
  expect(() => aggregate(x, uniformTensor(2, [1, 4, 9, 4, 4]))).toThrow(
    's dividing c, got [1, 6, 4, 4] and [1, 4, 9, 4, 4]',
  );
  expect(() => aggregate(x, uniformTensor(2, [1, 3, 9, 4, 5]))).toThrow('aggregate: expected');
});
