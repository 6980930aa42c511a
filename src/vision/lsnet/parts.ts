// What the blocks of LSNet share: a convolution with its norm, and how a layer becomes the one for inference.

import type { Mode } from '../../nn/index.js';
import { type Random, type Tensor, zeros } from '../../tensor/index.js';
import { ConvNorm, type ConvNormShape } from '../blocks/conv-norm.js';

export interface FormOptions {
  /** `merged`: norms folded into convolutions, for inference. Default: `training`. */
  readonly form?: 'training' | 'merged';
}

/** A layer that a network for inference has in another form. */
export interface Merging<Self> {
  forward(x: Tensor, mode: Mode): Tensor;
  mergeInto(target: Self): void;
}

export function convNorm(
  inChannels: number,
  outChannels: number,
  random: Random,
  { form, ...shape }: FormOptions & ConvNormShape = {},
): ConvNorm {
  return new ConvNorm(inChannels, outChannels, random, { ...shape, norm: form === 'merged' ? 'none' : 'batch' });
}

export function depthwise(
  channels: number,
  kernel: number,
  random: Random,
  options: FormOptions & { readonly stride?: number } = {},
): ConvNorm {
  return convNorm(channels, channels, random, { ...options, kernel, groups: channels });
}

/** Copies all weights of a layer into one of the same kind. */
export function copyWeights(from: object, to: object): void {
  const target = to as Record<string, Tensor | undefined>;
  for (const key of ['weight', 'bias', 'runningMean', 'runningVariance'])
    if (target[key]) target[key].assign((from as Record<string, Tensor>)[key] as Tensor);
}

/** Starts a residual branch at zero. */
export function silence({ norm }: ConvNorm): void {
  norm?.weight.assign(zeros(norm.weight.shape));
}
