// Known image sets: MNIST, Fashion-MNIST, and a tenth of CIFAR-10.

import { datasetOf, namesOf } from './catalogue.js';
import { readBytes } from './files.js';
import { datasetPaths, hasDataset } from './folders.js';
import { type NamedArray, readIdx, readNpz } from './formats/index.js';
import type { ImageDataset, LabelledImages } from './images.js';

/** Names that `loadImages` knows. */
export const imageSetNames: readonly string[] = namesOf('images');

/** Whether a known image set is on this machine. */
export function hasImages(name: string): boolean {
  return hasDataset(name, 'images');
}

/**
 * Loads a known image set; see `fetchImages` for those that can be fetched.
 *
 * @throws Error naming the known sets, or saying where its files were looked for.
 */
export function loadImages(name: string): ImageDataset {
  const record = datasetOf(name, 'images');
  if (!record?.images) throw new Error(`image set "${name}" is not known; there are ${imageSetNames.join(', ')}`);
  const paths = datasetPaths(record);
  const parts = paths.every((path) => path.endsWith('.npz'))
    ? paths.map(readColour)
    : [readGrey(paths, 0), readGrey(paths, 2)];
  return { name, ...record.images, train: parts[0] as LabelledImages, test: parts[1] as LabelledImages };
}

function readGrey(paths: readonly string[], first: number): LabelledImages {
  const [images, labels] = [0, 1].map((part) => {
    const path = paths[first + part] as string;
    return readIdx(readBytes(path), path);
  }) as [NamedArray, NamedArray];
  const [count, height, width] = images.shape as [number, number, number];
  return {
    count,
    channels: 1,
    height,
    width,
    pixels: images.values as Uint8Array,
    labels: Int32Array.from(labels.values),
  };
}

/** YCbCr with 4:2:0 chroma subsampling (that of the JPEGs the set was made from), to RGB. */
function readColour(path: string): LabelledImages {
  const { y, cb, cr, label } = readNpz(readBytes(path), path) as Record<'y' | 'cb' | 'cr' | 'label', NamedArray>;
  const [count, height, width] = y.shape as [number, number, number];
  const pixels = new Uint8ClampedArray(count * 3 * height * width);
  const plane = height * width;
  for (let i = 0; i < count * plane; i++) {
    const image = Math.floor(i / plane);
    const row = Math.floor((i % plane) / width);
    const half = (image * (height >> 1) + (row >> 1)) * (width >> 1) + ((i % width) >> 1);
    const luminance = y.values[i] as number;
    const blue = (cb.values[half] as number) - 128;
    const red = (cr.values[half] as number) - 128;
    const at = image * 3 * plane + (i % plane);
    pixels[at] = luminance + 1.402 * red;
    pixels[at + plane] = luminance - 0.344136 * blue - 0.714136 * red;
    pixels[at + 2 * plane] = luminance + 1.772 * blue;
  }
  return {
    count,
    channels: 3,
    height,
    width,
    pixels: new Uint8Array(pixels.buffer),
    labels: Int32Array.from(label.values),
  };
}
