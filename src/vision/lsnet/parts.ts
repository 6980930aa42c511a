// Shared by the blocks of LSNet: convolutions with norm, and the conversion of a layer to its
// merged form.

import type { Mode } from '../../nn/index.js';
import { type Random, type Tensor, zeros } from '../../tensor/index.js';
import { ConvNorm, type ConvNormShape } from '../blocks/conv-norm.js';

/** Training or inference form of a layer. */
export interface FormOptions {
  /** `merged` folds norms into convolutions, for inference. Default: `training`. */
  readonly form?: 'training' | 'merged';
}

/** A layer with a training form and a merged form. */
export interface Merging<Self> {
  forward(x: Tensor, mode: Mode): Tensor;
  /** Writes the weights into a layer in merged form. */
  mergeInto(target: Self): void;
}

/** A convolution with batch norm, or, in the merged form, with a bias. */
export function convNorm(
  inChannels: number,
  outChannels: number,
  random: Random,
  { form, ...shape }: FormOptions & ConvNormShape = {},
): ConvNorm {
  return new ConvNorm(inChannels, outChannels, random, { ...shape, norm: form === 'merged' ? 'none' : 'batch' });
}

/** A depthwise convolution with batch norm; padding keeps the size at stride 1. */
export function depthwise(
  channels: number,
  kernel: number,
  random: Random,
  options: FormOptions & { readonly stride?: number } = {},
): ConvNorm {
  return convNorm(channels, channels, random, { ...options, kernel, groups: channels });
}

/** Copies all parameters and running statistics of a layer into another of the same class. */
export function copyWeights(from: object, to: object): void {
  const target = to as Record<string, Tensor | undefined>;
  for (const key of ['weight', 'bias', 'runningMean', 'runningVariance'])
    if (target[key]) target[key].assign((from as Record<string, Tensor>)[key] as Tensor);
}

/**
 * Initialises the gain γ of a residual branch's last norm with zero, so that the block starts as
 * the identity.
 */
export function silence({ norm }: ConvNorm): void {
  norm?.weight.assign(zeros(norm.weight.shape));
}
