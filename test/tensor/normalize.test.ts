import { expect, test } from 'vitest';
import {
  batchNorm,
  full,
  grad,
  groupNorm,
  layerNorm,
  ones,
  rmsNorm,
  standardize,
  type Tensor,
  tensor,
  zeros,
} from '../../src/tensor/index.js';
import { checkGradient, expectClose, uniformTensor } from '../oracle.js';

test('layer norm and RMS norm equal their definitions on odd sizes', () => {
  const [rows, n] = [3, 29];
  const x = uniformTensor(1, [rows, n], -3, 5);
  const gamma = uniformTensor(2, [n]);
  const beta = uniformTensor(3, [n]);
  const expected = { layer: [] as number[], rms: [] as number[] };
  for (let r = 0; r < rows; r++) {
    const row = Array.from(x.view().subarray(r * n, r * n + n));
    const mean = row.reduce((a, b) => a + b, 0) / n;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
    const square = row.reduce((a, b) => a + b * b, 0) / n;
    row.forEach((value, j) => {
      expected.layer.push(
        ((value - mean) / Math.sqrt(variance + 1e-5)) * (gamma.view()[j] as number) + (beta.view()[j] as number),
      );
      expected.rms.push((value / Math.sqrt(square + 1e-6)) * (gamma.view()[j] as number));
    });
  }
  expectClose(layerNorm(x, gamma, beta).view(), expected.layer, 3e-6);
  expectClose(rmsNorm(x, gamma).view(), expected.rms, 3e-6);
});

test('gradients of every output', () => {
  const x = uniformTensor(1, [3, 5], -2, 2);
  for (const center of [true, false]) {
    checkGradient((v) => standardize(v, 1e-2, center)[0], [x], { tolerance: 2e-2 });
    checkGradient((v) => standardize(v, 1e-2, center)[1], [x], { tolerance: 2e-2 });
  }
  checkGradient((v, g, b) => layerNorm(v, g, b, 1e-2), [x, uniformTensor(2, [5]), uniformTensor(3, [5])], {
    tolerance: 2e-2,
  });
  checkGradient((v, g) => rmsNorm(v, g, 1e-2), [x, uniformTensor(2, [5])], { tolerance: 2e-2 });
  expect(() => layerNorm(x, uniformTensor(2, [4]))).toThrow('layerNorm: expected 5 weights');
});

test('rows and channels far from 0 are standardised as those around 0, also where f32 lacks the mean', () => {
  const offset = 2 ** 23;
  const x = tensor(Float32Array.from({ length: 2000 }, (_, i) => offset + (i % 4)));
  const expected = Array.from({ length: 2000 }, (_, i) => ((i % 4) - 1.5) / Math.sqrt(1.25));
  expectClose(layerNorm(x.reshape([2, 1000]), ones([1000])).view(), expected, 1e-5);
  expectClose(groupNorm(x.reshape([1, 4, 500]), 2).view(), expected, 1e-5);
  const [y, mean, variance] = batchNorm(x.reshape([5, 2, 200]), ones([2]), zeros([2]));
  expectClose(y.view(), expected, 1e-5);
  expect([...mean.view()]).toEqual([offset + 2, offset + 2]);
  expectClose(variance.view(), [1.25, 1.25], 1e-6);
});

test('a first value far from the rest does not spoil the moments', () => {
  const row = [1e6, ...Array.from({ length: 999 }, (_, i) => (i % 7) / 7)];
  const rest = [...row.slice(1), 0.5];
  const moments = (values: number[]) => {
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    return { mean, deviation: Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length + 1e-5) };
  };
  const expected = [row, rest].flatMap((values) => {
    const { mean, deviation } = moments(values);
    return values.map((v) => (v - mean) / deviation);
  });
  expectClose(layerNorm(tensor([row, rest]), ones([1000])).view(), expected, 2e-6);
});

test('constant rows and channels give 0', () => {
  const x = full([4, 3, 77], 1e4 / 3);
  expect(
    layerNorm(x, ones([77]))
      .view()
      .every((v) => v === 0),
  ).toBe(true);
  expect(
    batchNorm(x, ones([3]), zeros([3]))[0]
      .view()
      .every((v) => v === 0),
  ).toBe(true);
});

test('the gradient of batch norm far from 0 is that around 0', () => {
  const weights = uniformTensor(3, [6, 2, 10]);
  const gradientAt = (shift: number) => {
    const x = Float32Array.from({ length: 120 }, (_, i) => shift + ((i * 7) % 8) / 4);
    const loss = (v: Tensor) =>
      batchNorm(v, ones([2]), zeros([2]))[0]
        .multiply(weights)
        .sum();
    return grad(loss)(tensor(x, [6, 2, 10])).view();
  };
  expectClose(gradientAt(2 ** 21), gradientAt(0), 1e-5);
});
