import { describe, expect, test } from 'vitest';
import { gatedNeurons, quantizeBlocks, type RowFormat, RowMatrix, rowBytes } from '../../src/quantized/index.js';
import { Random, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectClose } from '../oracle.js';

const [rows, columns] = [21, 96];
const random = new Random(3);
const values = random.normal([rows, columns], 0, 0.5);
const formats: readonly RowFormat[] = ['F32', 'Q8_0', 'Q4_0'];

/** Values of llama.cpp's blocks, read by its description of them. */
function decoded(source: Tensor, format: RowFormat): Float64Array {
  const own = source.view<Float32Array>();
  if (format === 'F32') return Float64Array.from(own);
  const bytes = quantizeBlocks(own, format);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const half = (at: number) => {
    const bits = view.getUint16(at, true);
    const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
    const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
    return bits & 0x8000 ? -size : size;
  };
  const size = format === 'Q8_0' ? 34 : 18;
  return Float64Array.from(own, (_, i) => {
    const at = Math.floor(i / 32) * size;
    const j = i % 32;
    if (format === 'Q8_0') return half(at) * view.getInt8(at + 2 + j);
    const byte = view.getUint8(at + 2 + (j & 15));
    return half(at) * ((j < 16 ? byte & 15 : byte >> 4) - 8);
  });
}

const matrixOf = (format: RowFormat) => RowMatrix.from(values, format);
const dot = (w: Float64Array, row: number, x: ArrayLike<number>) =>
  Array.from(x).reduce((sum, v, c) => sum + v * (w[row * columns + c] as number), 0);

/** Activations as products with blocks see them: int8 in blocks of 32, q = x·127/max|x|. */
function activations(x: Float32Array, format: RowFormat): Float64Array {
  if (format === 'F32') return Float64Array.from(x);
  return Float64Array.from(x, (v, i) => {
    const block = x.subarray(i - (i % 32), i - (i % 32) + 32);
    const peak = Math.max(...block.map(Math.abs));
    return (Math.round((v * 127) / peak) * peak) / 127;
  });
}

describe.each(formats)('%s', (format) => {
  const matrix = matrixOf(format);
  const exact = decoded(values, format);

  test('takes the bytes of a file, and gives its values', () => {
    expect(matrix.bytes).toBe(rowBytes(format, rows, columns));
    expectClose(matrix.dequantize().dataSync(), exact, 1e-6);
    expectClose(
      matrix.rowsAt([20, 0, 3]).dataSync(),
      [20, 0, 3].flatMap((row) => Array.from(exact.subarray(row * columns, (row + 1) * columns))),
      1e-6,
    );
  });

  test.each([1, 3, 12])('products with %i tokens', (m) => {
    const x = random.normal([m, columns], 0, 1);
    const data = activations(x.dataSync<Float32Array>(), format);
    const expected = Array.from({ length: m }, (_, i) =>
      Array.from({ length: rows }, (_, row) => dot(exact, row, data.subarray(i * columns, (i + 1) * columns))),
    ).flat();
    expectClose(matrix.multiply(x).dataSync(), expected, 1e-4);
  });

  test('products with some rows, and with the transpose', () => {
    const x = random.normal([1, columns], 0, 1);
    const all = matrix.multiply(x).dataSync();
    const chosen = [4, 19, 0];
    expect([...matrix.multiplyRows(x, tensor(Int32Array.from(chosen))).dataSync()]).toEqual(
      chosen.map((row) => all[row]),
    );
    for (const m of [1, 5]) {
      const h = random.normal([m, rows], 0, 1);
      const data = h.dataSync<Float32Array>().map((v, i) => (i % 3 ? v : 0));
      const expected = Array.from({ length: m }, (_, i) =>
        Array.from({ length: columns }, (_, c) =>
          Array.from(
            { length: rows },
            (_, r) => (data[i * rows + r] as number) * (exact[r * columns + c] as number),
          ).reduce((a, b) => a + b, 0),
        ),
      ).flat();
      expectClose(matrix.multiplyTransposed(tensor(data, [m, rows])).dataSync(), expected, 1e-5);
    }
  });

  test('gated neurons: closed gates give exactly 0, open ones factor·gate·up', () => {
    const up = RowMatrix.from(random.normal([rows, columns], 0, 0.5), format);
    const x = random.normal([1, columns], 0, 1);
    const [gates, ups] = [matrix.multiply(x).dataSync(), up.multiply(x).dataSync()];
    const hidden = gatedNeurons({ gate: matrix, up }, x, 0.25).dataSync();
    const closed = Array.from(gates.keys()).filter((i) => (gates[i] as number) <= 0);
    expect(closed.length).toBeGreaterThan(3);
    hidden.forEach((value, i) => {
      expect(value === 0).toBe(closed.includes(i));
    });
    expectClose(
      hidden,
      gates.map((g, i) => (g > 0 ? 0.25 * g * (ups[i] as number) : 0)),
      1e-5,
    );
  });
});

test('columns that are no whole blocks are refused', () => {
  expect(() => RowMatrix.stage('Q4_0', 2, 40)).toThrow('multiple of 32, got 40');
  expect(() => new RowMatrix('F32', 3, 3, tensor([1, 2]))).toThrow('3×3 in F32 does not take 2 numbers');
});
