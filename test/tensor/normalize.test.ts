import { expect, test } from 'vitest';
import { layerNorm, rmsNorm, standardize } from '../../src/tensor/index.js';
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
