// The user's own labelled images: one folder of pictures per class, or IDX files as in MNIST.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../tensor/index.js';
import { fetchImages } from './download.js';
import { readBytes } from './files.js';
import { readIdx } from './formats/index.js';
import { imageSetNames, loadImages } from './image-sets.js';
import type { ImageDataset, LabelledImages } from './images.js';
import { decodePicture, isPicture, type Picture, planesOf } from './pictures.js';

/** Options of `readImages`. */
export interface ImageFolderOptions {
  /**
   * Height and width in pixels that pictures are resized to. Left out: all must have the size of
   * the first.
   */
  readonly size?: number;
  /** 1 converts all pictures to grey, 3 to RGB. Left out: all must agree. */
  readonly channels?: 1 | 3;
  /** Share of the images held out for testing where there is no folder `test`. Default 0.1. */
  readonly testShare?: number;
  /** Of the random split. Default 0. */
  readonly seed?: number;
  /** Called after each picture. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Called with the address of each file that is fetched. */
  readonly onDownload?: (url: string) => void;
}

const testNames = ['test', 'val', 'validation'];

/**
 * Reads labelled images: a known set, which is fetched where it is missing; a folder of IDX files
 * (`train-images…`, `train-labels…`, `t10k-images…`, `t10k-labels…`); or a folder with one folder
 * of pictures per class, optionally below `train` and `test` (or `val`). `mean` and `deviation` of
 * a folder are those of its training images.
 *
 * @throws Error for an unknown name, or naming a picture that cannot be decoded, a class without
 * pictures, or the first picture of another size or colour.
 */
export async function readImages(path: string, options: ImageFolderOptions = {}): Promise<ImageDataset> {
  if (!existsSync(path) && imageSetNames.includes(path)) {
    await fetchImages(path, options.onDownload);
    return loadImages(path);
  }
  if (!existsSync(path))
    throw new Error(`"${path}" is neither a folder nor a known image set (${imageSetNames.join(', ')})`);
  if (!statSync(path).isDirectory()) throw new Error(`"${path}" is a file; give the folder of images`);
  const files = readdirSync(path).sort();
  if (files.some((file) => /images.*idx3/.test(file))) return readIdxFolder(path, files);
  return readClassFolders(path, options);
}

function readIdxFolder(path: string, files: readonly string[]): ImageDataset {
  const part = (prefix: RegExp): LabelledImages => {
    const read = (kind: string) => {
      const file = files.find((name) => prefix.test(name) && name.includes(kind));
      if (!file) throw new Error(`folder "${path}" lacks the ${kind} of ${prefix.source}: expected names as MNIST's`);
      return { file: join(path, file), ...readIdx(readBytes(join(path, file)), file) };
    };
    const [images, labels] = [read('images'), read('labels')];
    const [count = 0, height = 0, width = 0] = images.shape;
    if (images.shape.length !== 3) throw new Error(`"${images.file}" holds ${images.shape.join('×')}, not grey images`);
    if (labels.values.length !== count)
      throw new Error(`"${labels.file}" holds ${labels.values.length} labels for ${count} images`);
    return {
      count,
      channels: 1,
      height,
      width,
      pixels: Uint8Array.from(images.values),
      labels: Int32Array.from(labels.values),
    };
  };
  const [train, test] = [part(/^train/), part(/^t(10k|est)/)];
  const classes = Math.max(...train.labels, ...test.labels) + 1;
  const names = Array.from({ length: classes }, (_, i) => String(i));
  return { name: path, classes: names, train, test, ...statisticsOf(train) };
}

interface Labelled {
  readonly file: string;
  readonly label: number;
}

async function readClassFolders(path: string, options: ImageFolderOptions): Promise<ImageDataset> {
  const testName = testNames.find((name) => existsSync(join(path, name)));
  const parted = testName !== undefined && existsSync(join(path, 'train'));
  const root = parted ? join(path, 'train') : path;
  const classes = foldersOf(root);
  if (classes.length < 2)
    throw new Error(
      `folder "${root}" must hold a folder of pictures for each of at least two classes; it holds ${classes.length}`,
    );
  const listed = picturesOf(root, classes);
  let [train, test] = [listed, [] as Labelled[]];
  if (parted) {
    const other = join(path, testName);
    const unknown = foldersOf(other).filter((name) => !classes.includes(name));
    if (unknown.length > 0)
      throw new Error(`folder "${other}" holds classes that training lacks: ${unknown.join(', ')}`);
    test = picturesOf(
      other,
      classes.filter((name) => existsSync(join(other, name))),
      classes,
    );
  } else [train, test] = split(listed, options);
  const shape: { height?: number; width?: number; channels?: number } = {};
  let done = 0;
  const load = (list: readonly Labelled[]) =>
    loadPictures(list, options, shape, () => options.onProgress?.(++done, train.length + test.length));
  const [loaded, held] = [await load(train), await load(test)];
  return { name: path, classes, train: loaded, test: held, ...statisticsOf(loaded) };
}

function foldersOf(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort();
}

function picturesOf(root: string, folders: readonly string[], classes = folders): Labelled[] {
  return folders.flatMap((name) => {
    const files = readdirSync(join(root, name)).filter(isPicture).sort();
    if (files.length === 0) throw new Error(`class folder "${join(root, name)}" holds no pictures`);
    return files.map((file) => ({ file: join(root, name, file), label: classes.indexOf(name) }));
  });
}

/** Holds out a share of each class, at least one picture of each class that has two. */
function split(all: readonly Labelled[], { testShare = 0.1, seed = 0 }: ImageFolderOptions): [Labelled[], Labelled[]] {
  if (!(testShare > 0 && testShare < 1))
    throw new RangeError(`the share for testing must be in (0, 1), got ${testShare}`);
  const random = new Random(seed).split('test images');
  const [train, test]: [Labelled[], Labelled[]] = [[], []];
  for (const label of new Set(all.map((image) => image.label))) {
    const own = all.filter((image) => image.label === label);
    const held = own.length < 2 ? 0 : Math.max(1, Math.round(testShare * own.length));
    random.permutation(own.length).forEach((at, i) => {
      (i < held ? test : train).push(own[at] as Labelled);
    });
  }
  return [train, test];
}

async function loadPictures(
  list: readonly Labelled[],
  { size, channels: wanted }: ImageFolderOptions,
  shape: { height?: number; width?: number; channels?: number },
  onPicture: () => void,
): Promise<LabelledImages> {
  let pixels: Uint8Array | undefined;
  for (const [i, { file }] of list.entries()) {
    const picture = await decodePicture(readBytes(file), size ? { height: size, width: size } : {}).catch(
      (error: Error) => {
        throw new Error(`picture "${file}" cannot be read: ${error.message.replace('decodePicture: ', '')}`);
      },
    );
    const channels = wanted ?? (isGrey(picture) ? 1 : 3);
    shape.height ??= picture.height;
    shape.width ??= picture.width;
    shape.channels ??= channels;
    if (picture.height !== shape.height || picture.width !== shape.width)
      throw new Error(
        `picture "${file}" is ${picture.height}×${picture.width}, others are ${shape.height}×${shape.width}; give a size to scale all to`,
      );
    if (channels !== shape.channels)
      throw new Error(
        `picture "${file}" is ${channels === 1 ? 'grey' : 'coloured'}, others are not; choose channels: 3 colours all, 1 makes all grey`,
      );
    const length = channels * picture.height * picture.width;
    pixels ??= new Uint8Array(list.length * length);
    pixels.set(planesOf(picture, channels), i * length);
    onPicture();
  }
  const { height = 0, width = 0, channels = 3 } = shape;
  return {
    ...{ count: list.length, channels, height, width, pixels: pixels ?? new Uint8Array(0) },
    labels: Int32Array.from(list, ({ label }) => label),
  };
}

function isGrey({ pixels }: Picture): boolean {
  for (let i = 0; i < pixels.length; i += 3)
    if (pixels[i] !== pixels[i + 1] || pixels[i] !== pixels[i + 2]) return false;
  return true;
}

/** Mean and deviation of each channel, in units of 255. */
function statisticsOf({
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
