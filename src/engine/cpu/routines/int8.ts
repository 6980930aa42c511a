// Products and convolutions of int8 quanta: how their loops are cut, and the tables that
// kernels/int8-convolution.ts reads.

import type { KernelArguments } from '../../generated/arguments.js';
import { INT8_PIXELS, INT8_WINDOW_BYTES } from '../../limits.js';
import type { Execution } from '../execution.js';

/**
 * Sizes of x [images, height, width, pitch] → y [images, outHeight, outWidth, outPitch], channels
 * last.
 */
export interface Int8Geometry {
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly channels: number;
  /** Bytes from pixel to pixel. */
  readonly pitch: number;
  readonly filters: number;
  readonly outPitch: number;
  readonly dilationY: number;
  readonly dilationX: number;
  /** First channel of a group in x, and in y. */
  readonly firstIn: number;
  readonly firstOut: number;
}

/** How sums become quanta: the zero point of y, and the range to clamp to. */
export interface Requantization {
  readonly zero: number;
  readonly lowest: number;
  readonly highest: number;
}

type Lent = 'scratch' | 'scratchBytes' | 'geometry' | 'requantization';
type Tables = { readonly geometry: Int8Geometry; readonly requantization: Requantization };

export type ConvolveInt8Arguments = Omit<KernelArguments['convolveInt8'], Lent> & Tables;
export type DepthwiseInt8Arguments = Omit<KernelArguments['depthwiseInt8'], Lent> & Tables;
export type WindowsInt8Arguments = Omit<KernelArguments['windowsInt8'], 'geometry'> & Pick<Tables, 'geometry'>;

/** Output pixels that a task takes. */
function pixelBlock({ images, outHeight, outWidth, kernelHeight, kernelWidth, channels }: Int8Geometry): number {
  const fitting = 4 * Math.floor(INT8_WINDOW_BYTES / (8 * kernelHeight * kernelWidth * channels));
  return Math.max(4, Math.min(INT8_PIXELS, images * outHeight * outWidth, fitting));
}

function geometryWords(g: Int8Geometry): number[] {
  return [
    ...[g.images, g.height, g.width, g.outHeight, g.outWidth, g.kernelHeight, g.kernelWidth, g.strideY, g.strideX],
    ...[g.padTop, g.padLeft, g.channels, g.pitch, g.filters, g.outPitch],
    ...[g.dilationY, g.dilationX, g.firstIn, g.firstOut, pixelBlock(g)],
  ];
}

export function requantizationWords({ zero, lowest, highest }: Requantization): number[] {
  return [zero, lowest, highest];
}

function convolveInt8(run: Execution, args: ConvolveInt8Arguments): void {
  const { x, packed, scale, shift, pad, residual, y, residualScale, sevenBit, geometry: sizes } = args;
  const { images, outHeight, outWidth, kernelHeight, kernelWidth, channels, filters } = sizes;
  const block = pixelBlock(sizes);
  const taps = kernelHeight * kernelWidth;
  const depth = taps * channels;
  const scratchBytes = 2 * (block + 4) * (depth + 16 * taps) + 64;
  run.withInts(requantizationWords(args.requantization), (requantization) =>
    run.withInts(geometryWords(sizes), (geometry) =>
      run.withScratchEach(scratchBytes, (scratch) =>
        run.over(
          'convolveInt8',
          {
            x,
            packed,
            scale,
            shift,
            pad,
            residual,
            y,
            residualScale,
            requantization,
            sevenBit,
            scratch,
            scratchBytes,
            geometry,
          },
          Math.ceil((images * outHeight * outWidth) / block),
          block * filters * (depth * 0.035 + 0.5),
        ),
      ),
    ),
  );
}

function depthwiseInt8(run: Execution, args: DepthwiseInt8Arguments): void {
  const { x, packed, scale, shift, pad, y, sevenBit, geometry: sizes } = args;
  const { images, outHeight, outWidth, kernelHeight, kernelWidth, strideX, dilationX, pitch } = sizes;
  const columns = (outWidth - 1) * strideX + (kernelWidth - 1) * dilationX + 1;
  const scratchBytes = 128 * columns * Math.ceil(kernelHeight / 4);
  run.withInts(requantizationWords(args.requantization), (requantization) =>
    run.withInts(geometryWords(sizes), (geometry) =>
      run.withScratchEach(scratchBytes, (scratch) =>
        run.over(
          'depthwiseInt8',
          { x, packed, scale, shift, pad, y, requantization, sevenBit, scratch, scratchBytes, geometry },
          images * outHeight,
          outWidth * pitch * (kernelHeight * kernelWidth + 6) * 0.05,
        ),
      ),
    ),
  );
}

function windowsInt8(run: Execution, args: WindowsInt8Arguments): void {
  const { x, y, scale, zero, sevenBit, geometry: sizes } = args;
  const { images, outHeight, outWidth, kernelHeight, kernelWidth, channels } = sizes;
  run.withInts(geometryWords(sizes), (geometry) =>
    run.over(
      'windowsInt8',
      { x, y, scale, zero, sevenBit, geometry },
      images * outHeight,
      outWidth * channels * kernelHeight * kernelWidth * 1.5,
    ),
  );
}

export const int8Routines = {
  /** Panels of 8 rows of B [n, k], and the sums of its rows. */
  packInt8: (run: Execution, args: KernelArguments['packInt8']): void =>
    run.over('packInt8', args, Math.ceil(args.n / 8), 8 * args.k),
  /** Quanta of m rows, each by its own range. */
  quantizeRows: (run: Execution, args: KernelArguments['quantizeRows'] & { readonly m: number }): void =>
    run.over('quantizeRows', args, args.m, args.k * 0.8),
  gemmInt8: (run: Execution, args: KernelArguments['gemmInt8']): void =>
    run.over(
      'gemmInt8',
      args,
      Math.ceil(args.m / 4) * Math.ceil(args.n / 64),
      Math.min(args.m, 4) * Math.min(args.n, 64) * args.k * 0.04,
    ),
  convolveInt8,
  depthwiseInt8,
  windowsInt8,
  /** Floats [images, channels, pixels] from quanta with channels last. */
  dequantizeInt8: (run: Execution, args: KernelArguments['dequantizeInt8'] & { readonly images: number }): void =>
    run.over('dequantizeInt8', args, args.images * args.channels, args.pixels * 1.5),
};
