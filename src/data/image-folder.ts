// The user's own labelled images: one folder of pictures per class, or IDX files as in MNIST.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../tensor/index.js';
import { fetchImages } from './download.js';
import { readBytes } from './files.js';
import { readIdx } from './formats/index.js';
import { imageSetNames, loadImages } from './image-sets.js';
import type { ImageDataset, LabelledImages } from './images.js';
import { filesBelow, type Subfolder, subfoldersOf } from './picture-files.js';
import { type Background, decodePicture, type Picture, planesOf } from './pictures.js';

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
  /**
   * Share of the images held out for testing where there is no folder `test`, in [0, 1). At least
   * one picture of each class stays for training, and one of each class of two or more is held out
   * unless the share is 0. Default: 0.1.
   */
  readonly testShare?: number;
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

/** Names of the folder of test pictures, the first that is there counts. */
const testNames = ['test', 'testing', 'val', 'valid', 'validation'];
const trainNames = ['train', 'training'];

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
  if (!existsSync(path) && imageSetNames.includes(path)) {
    await fetchImages(path, options.onDownload);
    return { ...loadImages(path), background };
  }
  if (!existsSync(path))
    throw new Error(`"${path}" is neither a folder nor a known image set (${imageSetNames.join(', ')})`);
  if (!statSync(path).isDirectory()) throw new Error(`"${path}" is a file; give the folder of images`);
  const files = readdirSync(path).sort();
  if (files.some((file) => /images.*idx3/.test(file))) return { ...readIdxFolder(path, files), background };
  return { ...(await readClassFolders(path, options)), background };
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
  return { name: path, classes: names, train, test, ...statisticsOf(train) };
}

interface Labelled {
  readonly file: string;
  readonly label: number;
}

/** A decoded picture: one plane when it is grey, three otherwise. */
interface Decoded {
  readonly planes: Uint8Array;
  readonly label: number;
}

/** Folders of classes for training, and for testing where they are apart. */
interface Parts {
  readonly train: readonly Subfolder[];
  readonly test?: readonly Subfolder[];
}

async function readClassFolders(path: string, options: ImageFolderOptions): Promise<ImageDataset> {
  const parts = partsOf(path, options);
  const classes = parts.train.map(({ name }) => name);
  const listed = [parts.train, parts.test ?? []].map((folders) => picturesOf(folders, classes, options)) as [
    Labelled[],
    Labelled[],
  ];
  const decoder = new Decoder(options, listed[0].length + listed[1].length);
  const [decoded, apart] = [await decoder.all(listed[0]), await decoder.all(listed[1])];
  requireEachClass(decoded, listed[0], parts.train);
  const [train, test] = parts.test ? [decoded, apart] : split(decoded, classes, options);
  const loaded = decoder.images(train);
  return { name: path, classes, train: loaded, test: decoder.images(test), ...statisticsOf(loaded) };
}

/** @throws Error when there are fewer than two classes, or test pictures of unknown ones */
function partsOf(path: string, { onNote }: ImageFolderOptions): Parts {
  const folders = subfoldersOf(path);
  const called = (names: readonly string[]) =>
    names.flatMap((name) => folders.filter((folder) => folder.name.toLowerCase() === name))[0];
  const [train, test] = [called(trainNames), called(testNames)];
  if (!train || !test) return { train: classFolders(path, folders, onNote) };
  const unread = folders.filter((folder) => folder !== train && folder !== test);
  if (unread.length > 0)
    onNote?.(`"${path}": ${train.name} and ${test.name} are read, not ${unread.map(({ name }) => name).join(', ')}`);
  const classes = classFolders(train.path, subfoldersOf(train.path), onNote);
  const held = subfoldersOf(test.path);
  const unknown = held.filter(({ name }) => !classes.some((own) => own.name === name));
  if (unknown.length > 0)
    throw new Error(
      `folder "${test.path}" holds classes that training lacks: ${unknown.map(({ name }) => name).join(', ')}`,
    );
  const missing = classes.filter(({ name }) => !held.some((own) => own.name === name));
  if (missing.length > 0)
    onNote?.(`"${test.path}" has no folder of ${missing.map(({ name }) => name).join(', ')}, which no picture tests`);
  return { train: classes, test: held };
}

/** The folders of classes. @throws Error when there are fewer than two, with what to do */
function classFolders(
  path: string,
  folders: readonly Subfolder[],
  onNote: ImageFolderOptions['onNote'],
): readonly Subfolder[] {
  const [only] = folders;
  if (folders.length < 2) {
    const inner = only && subfoldersOf(only.path).length > 1 ? `; if the classes are in "${only.path}", give that` : '';
    throw new Error(
      `folder "${path}" must hold a folder of pictures for each of at least two classes; it holds ${folders.length}${inner}`,
    );
  }
  const loose = filesBelow(path, false).pictures;
  if (loose.length > 0) onNote?.(`"${path}": ${some(loose)} in no folder of a class, left out`);
  return folders;
}

/** @throws Error naming a folder without pictures */
function picturesOf(
  folders: readonly Subfolder[],
  classes: readonly string[],
  { onNote }: ImageFolderOptions,
): Labelled[] {
  const other: string[] = [];
  const labelled = folders.flatMap(({ name, path }) => {
    const { pictures, others } = filesBelow(path);
    if (pictures.length === 0)
      throw new Error(`class folder "${path}" holds no pictures; put some there, or remove the folder`);
    other.push(...others);
    return pictures.map((file) => ({ file, label: classes.indexOf(name) }));
  });
  if (other.length > 0) onNote?.(`${some(other)} no pictures by content or name, left out`);
  return labelled;
}

/** The number of files with the first few names, as the beginning of a sentence. */
function some(files: readonly string[]): string {
  const named = `${files.slice(0, 3).join(', ')}${files.length > 3 ? ', …' : ''}`;
  return files.length === 1 ? `1 file (${named}) is` : `${files.length} files (${named}) are`;
}

/** @throws Error naming a class that has no usable picture */
function requireEachClass(
  decoded: readonly Decoded[],
  listed: readonly Labelled[],
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
  async all(list: readonly Labelled[]): Promise<Decoded[]> {
    const decoded: Decoded[] = [];
    for (const { file, label } of list) {
      const planes = await this.#decode(file);
      if (planes) decoded.push({ planes, label });
      this.options.onProgress?.(++this.#done, this.total);
    }
    return decoded;
  }

  async #decode(file: string): Promise<Uint8Array | undefined> {
    const { size, background = 'white', channels: wanted, onUnusable } = this.options;
    const [height, width] = typeof size === 'number' ? [size, size] : (size ?? []);
    const scaled = height && width ? { height, width } : {};
    let picture: Picture;
    try {
      picture = await decodePicture(readBytes(file), { ...scaled, background });
    } catch (error) {
      const reason = (error as Error).message.replace('decodePicture: ', '').replace(`file "${file}" `, 'it ');
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
    for (let next = list.pop(); next; next = list.pop()) {
      const { planes, label } = next;
      const from = list.length * channels * plane;
      labels[list.length] = label;
      for (let at = 0; at < channels * plane; at += planes.length) pixels.set(planes, from + at);
    }
    return { count, channels, height, width, pixels, labels };
  }
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
