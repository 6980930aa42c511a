// Channel-wise interpolation (CWI): maps of C channels as maps of C′ channels,
//
//   out[t] = mean(in[⌊t·C/C′⌋ … ⌈(t + 1)·C/C′⌉ − 1]),
//
// which is adaptive average pooling along the channels.

import { conv2d, linear, pad, type Tensor, tensor } from '../../tensor/index.js';

/** The matrix of CWI [to, from], with rows of zeros below up to `rows`. Row-major. */
export function interpolationMatrix(from: number, to: number, rows = to): Float32Array {
  const matrix = new Float32Array(rows * from);
  for (let t = 0; t < to; t++) {
    const [start, end] = [Math.floor((t * from) / to), Math.ceil(((t + 1) * from) / to)];
    for (let at = start; at < end; at++) matrix[t * from + at] = 1 / (end - start);
  }
  return matrix;
}

/**
 * CWI of images or rows, then channels of zeros up to `rows`; the identity where C = C′ = `rows`.
 *
 * **Shapes**: x [n, C, h, w] or [n, C] → [n, rows, h, w] or [n, rows].
 *
 * @param to C′
 * @param rows channels of the result, C′ at least. Default: C′
 */
export function interpolateChannels(x: Tensor, to: number, rows = to): Tensor {
  const from = x.shape[1] as number;
  if (!(Number.isInteger(to) && to >= 1 && rows >= to))
    throw new RangeError(`interpolateChannels: ${from} channels become 1 or more of ${rows}, got ${to}`);
  if (from === to) {
    if (rows === to) return x;
    return pad(
      x,
      x.shape.map((_, axis) => [0, axis === 1 ? rows - to : 0] as const),
    );
  }
  const matrix = interpolationMatrix(from, to, rows);
  return x.rank === 2 ? linear(x, tensor(matrix, [rows, from])) : conv2d(x, tensor(matrix, [rows, from, 1, 1]));
}
