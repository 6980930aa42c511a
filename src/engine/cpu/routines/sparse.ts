// Products with sparse patterns and functions of segments: see kernels/sparse.ts and kernels/segment.ts.

import type { KernelArguments } from '../../generated/arguments.js';
import type { Execution, SegmentKernel } from '../execution.js';

/** Row ranges with about equal numbers of stored elements. */
function byElements<Name extends SegmentKernel>(kernel: Name, perElement: number) {
  return (run: Execution, args: KernelArguments[Name] & { readonly rows: number }): void =>
    run.overSegments(kernel, args, args.rows, perElement * (args.d + 4));
}

export const sparseRoutines = {
  spmm: byElements('spmm', 0.15),
  spmmScaled: byElements('spmmScaled', 0.15),
  /** The dense side is R in compressed rows: its starts, columns and entries. */
  spmmSparse: byElements('spmmSparse', 0.05),
  spmmTransposed: byElements('spmmTransposed', 1),
  sddmm: byElements('sddmm', 0.15),
  segmentMax: byElements('segmentMax', 1),
  segmentSoftmax: byElements('segmentSoftmax', 3),
  /** y[r, :] += α·x_r/‖x_r‖ for x in blocks of `width` columns. */
  addNormalizedRows: (run: Execution, args: KernelArguments['addNormalizedRows']): void =>
    run.over('addNormalizedRows', args, args.rows, args.d * 0.5),
  /** squares[r] += ‖x_r‖². */
  addRowSquares: (run: Execution, args: KernelArguments['addRowSquares'] & { readonly rows: number }): void =>
    run.over('addRowSquares', args, args.rows, args.d * 0.3),
  /** y[r, :] += α/√squares[r]·x[r, :]. */
  addRowsOverNorm: (run: Execution, args: KernelArguments['addRowsOverNorm'] & { readonly rows: number }): void =>
    run.over('addRowsOverNorm', args, args.rows, args.d * 0.5),
};
