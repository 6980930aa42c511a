// What stands between int8 convolutions: pools, sums, gates, tables, additions, joins.

import type { KernelArguments } from '../../generated/arguments.js';
import type { Execution } from '../execution.js';
import { type Requantization, requantizationWords } from './int8.js';
import { type Windows, windowWords } from './pool.js';

type Lent = 'requantization' | 'windows' | 'outHeight' | 'outWidth';
type Requantized<Name extends keyof KernelArguments> = Omit<KernelArguments[Name], Lent> & {
  readonly requantization: Requantization;
};

interface Pooled {
  readonly images: number;
  readonly rows: Windows;
  readonly columns: Windows;
}

export type MaxPoolInt8Arguments = Omit<KernelArguments['maxPoolInt8'], Lent> & Pooled;
export type AveragePoolInt8Arguments = Requantized<'averagePoolInt8'> & Pooled;

/** Nanoseconds of an output row of a pool on one thread. */
const poolCost = (taps: number, width: number, pitch: number) => (width * pitch * (taps + 1)) / 32;

function maxPoolInt8(run: Execution, args: MaxPoolInt8Arguments): void {
  const { x, y, images, rows, columns, height, width, pitch } = args;
  const [outHeight, outWidth] = [rows.length, columns.length];
  run.withInts(windowWords(rows, columns), (windows) =>
    run.over(
      'maxPoolInt8',
      { x, y, windows, height, width, outHeight, outWidth, pitch },
      images * outHeight,
      poolCost((height / outHeight) * (width / outWidth), outWidth, pitch),
    ),
  );
}

function averagePoolInt8(run: Execution, args: AveragePoolInt8Arguments): void {
  const { x, y, images, rows, columns, scale, zero, divisor, height, width, pitch } = args;
  const [outHeight, outWidth] = [rows.length, columns.length];
  run.withInts(requantizationWords(args.requantization), (requantization) =>
    run.withInts(windowWords(rows, columns), (windows) =>
      run.over(
        'averagePoolInt8',
        { x, y, windows, scale, zero, requantization, divisor, height, width, outHeight, outWidth, pitch },
        images * outHeight,
        poolCost(2 * (height / outHeight) * (width / outWidth), outWidth, pitch),
      ),
    ),
  );
}

export const int8MapRoutines = {
  maxPoolInt8,
  averagePoolInt8,
  /** Sums of the pixels of each image and channel, in floats. */
  sumPixelsInt8: (run: Execution, args: KernelArguments['sumPixelsInt8'] & { readonly images: number }): void => {
    const { images, ...rest } = args;
    run.over('sumPixelsInt8', rest, (images * args.pitch) / 16, args.pixels);
  },
  /** Products with one float for each image and channel. */
  gateInt8: (run: Execution, args: Requantized<'gateInt8'> & { readonly images: number }): void => {
    const { images, requantization: to, ...rest } = args;
    run.withInts(requantizationWords(to), (requantization) =>
      run.over('gateInt8', { ...rest, requantization }, images * args.rows, args.width * args.pitch * 0.4),
    );
  },
  /** `bytes` bytes by a table of 256. */
  tableInt8: (run: Execution, args: KernelArguments['tableInt8'] & { readonly bytes: number }): void => {
    const { bytes, ...rest } = args;
    run.over('tableInt8', rest, bytes / 16, 12);
  },
  /** Sums of `bytes` quanta. */
  addInt8: (run: Execution, args: Requantized<'addInt8'> & { readonly bytes: number }): void => {
    const { bytes, requantization: to, ...rest } = args;
    run.withInts(requantizationWords(to), (requantization) =>
      run.over('addInt8', { ...rest, requantization }, bytes / 16, 10),
    );
  },
  /** Channels of an image among those of a wider one. */
  joinInt8: (run: Execution, args: Requantized<'joinInt8'> & { readonly pixels: number }): void => {
    const { pixels, requantization: to, ...rest } = args;
    run.withInts(requantizationWords(to), (requantization) =>
      run.over('joinInt8', { ...rest, requantization }, pixels, args.channels * 0.5),
    );
  },
};
