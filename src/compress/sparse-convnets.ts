// Fast sparse convolutional networks (Elsen, Dukhan, Gale, Simonyan, "Fast Sparse ConvNets", CVPR
// 2020, arXiv 1911.09723).
//
// In networks of depthwise and pointwise convolutions nearly all multiply-adds are in the pointwise
// ones. During training their weights of smallest magnitude are pruned at an increasing sparsity,
//
//   s(t) = s·(1 − (1 − p)³),  p = (t − start)/(end − start) within [0, 1]
//
// and the trained network is compiled to a plan that uses, layer by layer, the faster of the dense
// and the sparse kernel. The first layer, depthwise convolutions, biases and norms stay dense.

import type { ImageDataset } from '../data/index.js';
import { EfficientNet, type ImageTrainingOptions, MobileNetV1, MobileNetV2, trainOnImages } from '../models/index.js';
import { type FitResult, inference, type Layer, stateOf } from '../nn/index.js';
import type { Random, Tensor } from '../tensor/index.js';
import { type CompileOptions, compile, type KernelChoice, type Plan } from '../trace/index.js';
import { exampleOf } from './footprint.js';
import { chosenWeights, type LayerChoice } from './layers.js';
import type { Pattern } from './masks.js';
import { Pruning, type PruningOptions } from './pruning.js';

/** Options of `gradualPruning`. */
export interface GradualPruningOptions extends Pick<PruningOptions, 'pattern' | 'distribution'> {
  /** s: final share of zeros, in [0, 1). Default: 0.9. */
  readonly sparsity?: number;
  /** Layers to prune. Default: `pointwise`. */
  readonly layers?: LayerChoice;
  /** Start of the sparsity ramp as a share of all steps. Default: 0.05. */
  readonly start?: number;
  /**
   * End of the sparsity ramp as a share of all steps; the remaining steps recover accuracy.
   * Default: 0.75.
   */
  readonly end?: number;
  /**
   * Update frequency of the masks: one update every (all steps)/masks steps of the ramp. Default:
   * 60.
   */
  readonly masks?: number;
}

/**
 * Gradual magnitude pruning as the `wrapOptimizer` option of `trainOnImages`, which wraps the
 * optimiser.
 *
 * @example await trainOnImages(model, data, random,
 * { epochs: 10, wrapOptimizer: gradualPruning(model, { sparsity: 0.9 }) });
 *
 * @throws RangeError when the sparsity is not in [0, 1); Error when no layer of the model is chosen
 */
export function gradualPruning(
  model: Layer,
  {
    sparsity = 0.9,
    layers = 'pointwise',
    start = 0.05,
    end = 0.75,
    masks = 60,
    ...options
  }: GradualPruningOptions = {},
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

/** What the paper prunes in a network of one of its families. */
export type SparsityRule = Required<Pick<GradualPruningOptions, 'sparsity' | 'layers' | 'pattern'>>;

/** V2's inverted residual from which blocks of two are pruned, of how many. */
const [FIRST_IN_PAIRS, RESIDUALS_V2] = [11, 17];

/**
 * The paper's rule for a network: 90 % zeros in MobileNet V1 with 4×1 blocks in the last separable
 * block, 85 % in V2 with 2×1 blocks from inverted residual 11 of 17 on (at the same share of other
 * depths), 80 % in EfficientNet, whose last layer is pruned too. Squeeze-and-excitation stays
 * dense.
 *
 * @throws Error for another network
 */
export function sparsityRule(model: Layer): SparsityRule {
  if (model instanceof MobileNetV1) {
    const last = `features.${model.features.length - 1}.`;
    return {
      sparsity: 0.9,
      layers: 'pointwise',
      pattern: (name) => (name.startsWith(last) ? 'block4' : 'unstructured'),
    };
  }
  if (model instanceof MobileNetV2) {
    // The stem is before the residuals, the last convolution after them.
    const first = Math.ceil((FIRST_IN_PAIRS / RESIDUALS_V2) * (model.features.length - 2));
    const pattern = (name: string): Pattern => (Number(name.split('.')[1]) >= first ? 'block2' : 'unstructured');
    return { sparsity: 0.85, layers: 'pointwise', pattern };
  }
  if (model instanceof EfficientNet) {
    const pointwise = Object.keys(chosenWeights(model, 'pointwise')).filter((name) => !/\.fc[12]\./.test(name));
    return { sparsity: 0.8, layers: [...pointwise, 'classifier.1.weight'], pattern: 'unstructured' };
  }
  throw new Error('sparsityRule: the paper prunes MobileNetV1, MobileNetV2 and EfficientNet');
}

/** A plan with measured kernel choices. */
export interface SparsePlan {
  /** Plan for the batch size of the example. */
  readonly plan: Plan;
  /** The kernel chosen for each layer with zeros, and why. */
  readonly layers: readonly KernelChoice[];
}

/**
 * Compiles a network to the plan that is fastest on this machine: dense and sparse kernels are
 * timed layer by layer.
 *
 * @param example an input [batch, channels, h, w]
 */
export function sparsePlan(model: Layer, example: Tensor, options: Omit<CompileOptions, 'sparse'> = {}): SparsePlan {
  const layers: KernelChoice[] = [];
  const plan = compile((x) => model.forward(x, inference), [example], {
    weights: stateOf(model),
    ...options,
    sparse: { choose: 'measured', onChoice: (choice) => layers.push(choice) },
  });
  return { plan, layers };
}

/** Options of `trainSparseConvNet`: of the pruning and of the training. */
export interface SparseConvNetOptions extends GradualPruningOptions, Omit<ImageTrainingOptions, 'wrapOptimizer'> {}

/** Result of `trainSparseConvNet`. */
export interface SparseConvNet extends SparsePlan {
  /** Loss curve and outcome of the training. */
  readonly training: FitResult;
}

/**
 * Trains a network while pruning its pointwise convolutions, and compiles it for a batch of one
 * image. The model is changed in place: pruned weights become zero.
 *
 * @param model a network of depthwise and pointwise convolutions, such as `MobileNetV1`, fresh or
 * trained
 * @example const { plan, layers } = await trainSparseConvNet(new MobileNetV1(random), data, random,
 * { sparsity: 0.9, epochs: 20 });
 *
 * @throws Error when no layer matches, before any training; AbortError when the signal fires
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
