// The operations of int8 plans: each writes by a kernel of `quantized/`.

import {
  type ActivationBits,
  type Int8Convolution,
  type Int8Matrix,
  type Int8SparseFilters,
  type PoolAxes,
  pitchOf,
  type Quantization,
  type Windows,
  writeFloats,
  writeGated,
  writeJoined,
  writeLargest,
  writeMapped,
  writeMeans,
  writePixelSums,
  writeSum,
  writeWindows,
} from '../../quantized/index.js';
import { type Op, sizeOf, type Tensor } from '../../tensor/index.js';
import type { FusedLinear } from '../fuse.js';
import { type SparseConvolution, sizesOf } from '../sparse-forms.js';

/** Shapes of operations that rewriting alone makes. */
function inPlansAlone(name: string): () => never {
  return () => {
    throw new Error(`${name}: made by int8 plans alone`);
  };
}

export interface ToQuanta {
  readonly windows: Windows;
  readonly to: Quantization;
}

/** Quantises windows (im2col): x f32 [n, c, h, w] → i8 [n, …output, pitch of c·taps]. */
export const quantizeOp: Op<ToQuanta> = {
  name: 'quantize',
  multiplyAdds: 0,
  infer: ([x], { windows }) => [quantaShape(x as Tensor, windows)],
  compute: (device, [x], [y], { windows, to }) => writeWindows(device, x as Tensor, y as Tensor, windows, to),
};

/** i8 [n, h, w, pitch] → f32 [n, c, h, w]. */
export const dequantizeOp: Op<Quantization> = {
  name: 'dequantize',
  multiplyAdds: 0,
  infer: inPlansAlone('dequantize'),
  compute: (device, [x], [y], from) => writeFloats(device, x as Tensor, y as Tensor, from),
};

/** Inputs: x and maybe a residual, both i8 NHWC. */
export const int8ConvolutionOp: Op<Int8Convolution> = {
  name: 'int8Convolution',
  multiplyAdds: (_, [images, height, width], { filters, weightsPerFilter }) =>
    sizeOf([images, height, width, filters, weightsPerFilter] as number[]),
  infer: ([x], convolution) => [{ shape: convolution.outputShape((x as Tensor).shape), dtype: 'i8' }],
  compute: (device, [x, residual], [y], convolution) => convolution.write(device, x as Tensor, residual, y as Tensor),
};

export interface Int8Linear extends FusedLinear {
  readonly matrix: Int8Matrix;
  readonly bits: ActivationBits;
}

/**
 * Inputs: x [m, k] and maybe a bias [n], f32; rows of x are quantised dynamically, each by its own
 * range.
 */
export const int8LinearOp: Op<Int8Linear> = {
  name: 'int8Linear',
  multiplyAdds: (_, output, { matrix }) => sizeOf(output) * matrix.columns,
  infer: ([x], { matrix }) => [{ shape: [(x as Tensor).shape[0] as number, matrix.rows], dtype: 'f32' }],
  compute: (device, [x, bias], [y], { matrix, activation, bits }) =>
    matrix.write(device, x as Tensor, y as Tensor, bias, activation, bits),
};

export interface SparseInt8 {
  readonly filters: Int8SparseFilters;
  readonly activation: FusedLinear['activation'];
  /** The attributes of a convolution, and its weight for its shape. */
  readonly convolution: Pick<SparseConvolution, 'weight' | 'convolution'> | undefined;
}

/**
 * Sparse filters in int8 between floats. Inputs: x f32 [n, c, h, w] or [m, k], and maybe a bias.
 */
export const sparseInt8Op: Op<SparseInt8> = {
  name: 'sparseInt8',
  multiplyAdds: (_, output, { filters }) => (filters.stored * sizeOf(output)) / (output[1] as number),
  infer: inPlansAlone('sparseInt8'),
  compute: (device, [x, bias], [y], { filters, activation, convolution }) =>
    filters.write(device, x as Tensor, y as Tensor, bias, activation, convolution && sizesOf(x as Tensor, convolution)),
};

/** Pools of quanta. Input: x i8 NHWC. */
export const maxPoolInt8Op: Op<PoolAxes> = {
  name: 'maxPoolInt8',
  multiplyAdds: 0,
  infer: inPlansAlone('maxPoolInt8'),
  compute: (device, [x], [y], axes) => writeLargest(device, x as Tensor, y as Tensor, axes),
};

/** What a map is read and written by. */
export interface Requantized {
  readonly from: Quantization;
  readonly to: Quantization;
}

/** Means of windows. Input: x i8 NHWC. */
export const averagePoolInt8Op: Op<PoolAxes & Requantized & { readonly divisor: number }> = {
  name: 'averagePoolInt8',
  multiplyAdds: 0,
  infer: inPlansAlone('averagePoolInt8'),
  compute: (device, [x], [y], { from, to, ...axes }) => writeMeans(device, x as Tensor, y as Tensor, axes, from, to),
};

/** Sums of all pixels: x i8 NHWC → f32 [n, c, 1, 1]. */
export const sumPixelsInt8Op: Op<{ readonly divisor: number; readonly from: Quantization }> = {
  name: 'sumPixelsInt8',
  multiplyAdds: 0,
  infer: inPlansAlone('sumPixelsInt8'),
  compute: (device, [x], [y], { divisor, from }) => writePixelSums(device, x as Tensor, y as Tensor, divisor, from),
};

/** Products with one number for each image and channel: x i8 NHWC, gate f32 [n, c, 1, 1]. */
export const gateInt8Op: Op<Requantized> = {
  name: 'gateInt8',
  multiplyAdds: 0,
  infer: inPlansAlone('gateInt8'),
  compute: (device, [x, gate], [y], { from, to }) =>
    writeGated(device, x as Tensor, gate as Tensor, y as Tensor, from, to),
};

/** A function of each value, as a table i8 [256]. Input: x i8 NHWC. */
export const tableInt8Op: Op<{ readonly table: Tensor }> = {
  name: 'tableInt8',
  multiplyAdds: 0,
  infer: inPlansAlone('tableInt8'),
  compute: (device, [x], [y], { table }) => writeMapped(device, x as Tensor, table, y as Tensor),
};

/** Sums of two maps i8 NHWC. */
export const addInt8Op: Op<{ readonly from: readonly [Quantization, Quantization]; readonly to: Quantization }> = {
  name: 'addInt8',
  multiplyAdds: 0,
  infer: inPlansAlone('addInt8'),
  compute: (device, [a, b], [y], { from, to }) =>
    writeSum(
      device,
      [
        { x: a as Tensor, from: from[0] },
        { x: b as Tensor, from: from[1] },
      ],
      y as Tensor,
      to,
    ),
};

/** Channels of maps i8 NHWC one behind the other. */
export const joinInt8Op: Op<{
  readonly from: readonly Quantization[];
  readonly channels: readonly number[];
  readonly to: Quantization;
}> = {
  name: 'joinInt8',
  multiplyAdds: 0,
  infer: inPlansAlone('joinInt8'),
  compute: (device, images, [y], { from, channels, to }) =>
    writeJoined(
      device,
      images.map((x, i) => ({ x, from: from[i] as Quantization })),
      channels,
      y as Tensor,
      to,
    ),
};

/** Shape and type of quanta of windows. */
export function quantaShape({ shape }: { readonly shape: readonly number[] }, { kernel, output }: Windows) {
  const channels = (shape[1] as number) * kernel[0] * kernel[1];
  return { shape: [shape[0] as number, ...output, pitchOf(channels)], dtype: 'i8' as const };
}
