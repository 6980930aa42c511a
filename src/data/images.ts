// Labelled 8-bit images in memory, and batches of them as tensors.

import { type Random, type Tensor, tensor } from '../tensor/index.js';
import { augment } from './augment.js';
import type { Background } from './pictures.js';

/** Images [count, channels, height, width] of 8 bits, with the class of each. */
export interface LabelledImages {
  /** Number of images. */
  readonly count: number;
  /** 1 for grey, 3 for RGB. */
  readonly channels: number;
  /** Pixels. */
  readonly height: number;
  /** Pixels. */
  readonly width: number;
  /** Intensities 0…255, row-major. */
  readonly pixels: Uint8Array;
  /** Class of each image [count]. */
  readonly labels: Int32Array;
  /** File of each image [count], where each has its own. */
  readonly files?: readonly string[];
}

/** Training and test images with the names of the classes. */
export interface ImageDataset {
  /** Name in the catalogue, or the path. */
  readonly name: string;
  /** Name of each class. */
  readonly classes: readonly string[];
  /** Training images. */
  readonly train: LabelledImages;
  /** Test images. */
  readonly test: LabelledImages;
  /** Mean and standard deviation of each channel over the training pixels, with 255 as 1. */
  readonly mean: readonly number[];
  /** Standard deviation of each channel, likewise. */
  readonly deviation: readonly number[];
  /** What transparent pixels were laid on, and are in pictures to come. Default: white. */
  readonly background?: Background;
}

/** The first `most` images, or all of them when there are fewer. Pixels are shared, not copied. */
export function firstImages(images: LabelledImages, most: number): LabelledImages {
  const count = Math.min(most, images.count);
  const size = images.channels * images.height * images.width;
  return {
    ...images,
    count,
    pixels: images.pixels.subarray(0, count * size),
    labels: images.labels.subarray(0, count),
    ...(images.files && { files: images.files.slice(0, count) }),
  };
}

/** The images in two random halves, the first of ⌊count/2⌋. */
export function imageHalves(images: LabelledImages, random: Random): [LabelledImages, LabelledImages] {
  const order = random.permutation(images.count);
  const half = images.count >> 1;
  return [selectedImages(images, order.subarray(0, half)), selectedImages(images, order.subarray(half))];
}

/** Copies of the images of these numbers. */
export function selectedImages(images: LabelledImages, indices: Int32Array): LabelledImages {
  const size = images.channels * images.height * images.width;
  const pixels = new Uint8Array(indices.length * size);
  for (const [at, index] of indices.entries())
    pixels.set(images.pixels.subarray(index * size, (index + 1) * size), at * size);
  return {
    ...images,
    count: indices.length,
    pixels,
    labels: indices.map((index) => images.labels[index] as number),
    ...(images.files && { files: Array.from(indices, (index) => images.files?.[index] as string) }),
  };
}

/**
 * Selected images, normalised: (pixel/255 − mean) / deviation, f32 [indices, channels, height,
 * width].
 */
export function imageTensor(
  images: LabelledImages,
  indices: ArrayLike<number>,
  { mean, deviation }: Pick<ImageDataset, 'mean' | 'deviation'>,
): Tensor {
  const { channels, height, width } = images;
  const values = augment({ ...images, mean, deviation }, Int32Array.from(indices), {}, 0);
  return tensor(values, [indices.length, channels, height, width]);
}

/** A batch of images as tensors. */
export interface ImageBatch {
  /** f32 [batch, channels, height, width] */
  readonly images: Tensor;
  /** i32 [batch] */
  readonly labels: Tensor;
}

/**
 * Number of batches for training. A rest of one image joins the batch before it, since batch norm
 * has no statistics of one.
 */
export function trainingBatches(count: number, batchSize: number): number {
  const batches = Math.ceil(count / batchSize);
  return batches > 1 && batchSize > 1 && count % batchSize === 1 ? batches - 1 : batches;
}

/**
 * The batches of one epoch, shuffled when `random` is given; then a rest of one image joins the
 * batch before it (see `trainingBatches`). The tensors of a batch are disposed when the next batch
 * is requested.
 */
export function* imageBatches(
  images: LabelledImages,
  statistics: Pick<ImageDataset, 'mean' | 'deviation'>,
  batchSize: number,
  random?: Random,
): Generator<ImageBatch> {
  const order = random?.permutation(images.count) ?? Int32Array.from({ length: images.count }, (_, i) => i);
  const batches = random ? trainingBatches(images.count, batchSize) : Math.ceil(images.count / batchSize);
  for (let at = 0; at < batches; at++) {
    const indices = order.subarray(at * batchSize, at === batches - 1 ? images.count : (at + 1) * batchSize);
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

/** Mean and deviation of each channel, in units of 255. */
export function imageStatistics({
  count,
  channels,
  height,
  width,
  pixels,
}: LabelledImages): Pick<ImageDataset, 'mean' | 'deviation'> {
  const plane = height * width;
  const moments = Array.from({ length: channels }, (_, channel) => {
    let [sum, squares] = [0, 0];
    for (let image = 0; image < count; image++)
      for (let i = (image * channels + channel) * plane, end = i + plane; i < end; i++) {
        const value = (pixels[i] as number) / 255;
        sum += value;
        squares += value * value;
      }
    const mean = sum / (count * plane);
    // Constant images have deviation 0, which must not be divided by.
    return { mean, deviation: Math.sqrt(Math.max(0, squares / (count * plane) - mean ** 2)) || 1 };
  });
  return { mean: moments.map(({ mean }) => mean), deviation: moments.map(({ deviation }) => deviation) };
}
