// Pooling and resizing of planes.

import type { KernelArguments } from '../../generated/arguments.js';
import type { Region } from '../../region.js';
import type { Execution } from '../execution.js';

/** First and end input position of each output position along one axis. */
export type Windows = readonly (readonly [first: number, end: number])[];

/**
 * Low and high input position and the weight of the high one, for each output position along one
 * axis.
 */
export type Samples = readonly (readonly [low: number, high: number, weight: number])[];

/** Windows as the kernels read them. */
export function windowWords(rows: Windows, columns: Windows): number[] {
  const words: number[] = [];
  for (const [first, end] of rows) words.push(first, end);
  for (const [first, end] of columns) words.push(first, end);
  return words;
}

/** Sizes of `planes` planes and what each of their output rows and columns reads. */
export interface PlaneSizes<Reads> {
  readonly planes: number;
  readonly height: number;
  readonly width: number;
  readonly rows: Reads;
  readonly columns: Reads;
}

export interface MaxPoolArguments extends PlaneSizes<Windows> {
  readonly x: Region;
  readonly y: Region;
  /** Where each largest value lies in its plane. */
  readonly positions: Region | null;
}

function maxPool(run: Execution, { x, y, positions, planes, height, width, rows, columns }: MaxPoolArguments): void {
  const [outHeight, outWidth] = [rows.length, columns.length];
  run.withInts(windowWords(rows, columns), (windows) =>
    run.over(
      'maxPool',
      { x, y, positions, windows, height, width, outHeight, outWidth },
      planes,
      height * width * 2 + outHeight * outWidth * 4,
    ),
  );
}

export interface AveragePoolArguments extends PlaneSizes<Windows> {
  readonly x: Region;
  readonly y: Region;
  /** What sums are divided by; 0 for the number of pixels in the window. */
  readonly divisor: number;
}

function averaging(kernel: 'averagePool' | 'averageUnpool') {
  return (run: Execution, args: AveragePoolArguments): void => {
    const { x, y, planes, height, width, rows, columns, divisor } = args;
    const [outHeight, outWidth] = [rows.length, columns.length];
    run.withInts(windowWords(rows, columns), (windows) =>
      run.over(
        kernel,
        { x, y, windows, height, width, outHeight, outWidth, divisor },
        planes,
        height * width * 1.5 + outHeight * outWidth * 3,
      ),
    );
  };
}

export interface ResizeArguments extends PlaneSizes<Samples> {
  readonly x: Region;
  readonly y: Region;
}

const weightFloat = new Float32Array(1);
const weightBits = new Int32Array(weightFloat.buffer);

/** Samples as the kernels read them: the weight as the bits of its f32. */
function sampleWords(rows: Samples, columns: Samples): number[] {
  const words: number[] = [];
  for (const samples of [rows, columns])
    for (const [low, high, weight] of samples) {
      weightFloat[0] = weight;
      words.push(low, high, weightBits[0] as number);
    }
  return words;
}

function resizing(kernel: 'resize' | 'resizeTransposed') {
  return (run: Execution, { x, y, planes, height, width, rows, columns }: ResizeArguments): void => {
    const [outHeight, outWidth] = [rows.length, columns.length];
    run.withInts(sampleWords(rows, columns), (table) =>
      run.over(kernel, { x, y, table, height, width, outHeight, outWidth }, planes, outHeight * outWidth * 4),
    );
  };
}

type Planes = { readonly planes: number };

export const poolRoutines = {
  maxPool,
  /**
   * result[plane, positions] += values, from zeros, for `count` values and `size` results a plane.
   */
  unpool: (run: Execution, args: KernelArguments['unpool'] & Planes): void =>
    run.over('unpool', args, args.planes, args.count + args.size * 0.2),
  /** result = values[plane, positions]: the transpose of `unpool`. */
  pickPositions: (run: Execution, args: KernelArguments['pickPositions'] & Planes): void =>
    run.over('pickPositions', args, args.planes, args.count),
  averagePool: averaging('averagePool'),
  /** The transpose of `averagePool`: from y to x. */
  averageUnpool: averaging('averageUnpool'),
  resize: resizing('resize'),
  /** The transpose of `resize`: from y to x. */
  resizeTransposed: resizing('resizeTransposed'),
};
