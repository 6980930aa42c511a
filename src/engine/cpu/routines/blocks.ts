// Products with weights in quantised blocks of 32 (see kernels/blocks.ts), and their packing.

import type { KernelArguments } from '../../generated/arguments.js';
import { type Region, regionAt } from '../../region.js';
import type { Execution, KernelsWith } from '../execution.js';

/** y = x·Wᵀ with W in panels of 8 rows: x [m, 32·blocks], y [m, n]. */
export interface BlockProductArguments {
  readonly x: Region;
  readonly panels: Region;
  readonly y: Region;
  readonly m: number;
  readonly n: number;
  /** Blocks a row. */
  readonly blocks: number;
}

type BlockKernel = KernelsWith<KernelArguments['matmulNibbles']>;

/** Rows of x are quantised in blocks first: int8 or int16 quanta, a scale a block, and sums of half blocks. */
function blockProduct(kernel: BlockKernel, kind: number) {
  return (run: Execution, { x, panels, y, m, n, blocks }: BlockProductArguments): void => {
    const count = m * blocks;
    run.withScratch(76 * count, (quanta) => {
      const [scales, sums] = [regionAt(quanta, 64 * count), regionAt(quanta, 68 * count)];
      run.over('quantizeBlocks', { x, quanta, scales, sums, kind }, count, 30);
      run.over(kernel, { a: quanta, scales, sums, w: panels, y, m, n, blocks }, Math.ceil(n / 8), m * blocks * 10);
    });
  };
}

export const blockRoutines = {
  matmulNibbles: blockProduct('matmulNibbles', 0),
  matmulShiftedNibbles: blockProduct('matmulShiftedNibbles', 1),
  matmulBytes: blockProduct('matmulBytes', 2),
  matmulSmallBytes: blockProduct('matmulSmallBytes', 3),
  matmulHalves: blockProduct('matmulHalves', 4),
  /** Panels from rows of blocks as they lie in a file. */
  packBlocks: (run: Execution, args: KernelArguments['packBlocks']): void =>
    run.over('packBlocks', args, Math.ceil(args.rows / 8), args.columns * 3),
};
