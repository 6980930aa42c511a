// The user's own labelled images: one folder of pictures per class, or IDX files as in MNIST.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../tensor/index.js';
import { type LabelledFile, listPictures, unusableReason } from './class-folders.js';
import { fetchImages } from './download.js';
import { readBytes } from './files.js';
import { readIdx } from './formats/index.js';
import { imageSetNames, loadImages } from './image-sets.js';
import { type ImageDataset, imageStatistics, type LabelledImages } from './images.js';
import type { Subfolder } from './picture-files.js';
import { type Background, decodePicture, isGrey, type Picture, planesOf } from './pictures.js';

/** Options of `readImages`. */
export interface ImageFolderOptions {
  /**
   * Height and width in pixels that pictures are resized to, one number for squares. Left out: all
   * must have the size of the first.
   */
  readonly size?: number | readonly [height: number, width: number];
  /** 1 converts all pictures to grey, 3 to RGB. Left out: 3 if one is coloured, 1 otherwise. */
  readonly channels?: 1 | 3;
  /** What transparent pixels are laid on. Default: white. */
  readonly background?: Background;
  /** Most pixels that a stored picture may have. Default: 2²⁶. */
  readonly maxPixels?: number;
  /**
   * Share of the images held out for testing where there is no folder `test`, in [0, 1). At least
   * one picture of each class stays for training, and one of each class of two or more is held out
   * unless the share is 0. Default: 0.1.
   */
  readonly testShare?: number;
  /**
   * Folder with a folder of test pictures for each class, in place of a share or of a folder
   * `test`; for folders of classes alone. Default: none.
   */
  readonly test?: string;
  /** Of the random split. Default: 0. */
  readonly seed?: number;
  /**
   * Called with each picture that cannot be used and the reason; it is left out. Default: the first
   * one is an error.
   */
  readonly onUnusable?: (file: string, reason: string) => void;
  /** Called with what is left out or unlike what was asked for. */
  readonly onNote?: (text: string) => void;
  /** Called after each picture. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Called with the address of each file that is fetched. */
  readonly onDownload?: (url: string) => void;
}

/**
 * Reads labelled images: a known set, which is fetched where it is missing; a folder of IDX files
 * (`train-images…`, `train-labels…`, `t10k-images…`, `t10k-labels…`); or a folder with one folder
 * of pictures per class, optionally below `train` and `test` (or `val`). A class has all pictures
 * below its folder, told by content as well as by name; hidden files are no part of it. `mean` and
 * `deviation` of a folder are those of its training images.
 *
 * @throws Error for an unknown name, or naming a picture that cannot be decoded, a class without
 * pictures, or the first picture of another size.
 */
export async function readImages(path: string, options: ImageFolderOptions = {}): Promise<ImageDataset> {
  const { testShare = 0.1, background = 'white' } = options;
  if (!(testShare >= 0 && testShare < 1))
    throw new RangeError(`the share for testing must be at least 0 and below 1, got ${testShare}`);
  const { test } = options;
  if (!existsSync(path) && imageSetNames.includes(path)) {
    if (test !== undefined) throw new Error(`the set "${path}" has test images of its own; leave out "${test}"`);
    await fetchImages(path, options.onDownload);
    return { ...loadImages(path), background };
  }
  if (!existsSync(path))
    throw new Error(`"${path}" is neither a folder nor a known image set (${imageSetNames.join(', ')})`);
  if (!statSync(path).isDirectory()) throw new Error(`"${path}" is a file; give the folder of images`);
  const files = readdirSync(path).sort();
  if (isIdxFolder(files)) {
    if (test !== undefined) throw new Error(`the IDX files of "${path}" have test images; leave out "${test}"`);
    return { ...readIdxFolder(path, files), background };
  }
  return { ...(await readClassFolders(path, options)), background };
}

/** Whether the files of a folder are those of a set like MNIST. */
export function isIdxFolder(files: readonly string[]): boolean {
  return files.some((file) => /images.*idx3/.test(file));
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
    if (!(images.values instanceof Uint8Array))
      throw new Error(`"${images.file}" holds numbers of another type than bytes; images are bytes`);
    if (labels.values.length !== count)
      throw new Error(`"${labels.file}" holds ${labels.values.length} labels for ${count} images`);
    return {
      count,
      channels: 1,
      height,
      width,
      pixels: images.values,
      labels: Int32Array.from(labels.values),
    };
  };
  const [train, test] = [part(/^train/), part(/^t(10k|est)/)];
  if (train.height !== test.height || train.width !== test.width)
    throw new Error(
      `folder "${path}": training images are ${train.height}×${train.width}, test images ${test.height}×${test.width}`,
    );
  const classes = [train, test].reduce((most, { labels }) => labels.reduce((a, b) => Math.max(a, b), most), 0) + 1;
  const names = Array.from({ length: classes }, (_, i) => String(i));
  return { name: path, classes: names, train, test, ...imageStatistics(train) };
}

/** A decoded picture: one plane when it is grey, three otherwise. */
interface Decoded {
  readonly planes: Uint8Array;
  readonly label: number;
  readonly file: string;
}

async function readClassFolders(path: string, options: ImageFolderOptions): Promise<ImageDataset> {
  const { classes, folders, train: listed, test: held } = listPictures(path, options.onNote, options.test);
  const decoder = new Decoder(options, listed.length + (held?.length ?? 0));
  const [decoded, apart] = [await decoder.all(listed), await decoder.all(held ?? [])];
  requireEachClass(decoded, listed, folders);
  const [train, test] = held ? [decoded, apart] : split(decoded, classes, options);
  const loaded = decoder.images(train);
  return { name: path, classes, train: loaded, test: decoder.images(test), ...imageStatistics(loaded) };
}

/** @throws Error naming a class that has no usable picture */
function requireEachClass(
  decoded: readonly Decoded[],
  listed: readonly LabelledFile[],
  folders: readonly Subfolder[],
): void {
  const usable = new Set(decoded.map(({ label }) => label));
  for (const [label, { path }] of folders.entries())
    if (!usable.has(label)) {
      const count = listed.filter((picture) => picture.label === label).length;
      throw new Error(
        `class folder "${path}" holds no picture that can be used (${count} left out); put some there, or remove the folder`,
      );
    }
}

/** Holds out a share of each class; at least one picture of each stays for training. */
function split(
  all: readonly Decoded[],
  classes: readonly string[],
  { testShare = 0.1, seed = 0, onNote }: ImageFolderOptions,
): [Decoded[], Decoded[]] {
  const random = new Random(seed).split('test images');
  const [train, test]: [Decoded[], Decoded[]] = [[], []];
  const single: string[] = [];
  for (const label of new Set(all.map((image) => image.label))) {
    const own = all.filter((image) => image.label === label);
    if (own.length === 1) single.push(classes[label] as string);
    const held = testShare === 0 ? 0 : Math.min(own.length - 1, Math.max(1, Math.round(testShare * own.length)));
    random.permutation(own.length).forEach((at, i) => {
      (i < held ? test : train).push(own[at] as Decoded);
    });
  }
  if (testShare > 0 && single.length > 0)
    onNote?.(`the one picture of ${single.join(', ')} is for training; no picture tests that`);
  return [train, test];
}

/** Decodes pictures to one size, and makes one array of them. */
class Decoder {
  #size: { readonly height: number; readonly width: number } | undefined;
  #channels: 1 | 3;
  #done = 0;

  constructor(
    readonly options: ImageFolderOptions,
    readonly total: number,
  ) {
    this.#channels = options.channels ?? 1;
  }

  /** The pictures that can be used. @throws Error for another, unless it is to be reported */
  async all(list: readonly LabelledFile[]): Promise<Decoded[]> {
    const decoded: Decoded[] = [];
    for (const { file, label } of list) {
      const planes = await this.#decode(file);
      if (planes) decoded.push({ planes, label, file });
      this.options.onProgress?.(++this.#done, this.total);
    }
    return decoded;
  }

  async #decode(file: string): Promise<Uint8Array | undefined> {
    const { size, background = 'white', channels: wanted, maxPixels, onUnusable } = this.options;
    const [height, width] = typeof size === 'number' ? [size, size] : (size ?? []);
    const scaled = height && width ? { height, width } : {};
    const limit = maxPixels === undefined ? {} : { maxPixels };
    let picture: Picture;
    try {
      picture = await decodePicture(readBytes(file), { ...scaled, ...limit, background });
    } catch (error) {
      const reason = unusableReason(error as Error, file);
      if (!onUnusable || /needs the package sharp/.test(reason))
        throw new Error(`picture "${file}" cannot be read: ${reason}`);
      onUnusable(file, reason);
      return undefined;
    }
    this.#size ??= { height: picture.height, width: picture.width };
    if (picture.height !== this.#size.height || picture.width !== this.#size.width)
      throw new Error(
        `picture "${file}" is ${picture.height}×${picture.width}, others are ${this.#size.height}×${this.#size.width}; give a size to scale all to`,
      );
    const channels = wanted ?? (isGrey(picture) ? 1 : 3);
    if (channels === 3) this.#channels = 3;
    return planesOf(picture, channels);
  }

  /** Takes decoded pictures out of a list, so that their memory is free as the array fills. */
  images(list: Decoded[]): LabelledImages {
    const channels = this.#channels;
    const { height = 0, width = 0 } = this.#size ?? {};
    const [count, plane] = [list.length, height * width];
    const pixels = new Uint8Array(count * channels * plane);
    const labels = new Int32Array(count);
    const files = list.map(({ file }) => file);
    for (let next = list.pop(); next; next = list.pop()) {
      const { planes, label } = next;
      const from = list.length * channels * plane;
      labels[list.length] = label;
      for (let at = 0; at < channels * plane; at += planes.length) pixels.set(planes, from + at);
    }
    return { count, channels, height, width, pixels, labels, files };
  }
}
