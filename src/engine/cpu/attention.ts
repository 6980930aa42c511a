// Attention on the CPU: the geometry and scratch of its kernels.

import type { Execution } from './runner.js';

const BLOCK = 64;

interface Sizes {
  readonly batch: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly queries: number;
  readonly keys: number;
  readonly depth: number;
  readonly valueDepth: number;
  /** As kernels/attention.ts reads them; the scale as the bits of its f32. */
  readonly words: readonly number[];
}

const scaleFloat = new Float32Array(1);
const scaleBits = new Int32Array(scaleFloat.buffer);

/** From (batch, heads, keyHeads, queries, keys, depth, valueDepth, causal, window, mask's strides by batch and head, scale, and maybe the strides of key and value heads). */
function sizesOf(values: readonly number[]): Sizes {
  const [batch, heads, keyHeads, queries, keys, depth, valueDepth] = values as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  scaleFloat[0] = values[11] as number;
  const strides = [values[12] ?? keys * depth, values[13] ?? keys * valueDepth];
  const words = [...values.slice(1, 11), scaleBits[0] as number, ...strides];
  return { batch, heads, keyHeads, queries, keys, depth, valueDepth, words };
}

/** Floats of scratch that any of the three kernels needs. */
function scratchFloats({ depth, valueDepth }: Sizes): number {
  const widest = Math.max(depth, valueDepth);
  return BLOCK * (4 * (widest + 8) + 3 * BLOCK + Math.max(BLOCK, widest) + 2);
}

/** Rough nanoseconds of `products` block products for one block of rows. */
function cost({ depth, valueDepth }: Sizes, length: number, products: number): number {
  return BLOCK * length * (((depth + valueDepth) * products) / 2) * 0.05;
}

/** (q, k, v, mask | 0, y, logarithms of sums, …sizes). */
export function attention(run: Execution, ...args: number[]): void {
  const sizes = sizesOf(args.slice(6));
  const bytes = 4 * scratchFloats(sizes);
  const tasks = sizes.batch * sizes.heads * Math.ceil(sizes.queries / BLOCK);
  run.withInts(sizes.words, (geometry) =>
    run.withScratchEach(bytes, (scratch) =>
      run.over('attention', [...args.slice(0, 6), scratch, bytes, geometry], tasks, cost(sizes, sizes.keys, 2)),
    ),
  );
}

/** (q, k, v, mask | 0, gradient of y, logarithms of sums, Σ gradient·y, dq, dk, dv, …sizes). */
export function attentionGradient(run: Execution, ...args: number[]): void {
  const sizes = sizesOf(args.slice(10));
  const bytes = 4 * scratchFloats(sizes);
  const inputs = args.slice(0, 7);
  const [dq, dk, dv] = args.slice(7, 10) as [number, number, number];
  const { batch, heads, keyHeads, queries, keys } = sizes;
  run.withInts(sizes.words, (geometry) =>
    run.withScratchEach(bytes, (scratch) => {
      const share = [scratch, bytes, geometry];
      const queryTasks = batch * heads * Math.ceil(queries / BLOCK);
      run.over('attentionQueryGradient', [...inputs, dq, ...share], queryTasks, cost(sizes, keys, 3));
      const keyTasks = batch * keyHeads * Math.ceil(keys / BLOCK);
      const length = (queries * heads) / keyHeads;
      run.over('attentionKeyGradient', [...inputs, dk, dv, ...share], keyTasks, cost(sizes, length, 4));
    }),
  );
}

/** (q, keys, values, y, half, keyHeads, group, queries, length, depth, window, stride, scale: see kernels/cached-attention.ts). */
export function attendCache(
  run: Execution,
  q = 0,
  keys = 0,
  values = 0,
  y = 0,
  half = 0,
  keyHeads = 1,
  group = 1,
  queries = 1,
  length = 1,
  depth = 8,
  ...rest: number[]
): void {
  const fours = Math.ceil(group / 4);
  const bytes = 16 * length * fours + 256 * depth;
  run.withScratchEach(bytes, (scratch) =>
    run.over(
      'attendCache',
      [q, keys, values, y, scratch, bytes, half, group, queries, length, depth, ...rest],
      keyHeads * queries,
      length * (depth + 20) * fours * 1.2,
    ),
  );
}
