// Convolutions of a domain, as networks are built of them.

import { heConv } from '../../models/index.js';
import type { ConvolutionMaker } from '../../models/resnet.js';
import { type HypercomplexOptions, PHConv2d } from '../../nn/index.js';
import { pad, type Tensor } from '../../tensor/index.js';

/** In which domain a network works. */
export interface DomainOptions extends Pick<HypercomplexOptions, 'algebra' | 'init'> {
  /** Size n of the domain; 1 makes the real twin, of plain layers. Default: 3. */
  readonly n?: number;
}

/** Hypercomplex convolutions without bias unless told otherwise; plain ones for n = 1. */
export function convolutionIn({ n = 3, algebra = 'learned', init = 'xavier' }: DomainOptions): ConvolutionMaker {
  if (n === 1) return heConv;
  return (inChannels, outChannels, kernelSize, random, options = {}) =>
    new PHConv2d(inChannels, outChannels, kernelSize, n, random, { bias: false, ...options, algebra, init });
}

/** Channels that a first layer reads: the next multiple of n; of grey pictures their one. */
export function stemChannels(channels: number, n: number): number {
  return channels === 1 ? 1 : Math.ceil(channels / n) * n;
}

/**
 * Puts channels of zeros in front, as quaternion networks do with a fourth one before RGB. The
 * input is normalised, so that they are zero to the layer.
 *
 * @param x [n, c, h, w]
 * @returns [n, channels, h, w]
 */
export function withFrontChannels(x: Tensor, channels: number): Tensor {
  const missing = channels - (x.shape[1] as number);
  return missing > 0 ? pad(x, [[0, 0], [missing, 0], ...x.shape.slice(2).map(() => [0, 0] as const)]) : x;
}
