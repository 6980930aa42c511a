// Labelled images.

import type { DatasetFile, DatasetRecord } from './record.js';

/** The four IDX files of a set, with the digest of what each unpacks to. */
function idxFiles(folder: string, digests: readonly [string, string, string, string]): DatasetFile[] {
  const names = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'];
  return names.map((name, i) => ({
    path: `${folder}/${name}-ubyte.gz`,
    sha256: digests[i] as string,
    digestOf: 'unpacked',
  }));
}

/** Image sets. */
export const imageRecords: readonly DatasetRecord[] = [
  {
    name: 'mnist',
    kinds: ['images'],
    files: idxFiles('mnist', [
      'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
      '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
      '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
      'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
    ]),
    licence: 'CC BY-SA 3.0',
    source: {
      address: 'http://yann.lecun.com/exdb/mnist/',
      citation: 'LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", 1998',
    },
    size: '60,000 training and 10,000 test images, 28 × 28 grey, 10 classes',
    download: { form: 'files', address: 'https://storage.googleapis.com/cvdf-datasets/mnist' },
    images: { classes: Array.from('0123456789'), mean: [0.1307], deviation: [0.3081] },
  },
  {
    name: 'fashion-mnist',
    kinds: ['images'],
    files: idxFiles('fashion-mnist', [
      'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
      'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
      '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
      '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
    ]),
    licence: 'MIT',
    source: {
      address: 'https://github.com/zalandoresearch/fashion-mnist',
      citation: 'Xiao, Rasul, Vollgraf, "Fashion-MNIST", 2017 (arXiv 1708.07747)',
    },
    size: '60,000 training and 10,000 test images, 28 × 28 grey, 10 classes',
    download: { form: 'files', address: 'https://fashion-mnist.s3-website.eu-central-1.amazonaws.com' },
    images: {
      classes: ['T-shirt', 'trouser', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'ankle boot'],
      mean: [0.286],
      deviation: [0.353],
    },
  },
  {
    name: 'cifar10',
    kinds: ['images'],
    files: [
      { path: 'cifar10/train_10k.npz', sha256: '4af4d8a89e2a912b993c094b786a0864ae677f87cc3ab7167cf2902a52ec1c9b' },
      { path: 'cifar10/test_2k.npz', sha256: '11ce797f9fb8138a632a3bed73c3353a89e080926b52ac9af35feb781cb2a434' },
    ],
    licence: 'none stated',
    source: {
      address: 'https://www.cs.toronto.edu/~kriz/cifar.html',
      citation: 'Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009',
    },
    size: '10,000 training and 2,000 test images, 32 × 32 colour, 10 classes',
    note: 'a fifth of the set, from JPEGs (quality 75, 4:2:0 chroma): accuracies are not those of the whole set',
    images: {
      classes: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
      mean: [0.493, 0.483, 0.447],
      deviation: [0.246, 0.244, 0.261],
    },
  },
];
