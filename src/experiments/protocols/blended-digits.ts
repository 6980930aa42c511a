// Digits blended with their negative by γ, and hypernetworks that generate all weights of a
// classifier from γ alone.

import { DIGIT_PIXELS, type DigitImages, drawDigits } from '../../data/index.js';
import { Hypernet, type HypernetOptions, VectorCondition } from '../../hypernet/index.js';
import {
  crossEntropy,
  globalNorm,
  inference,
  type Mode,
  minimize,
  type Optimizer,
  type Step,
  type TrainingHooks,
  type Weights,
} from '../../nn/index.js';
import { type Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { Table } from '../parts/contract.js';
import { DigitNetwork, type DigitNorm, digitAccuracy, pixelsOf } from './digits.js';

/** x with each of d bands of pixels blended with its negative: (1 − γ)x + γ(1 − x). */
export function blend(x: Tensor, gamma: readonly number[]): Tensor {
  const band = DIGIT_PIXELS / gamma.length;
  const gammas = tensor(Float32Array.from({ length: DIGIT_PIXELS }, (_, at) => gamma[Math.floor(at / band)] as number));
  return x.multiply(gammas.multiply(-2).add(1)).add(gammas);
}

export interface BlendedSetting {
  readonly options: HypernetOptions;
  /** Number d of bands of pixels, each with its own γ. Default: 1. */
  readonly dims?: number;
  /** Normalisation layers of the classifier. Default: none. */
  readonly norm?: DigitNorm;
  /** Whether γ is rescaled to [−1, 1], of mean 0. Default: false. */
  readonly signed?: boolean;
}

/** γ rescaled from [0, 1] to [−1, 1]. */
class SignedCondition extends VectorCondition {
  override forward(gammas: Tensor): Tensor {
    return super.forward(gammas).multiply(2).subtract(1);
  }
}

export type BlendedHypernet = Hypernet<DigitNetwork>;

/** A hypernetwork before training, for a classifier 64-64-64-10. */
export function blendedHypernet({ options, dims = 1, norm, signed }: BlendedSetting, random: Random): BlendedHypernet {
  const target = new DigitNetwork([64, 64], random.split('target'), { norm });
  const condition = signed ? new SignedCondition(dims) : new VectorCondition(dims);
  return new Hypernet(target, condition, random.split('hypernet'), options);
}

/** Logits of images under one γ. */
function logitsAt(hypernet: BlendedHypernet, x: Tensor, gamma: readonly number[], mode: Mode): Tensor {
  const condition = tensor([[...gamma]]);
  return hypernet.run(condition, blend(x, gamma), (live, seen) => live.forward(seen, mode));
}

/** Cross-entropy on random images under one random γ. */
function drawnLoss(
  hypernet: BlendedHypernet,
  images: DigitImages,
  batch: number,
  { random, mode }: Pick<Step, 'random' | 'mode'>,
): Tensor {
  const { x, labels } = drawDigits(images, batch, random);
  const gamma = Array.from({ length: hypernet.condition.size }, () => random.float());
  return crossEntropy(logitsAt(hypernet, x, gamma, mode), labels);
}

export interface TrainedBlended {
  readonly hypernet: BlendedHypernet;
  /** Loss by step; Infinity where the loss was not finite and the update was skipped. */
  readonly losses: readonly number[];
  /** Norm of the gradient by update. */
  readonly norms: readonly number[];
}

/** An optimiser that records the norm of each gradient over all parameters. */
function recorded(optimizer: Optimizer, norms: number[]): Optimizer {
  return {
    update(parameters: Weights, gradients: Weights, rateFactor?: number) {
      norms.push(globalNorm(gradients));
      optimizer.update(parameters, gradients, rateFactor);
    },
    state: () => optimizer.state(),
    restore: (state) => optimizer.restore(state),
  };
}

type BlendedTraining = Pick<TrainingHooks, 'signal' | 'onEpoch'> & {
  readonly steps: number;
  readonly batch: number;
  readonly optimizer: Optimizer;
};

/** Trains a hypernetwork in place, one γ a step. */
export function takeSteps(
  hypernet: BlendedHypernet,
  images: DigitImages,
  random: Random,
  { batch, ...training }: BlendedTraining,
): Promise<readonly number[]> {
  return minimize(hypernet, (live, step) => drawnLoss(live, images, batch, step), {
    ...training,
    random,
    stepsPerEpoch: 20,
    nonFinite: 'skip',
  });
}

/** Creates and trains a hypernetwork. */
export async function trainBlended(
  setting: BlendedSetting,
  images: DigitImages,
  random: Random,
  training: BlendedTraining,
): Promise<TrainedBlended> {
  const hypernet = blendedHypernet(setting, random);
  const norms: number[] = [];
  const optimizer = recorded(training.optimizer, norms);
  const losses = await takeSteps(hypernet, images, random, { ...training, optimizer });
  return { hypernet, losses, norms };
}

/** γ at which networks are tested. */
const testGammas = Array.from({ length: 11 }, (_, i) => i / 10);

/** Mean accuracy over eleven γ from 0 to 1, in %. */
export function blendedAccuracy(hypernet: BlendedHypernet, images: DigitImages): number {
  const accuracies = testGammas.map((gamma) => digitAccuracy(images, (x) => logitsAt(hypernet, x, [gamma], inference)));
  return accuracies.reduce((sum, value) => sum + value, 0) / testGammas.length;
}

/** Predictions on the first hundred test images at a small and a large γ. */
export function blendedPredictions(hypernet: BlendedHypernet, test: DigitImages): Table {
  const count = Math.min(100, test.labels.length);
  const rows = [0.1, 0.9].flatMap((gamma) => {
    const logits = scope(() => logitsAt(hypernet, pixelsOf(test, count), [gamma], inference).argmax(1).dataSync());
    return Array.from(logits, (digit, row) => [gamma, row, digit, test.labels[row] as number]);
  });
  return { columns: ['γ', 'image', 'prediction', 'label'], rows };
}
