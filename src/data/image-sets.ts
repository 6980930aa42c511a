// Known image sets: MNIST, Fashion-MNIST, and a tenth of CIFAR-10.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { gunzipSync } from 'fflate';
import { readBytes, writeFileAtomic } from './files.js';
import { cacheFolder, dataFolders, findData } from './folders.js';
import { type NamedArray, readIdx, readNpz } from './formats/index.js';
import type { ImageDataset, LabelledImages } from './images.js';

/** Parts of an IDX set, with the SHA-256 of each unpacked file. */
interface IdxSource {
  readonly address: string;
  readonly digests: Readonly<Record<string, string>>;
}

const idxFiles = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'] as const;

const idxSources: Readonly<Record<string, IdxSource>> = {
  mnist: {
    address: 'https://storage.googleapis.com/cvdf-datasets/mnist',
    digests: {
      'train-images-idx3': 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
      'train-labels-idx1': '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
      't10k-images-idx3': '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
      't10k-labels-idx1': 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
    },
  },
  'fashion-mnist': {
    address: 'https://fashion-mnist.s3-website.eu-central-1.amazonaws.com',
    digests: {
      'train-images-idx3': 'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
      'train-labels-idx1': 'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
      't10k-images-idx3': '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
      't10k-labels-idx1': '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
    },
  },
};

const about: Readonly<Record<string, Pick<ImageDataset, 'classes' | 'mean' | 'deviation'>>> = {
  mnist: { classes: Array.from('0123456789'), mean: [0.1307], deviation: [0.3081] },
  'fashion-mnist': {
    classes: ['T-shirt', 'trouser', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'ankle boot'],
    mean: [0.286],
    deviation: [0.353],
  },
  cifar10: {
    classes: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
    mean: [0.493, 0.483, 0.447],
    deviation: [0.246, 0.244, 0.261],
  },
};

/** Names that `loadImages` knows. */
export const imageSetNames: readonly string[] = Object.keys(about);

function filesOf(name: string): string[] {
  if (name === 'cifar10') return ['cifar10/train_10k.npz', 'cifar10/test_2k.npz'];
  return idxFiles.map((file) => `${name}/${file}-ubyte.gz`);
}

/** Whether a named image set lies on this machine. */
export function hasImages(name: string): boolean {
  return name in about && filesOf(name).every((file) => findData(file) !== undefined);
}

/** Fetches MNIST or Fashion-MNIST into the per-user cache where it is missing; checks what arrives. */
export async function fetchImages(name: string, onDownload?: (file: string) => void): Promise<void> {
  const source = idxSources[name];
  if (!source || hasImages(name)) return;
  for (const file of idxFiles) {
    const url = `${source.address}/${file}-ubyte.gz`;
    onDownload?.(url);
    const response = await fetch(url, { signal: AbortSignal.timeout(120_000) }).catch((error: Error) => {
      throw new Error(`could not fetch ${url} (${error.message}); set GOSSAMER_DATA to a folder that holds ${name}/`);
    });
    if (!response.ok) throw new Error(`could not fetch ${url}: the server answered ${response.status}`);
    const packed = new Uint8Array(await response.arrayBuffer());
    const digest = createHash('sha256').update(gunzipSync(packed)).digest('hex');
    if (digest !== source.digests[file])
      throw new Error(`${url} is not the known version: its content has SHA-256 ${digest}`);
    writeFileAtomic(join(cacheFolder(), name, `${file}-ubyte.gz`), packed);
  }
}

/** Loads a known image set. @throws Error naming the known sets, or saying where its files were looked for. */
export function loadImages(name: string): ImageDataset {
  const description = about[name];
  if (!description) throw new Error(`image set "${name}" is not known; there are ${imageSetNames.join(', ')}`);
  const paths = filesOf(name).map((file) => {
    const path = findData(file);
    if (path) return path;
    const looked = dataFolders().map((folder) => `"${join(folder, file)}"`);
    throw new Error(`image set "${name}" is not on this machine: looked for ${looked.join(' and ')}`);
  });
  const parts = name === 'cifar10' ? paths.map(readColour) : [readGrey(paths, 0), readGrey(paths, 2)];
  return { name, ...description, train: parts[0] as LabelledImages, test: parts[1] as LabelledImages };
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

/** Luminance at full and colour at half resolution (as the JPEGs they come from have it), to red, green and blue. */
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
