// Digits blended with their negative by γ, and hypernetworks that generate all weights of a
// classifier from γ alone.

import { DIGIT_PIXELS, type DigitImages, drawDigits } from '../../data/index.js';
import { Hypernet, type HypernetOptions, VectorCondition } from '../../hypernet/index.js';
import {
  crossEntropy,
  globalNorm,
  gradientsOf,
  inference,
  type Mode,
  minimize,
  type Optimizer,
  type Step,
  type TrainingHooks,
  training,
} from '../../nn/index.js';
import { type Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import type { Table } from '../parts/contract.js';
import { DigitNetwork, type DigitNorm, digitAccuracy, pixelsOf } from './digits.js';

/** x with each of d bands of pixels blended with its negative: (1 − γ)x + γ(1 − x). */
function blend(x: Tensor, gamma: readonly number[]): Tensor {
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
}

type BlendedHypernet = Hypernet<DigitNetwork>;

/** A hypernetwork before training, for a classifier 64-64-64-10. */
export function blendedHypernet({ options, dims = 1, norm }: BlendedSetting, random: Random): BlendedHypernet {
  const target = new DigitNetwork([64, 64], random.split('target'), { norm });
  return new Hypernet(target, new VectorCondition(dims), random.split('hypernet'), options);
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
}

/** Trains a hypernetwork, one γ a step. */
export async function trainBlended(
  setting: BlendedSetting,
  images: DigitImages,
  random: Random,
  training: Pick<TrainingHooks, 'signal' | 'onEpoch'> & { steps: number; batch: number; optimizer: Optimizer },
): Promise<TrainedBlended> {
  const { batch, ...rest } = training;
  const hypernet = blendedHypernet(setting, random);
  const losses = await minimize(hypernet, (live, step) => drawnLoss(live, images, batch, step), {
    ...rest,
    random,
    stepsPerEpoch: 20,
    nonFinite: 'skip',
  });
  return { hypernet, losses };
}

/** Gradient norms before training, over 50 random γ and batches. */
export function gradientNorms(setting: BlendedSetting, images: DigitImages, batch: number, random: Random): number[] {
  const hypernet = blendedHypernet(setting, random);
  return Array.from({ length: 50 }, (_, draw) =>
    scope(() => {
      const step = { random: random.split('norms').split(draw), mode: training(random.split('masks').split(draw)) };
      return globalNorm(gradientsOf(hypernet, (live) => drawnLoss(live, images, batch, step)).gradients);
    }),
  );
}

/** Mean accuracy on test images over six γ, in %. */
export function blendedAccuracy(hypernet: BlendedHypernet, test: DigitImages): number {
  const gammas = [0.05, 0.25, 0.45, 0.55, 0.75, 0.95];
  const accuracies = gammas.map((gamma) => digitAccuracy(test, (x) => logitsAt(hypernet, x, [gamma], inference)));
  return accuracies.reduce((sum, value) => sum + value, 0) / gammas.length;
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
