// Cells of many small graphs: see kernels/cells.ts.

import type { KernelArguments } from '../../generated/arguments.js';
import type { Execution } from '../execution.js';

/** Nanoseconds an element that is read, added and written. */
const PER_ELEMENT = 0.4;

export const cellRoutines = {
  /** y = scale·h + sums over neighbours; `degree` is their mean number. */
  cellNeighbours: (
    run: Execution,
    args: KernelArguments['cellNeighbours'] & { readonly cells: number; readonly degree: number },
  ): void => run.over('cellNeighbours', args, args.cells, args.d * PER_ELEMENT * (1 + args.degree)),
  cellNeighboursGradient: (
    run: Execution,
    args: KernelArguments['cellNeighboursGradient'] & { readonly cells: number; readonly degree: number },
  ): void => run.over('cellNeighboursGradient', args, args.cells, args.d * PER_ELEMENT * (1 + args.degree)),
  /** `length` is the mean number of cells along the other index. */
  cellEdgeGradient: (
    run: Execution,
    args: KernelArguments['cellEdgeGradient'] & { readonly count: number; readonly length: number },
  ): void => run.over('cellEdgeGradient', args, args.count, args.d * PER_ELEMENT * 4 * args.length),
  /** y = scale·h + x[indices]. */
  scaledPlusRows: (run: Execution, args: KernelArguments['scaledPlusRows'] & { readonly rows: number }): void =>
    run.over('scaledPlusRows', args, args.rows, args.d * PER_ELEMENT + 5),
  /** Products of each graph's matrices; `blocks` of four rows, of `size` rows and columns. */
  cellProduct: (
    run: Execution,
    args: KernelArguments['cellProduct'] & { readonly blocks: number; readonly size: number },
  ): void => run.over('cellProduct', args, args.blocks, args.size * args.size * args.d * 0.4),
};
