// Fast sparse convolutional networks (Elsen, Dukhan, Gale, Simonyan, "Fast Sparse ConvNets", CVPR 2020, arXiv 1911.09723).
//
// In networks of depthwise and pointwise convolutions nearly all work is in the pointwise ones. While such a network trains, the smallest weights of these layers become zero, more and more of them,
//
//   s(t) = s·(1 − (1 − p)³),  p = (t − start)/(end − start) within [0, 1]
//
// and the trained network runs as a plan in which each layer has the kernel that is faster: the dense one, or one that multiplies by what is not zero.

import type { ImageDataset } from '../data/index.js';
import { type ImageTrainingOptions, trainOnImages } from '../models/index.js';
import { type FitResult, inference, type Layer, stateOf } from '../nn/index.js';
import type { Random, Tensor } from '../tensor/index.js';
import { type CompileOptions, compile, type KernelChoice, type Plan } from '../trace/index.js';
import { exampleOf } from './footprint.js';
import { chosenWeights, type LayerChoice } from './layers.js';
import { Pruning, type PruningOptions } from './pruning.js';

export interface GradualPruningOptions extends Pick<PruningOptions, 'pattern' | 'distribution'> {
  /** s: share of zeros in the end, in [0, 1). Default: 0.9. */
  readonly sparsity?: number;
  /** Default: pointwise convolutions. */
  readonly layers?: LayerChoice;
  /** Shares of all steps at which zeros begin and stop to spread; the rest of the training recovers. Default: 0.1 and 0.6. */
  readonly start?: number;
  readonly end?: number;
  /** Masks in all of training, were they renewed throughout. Default: 60. */
  readonly masks?: number;
}

/**
 * Gradual pruning as an option of `trainOnImages`.
 *
 * @example await trainOnImages(model, data, random, { epochs: 10, wrapOptimizer: gradualPruning(model, { sparsity: 0.9 }) });
 *
 * @throws RangeError when the sparsity is not in [0, 1); Error when no layer of the model is chosen
 */
export function gradualPruning(
  model: Layer,
  { sparsity = 0.9, layers = 'pointwise', start = 0.1, end = 0.6, masks = 60, ...options }: GradualPruningOptions = {},
): NonNullable<ImageTrainingOptions['wrapOptimizer']> {
  const names = Object.keys(chosenWeights(model, layers));
  return (inner, steps) =>
    new Pruning(inner, names, {
      ...options,
      sparsity,
      start: Math.round(start * steps),
      end: Math.round(end * steps),
      every: Math.max(1, Math.round(steps / masks)),
    });
}

export interface SparsePlan {
  /** For one batch of the example's size. */
  readonly plan: Plan;
  /** For each layer with zeros its kernel, and why. */
  readonly layers: readonly KernelChoice[];
}

/** A network as the plan that runs fastest on this machine: sparse kernels where both were timed and the sparse one won. @param example an input [batch, channels, h, w] */
export function sparsePlan(model: Layer, example: Tensor, options: Omit<CompileOptions, 'sparse'> = {}): SparsePlan {
  const layers: KernelChoice[] = [];
  const plan = compile((x) => model.forward(x, inference), [example], {
    weights: stateOf(model),
    ...options,
    sparse: { choose: 'measured', onChoice: (choice) => layers.push(choice) },
  });
  return { plan, layers };
}

export interface SparseConvNetOptions extends GradualPruningOptions, Omit<ImageTrainingOptions, 'wrapOptimizer'> {}

export interface SparseConvNet extends SparsePlan {
  readonly training: FitResult;
}

/**
 * Trains a network while its pointwise convolutions become sparse, and compiles it for one image. The model is changed in place: what was pruned is zero in it.
 *
 * @param model a network of depthwise and pointwise convolutions, such as `MobileNetV1`, fresh or trained
 * @example const { plan, layers } = await trainSparseConvNet(new MobileNetV1(random), data, random, { sparsity: 0.9, epochs: 20 });
 *
 * @throws Error when no layer of the model is chosen, before anything was trained; AbortError when the signal fires
 */
export async function trainSparseConvNet(
  model: Layer,
  data: ImageDataset,
  random: Random,
  { sparsity, layers, start, end, masks, pattern, distribution, ...options }: SparseConvNetOptions = {},
): Promise<SparseConvNet> {
  const given = { sparsity, layers, start, end, masks, pattern, distribution };
  const pruning = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const training = await trainOnImages(model, data, random, {
    ...options,
    wrapOptimizer: gradualPruning(model, pruning),
  });
  if (training.stopped === 'aborted') throw new DOMException('training was stopped', 'AbortError');
  return { ...sparsePlan(model, exampleOf(data)), training };
}
