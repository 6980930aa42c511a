// Feed-forward blocks of which tokens use some: see kernels/block-experts.ts.

import type { KernelArguments } from '../../generated/arguments.js';
import { type Region, regionAt } from '../../region.js';
import type { Execution } from '../execution.js';

/** Sizes of a call: n tokens, and the blocks that any of them uses. */
interface UsedBlocks {
  readonly n: number;
  /** Indices of the blocks. */
  readonly used: readonly number[];
  /** Hidden units of a block. */
  readonly width: number;
}

/** h [used, n, width] = SiLU(x·W_upᵀ)·A for x [n, d] and gates A [n, experts]. */
export interface BlocksUpArguments extends UsedBlocks {
  readonly x: Region;
  readonly w: Region;
  readonly gates: Region;
  readonly h: Region;
  readonly d: number;
  readonly experts: number;
}

/** y [n, d] = h·W_down for h [used, n, width]. */
export interface BlocksDownArguments extends UsedBlocks {
  readonly h: Region;
  readonly w: Region;
  readonly y: Region;
  readonly d: number;
}

/** Quantises `rows` rows of x, `blocks` of 32 each, and lends them. */
function withQuantized(
  run: Execution,
  {
    x,
    rows,
    blocks,
    kind,
  }: { readonly x: Region; readonly rows: number; readonly blocks: number; readonly kind: number },
  use: (quantized: { readonly a: Region; readonly scales: Region; readonly sums: Region }) => void,
): void {
  const count = rows * blocks;
  run.withScratch(76 * count, (quanta) => {
    const [scales, sums] = [regionAt(quanta, 64 * count), regionAt(quanta, 68 * count)];
    run.over('quantizeBlocks', { x, quanta, scales, sums, kind }, count, 30);
    use({ a: quanta, scales, sums });
  });
}

function quantizedUp(kernel: 'blocksUpInt8' | 'blocksUpInt4', kind: number) {
  return (run: Execution, { x, w, gates, h, n, d, width, experts, used }: BlocksUpArguments): void => {
    const blocks = d / 32;
    run.withInts(used, (table) =>
      withQuantized(run, { x, rows: n, blocks, kind }, (rows) =>
        run.over(
          kernel,
          { ...rows, w, gates, used: table, h, n, blocks, width, experts },
          (used.length * width) / 8,
          n * blocks * 10,
        ),
      ),
    );
  };
}

function quantizedDown(kernel: 'blocksDownInt8' | 'blocksDownInt4', kind: number) {
  return (run: Execution, { h, w, y, n, d, width, used }: BlocksDownArguments): void => {
    const blocks = width / 32;
    const count = used.length;
    run.withInts(used, (table) =>
      withQuantized(run, { x: h, rows: count * n, blocks, kind }, (rows) =>
        run.over(kernel, { ...rows, w, used: table, y, n, d, blocks, count }, d / 8, count * n * blocks * 10),
      ),
    );
  };
}

export const blockExpertRoutines = {
  blocksUp: (run: Execution, { used, ...args }: BlocksUpArguments): void =>
    run.withInts(used, (table) =>
      run.over(
        'blocksUp',
        { ...args, used: table } satisfies KernelArguments['blocksUp'],
        used.length * Math.ceil(args.width / 4),
        args.n * args.d * 0.5,
      ),
    ),
  blocksDown: (run: Execution, { used, ...args }: BlocksDownArguments): void =>
    run.withInts(used, (table) =>
      run.over(
        'blocksDown',
        { ...args, used: table, count: used.length },
        Math.ceil(args.d / 64),
        args.n * used.length * args.width * 8,
      ),
    ),
  blocksUpInt8: quantizedUp('blocksUpInt8', 2),
  blocksUpInt4: quantizedUp('blocksUpInt4', 0),
  blocksDownInt8: quantizedDown('blocksDownInt8', 2),
  blocksDownInt4: quantizedDown('blocksDownInt4', 0),
};
