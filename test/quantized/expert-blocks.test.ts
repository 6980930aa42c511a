import { describe, expect, test } from 'vitest';
import { BlockMatrix, blockMajor, blocksDown, blocksUp, usedBlocks } from '../../src/quantized/index.js';
import { multiply, permute, reshape, silu, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose, uniform, uniformTensor } from '../oracle.js';

/** Gates of n tokens of which each uses some of the blocks; nobody uses the first and the last. */
function gatesOf(seed: number, n: number, count: number, share = 0.4): Tensor {
  const values = uniform(seed, n * count, 0, 1).map((value) => (value < share ? value + 0.1 : 0));
  for (let t = 0; t < n; t++) for (const block of [0, count - 1]) values[t * count + block] = 0;
  return tensor(values, [n, count]);
}

/** Σᵢ Aᵢ·W_down,ᵢ SiLU(W_up,ᵢ x) in f64 loops over all blocks; W_down [d, E·e]. */
function byLoops(x: Tensor, gates: Tensor, up: Tensor, down: Tensor, width: number): number[] {
  const [n, d] = x.shape as [number, number];
  const count = gates.shape[1] as number;
  const [xs, as, us, ds] = [x, gates, up, down].map((values) => values.dataSync()) as Float32Array[] as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const y = new Array<number>(n * d).fill(0);
  for (let t = 0; t < n; t++)
    for (let unit = 0; unit < count * width; unit++) {
      let inner = 0;
      for (let k = 0; k < d; k++) inner += (xs[t * d + k] as number) * (us[unit * d + k] as number);
      const gate = as[t * count + Math.floor(unit / width)] as number;
      const hidden = (gate * inner) / (1 + Math.exp(-inner));
      for (let k = 0; k < d; k++)
        y[t * d + k] = (y[t * d + k] as number) + hidden * (ds[k * count * width + unit] as number);
    }
  return y;
}

const sizes = [
  { count: 9, width: 16, features: 32 },
  { count: 4, width: 6, features: 20 },
  { count: 5, width: 3, features: 7 },
  { count: 3, width: 8, features: 130 },
  { count: 150, width: 4, features: 8 },
];

describe('blocks that tokens use', () => {
  test('their list is the union over tokens', () => {
    expect(usedBlocks(tensor([0, 2, 0, 0, 0, 0, 0, 1], [2, 4]))).toEqual([1, 3]);
    expect(usedBlocks(tensor([0, 0], [1, 2]))).toEqual([]);
  });

  test.each(sizes)('f32, $count blocks $width×$features: as all blocks by loops, for 1 to 64 tokens', (layout) => {
    const { count, width, features } = layout;
    const up = uniformTensor(1, [count * width, features]);
    const down = uniformTensor(2, [features, count * width]);
    const stored = blockMajor(down, layout);
    for (const n of [1, 2, 3, 8, 17, 64]) {
      const [x, gates] = [uniformTensor(10 + n, [n, features]), gatesOf(n, n, count)];
      const used = usedBlocks(gates);
      expect(used).not.toContain(count - 1);
      const y = blocksDown(blocksUp(x, up, gates, used, width), stored, used, features);
      expectClose(y.dataSync(), byLoops(x, gates, up, down, width), 1e-5);
    }
  });

  test.each(['Q8_0', 'Q4_0'] as const)('%s: as the products with all blocks of that format', (format) => {
    const layout = { count: 7, width: 64, features: 96 };
    const { count, width, features } = layout;
    const up = BlockMatrix.quantize(uniformTensor(3, [count * width, features]), format);
    const down = uniformTensor(4, [features, count * width]);
    const [whole, stored] = [BlockMatrix.quantize(down, format), blockMajor(down, layout, format)];
    for (const n of [1, 2, 3, 4, 9, 33, 64]) {
      const [x, gates] = [uniformTensor(20 + n, [n, features]), gatesOf(n, n, count, 0.5)];
      const used = usedBlocks(gates);
      const y = blocksDown(blocksUp(x, up, gates, used, width), stored, used, features);
      const inner = multiply(reshape(silu(up.multiply(x)), [n, count, width]), reshape(gates, [n, count, 1]));
      expectClose(y.dataSync(), whole.multiply(reshape(inner, [n, count * width])).dataSync(), 1e-5);
    }
  });

  test('a token does not see the blocks that others use', () => {
    const layout = { count: 2, width: 4, features: 8 };
    const [up, down] = [uniformTensor(5, [8, 8]), uniformTensor(6, [8, 8])];
    const x = uniformTensor(7, [2, 8]);
    const gates = tensor([1, 0, 0, 0], [2, 2]);
    const h = blocksUp(x, up, gates, [0, 1], 4);
    const y = blocksDown(h, blockMajor(down, layout), [0, 1], 8);
    expect(y.dataSync().slice(8)).toEqual(new Float32Array(8));
    expect(Math.max(...y.dataSync().slice(0, 8).map(Math.abs))).toBeGreaterThan(0.01);
  });

  test('no block at all gives 0', () => {
    const h = blocksUp(uniformTensor(8, [3, 8]), uniformTensor(9, [8, 8]), tensor(new Float32Array(6), [3, 2]), [], 4);
    expect(blocksDown(h, uniformTensor(9, [8, 8]), [], 8).dataSync()).toEqual(new Float32Array(24));
  });

  test('W_down may come block by block, as the checkpoints have it', () => {
    const layout = { count: 3, width: 32, features: 64 };
    const down = uniformTensor(11, [64, 96]);
    const stacked = reshape(permute(reshape(down, [64, 3, 32]), [1, 0, 2]), [3, 64, 32]);
    expect((blockMajor(stacked, layout) as Tensor).dataSync()).toEqual((blockMajor(down, layout) as Tensor).dataSync());
    const [a, b] = [stacked, down].map((values) => (blockMajor(values, layout, 'Q8_0') as BlockMatrix).dequantize());
    expect(a?.dataSync()).toEqual(b?.dataSync());
  });

  test('sizes that do not fit are refused', () => {
    const layout = { count: 3, width: 5, features: 64 };
    expect(() => blockMajor(uniformTensor(1, [64, 16]), layout)).toThrow('is not W_down of 3 blocks 5×64');
    expect(() => blockMajor(uniformTensor(1, [64, 15]), layout, 'Q8_0')).toThrow('need multiples of 32');
  });
});
