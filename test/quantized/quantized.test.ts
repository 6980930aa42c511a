import { describe, expect, test } from 'vitest';
import { setThreads, threads } from '../../src/engine/index.js';
import {
  BitMatrix,
  BlockMatrix,
  blockBytes,
  blockFormats,
  floatToHalf,
  halfToFloat,
  Int8Convolution,
  type Int8ConvolutionOptions,
  Int8Matrix,
  PlaneSums,
  pitchOf,
  type Quantization,
  quantizationOf,
  quantizeBlocks,
  quantizeInt8,
} from '../../src/quantized/index.js';
import { ChannelMatrix } from '../../src/sparse/index.js';
import { Random, tensor } from '../../src/tensor/index.js';
import { expectClose, uniform, uniformTensor } from '../oracle.js';

describe('half precision', () => {
  test('every half survives the way through a float', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = halfToFloat(bits);
      if (!Number.isNaN(value)) expect(floatToHalf(value)).toBe(bits);
    }
  });
  test('rounding is to the nearest, ties to even', () => {
    expect(halfToFloat(floatToHalf(1 + 2 ** -11))).toBe(1);
    expect(halfToFloat(floatToHalf(1 + 3 * 2 ** -11))).toBe(1 + 2 ** -9);
    expect(halfToFloat(floatToHalf(65520))).toBe(Infinity);
    expect(halfToFloat(floatToHalf(1e-8))).toBe(0);
  });
});

describe('blocks of 32', () => {
  for (const format of ['Q8_0', 'Q4_0'] as const) {
    test(`${format}: errors are within half a step, and quantising again changes nothing`, () => {
      const w = uniformTensor(1, [6, 96], -2, 2);
      const q = BlockMatrix.quantize(w, format);
      const back = q.dequantize();
      const bytes = quantizeBlocks(w.dataSync(), format);
      const size = blockFormats[format].bytes;
      const scaleOf = (block: number) =>
        halfToFloat((bytes[block * size] as number) | ((bytes[block * size + 1] as number) << 8));
      const limit = format === 'Q8_0' ? 0.57 : 1.01;
      back.view().forEach((value, i) => {
        expect(Math.abs(value - (w.view()[i] as number))).toBeLessThanOrEqual(limit * Math.abs(scaleOf(i >> 5)) + 1e-6);
      });
      expect(quantizeBlocks(back.dataSync(), format)).toEqual(bytes);
    });
    test(`${format}: products equal those of the dequantised numbers, for any number of rows`, () => {
      for (const m of [1, 3, 4, 9]) {
        const w = BlockMatrix.quantize(uniformTensor(2, [7, 160]), format);
        const x = uniformTensor(3, [m, 160]);
        const seen = BlockMatrix.quantize(x, 'Q8_0').dequantize();
        expectClose(w.multiply(x).view(), seen.matmul(w.dequantize(), { transposeB: true }).view(), 3e-3);
      }
    });
  }
  test('bytes are those of the definition in floats of 32 bits', () => {
    const round = Math.fround;
    const values = Float32Array.from([...uniform(5, 320, -3, 3), ...new Array<number>(32).fill(0)]);
    for (const format of ['Q8_0', 'Q4_0'] as const) {
      const expected: number[] = [];
      for (let at = 0; at < values.length; at += 32) {
        const x = values.subarray(at, at + 32);
        const largest = x.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
        const scale = round(format === 'Q8_0' ? Math.abs(largest) / 127 : largest / -8);
        const inverse = scale === 0 ? 0 : round(1 / scale);
        const half = floatToHalf(scale);
        expected.push(half & 255, half >> 8);
        const q = Array.from(x, (value) => round(value * inverse));
        if (format === 'Q8_0') expected.push(...q.map((v) => (Math.sign(v) * Math.floor(Math.abs(v) + 0.5)) & 255));
        else {
          const nibble = (v: number) => Math.min(15, Math.trunc(round(v + 8.5)));
          for (let j = 0; j < 16; j++) expected.push(nibble(q[j] as number) | (nibble(q[j + 16] as number) << 4));
        }
      }
      expect([...quantizeBlocks(values, format)]).toEqual(expected);
    }
  });
  test('a block of zeros, and errors', () => {
    const zeros = BlockMatrix.quantize(tensor(new Float32Array(32), [1, 32]), 'Q4_0');
    expectClose(zeros.multiply(uniformTensor(1, [1, 32])).view(), [0]);
    expect(() => BlockMatrix.quantize(uniformTensor(1, [2, 33]), 'Q8_0')).toThrow('multiple of 32');
    expect(() => BlockMatrix.fromBytes(new Uint8Array(33), 'Q8_0', 1, 32)).toThrow('takes 34 bytes, got 33');
  });
  test('products of several matrices at once equal those of each, to the bit, on any number of threads', () => {
    const sizes = { Q4_0: 16, Q8_0: 24, Q6_K: 9, Q4_K: 40, Q5_0: 7 } as const;
    const matrices = Object.entries(sizes).map(([format, rows], i) => {
      const kind = format as keyof typeof sizes;
      const bytes = Uint8Array.from({ length: blockBytes(kind, rows, 256) }, (_, at) => (at * 37 + i * 11) & 63);
      return BlockMatrix.fromBytes(bytes, kind, rows, 256);
    });
    matrices.push(BlockMatrix.quantize(uniformTensor(8, [400, 256]), 'Q4_0'));
    for (const m of [1, 6]) {
      const x = uniformTensor(9, [m, 256]);
      const each = matrices.map((matrix) => matrix.multiply(x).dataSync());
      for (const count of [1, 2, 3]) {
        const before = threads();
        setThreads(count);
        try {
          for (let round = 0; round < 20; round++)
            expect(BlockMatrix.multiplyAll(matrices, x).map((y) => y.dataSync())).toEqual(each);
        } finally {
          setThreads(before);
        }
      }
    }
    expect(BlockMatrix.multiplyAll([], uniformTensor(9, [1, 64]))).toEqual([]);
    expect(() => BlockMatrix.multiplyAll(matrices, uniformTensor(9, [1, 64]))).toThrow('expected [m, 256]');
  });
});

describe('eight bits', () => {
  test('products equal integer loops over the same quanta', () => {
    for (const [m, n, k] of [
      [1, 1, 1],
      [5, 7, 37],
      [2, 4, 16],
      [9, 70, 300],
    ] as const) {
      const [x, w, bias] = [uniformTensor(1, [m, k], -1, 2), uniformTensor(2, [n, k]), uniformTensor(3, [n])];
      const { quanta, scales } = quantizeInt8(w);
      const xs = quantizeInt8(x);
      const expected = Float64Array.from({ length: m * n }, (_, at) => {
        const [i, j] = [Math.floor(at / n), at % n];
        let total = 0;
        for (let p = 0; p < k; p++) total += (xs.quanta[i * k + p] as number) * (quanta[j * k + p] as number);
        return total * (xs.scales[i] as number) * (scales[j] as number) + (bias.view()[j] as number);
      });
      const matrix = new Int8Matrix(w);
      expectClose(matrix.multiply(x, { bias }).view(), expected, 2e-5);
      expectClose(
        matrix.multiply(x, { bias, activation: 'relu' }).view(),
        expected.map((v) => Math.max(v, 0)),
        2e-5,
      );
      // Seven bits with a zero point: within the steps of their quantisation of the exact product.
      const exact = x.matmul(w, { transposeB: true }).add(bias).view();
      matrix
        .multiply(x, { bias, bits: 7 })
        .view()
        .forEach((value, at) => {
          expect(Math.abs(value - (exact[at] as number))).toBeLessThan(0.02 * k + 0.05);
        });
    }
  });

  /**
   * A convolution of quanta by integer loops; a value on the border between two steps may round
   * either way.
   */
  function expectInteger(
    [n, h, v]: readonly [number, number, number],
    [filters, inGroup, kh, kw]: readonly [number, number, number, number],
    {
      bits = 8,
      residual,
      ...options
    }: { bits?: 7 | 8; residual?: boolean } & Omit<Int8ConvolutionOptions, 'input' | 'output' | 'residual'>,
  ): void {
    const { groups = 1, stride = [1, 1], padding = [0, 0], dilation = [1, 1], activation = 'none' } = options;
    const channels = inGroup * groups;
    const [input, output, added] = [[-1, 2] as const, [-3, 9] as const, [-2, 2] as const].map(([low, high]) =>
      quantizationOf(low, high, bits),
    ) as [Quantization, Quantization, Quantization];
    const w = uniformTensor(1, [filters, inGroup, kh, kw], -0.3, 0.3);
    const bias = uniformTensor(2, [filters]);
    const range = bits === 8 ? ([-128, 128] as const) : ([0, 128] as const);
    const quantaOf = (seed: number, shape: readonly [number, number, number, number]) =>
      tensor(
        Int8Array.from(
          uniform(
            seed,
            shape.reduce((a, b) => a * b),
            ...range,
          ),
          Math.floor,
        ),
        shape,
      );
    const { quanta, scales } = quantizeInt8(w);
    const pitch = pitchOf(channels);
    const x = quantaOf(3, [n, h, v, pitch]);
    const convolution = new Int8Convolution(w, bias, {
      ...options,
      input,
      output,
      ...(residual && { residual: added }),
    });
    const shape = convolution.outputShape(x.shape);
    const shortcut = residual ? quantaOf(4, shape) : undefined;
    const y = convolution.forward(x, shortcut);
    const [, outHeight, outWidth, outPitch] = shape;
    const most = activation === 'relu6' ? Math.min(127, output.zero + Math.round(6 / output.scale)) : 127;
    const least = activation === 'none' ? range[0] : output.zero;
    for (let b = 0; b < n; b++)
      for (let i = 0; i < outHeight; i++)
        for (let j = 0; j < outWidth; j++)
          for (let f = 0; f < filters; f++) {
            let total = 0;
            for (let c = 0; c < inGroup; c++)
              for (let ky = 0; ky < kh; ky++)
                for (let kx = 0; kx < kw; kx++) {
                  const row = i * stride[0] + ky * dilation[0] - padding[0];
                  const column = j * stride[1] + kx * dilation[1] - padding[1];
                  if (row < 0 || column < 0 || row >= h || column >= v) continue;
                  const channel = Math.floor((f * groups) / filters) * inGroup + c;
                  const quantum = x.view<Int8Array>()[((b * h + row) * v + column) * pitch + channel] as number;
                  total += (quantum - input.zero) * (quanta[((f * inGroup + c) * kh + ky) * kw + kx] as number);
                }
            const at = ((b * outHeight + i) * outWidth + j) * outPitch + f;
            const before = shortcut ? ((shortcut.view<Int8Array>()[at] as number) - added.zero) * added.scale : 0;
            const real = total * input.scale * (scales[f] as number) + (bias.view()[f] as number) + before;
            const wanted = Math.max(least, Math.min(most, Math.round(real / output.scale) + output.zero));
            expect(Math.abs(wanted - (y.view<Int8Array>()[at] as number))).toBeLessThanOrEqual(1);
          }
  }

  test.each([8, 7] as const)('convolutions equal the integer pipeline, scalar by scalar, at %i bits', (bits) => {
    for (const step of [1, 2] as const)
      expectInteger([2, 5, 7], [6, 16, 3, 3], { bits, stride: [step, step], padding: [1, 1], activation: 'relu' });
    expectInteger([1, 6, 9], [21, 40, 1, 1], { bits, activation: 'relu6' });
    expectInteger([1, 9, 9], [8, 70, 1, 1], { bits, residual: true });
    expectInteger([1, 1, 1], [300, 300, 1, 1], { bits });
    expectInteger([2, 6, 5], [5, 3, 2, 3], { bits, residual: true, activation: 'relu', padding: [1, 0] });
  });

  test.each([8, 7] as const)('depthwise convolutions too, at %i bits', (bits) => {
    expectInteger([2, 6, 5], [20, 1, 3, 3], { bits, groups: 20, padding: [1, 1], activation: 'relu6' });
    expectInteger([1, 7, 9], [16, 1, 5, 5], { bits, groups: 16, stride: [2, 2], padding: [2, 2] });
    expectInteger([1, 9, 8], [33, 1, 7, 7], { bits, groups: 33, padding: [3, 3], activation: 'relu' });
  });

  test.each([8, 7] as const)('groups of channels, and taps that lie apart, at %i bits', (bits) => {
    expectInteger([2, 5, 6], [12, 5, 3, 3], { bits, groups: 4, padding: [1, 1], activation: 'relu', residual: true });
    expectInteger([1, 5, 5], [63, 3, 1, 1], { bits, groups: 7 });
    expectInteger([1, 4, 4], [15, 8, 1, 1], { bits, groups: 3 });
    expectInteger([1, 4, 5], [40, 1, 3, 3], { bits, groups: 20, padding: [1, 1] });
    expectInteger([2, 9, 8], [10, 6, 3, 3], { bits, dilation: [2, 3], padding: [2, 3], residual: true });
    expectInteger([1, 12, 11], [20, 1, 3, 3], { bits, groups: 20, dilation: [2, 2], padding: [2, 2], stride: [2, 2] });
    expectInteger([1, 14, 13], [17, 1, 5, 3], { bits, groups: 17, dilation: [3, 2], padding: [6, 2] });
  });

  test('a range always holds zero exactly', () => {
    for (const [low, high] of [
      [0.5, 2],
      [-3, -1],
      [-1, 1],
      [0, 0],
    ] as const) {
      const { scale, zero } = quantizationOf(low, high);
      expect(Number.isInteger(zero)).toBe(true);
      expect(scale * (127 - zero)).toBeGreaterThanOrEqual(Math.max(high, 0) - scale);
    }
    expect(() => quantizeInt8(tensor([[Number.NaN]]))).toThrow('not finite');
  });
});

describe('one bit', () => {
  const signs = (seed: number, rows: number, columns: number) =>
    tensor(
      uniform(seed, rows * columns).map((v) => (v < 0 ? -1 : 1)),
      [rows, columns],
    );

  test('products are exact', () => {
    for (const [m, n, k] of [
      [1, 1, 1],
      [3, 5, 127],
      [2, 4, 128],
      [7, 9, 1000],
      [2, 2, 5000],
    ] as const) {
      const [a, b] = [signs(1, m, k), signs(2, n, k)];
      const y = BitMatrix.fromSigns(a).multiplyTransposed(BitMatrix.fromSigns(b));
      expect([...y.view()]).toEqual([...a.matmul(b, { transposeB: true }).view()]);
    }
  });

  test('sums of planes are exact, for any number of planes', () => {
    const random = new Random(3);
    const planes = signs(4, 300, 333);
    const filters = [0, 1, 15, 16, 17, 100, 300, 2100].map((count) =>
      Array.from({ length: count }, () => ({ plane: random.integer(300), negative: random.float() < 0.5 })),
    );
    const y = new PlaneSums(filters).sum(BitMatrix.fromSigns(planes));
    filters.forEach((filter, f) => {
      for (let p = 0; p < 333; p += 7) {
        const expected = filter.reduce(
          (total, { plane, negative }) => total + (negative ? -1 : 1) * (planes.view()[plane * 333 + p] as number),
          0,
        );
        expect(y.view()[f * 333 + p]).toBe(expected);
      }
    });
  });
});

describe('sparse weights, channels outermost', () => {
  const pruned = (seed: number, rows: number, columns: number, height: number, density: number) => {
    const random = new Random(seed);
    const keep = Array.from({ length: Math.ceil(rows / height) * columns }, () => random.float() < density);
    const values = uniform(seed, rows * columns).map((v, i) =>
      keep[Math.floor(Math.floor(i / columns) / height) * columns + (i % columns)] ? v : 0,
    );
    return tensor(values, [rows, columns]);
  };
  test('every block height equals the dense product, on odd sizes', () => {
    for (const height of [1, 2, 4] as const) {
      for (const [rows, columns, pixels] of [
        [1, 1, 1],
        [7, 5, 23],
        [12, 33, 64],
        [9, 17, 100],
      ] as const) {
        const w = pruned(height, rows, columns, height, 0.4);
        const x = uniformTensor(5, [2, columns, pixels]);
        const bias = uniformTensor(6, [rows]);
        const expected = w.matmul(x).add(bias.reshape([rows, 1]));
        expectClose(new ChannelMatrix(w, height).multiply(x, { bias }).view(), expected.view(), 1e-5);
        expectClose(
          new ChannelMatrix(w, height).multiply(x, { bias, activation: 'relu6' }).view(),
          expected.relu6().view(),
          1e-5,
        );
      }
    }
  });
  test('the height follows the pattern', () => {
    for (const height of [1, 2, 4] as const)
      expect(new ChannelMatrix(pruned(8, 32, 64, height, 0.3)).height).toBe(height);
  });
});
