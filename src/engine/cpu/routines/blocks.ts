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

/** Products with the same x and matrices of one kind. */
export interface BlockProductsArguments extends Pick<BlockProductArguments, 'x' | 'm' | 'blocks'> {
  readonly products: readonly Pick<BlockProductArguments, 'panels' | 'y' | 'n'>[];
}

type BlockKernel = KernelsWith<KernelArguments['matmulInt4']>;

/** Kernels by the number of their kind, see kernels/blocks.ts. */
const blockKernels = [
  'matmulInt4',
  'matmulUint4',
  'matmulInt8',
  'matmulUint5',
  'matmulInt6',
] as const satisfies BlockKernel[];

/** Name of a kernel for one kind of panels. */
export type BlockProduct = (typeof blockKernels)[number];

/**
 * Rows of x are quantised in blocks first: int8 or int16 quanta, a scale a block, and sums of half
 * blocks.
 */
function multiplied(
  run: Pick<Execution, 'over' | 'withScratch'>,
  kernel: BlockProduct,
  { x, m, blocks, products }: BlockProductsArguments,
): void {
  const [count, kind] = [m * blocks, blockKernels.indexOf(kernel)];
  run.withScratch(76 * count, (quanta) => {
    const [scales, sums] = [regionAt(quanta, 64 * count), regionAt(quanta, 68 * count)];
    run.over('quantizeBlocks', { x, quanta, scales, sums, kind }, count, 30);
    for (const { panels, y, n } of products)
      run.over(kernel, { a: quanta, scales, sums, w: panels, y, m, n, blocks }, Math.ceil(n / 8), m * blocks * 10);
  });
}

const blockProduct =
  (kernel: BlockProduct) =>
  (run: Execution, { x, m, blocks, ...product }: BlockProductArguments): void =>
    multiplied(run, kernel, { x, m, blocks, products: [product] });

export const blockRoutines = {
  matmulInt4: blockProduct('matmulInt4'),
  matmulUint4: blockProduct('matmulUint4'),
  matmulInt8: blockProduct('matmulInt8'),
  matmulUint5: blockProduct('matmulUint5'),
  matmulInt6: blockProduct('matmulInt6'),
  /** Products of one x with matrices of any kinds: x is quantised once for each kind. */
  matmulBlocks: (
    run: Execution,
    {
      products,
      ...shared
    }: Omit<BlockProductsArguments, 'products'> & {
      readonly products: readonly (BlockProductsArguments['products'][number] & { readonly kernel: BlockProduct })[];
    },
  ): void =>
    run.together((steps) => {
      for (const kernel of blockKernels) {
        const own = products.filter((product) => product.kernel === kernel);
        if (own.length > 0) multiplied(steps, kernel, { ...shared, products: own });
      }
    }),
  /** Panels from rows of blocks as they lie in a file. */
  packBlocks: (run: Execution, args: KernelArguments['packBlocks']): void =>
    run.over('packBlocks', args, Math.ceil(args.rows / 8), args.columns * 3),
};
