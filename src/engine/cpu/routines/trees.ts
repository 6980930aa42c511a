// Decision trees on binned columns: see kernels/trees.ts.

import type { KernelArguments } from '../../generated/arguments.js';
import type { Execution } from '../execution.js';

/** Nanoseconds of quantising a value, of adding it to a histogram, and of moving a row. */
const QUANTISE = 40;
const ADD = 1.2;
const MOVE = 1.5;
/** Bytes of the pairs that a thread gathers at a time, and words of the digits of a radix sort. */
const GATHERED = 16 * 1024;
const DIGITS = 256;

/** Quantisation of columns of `rows` values. */
export type BinColumnsArguments = Omit<KernelArguments['binColumns'], 'scratch'> & { readonly columns: number };

function binColumns(run: Execution, { columns, ...args }: BinColumnsArguments): void {
  run.withScratchEach(4 * (2 * args.rows + DIGITS), (scratch) =>
    run.over('binColumns', { ...args, scratch }, columns, args.rows * QUANTISE),
  );
}

/** Histograms of a node's rows over `width` of the columns. */
export type NodeHistogramArguments = Omit<KernelArguments['nodeHistogram'], 'scratch'> & { readonly width: number };

function nodeHistogram(run: Execution, { width, ...args }: NodeHistogramArguments): void {
  run.withScratchEach(GATHERED, (scratch) =>
    run.inShares('nodeHistogram', { ...args, scratch }, width, args.count * width * ADD),
  );
}

export const treeRoutines = {
  binColumns,
  nodeHistogram,
  /** Rows of a node on both sides of a threshold, chunk by chunk. */
  splitRows: (run: Execution, args: KernelArguments['splitRows']): void =>
    run.over('splitRows', args, Math.ceil(args.count / args.perChunk), args.perChunk * MOVE),
};
