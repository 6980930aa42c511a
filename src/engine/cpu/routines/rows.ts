// Batch normalisation of rows: see kernels/rows.ts.

import type { KernelArguments } from '../../generated/arguments.js';
import type { Execution } from '../execution.js';

/** Elements of a block of rows whose sums are added in f32: it stays in L1. */
const BLOCK_ELEMENTS = 4096;

/** Rows of a block of `rowDeviations` and `rowProducts`. */
export function rowBlock(d: number): number {
  return Math.max(16, Math.floor(BLOCK_ELEMENTS / Math.max(1, d)));
}

export const rowRoutines = {
  /** Σ (x − mean) and Σ (x − mean)² of each block of rows: sums [blocks, 2, d]. */
  rowDeviations: (run: Execution, args: KernelArguments['rowDeviations']): void =>
    run.over('rowDeviations', args, Math.ceil(args.rows / args.block), args.block * args.d * 0.3),
  /** Σ g, Σ g·(x − mean) and Σ (x − mean) of each block of rows: sums [blocks, 3, d]. */
  rowProducts: (run: Execution, args: KernelArguments['rowProducts']): void =>
    run.over('rowProducts', args, Math.ceil(args.rows / args.block), args.block * args.d * 0.4),
  /** y = activation((x − mean)·scale + shift), by column. */
  rowAffine: (run: Execution, args: KernelArguments['rowAffine'] & { readonly rows: number }): void =>
    run.over('rowAffine', args, args.rows, args.d * 0.3 + 3),
  /** dx = scale·g + slope·(x − mean) + shift, by column. */
  rowNormGradient: (run: Execution, args: KernelArguments['rowNormGradient'] & { readonly rows: number }): void =>
    run.over('rowNormGradient', args, args.rows, args.d * 0.4 + 3),
};
