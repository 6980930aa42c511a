// Training a classifier of images: the recipe that backbones, compression and experiments share.

// By file: the readers of formats in gossamer/data need packages that a page of models does without.
import type { Augmentation } from '../data/augment.js';
import { type ImageBatch, type ImageDataset, imageBatches, type LabelledImages } from '../data/images.js';
import { DataLoader } from '../data/loader.js';
import {
  AdamW,
  Averaged,
  accuracy,
  buffers,
  cosine,
  crossEntropy,
  cutmix,
  distillation,
  type FitResult,
  fit,
  inference,
  type Layer,
  type Mode,
  mixup,
  type Optimizer,
  predictedClasses,
  randomOf,
  softCrossEntropy,
  stateOf,
  type TrainingHooks,
  warmUp,
} from '../nn/index.js';
import { type Random, scope, type Tensor } from '../tensor/index.js';

export interface ImageTrainingOptions extends TrainingHooks {
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  /** Decoupled, on weights of at least two axes: biases and norms are free. */
  readonly weightDecay?: number;
  /** Share of the steps in which the rate rises; it falls along half a cosine after. */
  readonly warmUp?: number;
  readonly augmentation?: Augmentation;
  /** Blends pairs of images and their labels. */
  readonly mixing?: 'none' | 'mixup' | 'cutmix';
  readonly labelSmoothing?: number;
  /** Decay of an average of the weights, which the model gets at the end. */
  readonly average?: number;
  /** Logits to learn from beside the labels. */
  readonly teacher?: {
    readonly logits: (images: Tensor) => Tensor;
    readonly weight?: number;
    readonly temperature?: number;
  };
  /** Goes around the optimiser, for instance to keep pruned weights at zero. */
  readonly around?: (optimizer: Optimizer, steps: number) => Optimizer;
  /** Called before each step. */
  readonly onStep?: (step: number, steps: number) => void;
  /** Whether the test images are classified after every epoch, for the report alone. */
  readonly validate?: boolean;
}

/** Trains a classifier in place on a data set's training images: AdamW, warm-up and cosine. The last weights count, not the best on the test images. */
export async function trainOnImages(
  model: Layer,
  data: ImageDataset,
  random: Random,
  options: ImageTrainingOptions = {},
): Promise<FitResult> {
  const { epochs = 30, batchSize = 128, learningRate = 3e-3, weightDecay = 0.05, augmentation = {} } = options;
  const loader = new DataLoader(data.train, data, { batchSize, augmentation });
  const steps = Math.max(1, loader.length * epochs);
  const rising = Math.max(1, Math.round((options.warmUp ?? 0.05) * steps));
  const decayed = Object.fromEntries(Object.entries(stateOf(model)).map(([name, { rank }]) => [name, rank > 1]));
  const adam = new AdamW({ learningRate, weightDecay: (name) => (decayed[name] ? weightDecay : 0) });
  const averaged = options.average === undefined ? undefined : new Averaged(adam, options.average);
  const inner = averaged ?? adam;
  try {
    const result = await fit<Layer, ImageBatch>({
      model,
      epochs,
      random,
      optimizer: options.around?.(inner, steps) ?? inner,
      schedule: warmUp(rising, cosine(Math.max(1, steps - rising))),
      batches: (order) => loader.epoch(order),
      loss: (live, batch, mode) => lossOf(live, batch, mode, data.classes.length, options),
      ...(options.validate && { validate: (live) => accuracyOn(live, data.test, data), restoreBest: false }),
      signal: options.signal,
      checkpoint: options.checkpoint,
      onEpoch: options.onEpoch,
      onStep: (step) => options.onStep?.(step, steps),
    });
    averaged?.loadInto(model, buffers(model));
    return result;
  } finally {
    loader.close();
  }
}

function lossOf(
  model: Layer,
  { images, labels }: ImageBatch,
  mode: Mode,
  classes: number,
  { mixing = 'none', labelSmoothing = 0, teacher }: ImageTrainingOptions,
): Tensor {
  if (teacher) return distillation(model.forward(images, mode), teacher.logits(images), labels, teacher);
  if (mixing === 'none') return crossEntropy(model.forward(images, mode), labels, { labelSmoothing });
  const mixed = (mixing === 'mixup' ? mixup : cutmix)(images, labels, classes, randomOf(mode, 'trainOnImages'));
  return softCrossEntropy(model.forward(mixed.images, mode), mixed.targets);
}

/** Share of images whose class a model gets right. */
export function accuracyOn(
  model: Layer,
  images: LabelledImages,
  data: Pick<ImageDataset, 'mean' | 'deviation'>,
): number {
  return accuracy(
    classesOn((x) => model.forward(x, inference), images, data),
    images.labels,
  );
}

/** The class of each image, by a function from images to logits; batches are of one size where `batchSize` divides their number. */
export function classesOn(
  logits: (images: Tensor) => Tensor,
  images: LabelledImages,
  data: Pick<ImageDataset, 'mean' | 'deviation'>,
  batchSize = 250,
): Int32Array {
  const classes: number[] = [];
  for (const batch of imageBatches(images, data, batchSize))
    scope(() => classes.push(...predictedClasses(logits(batch.images))));
  return Int32Array.from(classes);
}
