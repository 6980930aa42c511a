// Classification of small images: classifiers trained with one recipe, and the cost of their
// deployed forms.

import { exampleOf, type Footprint, footprint } from '../../compress/index.js';
import { firstImages, glyphImages, type ImageDataset, imageTensor } from '../../data/index.js';
import { fetchImages, imageSetNames, loadImages } from '../../data/node.js';
import type { ImageTrainingOptions } from '../../models/index.js';
import { inference, type Layer } from '../../nn/index.js';
import { Random, scope, softmax } from '../../tensor/index.js';
import { type CompileOptions, compile } from '../../trace/index.js';
import { deployedForm, ImageClassifier, type ImageShape, imageModel } from '../../vision/index.js';
import { numbered, predictionTable } from '../parts/artifacts.js';
import type { Artifacts, Metric, RunContext, Scores, SeedOutcome } from '../parts/contract.js';
import { type Method, runMethods } from '../parts/methods.js';
import { accuracy, latency, parameters, relabelled, seconds } from '../parts/metrics.js';
import { count, type OptionValues } from '../parts/options.js';
import { onOneThread } from '../parts/threads.js';

/** The embedded set and the known ones. */
export const imageSets = ['glyphs', ...imageSetNames];

/** The defaults are short, so that all methods fit into minutes. */
export const imageOptions = {
  images: count(6000, 'training images, the first ones', { smoke: 320, minimum: 100 }),
  tests: count(2000, 'test images, the first ones', { smoke: 100, minimum: 100 }),
  epochs: count(3, 'epochs of training', { smoke: 1 }),
  batch: count(32, 'images per step', { minimum: 2 }),
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

/** A classifier of the comparison. */
export interface ImageMethod {
  readonly title: string;
  /**
   * A name that `imageModel` knows, or a function that builds the network. Only the former can be
   * saved.
   */
  readonly network: string | ((shape: ImageShape, random: Random) => Layer);
  /** Differences from the common recipe. */
  readonly training?: (model: Layer) => ImageTrainingOptions;
  /**
   * Changes the model after three quarters of the epochs, and returns the differences from the
   * common recipe in the last quarter.
   */
  readonly cut?: (model: Layer, data: ImageDataset) => ImageTrainingOptions;
  /** How the deployed form is compiled. */
  readonly plan?: CompileOptions;
}

/** A classifier with fresh weights. */
function classifierOf({ title, network }: ImageMethod, data: ImageDataset, random: Random): ImageClassifier {
  const { channels, height, width } = data.train;
  const { classes, mean, deviation } = data;
  const shape = { channels, classes: classes.length, size: height };
  const [architecture, model] =
    typeof network === 'string' ? [network, imageModel(network, shape, random)] : [title, network(shape, random)];
  return new ImageClassifier({ architecture, classes, channels, height, width, mean, deviation }, model);
}

/** Trains with the recipe that all methods share; scores are those of the deployed form. */
export function imageMethod(
  method: ImageMethod,
  data: ImageDataset,
  { epochs, batch }: Pick<ImageValues, 'epochs' | 'batch'>,
): Method<ImageClassifier> {
  const { title, training, cut, plan } = method;
  const recipe = { batchSize: batch, learningRate: 3e-3, weightDecay: 0.02, warmUp: 0.1 };
  const last = cut ? Math.max(1, Math.round(epochs / 4)) : 0;
  const first = Math.max(1, epochs - last);
  return {
    title,
    train: async ({ random, hooks }) => {
      const classifier = classifierOf(method, data, random.split('model'));
      const { model } = classifier;
      await classifier.train(data, random.split('fit'), { ...recipe, epochs: first, ...training?.(model), ...hooks });
      hooks.signal?.throwIfAborted();
      if (!cut) return classifier;
      await classifier.train(data, random.split('cut'), {
        ...recipe,
        epochs: last,
        ...cut(model, data),
        signal: hooks.signal,
        onEpoch: (report) => hooks.onEpoch?.({ ...report, epoch: first + report.epoch, epochs: first + last }),
      });
      return classifier;
    },
    score: ({ model }) => costScores(footprintOf(model, data, plan)),
  };
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

function costScores({ accuracy: share, milliseconds, usedMultiplyAdds, nonZeros, bytes }: Footprint): Scores {
  return {
    accuracy: 100 * share,
    latency: milliseconds,
    multiplyAdds: usedMultiplyAdds,
    parameters: nonZeros,
    bytes: bytes / 1024,
  };
}

/** Fields that experiments on images share: spread it into the experiment. */
export const imageTask = {
  datasets: imageSets,
  ownData: 'none: use gossamer train and gossamer compress',
  metrics: imageMetrics,
  load: loadImageSet,
  describe: describeImages,
};

/**
 * Trains the methods of one seed with one recipe; the classifier of `keep` becomes the model file.
 *
 * @param score scores beside those of the deployed form
 */
export async function runImageMethods(
  methods: readonly ImageMethod[],
  data: ImageDataset,
  values: Pick<ImageValues, 'epochs' | 'batch'>,
  context: RunContext,
  { keep, score }: { readonly keep: string; readonly score?: (classifier: ImageClassifier) => Scores },
): Promise<SeedOutcome> {
  const trained = methods.map((method) => imageMethod(method, data, values));
  const { methods: scored, kept } = await runMethods(trained, context, { score, keep });
  return { methods: scored, artifacts: () => imageArtifacts(kept as ImageClassifier, data) };
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
