// Classification of small images: classifiers tuned alike on a tenth of the training images, then
// trained on all of them, and the cost of their deployed forms. Test images are scored once.

import { exampleOf, type Footprint, footprint } from '../../compress/index.js';
import { firstImages, glyphImages, type ImageDataset, imageTensor, type LabelledImages } from '../../data/index.js';
import { fetchImages, imageSetNames, loadImages } from '../../data/node.js';
import { accuracyOn, type ImageTrainingOptions } from '../../models/index.js';
import { disposeWeights, inference, type Layer, stateOf } from '../../nn/index.js';
import { Random, scope, softmax } from '../../tensor/index.js';
import { type CompileOptions, compile } from '../../trace/index.js';
import { deployedForm, ImageClassifier, type ImageShape, imageModel } from '../../vision/index.js';
import { numbered, predictionTable } from '../parts/artifacts.js';
import type { Artifacts, Metric, RunContext, Scores, SeedOutcome } from '../parts/contract.js';
import { type Method, type MethodRun, runMethods } from '../parts/methods.js';
import { accuracy, latency, parameters, relabelled, seconds } from '../parts/metrics.js';
import { count, type OptionValues, share } from '../parts/options.js';
import { onOneThread } from '../parts/threads.js';
import { type Setting, tuned } from '../parts/tuning.js';
import { oneImage, type Timing, timesInTurns } from './image-timings.js';

/** The embedded set and the known ones. */
export const imageSets = ['glyphs', ...imageSetNames];

/** The defaults are short, so that all methods fit into minutes. */
export const imageOptions = {
  images: count(6000, 'training images, the first ones', { smoke: 128, minimum: 100 }),
  tests: count(2000, 'test images, the first ones', { smoke: 100, minimum: 100 }),
  epochs: count(3, 'epochs of training', { smoke: 1 }),
  batch: count(32, 'images per step', { minimum: 2 }),
  trials: count(3, 'settings of learning rate and weight decay tried for each method', { smoke: 1, maximum: 6 }),
  tuning: share(0.3, 'share of the training images, without the tenth that validates, that a trial trains on', {
    minimum: 0.01,
  }),
};

type ImageValues = OptionValues<typeof imageOptions>;

/** @throws Error naming the known sets, or saying why a set cannot be had. */
export async function loadImageSet(
  source: string,
  { images, tests }: Pick<ImageValues, 'images' | 'tests'>,
  onDownload?: (name: string) => void,
): Promise<ImageDataset> {
  if (source === 'glyphs') return glyphImages(images, tests, new Random(0).split('glyphs'));
  if (!imageSets.includes(source))
    throw new Error(`image set "${source}" is not known; there are ${imageSets.join(', ')}`);
  await fetchImages(source, onDownload);
  const { train, test, ...about } = loadImages(source);
  return { ...about, train: firstImages(train, images), test: firstImages(test, tests) };
}

function describeImages({ name, train, test }: ImageDataset): string {
  const size = `${train.channels}×${train.height}×${train.width}`;
  return `${name}: ${train.count} training images of ${size}, ${test.count} test images`;
}

export const imageMetrics = {
  accuracy: relabelled(accuracy, { digits: 2 }),
  latency: latency('one image'),
  multiplyAdds: { label: 'multiply-adds of non-zero weights', digits: 0, better: 'smaller' },
  parameters: relabelled(parameters, { label: 'non-zero parameters' }),
  bytes: { label: 'plan', unit: 'KiB', digits: 0, better: 'smaller' },
  seconds,
} as const satisfies Record<string, Metric>;

/** What is tuned of every method. */
export interface ImageSetting extends Setting {
  readonly learningRate: number;
  readonly weightDecay: number;
}

/** A setting with what networks of slow and fast ones are tuned by beside it. */
export interface SlowFastSetting extends ImageSetting {
  /** ω₀ of slow networks. */
  readonly frequency: number;
}

/** What is tried, in order: three trials see every learning rate. */
export const imageSettings: readonly ImageSetting[] = [
  { learningRate: 3e-3, weightDecay: 0.02 },
  { learningRate: 1e-2, weightDecay: 0.1 },
  { learningRate: 1e-3, weightDecay: 0.02 },
  { learningRate: 1e-2, weightDecay: 0.02 },
  { learningRate: 3e-3, weightDecay: 0.1 },
  { learningRate: 1e-3, weightDecay: 0.1 },
];

/** A classifier of the comparison. */
export interface ImageMethod {
  readonly title: string;
  /**
   * A name that `imageModel` knows, or a function that builds the network for a setting. Only the
   * former can be saved.
   */
  readonly network: string | ((shape: ImageShape, random: Random, setting?: ImageSetting) => Layer);
  /** What is tried where it differs; there are as many trials as for the others. */
  readonly settings?: readonly ImageSetting[];
  /** Epochs of training over those of the other methods. Default: 1. */
  readonly longer?: number;
  /** Differences from the common recipe, on the data of the run or of its trials. */
  readonly training?: (model: Layer, setting: ImageSetting, data: ImageDataset) => ImageTrainingOptions;
  /**
   * Changes the model after three quarters of the epochs, and returns the differences from the
   * common recipe in the last quarter.
   */
  readonly cut?: (model: Layer, data: ImageDataset, setting: ImageSetting) => ImageTrainingOptions;
  /** How the deployed form is compiled. */
  readonly plan?: CompileOptions;
}

/**
 * The data of trials: the last tenth of the training images takes the place of the test images, and
 * a share of the others are trained on.
 */
export function tuningData(data: ImageDataset, share: number): ImageDataset {
  const kept = Math.floor(0.9 * data.train.count);
  return {
    ...data,
    train: firstImages(data.train, Math.max(1, Math.round(share * kept))),
    test: imagesFrom(data.train, kept),
  };
}

/** Pictures with blocks of pixels averaged. @throws Error unless the blocks divide the sides */
export function shrunkImages(images: LabelledImages, factor: number): LabelledImages {
  if (factor === 1) return images;
  const { count, channels, height, width, pixels, labels } = images;
  if (height % factor !== 0 || width % factor !== 0)
    throw new Error(`images of ${height}×${width} pixels are not shrunk by ${factor}`);
  const [rows, columns] = [height / factor, width / factor];
  const result = new Uint8Array(count * channels * rows * columns);
  for (let plane = 0; plane < count * channels; plane++)
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++) {
        let sum = 0;
        for (let dy = 0; dy < factor; dy++)
          for (let dx = 0; dx < factor; dx++)
            sum += pixels[(plane * height + y * factor + dy) * width + x * factor + dx] as number;
        result[(plane * rows + y) * columns + x] = Math.round(sum / factor ** 2);
      }
  return { count, channels, height: rows, width: columns, pixels: result, labels };
}

/** The images from one on. */
export function imagesFrom(images: LabelledImages, first: number): LabelledImages {
  const size = images.channels * images.height * images.width;
  return {
    ...images,
    count: images.count - first,
    pixels: images.pixels.subarray(first * size),
    labels: images.labels.subarray(first),
    ...(images.files && { files: images.files.slice(first) }),
  };
}

/** A classifier with fresh weights. */
function classifierOf(
  { title, network }: ImageMethod,
  data: ImageDataset,
  setting: ImageSetting,
  random: Random,
): ImageClassifier {
  const { channels, height, width } = data.train;
  const { classes, mean, deviation } = data;
  const shape = { channels, classes: classes.length, size: height };
  const [architecture, model] =
    typeof network === 'string'
      ? [network, imageModel(network, shape, random)]
      : [title, network(shape, random, setting)];
  return new ImageClassifier({ architecture, classes, channels, height, width, mean, deviation }, model);
}

type Training = Pick<ImageValues, 'epochs' | 'batch'>;

/** Trains with the recipe that all methods share, and a setting of what is tuned. */
async function trainImages(
  method: ImageMethod,
  data: ImageDataset,
  setting: ImageSetting,
  values: Training,
  { random, hooks }: Pick<MethodRun, 'random' | 'hooks'>,
): Promise<ImageClassifier> {
  const { training, cut, longer = 1 } = method;
  const epochs = Math.round(longer * values.epochs);
  const recipe = { batchSize: values.batch, warmUp: 0.1, ...setting };
  const last = cut ? Math.max(1, Math.round(epochs / 4)) : 0;
  const first = Math.max(1, epochs - last);
  const classifier = classifierOf(method, data, setting, random.split('model'));
  const { model } = classifier;
  const own = training?.(model, setting, data);
  await classifier.train(data, random.split('fit'), { ...recipe, epochs: first, ...own, ...hooks });
  hooks.signal?.throwIfAborted();
  if (!cut) return classifier;
  await classifier.train(data, random.split('cut'), {
    ...recipe,
    epochs: last,
    ...cut(model, data, setting),
    signal: hooks.signal,
    onEpoch: (report) => hooks.onEpoch?.({ ...report, epoch: first + report.epoch, epochs: first + last }),
  });
  return classifier;
}

/**
 * A method with learning rate and weight decay chosen by accuracy on a tenth of the training
 * images,
 * once for all seeds, and then trained on all of them. Scores are those of the deployed form on the
 * test images.
 */
export function imageMethod(
  method: ImageMethod,
  data: ImageDataset,
  values: Training & Pick<ImageValues, 'trials' | 'tuning'>,
): Method<ImageClassifier> {
  const { title, settings = imageSettings, plan } = method;
  const trial = tuningData(data, values.tuning);
  return tuned<ImageSetting, ImageClassifier>({
    title,
    settings: settings.slice(0, values.trials),
    once: data,
    train: (setting, run) => trainImages(method, data, setting, values, run),
    trial: (setting, run) => trainImages(method, trial, setting, values, run),
    validation: ({ model }) => accuracyOn(model, trial.test, data),
    discard: ({ model }) => disposeWeights(stateOf(model)),
    score: ({ model }) => deployedScores(model, data, plan),
  });
}

/** Cost of the deployed form of a model on one thread. */
function footprintOf(model: Layer, data: ImageDataset, options: CompileOptions = {}): Footprint {
  return onOneThread(() => {
    const deployed = deployedForm(model);
    const plan = compile((x) => deployed.forward(x, inference), [exampleOf(data)], options);
    const measured = footprint(deployed, plan, data);
    plan.dispose();
    return measured;
  });
}

/** Scores of the deployed form of a model: accuracy on the test images and cost. */
export function deployedScores(model: Layer, data: ImageDataset, options?: CompileOptions): Scores {
  return costScores(footprintOf(model, data, options));
}

function costScores({ accuracy: share, usedMultiplyAdds, nonZeros, bytes }: Footprint): Scores {
  return { accuracy: 100 * share, multiplyAdds: usedMultiplyAdds, parameters: nonZeros, bytes: bytes / 1024 };
}

/** Fields that experiments on images share: spread it into the experiment. */
export const imageTask = {
  datasets: imageSets,
  ownData: 'none: use gossamer train and gossamer compress',
  metrics: imageMetrics,
  load: loadImageSet,
  describe: describeImages,
};

/** Options of `runImageMethods`. */
export interface ImageRunOptions {
  /** Title of the method whose classifier becomes the model file. */
  readonly keep: string;
  /** Scores beside those of the deployed form. */
  readonly score?: (classifier: ImageClassifier) => Scores;
  /** What is timed, all methods in turns. Default: one image on one thread, as `latency`. */
  readonly timings?: Readonly<Record<string, Timing>>;
}

/** Tunes and trains the methods of one seed, then times their deployed forms in turns. */
export async function runImageMethods(
  methods: readonly ImageMethod[],
  data: ImageDataset,
  values: Training & Pick<ImageValues, 'trials' | 'tuning'>,
  context: RunContext,
  { keep, score, timings = { latency: oneImage } }: ImageRunOptions,
): Promise<SeedOutcome> {
  const models = new Map<string, Layer>();
  const trained = methods.map((method) => imageMethod(method, data, values));
  const { methods: scored, kept } = await runMethods(trained, context, {
    keep,
    score: (classifier, { title }) => {
      models.set(title, classifier.deployed());
      return score?.(classifier) ?? {};
    },
  });
  const arms = methods.map(({ title, plan }) => ({ title, model: models.get(title) as Layer, plan }));
  const times = await timesInTurns(arms, data, timings);
  return {
    methods: scored.map((own) => ({ ...own, scores: { ...own.scores, ...times.get(own.method) } })),
    artifacts: () => imageArtifacts(kept as ImageClassifier, data),
  };
}

/**
 * The classifier's file, for `gossamer classify`, with its predictions on the first test images.
 */
export function imageArtifacts(classifier: ImageClassifier, data: ImageDataset): Artifacts {
  const images = firstImages(data.test, 200);
  const all = Int32Array.from({ length: images.count }, (_, i) => i);
  return {
    model: classifier.save(),
    predictions: predictionTable({
      row: 'image',
      rowNames: numbered(images.count),
      classNames: data.classes,
      probabilities: scope(() =>
        softmax(classifier.model.forward(imageTensor(images, all, data), inference)).dataSync(),
      ),
      labels: images.labels,
    }),
  };
}
