// Convolutions of bytes on the CPU: how their loops are cut, and the geometry tables that kernels/int8-convolution.ts reads.

import type { Execution } from './runner.js';

/** Output pixels that a task of a convolution of bytes takes: their windows stay in L2, and small images still give every thread some. */
const INT8_PIXELS = 32;
const INT8_WINDOWS_BYTES = 65536;

/** (images, height, width, outHeight, outWidth, kernelHeight, kernelWidth, strideY, strideX, padTop, padLeft, channels, pitch, filters, outPitch) and what follows from them. */
function int8Geometry(sizes: readonly number[]) {
  const [images = 1, , , outHeight = 1, outWidth = 1, kernelHeight = 1, kernelWidth = 1, , , , , ...rest] = sizes;
  const [channels = 1, pitch = 16, filters = 1] = rest;
  const rows = images * outHeight;
  const taps = kernelHeight * kernelWidth;
  const block = Math.max(
    4,
    Math.min(INT8_PIXELS, rows * outWidth, 4 * Math.floor(INT8_WINDOWS_BYTES / (8 * taps * channels))),
  );
  return { table: [...sizes, block], pixels: rows * outWidth, block, rows, outWidth, taps, channels, pitch, filters };
}

/** (x, packed, scale, shift, pad, residual | 0, y, residual's scale, sevenBit, zero, lowest, highest, …geometry: see kernels/int8-convolution.ts). */
export function convolveInt8(run: Execution, ...args: number[]): void {
  const { table, pixels, block, taps, channels, filters } = int8Geometry(args.slice(12));
  const depth = taps * channels;
  const scratchBytes = 2 * (block + 4) * (depth + 16 * taps) + 64;
  run.withInts(args.slice(9, 12), (requantization) =>
    run.withInts(table, (geometry) =>
      run.withScratchEach(scratchBytes, (scratch) =>
        run.over(
          'convolveInt8',
          [...args.slice(0, 8), requantization, args[8] as number, scratch, scratchBytes, geometry],
          Math.ceil(pixels / block),
          block * filters * (depth * 0.035 + 0.5),
        ),
      ),
    ),
  );
}

/** (x, packed, scale, shift, pad, y, sevenBit, zero, lowest, highest, …geometry). */
export function depthwiseInt8(run: Execution, ...args: number[]): void {
  const { table, rows, outWidth, taps, pitch } = int8Geometry(args.slice(10));
  const [, , , , , kernelHeight = 1, kernelWidth = 1, , strideX = 1] = table;
  const columns = (outWidth - 1) * strideX + kernelWidth;
  const scratchBytes = 128 * columns * Math.ceil(kernelHeight / 4);
  run.withInts(args.slice(7, 10), (requantization) =>
    run.withInts(table, (geometry) =>
      run.withScratchEach(scratchBytes, (scratch) =>
        run.over(
          'depthwiseInt8',
          [...args.slice(0, 6), requantization, args[6] as number, scratch, scratchBytes, geometry],
          rows,
          outWidth * pitch * (taps + 6) * 0.05,
        ),
      ),
    ),
  );
}

/** (x, y, scale, zero, sevenBit, …geometry). */
export function windowsInt8(run: Execution, ...args: number[]): void {
  const { table, rows, taps, outWidth, channels } = int8Geometry(args.slice(5));
  run.withInts(table, (geometry) =>
    run.over('windowsInt8', [...args.slice(0, 5), geometry], rows, outWidth * channels * taps * 1.5),
  );
}
