// Binary convolutions: weights and activations of −1 and 1 (Courbariaux et al. 2016; Rastegari et
// al. 2016), trained through real weights by the straight-through estimator.

import type { SignThreshold } from '../quantized/index.js';
import {
  batchNormInference,
  conv2d,
  full,
  negate,
  type Random,
  scope,
  signs,
  sum,
  type Tensor,
  tensor,
} from '../tensor/index.js';
import { kaimingUniform } from './initializers.js';
import { buffer, type Mode, parameter, parameterOwners } from './module.js';
import type { BatchNorm } from './normalization.js';

/** Options of `BinaryConv2d`. */
export interface BinaryConvolutionOptions {
  /** Step of the filters. Default: 1. */
  readonly stride?: number;
}

/** Largest |w| of the real weights behind the signs. */
const CLIP = 1;

/**
 * y = sign(w) ∗ sign(x) with sign(0) = 1 and −1 around the image, as a bit has no 0. Gradients pass
 * each sign where its argument lies in [−1, 1]. There is neither bias nor scale: batch norm
 * follows, into which both would be folded.
 */
export class BinaryConv2d {
  /** Real weights w [outChannels, inChannels, k, k], of which the signs count. */
  weight: Tensor;
  /**
   * The channel that each is computed from when the network runs on planes of bits: −1 for none, p
   * for channel p, −2 − p for its negative. Buffer [outChannels]; −1 at first.
   */
  parents: Tensor;
  /** A term of the loss in training, of the real weights; none when undefined. */
  term: ((weight: Tensor) => Tensor | undefined) | undefined;
  /** Step of the filters. */
  readonly stride: number;

  /** @throws RangeError for an even kernel, which would shift the image by half a pixel */
  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    readonly kernelSize: number,
    random: Random,
    { stride = 1 }: BinaryConvolutionOptions = {},
  ) {
    if (!(Number.isInteger(kernelSize) && kernelSize % 2 === 1))
      throw new RangeError(`BinaryConv2d: the kernel must be odd, got ${kernelSize}`);
    this.stride = stride;
    this.weight = parameter(kaimingUniform(random, [outChannels, inChannels, kernelSize, kernelSize]));
    this.parents = buffer(full([outChannels], -1));
  }

  /** x [n, inChannels, h, w] → whole numbers [n, outChannels, ⌈h/stride⌉, ⌈w/stride⌉]. */
  forward(x: Tensor, mode: Mode): Tensor {
    const term = mode.addLoss && this.term?.(this.weight);
    if (term) mode.addLoss?.(term);
    const weight = signs(this.weight);
    // Zeros around s + 1 are −1 around s: w ∗ s = w ∗ (s + 1) − Σ w.
    const shifted = signs(x, { low: 0, high: 2 });
    const padding = (this.kernelSize - 1) / 2;
    return conv2d(shifted, weight, negate(sum(weight, [1, 2, 3])), { stride: this.stride, padding });
  }
}

/** The binary convolutions of a module, by name. */
export function binaryLayers(module: object): Readonly<Record<string, BinaryConv2d>> {
  const found = parameterOwners(module).filter(({ owner }) => owner instanceof BinaryConv2d);
  return Object.fromEntries(found.map(({ name, owner }) => [name.replace(/\.?weight$/, ''), owner as BinaryConv2d]));
}

/** Names of weights of which the signs count alone: decay would but flip them. */
export function binaryNames(module: object): ReadonlySet<string> {
  return new Set(Object.keys(binaryLayers(module)).map((name) => (name === '' ? 'weight' : `${name}.weight`)));
}

/** Clips the real weights of binary layers to [−1, 1], beyond which no gradient passes. */
export function clipBinaryWeights(module: object): void {
  for (const { weight } of Object.values(binaryLayers(module))) {
    const values = weight.view();
    for (let at = 0; at < values.length; at++) values[at] = Math.min(CLIP, Math.max(-CLIP, values[at] as number));
  }
}

/**
 * What batch norm by its running statistics, and a sign, do with the sums of L signs: a threshold
 * for each channel. Found on all L + 1 sums, so that every comparison is that of the norm itself.
 */
export function signThresholds(norm: BatchNorm, length: number): SignThreshold[] {
  const channels = norm.features;
  const sums = Float32Array.from({ length: channels * (length + 1) }, (_, at) => 2 * (at % (length + 1)) - length);
  const values = scope(() => {
    const { weight, bias, runningMean, runningVariance, epsilon } = norm;
    const x = tensor(sums, [1, channels, length + 1, 1]);
    return batchNormInference(x, weight, bias, runningMean, runningVariance, epsilon).dataSync();
  });
  return Array.from({ length: channels }, (_, channel) => {
    const own = values.subarray(channel * (length + 1), (channel + 1) * (length + 1));
    const isPositive = (at: number) => !((own[at] as number) < 0);
    const turned = isPositive(0) && !isPositive(length);
    let at = 0;
    while (at <= length && isPositive(at) === turned) at += 1;
    return { least: 2 * at - length, turned };
  });
}
