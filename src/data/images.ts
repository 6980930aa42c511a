// Labelled images in memory, as bytes, and the batches that training reads.

import { type Random, type Tensor, tensor } from '../tensor/index.js';

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

/** (pixel/255 − mean)/deviation of chosen images: [indices, channels, height, width]. */
export function imageTensor(
  images: LabelledImages,
  indices: ArrayLike<number>,
  { mean, deviation }: Pick<ImageDataset, 'mean' | 'deviation'>,
): Tensor {
  const { channels, height, width, pixels } = images;
  const plane = height * width;
  const values = new Float32Array(indices.length * channels * plane);
  let at = 0;
  for (let i = 0; i < indices.length; i++) {
    for (let channel = 0; channel < channels; channel++) {
      const scale = 1 / (255 * (deviation[channel] as number));
      const shift = (mean[channel] as number) / (deviation[channel] as number);
      let from = ((indices[i] as number) * channels + channel) * plane;
      for (const end = from + plane; from < end; from++) values[at++] = (pixels[from] as number) * scale - shift;
    }
  }
  return tensor(values, [indices.length, channels, height, width]);
}

export interface ImageBatch {
  readonly images: Tensor;
  readonly labels: Tensor;
}

/** The batches of an epoch, shuffled when `random` is given, else in order. The caller's scope owns them. */
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
    yield { images: imageTensor(images, indices, statistics), labels: tensor(labels, [indices.length], 'i32') };
  }
}
