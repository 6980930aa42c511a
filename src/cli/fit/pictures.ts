// Classifiers of pictures, for `gossamer fit` and `gossamer train`.

import { trainSparsely } from '../../compress/index.js';
import type { ImageDataset } from '../../data/index.js';
import { accuracyOn, type Genotype, type ImageTrainingOptions, VisionTransformer } from '../../models/index.js';
import { type FitResult, MANY_CONTEXT_WEIGHTS, parameterCount, SoftHGNN } from '../../nn/index.js';
import { type Random, zeros } from '../../tensor/index.js';
import { ImageClassifier, imageModelNote, imageModelSettings, requireImageSize } from '../../vision/index.js';
import { predictInitial } from '../initial-weights.js';
import { type PictureTrainingFlags, readPictures } from '../pictures.js';
import type { FitRequest, Fitted } from './learner.js';
import type { pictureOptions } from './options.js';

type Request = Pick<FitRequest<typeof pictureOptions>, 'values' | 'random' | 'hooks' | 'note' | 'init'> & {
  readonly pictures: PictureTrainingFlags;
  /** Cells that a search found, for `dass`. */
  readonly genotype?: Genotype | undefined;
  /** Share of the weights of each layer that is kept. Default: all of them. */
  readonly keep?: number | undefined;
};

/** Steps below which running statistics and weights have hardly settled. */
const FEW_STEPS = 50;

/** Trains a network on labelled pictures; the last weights count, not the best on test images. */
export async function fitPictures(
  architecture: string,
  path: string,
  { values, pictures, random, hooks, note, init, genotype, keep }: Request,
): Promise<Fitted> {
  if (pictures.size) requireImageSize(architecture, ...pictures.size);
  const data = await readPictures(path, pictures, { background: pictures.background });
  const classifier = ImageClassifier.create(
    architecture,
    data,
    random.split('model'),
    settingsOf(architecture, values),
    genotype,
  );
  const ofSize = imageModelNote(architecture, data.train.height, data.train.width);
  if (ofSize !== undefined) note(ofSize);
  if (classifier.model instanceof VisionTransformer) noteContext(classifier.model.context, note);
  note(`${architecture}, ${parameterCount(classifier.model).toLocaleString('en-US')} parameters; ${sizesOf(data)}`);
  if (init !== undefined) {
    const { channels, height, width } = data.train;
    predictInitial(init, classifier.model, [zeros([1, channels, height, width])], note);
  }
  const { epochs, batch, optimizer, learningRate, weightDecay, mixing, labelSmoothing, average, augment } = values;
  const steps = epochs * Math.ceil(data.train.count / batch);
  if (steps < FEW_STEPS)
    note(
      `${steps} steps are few for ${epochs} epochs of ${data.train.count} pictures: smaller batches, such as 8, or more epochs may learn more`,
    );
  const { stopped } = await trainClassifier(classifier, data, random.split('fit'), keep, {
    ...hooks,
    ...{ epochs, batchSize: batch, optimizer, learningRate, weightDecay, mixing, labelSmoothing },
    ...(average > 0 && { average }),
    ...(augment === 'yes' && {
      augmentation: { crop: Math.max(1, Math.round(data.train.width / 8)), flip: true },
    }),
    validate: true,
  });
  const share =
    data.test.count > 0 && stopped !== 'aborted' ? accuracyOn(classifier.model, data.test, data) : undefined;
  return {
    file: () => classifier.trainedOn(data, share).save(),
    lines: [
      `${data.name}: ${sizesOf(data)}`,
      share === undefined
        ? 'no test images, so no accuracy was measured'
        : `test accuracy ${(100 * share).toFixed(2)} %`,
    ],
    scores: share === undefined ? {} : { accuracy: 100 * share },
    stopped,
  };
}

/** Trains all weights, or prunes them to a share: a half as many epochs of scores, then as many again. */
function trainClassifier(
  classifier: ImageClassifier,
  data: ImageDataset,
  random: Random,
  keep: number | undefined,
  { epochs = 0, learningRate = 0, ...options }: ImageTrainingOptions,
): Promise<Pick<FitResult, 'stopped'>> {
  if (keep === undefined) return classifier.train(data, random, { ...options, epochs, learningRate });
  return trainSparsely(classifier.model, data, random, {
    ...{ ...options, keep },
    epochs: { pretrain: epochs, prune: Math.ceil(epochs / 2), finetune: epochs },
    learningRates: { pretrain: learningRate, finetune: learningRate },
  });
}

/** Hyperparameters of the network among values; 0 leaves one to the network. */
function settingsOf(architecture: string, values: object): Record<string, number> {
  const own = values as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.keys(imageModelSettings(architecture)).flatMap((name) => {
      const value = own[name];
      return typeof value === 'number' && value > 0 ? [[name, value]] : [];
    }),
  );
}

/** Notes that many weights of a network are those that make its hyperedges. */
export function noteContext(layer: unknown, note: (text: string) => void): void {
  if (layer instanceof SoftHGNN && layer.contextWeights > MANY_CONTEXT_WEIGHTS)
    note(
      `${layer.contextWeights.toLocaleString('en-US')} weights make ${layer.hyperedges} hyperedges follow the picture; fewer hyperedges need fewer`,
    );
}

function sizesOf({ train, test, classes }: ImageDataset): string {
  const { count, channels, height, width } = train;
  return `${count} training and ${test.count} test images of ${channels}×${height}×${width}, ${classes.length} classes`;
}
