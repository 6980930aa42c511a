// Copies that reorder elements, and reads and additions by index.

import type { KernelArguments } from '../../generated/arguments.js';
import type { Region } from '../../region.js';
import type { Execution } from '../execution.js';

/** Six sizes or strides in elements of 32 bits, outermost first. */
export type Six = readonly [number, number, number, number, number, number];

/** Sizes of a box, and how it lies in the source and in the target. */
export interface StridedBox {
  readonly sizes: Six;
  readonly sourceStrides: Six;
  readonly targetStrides: Six;
}

/** Copies a box of elements of 32 bits from x to y. */
export interface CopyArguments {
  readonly x: Region;
  readonly y: Region;
  readonly box: StridedBox;
}

function copyStrided(run: Execution, { x, y, box }: CopyArguments): void {
  const { sizes, sourceStrides, targetStrides } = box;
  const [s0, s1, s2, s3, s4, innermost] = sizes;
  const elementCost = sourceStrides[5] === 1 ? 0.2 : 1;
  run.withInts([...sizes, ...sourceStrides, ...targetStrides], (table) =>
    run.over('copyStrided', { x, y, box: table }, s0 * s1 * s2 * s3 * s4, 15 + innermost * elementCost),
  );
}

export const layoutRoutines = {
  /** y = x with its last two axes exchanged, `batch` matrices. */
  transpose: (run: Execution, args: KernelArguments['transpose'] & { readonly batch: number }): void =>
    run.over('transpose', args, args.batch * Math.ceil(args.rows / 16), args.columns * 8),
  copyStrided,
  /** y[i, :] = x[indices[i], :] for `count` indices of `rows` rows. */
  gatherRows: (
    run: Execution,
    args: KernelArguments['gatherRows'] & { readonly count: number; readonly rows: number },
  ): void => run.over('gatherRows', args, args.count, 4 + args.d * 0.2),
  /** y[indices[i], :] += x[i, :] from zeros, for `rows` rows of y. */
  scatterAddRows: (run: Execution, args: KernelArguments['scatterAddRows'] & { readonly rows: number }): void =>
    run.inShares('scatterAddRows', args, args.rows, args.count * (2 + args.d * 0.3)),
  /** y[s, c] = x[positions[s, c], c] for `rows` rows of y and `sources` of x. */
  takeRows: (
    run: Execution,
    args: KernelArguments['takeRows'] & { readonly rows: number; readonly sources: number },
  ): void => run.over('takeRows', args, args.rows, args.d * 2),
  /** y[positions[s, c], c] += x[s, c] from zeros, for `count` rows of x and `rows` rows of y. */
  putRows: (run: Execution, args: KernelArguments['putRows'] & { readonly rows: number }): void =>
    run.inShares('putRows', args, args.rows, args.count * args.d * 2),
};
