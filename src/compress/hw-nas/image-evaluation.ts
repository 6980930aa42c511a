// What the sub-networks of an elastic network of pictures are measured on.

import { type ImageDataset, imageTensor, type LabelledImages, selectedImages } from '../../data/index.js';
import { predictedClasses } from '../../nn/index.js';
import { concatenate, scope, type Tensor, zeros } from '../../tensor/index.js';
import type { EvaluationData } from './super-network.js';

/** Images that estimate the statistics of batch norms, and those of one of their batches. */
const [STATISTICS, STATISTICS_BATCH] = [500, 250];
/** Images that calibrate int8 plans. */
const CALIBRATION = 32;

/** Share of the pictures that are kept from training for searches. */
const HELD_OUT = 5;

/**
 * Pictures for training, and a fifth for the search. Which they are depends on their pixels alone,
 * so that a search finds those again that the training of its super-network left out.
 */
export function searchSplit(images: LabelledImages): {
  readonly train: LabelledImages;
  readonly validation: LabelledImages;
} {
  const isHeld = Array.from({ length: images.count }, (_, i) => hashOf(images, i) % HELD_OUT === 0);
  const all = Int32Array.from(isHeld, (_, i) => i);
  return {
    train: selectedImages(
      images,
      all.filter((i) => !isHeld[i]),
    ),
    validation: selectedImages(
      images,
      all.filter((i) => isHeld[i]),
    ),
  };
}

/** FNV-1a of the pixels of an image. */
function hashOf({ pixels, channels, height, width }: LabelledImages, i: number): number {
  const size = channels * height * width;
  let hash = 0x811c9dc5;
  for (let at = i * size; at < (i + 1) * size; at++) hash = Math.imul(hash ^ (pixels[at] as number), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/**
 * Evaluation on pictures: statistics and calibration of training images, accuracy on validation
 * images in passes of a fixed size.
 *
 * @param passes images of a pass, the last one filled up
 */
export function imageEvaluation(
  data: Pick<ImageDataset, 'train' | 'mean' | 'deviation'>,
  validation: LabelledImages,
  passes = 100,
): EvaluationData {
  const { train } = data;
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  return {
    *statistics() {
      const count = Math.min(STATISTICS, train.count);
      for (let from = 0; from < count; from += STATISTICS_BATCH) {
        const batch = imageTensor(train, range(from, Math.min(count, from + STATISTICS_BATCH)), data);
        yield batch;
        batch.dispose();
      }
    },
    accuracy: (logits) => accuracyInPasses(logits, validation, data, passes),
    example: (batch) =>
      imageTensor(
        train,
        range(0, batch).map((i) => i % train.count),
        data,
      ),
    calibration: (batch) =>
      Array.from({ length: Math.ceil(CALIBRATION / batch) }, (_, k) => [
        imageTensor(
          train,
          range(k * batch, (k + 1) * batch).map((i) => i % train.count),
          data,
        ),
      ]),
  };
}

/** Share of images that are classified correctly, in passes of one size. */
export function accuracyInPasses(
  logits: (images: Tensor) => Tensor,
  images: LabelledImages,
  data: Pick<ImageDataset, 'mean' | 'deviation'>,
  passes = 100,
): number {
  let correct = 0;
  for (let from = 0; from < images.count; from += passes)
    scope(() => {
      const count = Math.min(passes, images.count - from);
      const own = imageTensor(
        images,
        Array.from({ length: count }, (_, i) => from + i),
        data,
      );
      const filled = count === passes ? own : concatenate([own, zeros([passes - count, ...own.shape.slice(1)])]);
      const predicted = predictedClasses(logits(filled));
      for (let i = 0; i < count; i++) correct += Number(predicted[i] === images.labels[from + i]);
    });
  return correct / images.count;
}
