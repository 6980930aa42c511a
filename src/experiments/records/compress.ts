// Compression: the records of their systems.

import type { SystemRecord } from '../parts/system-record.js';

export const records: readonly SystemRecord[] = [
  {
    slug: 'sparse-convnets',
    title: 'Fast sparse convolutional networks',
    family: 'compress',
    about: 'prunes the pointwise convolutions of MobileNets and EfficientNets and runs them on sparse kernels',
    paper: {
      authors: 'Elsen, Dukhan, Gale, Simonyan',
      title: 'Fast Sparse ConvNets',
      venue: 'CVPR',
      year: 2020,
      arxiv: '1911.09723',
    },
    abstract: {
      kernels:
        'the conventional wisdom is that this reduction in theoretical FLOPs does not translate into real-world ' +
        'efficiency gains. We aim to correct this misconception by introducing a family of efficient sparse kernels ' +
        'for […] WebAssembly',
      arm: 'efficient sparse kernels for ARM',
      curve:
        'sparse versions of MobileNet v1, MobileNet v2 and EfficientNet architectures substantially outperform strong ' +
        'dense baselines on the efficiency-accuracy curve',
      speed: 'on Snapdragon 835 our sparse networks outperform their dense equivalents by 1.3-2.4times',
    },
    load: () => import('../compress/sparse-convnets.js'),
  },
];
