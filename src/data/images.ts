// Labelled images in memory, as bytes, and the batches that training reads.

import { type Random, type Tensor, tensor } from '../tensor/index.js';
import { augment } from './augment.js';

/** Images [count, channels, height, width] as bytes, with a class number each. */
export interface LabelledImages {
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly pixels: Uint8Array;
  readonly labels: Int32Array;
}

export interface ImageDataset {
  readonly name: string;
  readonly classes: readonly string[];
  readonly train: LabelledImages;
  readonly test: LabelledImages;
  /** Mean and standard deviation of each channel over the training pixels, in units of 255. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** The first images. */
export function firstImages(images: LabelledImages, most: number): LabelledImages {
  const count = Math.min(most, images.count);
  const size = images.channels * images.height * images.width;
  return {
    ...images,
    count,
    pixels: images.pixels.subarray(0, count * size),
    labels: images.labels.subarray(0, count),
  };
}

/** (pixel/255 − mean)/deviation of chosen images: [indices, channels, height, width]. */
export function imageTensor(
  images: LabelledImages,
  indices: ArrayLike<number>,
  { mean, deviation }: Pick<ImageDataset, 'mean' | 'deviation'>,
): Tensor {
  const { channels, height, width } = images;
  const values = augment({ ...images, mean, deviation }, Int32Array.from(indices), {}, 0);
  return tensor(values, [indices.length, channels, height, width]);
}

export interface ImageBatch {
  readonly images: Tensor;
  readonly labels: Tensor;
}

/** The batches of an epoch, shuffled when `random` is given, else in order. A batch's tensors live until the next is asked for. */
export function* imageBatches(
  images: LabelledImages,
  statistics: Pick<ImageDataset, 'mean' | 'deviation'>,
  batchSize: number,
  random?: Random,
): Generator<ImageBatch> {
  const order = random?.permutation(images.count) ?? Int32Array.from({ length: images.count }, (_, i) => i);
  for (let start = 0; start < images.count; start += batchSize) {
    const indices = order.subarray(start, start + batchSize);
    const labels = indices.map((index) => images.labels[index] as number);
    const batch = { images: imageTensor(images, indices, statistics), labels: tensor(labels, [indices.length], 'i32') };
    try {
      yield batch;
    } finally {
      batch.images.dispose();
      batch.labels.dispose();
    }
  }
}
