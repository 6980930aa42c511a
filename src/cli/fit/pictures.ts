// Classifiers of pictures, for `gossamer fit` and `gossamer train`.

import type { ImageDataset } from '../../data/index.js';
import { accuracyOn } from '../../models/index.js';
import { parameterCount } from '../../nn/index.js';
import { ImageClassifier, requireImageSize } from '../../vision/index.js';
import { type PictureTrainingFlags, readPictures } from '../pictures.js';
import type { FitRequest, Fitted } from './learner.js';
import type { pictureOptions } from './options.js';

type Request = Pick<FitRequest<typeof pictureOptions>, 'values' | 'random' | 'hooks' | 'note'> & {
  readonly pictures: PictureTrainingFlags;
};

/** Trains a network on labelled pictures; the last weights count, not the best on test images. */
export async function fitPictures(
  architecture: string,
  path: string,
  { values, pictures, random, hooks, note }: Request,
): Promise<Fitted> {
  if (pictures.size) requireImageSize(architecture, ...pictures.size);
  const data = await readPictures(path, pictures, { background: pictures.background });
  const classifier = ImageClassifier.create(architecture, data, random.split('model'));
  note(`${architecture}, ${parameterCount(classifier.model).toLocaleString('en-US')} parameters; ${sizesOf(data)}`);
  const { epochs, batch, learningRate, weightDecay, mixing, labelSmoothing, average, augment } = values;
  const { stopped } = await classifier.train(data, random.split('fit'), {
    ...hooks,
    ...{ epochs, batchSize: batch, learningRate, weightDecay, mixing, labelSmoothing },
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

function sizesOf({ train, test, classes }: ImageDataset): string {
  const { count, channels, height, width } = train;
  return `${count} training and ${test.count} test images of ${channels}×${height}×${width}, ${classes.length} classes`;
}
