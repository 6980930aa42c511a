// The vocabulary of tensor sizes: each node's shape as four rows of two small tables.

import type { Shape } from '../../tensor/index.js';

/** A shape as output channels, input channels, kernel height and width. */
export type Shape4d = readonly [out: number, inner: number, height: number, width: number];

/**
 * A shape of any rank with four sizes: vectors are [c, 1, 1, 1], matrices [out, in, 1, 1], position
 * embeddings [1, L, C] are [1, C, ⌊√L⌋, ⌊√L⌋], filters of sequences [out, in, k, 1].
 *
 * @throws RangeError for more than four axes
 */
export function shape4d(shape: Shape): Shape4d {
  const [first = 1, second = 1, third = 1, fourth = 1] = shape;
  if (shape.length > 4) throw new RangeError(`shape4d: ${shape.length} axes are more than four`);
  if (isPositionShape(shape)) {
    const side = Math.floor(Math.sqrt(second));
    return [1, third, side, side];
  }
  return [first, second, third, fourth];
}

/** Whether a shape is that of position embeddings [1, L, C] with more than one position. */
export function isPositionShape(shape: Shape): boolean {
  return shape.length === 3 && shape[0] === 1 && Math.min(shape[1] as number, shape[2] as number) > 1;
}

function range(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.max(0, Math.ceil((to - from) / step)) }, (_, i) => from + i * step);
}

/** Vocabulary sizes that large language models have, as channels of their own. */
export const languageVocabularies: readonly number[] = [32000, 50257, 128256];

/**
 * Sizes with an embedding each. Channels: 1, 3, the classes, 8 … 56 by 8, 64 … 4080 by 16, 4096 …
 * 8192 by 32; kernels: odd numbers to 15 (to 11 for `kernels` below 12), 14 and 16. Others take the
 * nearest one, those of 4 to 7 channels 8, kernels of 2 pixels 3; larger ones the largest.
 */
export class SizeTable {
  /** Channel counts in order. */
  readonly channels: readonly number[];
  /** Kernel sizes in order. */
  readonly kernels: readonly number[];

  constructor(classes: number, { kernels = 16, more = [] }: { kernels?: number; more?: readonly number[] } = {}) {
    const channels = [1, 3, classes, ...more, ...range(8, 64, 8), ...range(64, 4096, 16), ...range(4096, 8193, 32)];
    this.channels = [...new Set(channels)].sort((a, b) => a - b);
    this.kernels = [...new Set([...range(1, Math.max(12, kernels), 2), 14, 16])].sort((a, b) => a - b);
  }

  /** Rows of a node without a shape: the last of each table. */
  get none(): Shape4d {
    const [c, k] = [this.channels.length, this.kernels.length];
    return [c, c, k, k];
  }

  /** Rows of the four sizes: two of the table of channels, two of that of kernels. */
  rows([out, inner, height, width]: Shape4d): Shape4d {
    const channel = (size: number) =>
      nearest(this.channels, size > 3 && size < 8 && !this.channels.includes(size) ? 8 : size);
    const kernel = (size: number) => nearest(this.kernels, size === 2 ? 3 : size);
    return [channel(out), channel(inner), kernel(height), kernel(width)];
  }
}

/** Index of the nearest of ascending values, of the smaller of two. */
function nearest(values: readonly number[], size: number): number {
  let best = 0;
  values.forEach((value, at) => {
    if (Math.abs(value - size) < Math.abs((values[best] as number) - size)) best = at;
  });
  return best;
}
