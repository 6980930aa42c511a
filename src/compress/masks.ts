// Magnitude masks: which weights to keep, by single weights or whole blocks, with exact counts.

import { type Shape, sizeOf, type Tensor } from '../tensor/index.js';

/**
 * Which weights are pruned together. `unstructured`: each weight by itself. `block1` to `block32`:
 * so many neighbouring output channels share one pattern, which the sparse kernels process as one
 * block. A unit is then, of n channels,
 *
 * - in a linear layer or 1×1 convolution [out, in]: the weights of one input;
 * - in a k×k convolution [out, in, k, k]: the whole kernels of one input;
 * - in a depthwise convolution [channels, 1, k, k]: one tap; the centre tap always stays.
 *
 * `2:4`: of every four neighbouring inputs the two of larger magnitude are kept.
 */
export type Pattern = 'unstructured' | 'block1' | 'block2' | 'block4' | 'block8' | 'block16' | 'block32' | '2:4';

/** All patterns, e.g. to check an option. */
export const patterns = [
  ...(['unstructured', 'block1', 'block2', 'block4', 'block8', 'block16', 'block32', '2:4'] as const),
] satisfies readonly Pattern[];

/** A pattern of blocks, whose units have scores. */
export type BlockPattern = Exclude<Pattern, '2:4'>;

/** Output channels of a unit, by pattern. */
export const patternHeights: Readonly<Record<BlockPattern, number>> = {
  ...{ unstructured: 1, block1: 1, block2: 2, block4: 4, block8: 8, block16: 16, block32: 32 },
};

/** Units of a weight: `height` rows by `width` neighbouring elements of a row. */
export interface UnitShape {
  /** Output channels of a unit; the last rows may form lower ones. */
  readonly height: number;
  /** Elements of a row in a unit. */
  readonly width: number;
  /** Units side by side in a row. */
  readonly across: number;
  /** The place along a row of the units that always stay: a depthwise filter's centre tap. */
  readonly centre?: number;
}

/** The units of a weight [out, …] under a pattern. */
export function unitShape(shape: Shape, pattern: BlockPattern): UnitShape {
  const inner = sizeOf(shape) / (shape[0] as number);
  const height = patternHeights[pattern];
  const [, inputs, kernelHeight = 1, kernelWidth = 1] = shape as [number, number, number?, number?];
  const taps = kernelHeight * kernelWidth;
  if (pattern === 'unstructured' || shape.length !== 4 || taps === 1) return { height, width: 1, across: inner };
  if (inputs > 1) return { height, width: taps, across: inputs };
  const centre = (kernelHeight >> 1) * kernelWidth + (kernelWidth >> 1);
  return { height, width: 1, across: taps, centre };
}

/**
 * The blocks of a weight [out, …]: maps each element to the index of its block. Remaining rows at
 * the end form smaller blocks.
 */
function blocksOf(shape: Shape, pattern: BlockPattern): { blockOf: (element: number) => number; count: number } {
  const rows = shape[0] as number;
  const { height, width, across } = unitShape(shape, pattern);
  const inner = across * width;
  return {
    blockOf: (element) =>
      Math.floor(Math.floor(element / inner) / height) * across + Math.floor((element % inner) / width),
    count: Math.ceil(rows / height) * across,
  };
}

/** Mean |w| of each block of a weight [out, …]. */
export function blockScores(weight: Tensor, pattern: BlockPattern): Float32Array {
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
 *
 * @throws Error when a score is NaN, as of weights that diverged
 */
export function keepLargest(scores: Float32Array, share: number): Uint8Array {
  const kept = new Uint8Array(scores.length).fill(1);
  let left = Math.floor(share * scores.length + 1e-9);
  if (left === 0) return kept;
  const sorted = Float32Array.from(scores).sort();
  if (Number.isNaN(sorted.at(-1)))
    throw new Error(
      'pruning: magnitudes that are compared are NaN; the weights have diverged, train with a lower rate',
    );
  const threshold = sorted[left - 1] as number;
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

/**
 * Which units of a weight stay: the ⌊share·count⌋ with the smallest scores go, of a depthwise
 * filter at most all but the centre taps.
 *
 * @param scores one a unit, in the order of `blockScores`
 */
export function keptUnits(shape: Shape, pattern: BlockPattern, scores: Float32Array, share: number): Uint8Array {
  const { across, centre } = unitShape(shape, pattern);
  if (centre === undefined) return keepLargest(scores, share);
  const prunable = scores.map((score, unit) => (unit % across === centre ? Number.POSITIVE_INFINITY : score));
  return keepLargest(prunable, Math.min(share, (across - 1) / across));
}

/** Expands a mask over blocks to the elements of a weight. */
export function maskOfBlocks(shape: Shape, pattern: BlockPattern, kept: Uint8Array): Float32Array {
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
  const kept = keptUnits(weight.shape, pattern, blockScores(weight, pattern), sparsity);
  return maskOfBlocks(weight.shape, pattern, kept);
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
