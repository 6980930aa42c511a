// Functions of the channels of images [images, channels, pixels]: statistics, scales, and products
// with sparse weights.

import type { KernelArguments } from '../../generated/arguments.js';
import type { Execution } from '../execution.js';

/** Rows of a block of sparse weights. */
export type BlockRows = 1 | 2 | 4 | 8;

/**
 * Pixels that sparse weights in blocks of `height` rows take at a time; `wide`: single rows with
 * twice as many.
 */
export function sparseTilePixels(height: number, wide = false): number {
  return wide ? 32 : 32 / Math.max(2, height);
}

/** y = activation(W·x + bias) with W in sparse blocks of `height`×1 and x [columns, pixels]. */
export type SparseChannelsArguments = Omit<KernelArguments['sparseChannels1'], 'scratch'> & {
  /** Rows of a block of weights. */
  readonly height: BlockRows;
  /** Weights that are stored. */
  readonly stored: number;
  /** 1 for single rows with tiles of 32 pixels. */
  readonly wide: number;
};

function sparseChannels(run: Execution, args: SparseChannelsArguments): void {
  const { indptr, offsets, values, bias, x, y, rows, columns, pixels, activation, height, stored, wide } = args;
  const width = sparseTilePixels(height, wide === 1);
  run.withScratchEach(columns * width * 4, (scratch) =>
    run.over(
      wide === 1 ? 'sparseChannelsWide' : `sparseChannels${height}`,
      { indptr, offsets, values, bias, x, y, rows, columns, pixels, activation, scratch },
      Math.ceil(pixels / width),
      (stored * 4) / 3 + (rows + columns) * 4,
    ),
  );
}

export const channelRoutines = {
  /** Mean, what f32 lacks of it, and biased variance of each channel. */
  channelMoments: (run: Execution, args: KernelArguments['channelMoments']): void =>
    run.over('channelMoments', args, args.channels, args.images * args.pixels * 0.5),
  /** y = activation((x − center)·scale + shift). */
  channelAffine: (run: Execution, args: KernelArguments['channelAffine'] & { readonly images: number }): void =>
    run.over('channelAffine', args, args.images * args.channels, args.pixels * 0.3 + 5),
  /** Σ g and Σ g·(x − mean − rest)·inverse of each channel, and `rest`. */
  channelProducts: (run: Execution, args: KernelArguments['channelProducts']): void =>
    run.over('channelProducts', args, args.channels, args.images * args.pixels * 0.4),
  batchNormGradient: (run: Execution, args: KernelArguments['batchNormGradient']): void =>
    run.over('batchNormGradient', args, args.images * args.channels, args.pixels * 0.4 + 10),
  sparseChannels,
};
