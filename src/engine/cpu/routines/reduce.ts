// Reductions, and functions of whole rows.

import type { KernelArguments } from '../../generated/arguments.js';
import { REDUCE_BLOCK, REDUCE_COLUMNS } from '../../limits.js';
import type { Region } from '../../region.js';
import type { Execution, KernelsWith } from '../execution.js';

/** y[outer, inner] = reduce over n of x[outer, n, inner], over `divisor`. */
export interface ReductionArguments {
  readonly x: Region;
  readonly y: Region;
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  readonly divisor: number;
}

/**
 * Long axes are reduced in blocks, whose partial results are reduced in blocks again, and so on:
 * the order of sums is the same for any thread count, and their error grows with log n.
 */
function reduction(kernel: 'sum' | 'max' | 'min') {
  return function reduce(run: Execution, { x, y, outer, n, inner, divisor }: ReductionArguments): void {
    const blocks = Math.ceil(n / REDUCE_BLOCK);
    const tiles = Math.ceil(inner / REDUCE_COLUMNS);
    const pass = (args: KernelArguments['sum'], parts: number) =>
      run.over(
        kernel,
        args,
        outer * parts * tiles,
        Math.min(args.block, args.n) * Math.min(inner, REDUCE_COLUMNS) * 0.15 + 5,
      );
    if (blocks <= 1) {
      pass({ x, y, n, inner, block: Math.max(n, 1), divisor }, 1);
      return;
    }
    run.withScratch(outer * blocks * inner * 4, (partial) => {
      pass({ x, y: partial, n, inner, block: REDUCE_BLOCK, divisor: 1 }, blocks);
      reduce(run, { x: partial, y, outer, n: blocks, inner, divisor });
    });
  };
}

/** A function of each of `rows` rows of length n. */
function rowwise<Name extends KernelsWith<{ readonly n: number }>>(kernel: Name, cost: number, start: number) {
  return (run: Execution, args: KernelArguments[Name] & { readonly rows: number }): void =>
    run.over(kernel, args, args.rows, cost * args.n + start);
}

/** Sizes of an axis of length n between `outer` and `inner` others. */
export interface AxisSizes {
  readonly outer: number;
}

/** Arguments of a function of whole rows, which lends its kernel scratch. */
type WithoutScratch<Name extends keyof KernelArguments> = Omit<KernelArguments[Name], 'scratch'> & {
  readonly rows: number;
};

export const reduceRoutines = {
  sum: reduction('sum'),
  max: reduction('max'),
  min: reduction('min'),
  /** y = positions of the largest; sign −1 finds the smallest. */
  argmax: (run: Execution, args: KernelArguments['argmax'] & AxisSizes): void =>
    run.over('argmax', args, args.outer * args.inner, args.n),
  logSumExp: rowwise('logSumExp', 1.2, 5),
  softmax: rowwise('softmax', 1.5, 5),
  logSoftmax: rowwise('logSoftmax', 1.5, 5),
  /** Layer norm, or RMS norm where `center` is 0. */
  standardize: rowwise('standardize', 0.6, 10),
  /** y = running sums along n. */
  cumulativeSum: (run: Execution, args: KernelArguments['cumulativeSum'] & AxisSizes): void =>
    run.over('cumulativeSum', args, args.outer * args.inner, args.n * 1.5),
  /** h[t] = a[t]·h[t − 1] + b[t] along n. */
  linearScan: (run: Execution, args: KernelArguments['linearScan'] & AxisSizes): void =>
    run.over('linearScan', args, args.outer * Math.ceil(args.inner / 4), args.n * 2),
  /** order = the positions that sort each of `rows` rows of length n. */
  argsort: (run: Execution, { x, order, rows, n, descending, integers }: WithoutScratch<'argsort'>): void =>
    run.withScratchEach((4 * n + 256) * 4, (scratch) =>
      run.over('argsort', { x, order, n, descending, integers, scratch }, rows, n * 20 + 1000),
    ),
  /** positions = the k largest of sign·x in each of `rows` rows of length n. */
  topK: (run: Execution, { x, positions, rows, n, k, sign }: WithoutScratch<'topK'>): void =>
    run.withScratchEach(k * 4, (scratch) =>
      run.over('topK', { x, positions, n, k, sign, scratch }, rows, n * 2 + k * 10),
    ),
  /** Transforms of `rows` rows of length n, a power of two. */
  fourier: (run: Execution, { re, im, outRe, outIm, twiddles, rows, n }: WithoutScratch<'fourier'>): void =>
    run.withScratchEach(n * 16, (scratch) =>
      run.over('fourier', { re, im, outRe, outIm, twiddles, n, scratch }, rows, n * Math.log2(n + 1) * 3),
    ),
};
