// Attention on the CPU: the geometry and scratch of its kernels.

import type { KernelArguments } from '../../generated/arguments.js';
import { ATTENTION_BLOCK } from '../../limits.js';
import type { Region } from '../../region.js';
import type { Execution } from '../execution.js';

/** q [batch, heads, queries, depth], k [batch, keyHeads, keys, depth], v [batch, keyHeads, keys, valueDepth]. */
export interface AttentionSizes {
  readonly batch: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly queries: number;
  readonly keys: number;
  readonly depth: number;
  readonly valueDepth: number;
  /** 1 where no query sees a later key. */
  readonly causal: number;
  /** Keys that a query sees; 0 for all. */
  readonly window: number;
  /** Elements from mask to mask, 0 where all share one. */
  readonly maskBatchStride: number;
  readonly maskHeadStride: number;
  /** Factor of the scores. */
  readonly scale: number;
  /** Elements from head to head of k and of v; without gaps when left out. */
  readonly keyStride?: number;
  readonly valueStride?: number;
}

/** y = softmax(scale·q·kᵀ + mask)·v, with the logarithms of the sums of exponentials. */
export interface AttentionArguments {
  readonly q: Region;
  readonly k: Region;
  readonly v: Region;
  readonly mask: Region | null;
  readonly y: Region;
  readonly logSums: Region;
  readonly sizes: AttentionSizes;
}

/** Gradients of q, k and v from that of y; deltas = Σ gradient·y over each row. */
export interface AttentionGradientArguments {
  readonly q: Region;
  readonly k: Region;
  readonly v: Region;
  readonly mask: Region | null;
  readonly gradient: Region;
  readonly logSums: Region;
  readonly deltas: Region;
  readonly dq: Region;
  readonly dk: Region;
  readonly dv: Region;
  readonly sizes: AttentionSizes;
}

const scaleFloat = new Float32Array(1);
const scaleBits = new Int32Array(scaleFloat.buffer);

/** The sizes as kernels/attention.ts reads them; the scale as the bits of its f32. */
function geometryWords(sizes: AttentionSizes): number[] {
  const { heads, keyHeads, queries, keys, depth, valueDepth, causal, window } = sizes;
  const { maskBatchStride, maskHeadStride, keyStride = keys * depth, valueStride = keys * valueDepth } = sizes;
  scaleFloat[0] = sizes.scale;
  return [
    ...[heads, keyHeads, queries, keys, depth, valueDepth, causal, window],
    ...[maskBatchStride, maskHeadStride, scaleBits[0] as number, keyStride, valueStride],
  ];
}

/** Lends the geometry and the scratch that any of the three kernels needs. */
function withGeometry(
  run: Execution,
  sizes: AttentionSizes,
  use: (scratch: Region, scratchBytes: number, geometry: Region) => void,
): void {
  const widest = Math.max(sizes.depth, sizes.valueDepth);
  const scratchBytes =
    4 * ATTENTION_BLOCK * (4 * (widest + 8) + 3 * ATTENTION_BLOCK + Math.max(ATTENTION_BLOCK, widest) + 2);
  run.withInts(geometryWords(sizes), (geometry) =>
    run.withScratchEach(scratchBytes, (scratch) => use(scratch, scratchBytes, geometry)),
  );
}

/** Cost of `products` block products for one block of rows. */
function costOf({ depth, valueDepth }: AttentionSizes, length: number, products: number): number {
  return ATTENTION_BLOCK * length * (((depth + valueDepth) * products) / 2) * 0.05;
}

function attention(run: Execution, { q, k, v, mask, y, logSums, sizes }: AttentionArguments): void {
  const tasks = sizes.batch * sizes.heads * Math.ceil(sizes.queries / ATTENTION_BLOCK);
  withGeometry(run, sizes, (scratch, scratchBytes, geometry) =>
    run.over(
      'attention',
      { q, k, v, mask, y, logSums, scratch, scratchBytes, geometry },
      tasks,
      costOf(sizes, sizes.keys, 2),
    ),
  );
}

function attentionGradient(run: Execution, args: AttentionGradientArguments): void {
  const { q, k, v, mask, gradient, logSums, deltas, dq, dk, dv, sizes } = args;
  const { batch, heads, keyHeads, queries, keys } = sizes;
  withGeometry(run, sizes, (scratch, scratchBytes, geometry) => {
    run.over(
      'attentionQueryGradient',
      { q, k, v, mask, gradient, logSums, deltas, dq, scratch, scratchBytes, geometry },
      batch * heads * Math.ceil(queries / ATTENTION_BLOCK),
      costOf(sizes, keys, 3),
    );
    run.over(
      'attentionKeyGradient',
      { q, k, v, mask, gradient, logSums, deltas, dk, dv, scratch, scratchBytes, geometry },
      batch * keyHeads * Math.ceil(keys / ATTENTION_BLOCK),
      costOf(sizes, (queries * heads) / keyHeads, 4),
    );
  });
}

/** Attention of a few queries to a cache of keys and values: see kernels/cached-attention.ts. */
export type AttendCacheArguments = Omit<KernelArguments['attendCache'], 'scratch' | 'scratchBytes'> & {
  readonly keyHeads: number;
};

function attendCache(run: Execution, args: AttendCacheArguments): void {
  const { q, keys, values, y, half, keyHeads, group, queries, length, depth, window, stride, scale } = args;
  const fours = Math.ceil(group / 4);
  const scratchBytes = 16 * length * fours + 256 * depth;
  run.withScratchEach(scratchBytes, (scratch) =>
    run.over(
      'attendCache',
      { q, keys, values, y, scratch, scratchBytes, half, group, queries, length, depth, window, stride, scale },
      keyHeads * queries,
      length * (depth + 20) * fours * 1.2,
    ),
  );
}

export const attentionRoutines = {
  attention,
  attentionGradient,
  attendCache,
  /** Appends rows of x [heads, count, depth] to a cache. */
  appendCache: (run: Execution, args: KernelArguments['appendCache'] & { readonly heads: number }): void =>
    run.over('appendCache', args, args.heads, args.count * args.depth * (args.half ? 1 : 0.2)),
  /** Rotary position embedding of `rows` rows. */
  rotate: (run: Execution, args: KernelArguments['rotate'] & { readonly rows: number }): void =>
    run.over('rotate', args, args.rows, args.depth * 1.5),
};
