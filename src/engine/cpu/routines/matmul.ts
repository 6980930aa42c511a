// Matrix products of floats: few rows against B where it lies, tiles against packed panels of B,
// products by group or by block, and distances.

import type { KernelArguments } from '../../generated/arguments.js';
import { FEW_ROWS, GEMM_DEPTH, GROUP_ROWS, LARGEST_ROW_BLOCK, PANEL, ROW_BLOCKS_PER_THREAD } from '../../limits.js';
import { type Region, regionAt } from '../../region.js';
import type { Execution } from '../execution.js';

/** C = activation(op(A)·op(B) + bias), `batch` times, where op(A) is m×k and op(B) k×n. */
export interface MatmulArguments {
  readonly a: Region;
  readonly b: Region;
  /** n floats. */
  readonly bias: Region | null;
  readonly c: Region;
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** 1 where A lies as k×m. */
  readonly transposeA: number;
  /** 1 where B lies as n×k. */
  readonly transposeB: number;
  /** A code of activation.ts. */
  readonly activation: number;
}

function matmul(run: Execution, args: MatmulArguments): void {
  const { a, b, bias, c, batch, m, n, k, transposeA, transposeB, activation } = args;
  if (batch === 1 && m <= FEW_ROWS && !transposeA) {
    const few = { a, b, c, bias, m, n, k, transposed: transposeB, activation };
    run.over('gemmFewRows', few, Math.ceil(n / 16), m * k * 2.5);
    return;
  }
  const panels = Math.ceil(n / PANEL);
  run.withScratch(batch * panels * PANEL * k * 4, (packedB) => {
    const [rowStrideB, columnStrideB] = transposeB ? [1, k] : [n, 1];
    run.over(
      'gemmPackB',
      { b, packed: packedB, k, n, rowStride: rowStrideB, columnStride: columnStrideB, batchStride: k * n },
      batch * panels,
      k * 3,
    );
    const [rowStride, columnStride] = transposeA ? [1, m] : [k, 1];
    run.tiles.time(2 * batch * m * n * k, (tileRows) => {
      const rows = run.threads === 1 ? m : Math.min(m, (batch * m) / run.threads / ROW_BLOCKS_PER_THREAD);
      const blockRows = Math.min(LARGEST_ROW_BLOCK, tileRows * Math.max(1, Math.ceil(rows / tileRows)));
      const blocks = batch * Math.ceil(m / blockRows);
      run.withScratchEach(blockRows * Math.min(k, GEMM_DEPTH) * 4, (scratch) =>
        run.over(
          'gemm',
          {
            a,
            packedB,
            c,
            bias,
            scratch,
            m,
            n,
            k,
            rowStride,
            columnStride,
            batchStride: m * k,
            activation,
            blockRows,
            tileRows,
          },
          blocks,
          blockRows * n * (k + 8) * 0.04,
        ),
      );
    });
  });
}

/** y[rows of group e] = x[rows of group e]·op(Wₑ), where op(Wₑ) is k×n. */
export interface GroupedMatmulArguments {
  readonly x: Region;
  readonly w: Region;
  readonly y: Region;
  readonly n: number;
  readonly k: number;
  /** 1 where each Wₑ lies as n×k. */
  readonly transposeB: number;
  /** First row of each group, and the end of the last. */
  readonly starts: ArrayLike<number>;
}

function groupedMatmul(run: Execution, { x, w, y, n, k, transposeB, starts }: GroupedMatmulArguments): void {
  const start = (group: number) => starts[group] as number;
  const used = Array.from({ length: starts.length - 1 }, (_, e) => e).filter((e) => start(e + 1) > start(e));
  const panels = Math.ceil(n / PANEL);
  const packedSize = panels * PANEL * k;
  const [rowStride, columnStride] = transposeB ? [1, k] : [n, 1];
  run.withScratch(Math.max(1, used.length) * packedSize * 4, (packedB) => {
    const blocks: number[] = [];
    used.forEach((e, slot) => {
      const source = regionAt(w, e * n * k * 4);
      const packed = regionAt(packedB, slot * packedSize * 4);
      run.over('gemmPackB', { b: source, packed, k, n, rowStride, columnStride, batchStride: 0 }, panels, k * 3);
      for (let row = start(e); row < start(e + 1); row += GROUP_ROWS)
        blocks.push(row, Math.min(GROUP_ROWS, start(e + 1) - row), slot * packedSize);
    });
    const count = blocks.length / 3;
    if (count === 0) return;
    run.withInts(blocks, (table) =>
      run.withScratchEach(GROUP_ROWS * Math.min(k, GEMM_DEPTH) * 4, (scratch) =>
        run.over(
          'gemmGrouped',
          { a: x, packedB, c: y, table, scratch, n, k, blockRows: GROUP_ROWS, tileRows: 4 },
          count,
          GROUP_ROWS * n * k * 0.04,
        ),
      ),
    );
  });
}

/** y = x·diag(W₀, W₁, …) for `rows` rows: see kernels/block-diagonal.ts. */
function blockDiagonal(run: Execution, args: KernelArguments['blockDiagonal'] & { readonly rows: number }): void {
  run.over('blockDiagonal', args, args.rows, args.blocks * args.inner * (args.outer * 0.08 + 0.5));
}

/** Squared distances from products of rows: see kernels/distance.ts. */
function squaredDistances(run: Execution, args: KernelArguments['squaredDistances'] & { readonly rows: number }): void {
  run.over('squaredDistances', args, args.rows, args.n * (1 + args.d * 0.1));
}

export const matmulRoutines = { matmul, groupedMatmul, blockDiagonal, squaredDistances };
