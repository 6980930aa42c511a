// Products and sums of numbers of one bit: see kernels/binary.ts.

import type { KernelArguments } from '../../generated/arguments.js';
import type { Execution } from '../execution.js';

/** y[f, p] = sums of signed bit planes. */
export type SumPlanesArguments = Omit<KernelArguments['sumPlanes'], 'scratch' | 'vectors'> & {
  /** Planes that are added, over all filters. */
  readonly stored: number;
};

function sumPlanes(run: Execution, args: SumPlanesArguments): void {
  const { bits, indptr, offsets, totals, y, planes, filters, pixels, slices, stored } = args;
  const vectors = Math.ceil(pixels / 128);
  run.withScratchEach((planes + 1) * 16, (scratch) =>
    run.over(
      'sumPlanes',
      { bits, indptr, offsets, totals, y, planes, filters, vectors, pixels, slices, scratch },
      filters * vectors,
      (stored / filters) * 1.2 + 100,
    ),
  );
}

export const bitRoutines = {
  /** Signs of `rows` rows of x as bits. */
  packSigns: (run: Execution, args: KernelArguments['packSigns'] & { readonly rows: number }): void =>
    run.over('packSigns', args, args.rows, args.k * 0.4),
  /** y = A·Bᵀ for matrices of signs. */
  matmulBits: (run: Execution, args: KernelArguments['matmulBits']): void =>
    run.over('matmulBits', args, Math.ceil(args.m / 2), args.n * args.k * 0.015),
  sumPlanes,
};
