// What experiments on images share: data, classifiers trained alike side by side, and what each costs once it is deployed.

import { type Footprint, footprint } from '../compress/index.js';
import { firstImages, glyphImages, type ImageDataset, imageTensor } from '../data/index.js';
import { loadImages } from '../data/node.js';
import { setThreads, threads } from '../engine/index.js';
import { accuracyOn, type ImageTrainingOptions } from '../models/index.js';
import { inference, type Layer, predictedClasses, stateOf } from '../nn/index.js';
import { Random, scope, zeros } from '../tensor/index.js';
import { type CompileOptions, compile } from '../trace/index.js';
import { deployedForm, ImageClassifier, type ImageShape } from '../vision/index.js';
import type { Artifacts, Metric, RunContext, Scores } from './contract.js';

/** A classifier that takes part. */
export interface ImageArm {
  readonly title: string;
  make(shape: ImageShape, random: Random): Layer;
  /** What differs from the common recipe. */
  readonly training?: (model: Layer, run: ImageRun) => ImageTrainingOptions;
  /** Called on the trained model, before it is measured. */
  readonly after?: (model: Layer, data: ImageDataset, random: Random, run: ImageRun) => void | Promise<void>;
  readonly plan?: CompileOptions;
}

export const imageSets = ['glyphs', 'fashion-mnist', 'cifar10', 'mnist'] as const;

/** The options that say how much is seen; the defaults are short, so that all arms fit into minutes. */
export const imageOptions = {
  images: {
    kind: 'number',
    default: 6000,
    smoke: 600,
    minimum: 100,
    integer: true,
    about: 'training images, the first ones',
  },
  tests: {
    kind: 'number',
    default: 2000,
    smoke: 200,
    minimum: 100,
    integer: true,
    about: 'test images, the first ones',
  },
  epochs: { kind: 'number', default: 3, smoke: 1, minimum: 1, integer: true, about: 'epochs of training' },
  batch: { kind: 'number', default: 32, minimum: 2, integer: true, about: 'images a step' },
} as const;

export interface ImageRun {
  readonly images: number;
  readonly tests: number;
  readonly epochs: number;
  readonly batch: number;
}

export async function loadImageSet(system: string, source: string, { images, tests }: ImageRun): Promise<ImageDataset> {
  if (!imageSets.includes(source as (typeof imageSets)[number]))
    throw new Error(`${system}: unknown data "${source}"; known: ${imageSets.join(', ')}`);
  const all = source === 'glyphs' ? glyphImages(images, tests, new Random(0).split('glyphs')) : loadImages(source);
  return { ...all, train: firstImages(all.train, images), test: firstImages(all.test, tests) };
}

export function describeImages({ name, train, test }: ImageDataset): string {
  return `${name}: ${train.count} images of ${train.channels}×${train.height}×${train.width} to train on, ${test.count} to test`;
}

export const imageMetrics = {
  accuracy: { label: 'accuracy', unit: '%', digits: 2, better: 'larger' },
  latency: { label: 'one image', unit: 'ms', digits: 3, better: 'smaller' },
  multiplyAdds: { label: 'multiply-adds used', digits: 0, better: 'smaller' },
  parameters: { label: 'parameters, not zero', digits: 0, better: 'smaller' },
  bytes: { label: 'plan', unit: 'KiB', digits: 0, better: 'smaller' },
  seconds: { label: 'training', unit: 's', digits: 1, better: 'smaller' },
} as const satisfies Record<string, Metric>;

export interface TrainedArm {
  readonly scores: Scores;
  readonly model: Layer;
  /** Accuracy of the model in the form that was trained, in percent. */
  readonly trainedAccuracy: number;
}

/** The recipe that all arms share. */
export function recipeOf({ epochs, batch }: ImageRun): ImageTrainingOptions {
  return { epochs, batchSize: batch, learningRate: 3e-3, weightDecay: 0.02, warmUp: 0.1 };
}

/** Trains one arm from its own stream of the seed and measures its plan on one thread. */
export async function trainArm(
  arm: ImageArm,
  data: ImageDataset,
  run: ImageRun,
  context: RunContext,
): Promise<TrainedArm> {
  const random = new Random(context.seed).split(arm.title);
  const { channels, height, width } = data.train;
  const { classes, mean, deviation } = data;
  const model = arm.make({ channels, classes: classes.length, size: height }, random.split('model'));
  const description = { architecture: arm.title, classes, channels, height, width, mean, deviation };
  const started = performance.now();
  const { stopped } = await new ImageClassifier(description, model).train(data, random.split('fit'), {
    ...recipeOf(run),
    ...arm.training?.(model, run),
    signal: context.signal,
    onEpoch: (report) => context.onEpoch(arm.title, report),
  });
  if (stopped === 'aborted') throw new DOMException('the run was stopped', 'AbortError');
  await arm.after?.(model, data, random.split('after'), run);
  const seconds = (performance.now() - started) / 1000;
  const cost = costOf(model, data, arm.plan);
  return {
    model,
    trainedAccuracy: 100 * accuracyOn(model, data.test, data),
    scores: {
      accuracy: 100 * cost.accuracy,
      latency: cost.milliseconds,
      multiplyAdds: cost.usedMultiplyAdds,
      parameters: cost.nonZeros,
      bytes: cost.bytes / 1024,
      seconds,
    },
  };
}

/** What the deployed form takes, on one thread. */
export function costOf(model: Layer, data: ImageDataset, options: CompileOptions = {}): Footprint {
  const before = threads();
  setThreads(1);
  try {
    const deployed = deployedForm(model);
    const { channels, height, width } = data.test;
    const plan = compile((x) => deployed.forward(x, inference), [zeros([1, channels, height, width])], options);
    const cost = footprint(deployed, plan, data);
    plan.dispose();
    return cost;
  } finally {
    setThreads(before);
  }
}

/** The model's file and what it says of the first test images. */
export function imageArtifacts(system: string, model: Layer, data: ImageDataset): Artifacts {
  const count = Math.min(200, data.test.count);
  const predicted = scope(() =>
    predictedClasses(
      model.forward(
        imageTensor(
          data.test,
          Int32Array.from({ length: count }, (_, i) => i),
          data,
        ),
        inference,
      ),
    ),
  );
  return {
    model: { weights: stateOf(model), metadata: { system, data: data.name, classes: JSON.stringify(data.classes) } },
    predictions: {
      columns: ['image', 'prediction', 'label'],
      rows: Array.from(predicted, (code, i) => [
        i,
        data.classes[code] as string,
        data.classes[data.test.labels[i] as number] as string,
      ]),
    },
  };
}
