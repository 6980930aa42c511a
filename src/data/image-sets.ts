// Known image sets: MNIST, Fashion-MNIST, and a tenth of CIFAR-10.

import { datasetOf, namesOf } from './catalogue.js';
import { type Arrays, requiredArrays } from './features.js';
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
  const [count = 0, height = 0, width = 0] = images.shape;
  if (images.shape.length !== 3 || labels.values.length !== count)
    throw new Error(
      `"${paths[first]}" holds [${images.shape.join(', ')}] and its labels are ${labels.values.length}; expected [images, height, width] and a label each`,
    );
  return {
    count,
    channels: 1,
    height,
    width,
    pixels: Uint8Array.from(images.values),
    labels: Int32Array.from(labels.values),
  };
}

/** YCbCr with 4:2:0 chroma subsampling (that of the JPEGs the set was made from), to RGB. */
function readColour(path: string): LabelledImages {
  return colourImages(readNpz(readBytes(path), path), path);
}

/**
 * Images from an archive's arrays: luminance `y` [n, height, width], chroma `cb` and `cr` of half
 * the height and width, and `label` [n].
 *
 * @throws Error naming an array that is missing or does not fit.
 */
export function colourImages(arrays: Arrays, name: string): LabelledImages {
  const need = requiredArrays(arrays, name);
  const y = need('y');
  const [count = 0, height = 0, width = 0] = y.shape;
  const fitting = (key: string, ...shape: readonly number[]) => {
    const array = need(key);
    if (array.shape.join() !== shape.join())
      throw new Error(`data set "${name}": ${key} is [${array.shape.join(', ')}], expected [${shape.join(', ')}]`);
    return array;
  };
  fitting('y', count, 2 * (height >> 1), 2 * (width >> 1));
  const [cb, cr] = [fitting('cb', count, height >> 1, width >> 1), fitting('cr', count, height >> 1, width >> 1)];
  const label = fitting('label', count);
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
