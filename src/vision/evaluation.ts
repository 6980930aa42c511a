// How a classifier does on labelled images: accuracy, confusions, and its most confident mistakes.

import { type ImageDataset, imageBatches, type LabelledImages } from '../data/images.js';
import { accuracy, balancedAccuracy, confusionMatrix, inference, type Layer } from '../nn/index.js';
import { scope, softmax } from '../tensor/index.js';

/** An image that was taken for one of another class. */
export interface ImageMistake {
  /** Number of the image. */
  readonly image: number;
  /** Its class. */
  readonly label: number;
  /** The class that it was taken for. */
  readonly predicted: number;
  /** The probability that the network gave to that. */
  readonly probability: number;
}

/** What a classifier answers on labelled images. */
export interface ImageEvaluation {
  /** Share of the images that are right. */
  readonly accuracy: number;
  /** Mean over the classes of the share of their images that are right. */
  readonly balancedAccuracy: number;
  /** Images of each class (row) by what they were taken for (column), [classes, classes]. */
  readonly confusion: Int32Array;
  /** All mistakes, the most confident first. */
  readonly mistakes: readonly ImageMistake[];
}

/** Images that are classified at once. */
const BATCH = 250;

/**
 * Classifies labelled images, normalised by `data`.
 *
 * @throws RangeError when there are none
 */
export function evaluateImages(
  model: Layer,
  images: LabelledImages,
  data: Pick<ImageDataset, 'mean' | 'deviation' | 'classes'>,
): ImageEvaluation {
  if (images.count === 0) throw new RangeError('evaluateImages: there are no images');
  const classes = data.classes.length;
  const { labels } = images;
  const predicted = new Int32Array(images.count);
  const mistakes: ImageMistake[] = [];
  let image = 0;
  for (const batch of imageBatches(images, data, BATCH)) {
    const probabilities = scope(() => softmax(model.forward(batch.images, inference)).dataSync());
    for (let from = 0; from < probabilities.length; from += classes, image++) {
      const own = probabilities.subarray(from, from + classes);
      const best = own.reduce((most, value, at) => (value > (own[most] as number) ? at : most), 0);
      predicted[image] = best;
      const label = labels[image] as number;
      if (best !== label) mistakes.push({ image, label, predicted: best, probability: own[best] as number });
    }
  }
  return {
    accuracy: accuracy(predicted, labels),
    balancedAccuracy: balancedAccuracy(predicted, labels, classes),
    confusion: confusionMatrix(predicted, labels, classes),
    mistakes: mistakes.sort((a, b) => b.probability - a.probability),
  };
}
