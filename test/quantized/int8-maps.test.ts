import { describe, expect, test } from 'vitest';
import { cpu } from '../../src/engine/index.js';
import {
  pitchOf,
  type Quantization,
  quantizationOf,
  writeGated,
  writeJoined,
  writeLargest,
  writeMapped,
  writeMeans,
  writePixelSums,
  writeSum,
} from '../../src/quantized/index.js';
import { emptyTensor, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose, uniform, uniformTensor } from '../oracle.js';

type Shape = readonly [images: number, height: number, width: number, channels: number];

/** Random quanta with channels last, the padding behind them too. */
function quanta(seed: number, [images, height, width, channels]: Shape, low = -128): Tensor {
  const shape = [images, height, width, pitchOf(channels)];
  const count = shape.reduce((a, b) => a * b);
  return tensor(Int8Array.from(uniform(seed, count, low, 128), Math.floor), shape);
}

const empty = ([images, height, width, channels]: Shape) =>
  emptyTensor([images, height, width, pitchOf(channels)], 'i8');

const at = (x: Tensor, image: number, row: number, column: number, channel: number): number => {
  const [, height, width, pitch] = x.shape as [number, number, number, number];
  return x.view<Int8Array>()[((image * height + row) * width + column) * pitch + channel] as number;
};

/** Every element of `y` is what `real` gives there, in quanta, to a half that may fall either way. */
function expectQuanta(
  y: Tensor,
  [images, height, width, channels]: Shape,
  to: Quantization,
  real: (image: number, row: number, column: number, channel: number) => number,
  [least, most]: readonly [number, number] = to.bits === 8 ? [-128, 127] : [0, 127],
): void {
  let compared = 0;
  for (let n = 0; n < images; n++)
    for (let i = 0; i < height; i++)
      for (let j = 0; j < width; j++)
        for (let c = 0; c < channels; c++) {
          const steps = Math.max(least, Math.min(most, real(n, i, j, c) / to.scale + to.zero));
          expect(Math.abs(at(y, n, i, j, c) - steps)).toBeLessThan(0.501);
          compared++;
        }
  expect(compared).toBeGreaterThan(0);
}

const windows = (length: number, kernel: number, stride: number, padding: number) =>
  Array.from({ length: Math.floor((length + 2 * padding - kernel) / stride) + 1 }, (_, i) => {
    const start = i * stride - padding;
    return [Math.max(start, 0), Math.min(start + kernel, length)] as const;
  });

describe.each([8, 7] as const)('maps of %i bits equal scalar arithmetic', (bits) => {
  const low = bits === 8 ? -128 : 0;
  const from = quantizationOf(-1, 2, bits);
  const to = quantizationOf(-0.5, 1.2, bits);
  const value = (x: Tensor, q: Quantization) => (n: number, i: number, j: number, c: number) =>
    q.scale * (at(x, n, i, j, c) - q.zero);

  test.each([
    [[2, 7, 9, 20], 3, 2, 1],
    [[1, 6, 6, 5], 2, 2, 0],
    [[1, 5, 4, 16], 3, 1, 1],
  ] as const)('pools of %j, %i wide', (shape, kernel, stride, padding) => {
    const x = quanta(1, shape, low);
    const rows = windows(shape[1], kernel, stride, padding);
    const columns = windows(shape[2], kernel, stride, padding);
    const size: Shape = [shape[0], rows.length, columns.length, shape[3]];
    const inside = (n: number, i: number, j: number, c: number): number[] => {
      const found: number[] = [];
      for (let row = rows[i]?.[0] as number; row < (rows[i]?.[1] as number); row++)
        for (let column = columns[j]?.[0] as number; column < (columns[j]?.[1] as number); column++)
          found.push(value(x, from)(n, row, column, c));
      return found;
    };
    const largest = empty(size);
    writeLargest(cpu, x, largest, { rows, columns });
    expectQuanta(largest, size, from, (...place) => Math.max(...inside(...place)));
    for (const divisor of [0, kernel * kernel]) {
      const means = empty(size);
      writeMeans(cpu, x, means, { rows, columns, divisor }, from, to);
      expectQuanta(means, size, to, (...place) => {
        const values = inside(...place);
        return values.reduce((a, b) => a + b, 0) / (divisor || values.length);
      });
    }
  });

  test('sums of pixels, more than sixteen bits hold', () => {
    for (const shape of [
      [2, 3, 5, 20],
      [1, 40, 30, 3],
    ] as const) {
      const x = quanta(2, shape, low);
      const y = emptyTensor([shape[0], shape[3], 1, 1], 'f32');
      writePixelSums(cpu, x, y, 7, from);
      const wanted: number[] = [];
      for (let n = 0; n < shape[0]; n++)
        for (let c = 0; c < shape[3]; c++) {
          let total = 0;
          for (let i = 0; i < shape[1]; i++) for (let j = 0; j < shape[2]; j++) total += value(x, from)(n, i, j, c);
          wanted.push(total / 7);
        }
      expectClose(y.view(), wanted, 1e-4);
    }
    const extreme = tensor(new Int8Array(16 * 1000).fill(-128), [1, 20, 50, 16]);
    const y = emptyTensor([1, 16, 1, 1], 'f32');
    writePixelSums(cpu, extreme, y, 1, { scale: 1, zero: 0, bits: 8 });
    expect([...y.view()]).toEqual(new Array(16).fill(-128_000));
  });

  test.each([[[2, 3, 4, 21]], [[1, 2, 5, 16]]] as const)('gates of %j', (shape) => {
    const x = quanta(3, shape, low);
    const gate = uniformTensor(4, [shape[0], shape[3], 1, 1], 0, 1);
    const y = empty(shape);
    writeGated(cpu, x, gate, y, from, to);
    expectQuanta(y, shape, to, (n, i, j, c) => value(x, from)(n, i, j, c) * (gate.view()[n * shape[3] + c] as number));
  });

  test('functions by table, for every byte', () => {
    const x = tensor(
      Int8Array.from({ length: 256 }, (_, i) => i - 128),
      [1, 4, 4, 16],
    );
    const table = tensor(Int8Array.from(uniform(5, 256, -128, 128), Math.floor));
    const y = empty([1, 4, 4, 16]);
    writeMapped(cpu, x, table, y);
    expect([...y.view<Int8Array>()]).toEqual([...table.view<Int8Array>()]);
  });

  test('sums of two maps with an activation', () => {
    const shape = [2, 3, 4, 20] as const;
    const [a, b] = [quanta(6, shape, low), quanta(7, shape, low)];
    const other = quantizationOf(-2, 0.7, bits);
    for (const [activation, range] of [
      ['none', undefined],
      ['relu', [to.zero, 127]],
    ] as const) {
      const y = empty(shape);
      writeSum(
        cpu,
        [
          { x: a, from },
          { x: b, from: other },
        ],
        y,
        to,
        activation,
      );
      expectQuanta(y, shape, to, (...place) => value(a, from)(...place) + value(b, other)(...place), range);
    }
  });

  test('channels one behind the other, at places that no vector begins', () => {
    const channels = [5, 16, 3, 19] as const;
    const scales = [from, to, quantizationOf(-3, 3, bits), from];
    const images = channels.map((count, i) => quanta(8 + i, [2, 3, 2, count], low));
    const y = empty([2, 3, 2, 43]);
    writeJoined(
      cpu,
      images.map((x, i) => ({ x, from: scales[i] as Quantization })),
      channels,
      y,
      to,
    );
    expectQuanta(y, [2, 3, 2, 43], to, (n, i, j, c) => {
      let [which, place] = [0, c];
      while (place >= (channels[which] as number)) place -= channels[which++] as number;
      return value(images[which] as Tensor, scales[which] as Quantization)(n, i, j, place);
    });
  });
});
