// Sparse filters of any size on images [channels, pixels]: the padded planes that they read, and
// how their loops are cut. kernels/sparse-windows.ts has them in float32, kernels/sparse-int8.ts in
// int8.

import type { KernelArguments } from '../../generated/arguments.js';
import type { Region } from '../../region.js';
import type { Execution } from '../execution.js';
import { type ConvolutionSizes, flattened } from './convolution-passes.js';

/** Rows and columns beyond the last pixel that tiles may read. */
const OVERHANG = { rows: 3, columns: 32 } as const;

/**
 * How a channel's plane lies in memory: its phases one after the other, each of rows of `pitch`.
 */
export interface PaddedPlanes {
  /** Elements of a channel. */
  readonly size: number;
  /** Elements from row to row of a phase. */
  readonly pitch: number;
  /** Elements of a phase. */
  readonly phase: number;
  /** Elements from the place of the first output pixel to behind the last that tiles may read. */
  readonly reach: number;
}

/** The padded planes of a convolution. A pointwise one sees its pixels as one row. */
export function paddedPlanes(sizes: ConvolutionSizes, rowsBeyond = 0): PaddedPlanes {
  const { outHeight, outWidth, kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX } = flattened(sizes);
  const rows = outHeight + Math.floor(((kernelHeight - 1) * dilationY) / strideY) + rowsBeyond;
  const reach = outWidth + Math.floor(((kernelWidth - 1) * dilationX) / strideX);
  const pitch = (reach + OVERHANG.columns + 3) & ~3;
  const last = (outHeight - 1 + rowsBeyond) * pitch + outWidth + OVERHANG.columns;
  return { size: strideY * strideX * rows * pitch, pitch, phase: rows * pitch, reach: last };
}

/** The planes of a depthwise convolution, whose tiles may read further rows. */
export function depthwisePlanes(sizes: ConvolutionSizes): PaddedPlanes {
  return paddedPlanes(sizes, OVERHANG.rows);
}

/**
 * Elements from an output pixel's place in a padded plane to the pixel that a tap reads, by tap of
 * the filter, row by row.
 */
export function tapPlaces(sizes: ConvolutionSizes, { pitch, phase }: PaddedPlanes): number[] {
  const { kernelHeight, kernelWidth, strideY, strideX, dilationY, dilationX } = flattened(sizes);
  return Array.from({ length: kernelHeight * kernelWidth }, (_, tap) => {
    const [y, x] = [Math.floor(tap / kernelWidth) * dilationY, (tap % kernelWidth) * dilationX];
    return (
      ((y % strideY) * strideX + (x % strideX)) * phase + Math.floor(y / strideY) * pitch + Math.floor(x / strideX)
    );
  });
}

/** Words as kernels/depthwise.ts reads them. */
function geometryWords(given: ConvolutionSizes, { pitch, phase }: PaddedPlanes, activation: number): number[] {
  const sizes = flattened(given);
  const { channels, images, height, width, outHeight, outWidth, kernelHeight, kernelWidth } = sizes;
  const { strideY, strideX, padTop, padLeft, dilationY, dilationX } = sizes;
  return [
    ...[channels, images, height, width, outHeight, outWidth, kernelHeight, kernelWidth, strideY, strideX],
    ...[padTop, padLeft, dilationY, dilationX, 1, 1, 0, activation, phase / pitch, pitch, strideY, strideX],
  ];
}

/** What all of these read: entries in blocks of output channels, and one image at a time. */
interface Entries {
  /** [blocks + 1]: the entries of each block (in int8, pairs of entries). */
  readonly indptr: Region;
  /** Bytes from an output pixel's place in the padded planes to the pixel of each entry. */
  readonly offsets: Region;
  readonly values: Region;
  readonly bias: Region | null;
  /** [channels, height, width] */
  readonly x: Region;
  /** [filters, outHeight, outWidth] */
  readonly y: Region;
  readonly sizes: ConvolutionSizes;
  /** A code of activation.ts. */
  readonly activation: number;
  /** Entries that are stored. */
  readonly stored: number;
}

/** How activations become quanta, and sums values again. */
interface Quantised {
  /** [filters]: scale of the input times that of each row. */
  readonly scale: Region;
  /** 1 over the scale of the input. */
  readonly inverse: number;
  /** Least and largest quantum, less the zero point. */
  readonly least: number;
  readonly most: number;
}

/** y = activation(w ∗ x + bias) with w in sparse blocks of `height` rows. */
export type SparseWindowsArguments = Entries & { readonly height: 1 | 2 | 4 | 8 };

function sparseWindows(run: Execution, args: SparseWindowsArguments): void {
  const { indptr, offsets, values, bias, x, y, sizes, activation, height, stored } = args;
  const { channels, filters: rows } = sizes;
  const { outHeight, outWidth } = flattened(sizes);
  const planes = paddedPlanes(sizes);
  const width = 32 / Math.max(2, height);
  run.withInts(geometryWords(sizes, planes, activation), (geometry) =>
    run.withScratch(4 * channels * planes.size, (padded) => {
      run.over('padPlanes', { x, padded, geometry }, channels, planes.size * 0.4);
      run.withScratchEach(4 * rows * width, (scratch) =>
        run.over(
          `sparseWindows${height}`,
          { indptr, offsets, values, bias, padded, y, rows, activation, scratch, geometry },
          outHeight,
          outWidth * (stored * height * 0.06 + rows * 0.3),
        ),
      );
    }),
  );
}

/** The same in int8, by blocks of 2 or 4 rows. */
export type SparseWindowsInt8Arguments = Entries & Quantised & { readonly height: 2 | 4 };

function sparseWindowsInt8(run: Execution, args: SparseWindowsInt8Arguments): void {
  const { indptr, offsets, values, scale, bias, x, y, sizes, activation, height, stored } = args;
  const { inverse, least, most } = args;
  const { channels, filters: rows } = sizes;
  const { outHeight, outWidth } = flattened(sizes);
  const planes = paddedPlanes(sizes);
  run.withInts(geometryWords(sizes, planes, activation), (geometry) =>
    run.withScratch(2 * channels * planes.size, (padded) => {
      run.over('quantizePlanes', { x, padded, inverse, least, most, geometry }, channels, planes.size * 0.4);
      run.over(
        `sparseWindowsInt8By${height}`,
        { indptr, offsets, values, scale, bias, padded, y, rows, activation, geometry },
        outHeight,
        outWidth * (stored * height * 0.04 + rows * 0.3),
      );
    }),
  );
}

/** Depthwise filters of which groups of `height` channels keep the same taps. */
export type SparseTapsArguments = Entries & { readonly height: number };

function sparseTaps(run: Execution, args: SparseTapsArguments): void {
  const { indptr, offsets, values, bias, x, y, sizes, activation, height } = args;
  const { channels, outHeight, outWidth, kernelHeight, kernelWidth } = sizes;
  const planes = depthwisePlanes(sizes);
  run.withInts(geometryWords(sizes, planes, activation), (geometry) =>
    run.withScratchEach(4 * planes.size, (scratch) =>
      run.over(
        'depthwiseTaps',
        { indptr, offsets, values, bias, x, y, height, scratch, geometry },
        channels,
        outHeight * outWidth * (kernelHeight * kernelWidth * 0.06 + 0.6) + planes.size * 0.2,
      ),
    ),
  );
}

export type SparseTapsInt8Arguments = Entries & Quantised & { readonly height: number };

function sparseTapsInt8(run: Execution, args: SparseTapsInt8Arguments): void {
  const { indptr, offsets, values, scale, bias, x, y, sizes, activation, height, inverse, least, most } = args;
  const { channels, outHeight, outWidth, kernelHeight, kernelWidth } = sizes;
  const planes = depthwisePlanes(sizes);
  run.withInts(geometryWords(sizes, planes, activation), (geometry) =>
    run.withScratch(2 * channels * planes.size, (padded) => {
      run.over('quantizePlanes', { x, padded, inverse, least, most, geometry }, channels, planes.size * 0.4);
      run.over(
        'depthwiseTapsInt8',
        { indptr, offsets, values, scale, bias, padded, y, height, geometry },
        channels,
        outHeight * outWidth * (kernelHeight * kernelWidth * 0.06 + 0.6),
      );
    }),
  );
}

/**
 * A single pixel: y [rows] = activation(W·x + bias), x [columns], with W in blocks of 4 or 8 rows.
 */
export type SparseVectorArguments = KernelArguments['sparseVector4'] & {
  readonly columns: number;
  readonly height: 4 | 8;
  readonly stored: number;
};

function sparseVector(run: Execution, args: SparseVectorArguments): void {
  const { indptr, offsets, values, bias, x, y, rows, activation, height, stored } = args;
  const blocks = Math.ceil(rows / height);
  run.over(
    `sparseVector${height}`,
    { indptr, offsets, values, bias, x, y, rows, activation },
    blocks,
    ((stored / blocks) * height) / 4 + 4,
  );
}

export type SparseVectorInt8Arguments = Omit<Entries, 'sizes'> &
  Quantised & { readonly rows: number; readonly columns: number };

function sparseVectorInt8(run: Execution, args: SparseVectorInt8Arguments): void {
  const { indptr, offsets, values, scale, bias, x, y, rows, columns, activation, stored } = args;
  const { inverse, least, most } = args;
  const row = { images: 1, channels: 1, height: 1, width: columns, filters: 1, outHeight: 1, outWidth: columns };
  const taps = { kernelHeight: 1, kernelWidth: 1, strideY: 1, strideX: 1, padTop: 0, padLeft: 0 };
  const sizes = { ...row, ...taps, dilationY: 1, dilationX: 1, groups: 1 };
  const planes = paddedPlanes(sizes);
  const blocks = Math.ceil(rows / 4);
  run.withInts(geometryWords(sizes, planes, activation), (geometry) =>
    run.withScratch(2 * planes.size, (quanta) => {
      run.over('quantizePlanes', { x, padded: quanta, inverse, least, most, geometry }, 1, columns);
      run.over(
        'sparseVectorInt8',
        { indptr, offsets, values, scale, bias, x: quanta, y, rows, activation },
        blocks,
        stored / blocks + 4,
      );
    }),
  );
}

export const sparseWindowRoutines = {
  ...{ sparseWindows, sparseWindowsInt8, sparseTaps, sparseTapsInt8, sparseVector, sparseVectorInt8 },
};
