// Magnitude masks: which weights to keep, by single weights or whole blocks, with exact counts.

import { type Shape, sizeOf, type Tensor } from '../tensor/index.js';

/**
 * Which weights are pruned together. `unstructured`: each weight by itself. `block2`, `block4`: 2
 * or 4 neighbouring output channels of one input, which the sparse kernels process as one block.
 * `2:4`: of every four neighbouring inputs the two of larger magnitude are kept.
 */
export type Pattern = 'unstructured' | 'block2' | 'block4' | '2:4';

/** All patterns, e.g. to check an option. */
export const patterns = ['unstructured', 'block2', 'block4', '2:4'] as const satisfies readonly Pattern[];

const heights = { unstructured: 1, block2: 2, block4: 4 } as const;

/**
 * The blocks of a weight [out, …]: maps each element to the index of its block. Remaining rows at
 * the end form smaller blocks.
 */
function blocksOf(
  shape: Shape,
  pattern: Exclude<Pattern, '2:4'>,
): { blockOf: (element: number) => number; count: number } {
  const rows = shape[0] as number;
  const inner = sizeOf(shape) / rows;
  const height = heights[pattern];
  return {
    blockOf: (element) => Math.floor(Math.floor(element / inner) / height) * inner + (element % inner),
    count: Math.ceil(rows / height) * inner,
  };
}

/** Mean |w| of each block of a weight [out, …]. */
export function blockScores(weight: Tensor, pattern: Exclude<Pattern, '2:4'>): Float32Array {
  const { blockOf, count } = blocksOf(weight.shape, pattern);
  const sums = new Float64Array(count);
  const sizes = new Int32Array(count);
  weight.view().forEach((value, element) => {
    const block = blockOf(element);
    sums[block] = (sums[block] as number) + Math.abs(value);
    sizes[block] = (sizes[block] as number) + 1;
  });
  return Float32Array.from(sums, (sum, block) => sum / (sizes[block] as number));
}

/**
 * A mask (1 keeps, 0 prunes) that drops the ⌊share·n⌋ smallest scores; among equal ones the first.
 */
export function keepLargest(scores: Float32Array, share: number): Uint8Array {
  const kept = new Uint8Array(scores.length).fill(1);
  let left = Math.floor(share * scores.length + 1e-9);
  if (left === 0) return kept;
  const threshold = Float32Array.from(scores).sort()[left - 1] as number;
  for (let i = 0; i < scores.length; i++)
    if ((scores[i] as number) < threshold) {
      kept[i] = 0;
      left -= 1;
    }
  for (let i = 0; left > 0; i++)
    if (scores[i] === threshold) {
      kept[i] = 0;
      left -= 1;
    }
  return kept;
}

/** Expands a mask over blocks to the elements of a weight. */
export function maskOfBlocks(shape: Shape, pattern: Exclude<Pattern, '2:4'>, kept: Uint8Array): Float32Array {
  const { blockOf } = blocksOf(shape, pattern);
  return Float32Array.from({ length: sizeOf(shape) }, (_, element) => kept[blockOf(element)] as number);
}

/**
 * Mask of a weight by magnitude, flat in the weight's order: 1 keeps an element, 0 prunes it.
 *
 * @param weight [out, in, …]
 * @param sparsity share of blocks that are pruned; `2:4` always prunes half
 * @throws RangeError when the sparsity is not in [0, 1)
 */
export function magnitudeMask(weight: Tensor, sparsity: number, pattern: Pattern = 'unstructured'): Float32Array {
  requireSparsity(sparsity);
  if (pattern === '2:4') return halfOfFour(weight);
  return maskOfBlocks(weight.shape, pattern, keepLargest(blockScores(weight, pattern), sparsity));
}

/** @throws RangeError when the sparsity is not in [0, 1) */
export function requireSparsity(sparsity: number): void {
  if (!(sparsity >= 0 && sparsity < 1)) throw new RangeError(`sparsity must be in [0, 1), got ${sparsity}`);
}

/**
 * The 2:4 mask, along the input channels for each output channel and kernel position. Remaining
 * inputs at the end are kept.
 */
function halfOfFour(weight: Tensor): Float32Array {
  const [rows, columns = 1] = weight.shape as [number, number];
  const taps = weight.size / (rows * columns);
  const values = weight.view();
  const mask = new Float32Array(weight.size).fill(1);
  for (let row = 0; row < rows; row++)
    for (let tap = 0; tap < taps; tap++)
      for (let column = 0; column + 4 <= columns; column += 4) {
        const places = [0, 1, 2, 3].map((i) => (row * columns + column + i) * taps + tap);
        places.sort((a, b) => Math.abs(values[a] as number) - Math.abs(values[b] as number));
        for (const place of places.slice(0, 2)) mask[place] = 0;
      }
  return mask;
}
