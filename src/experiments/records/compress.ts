// Compression: the records of their systems.

import type { SystemRecord } from '../parts/system-record.js';

export const records: readonly SystemRecord[] = [
  {
    slug: 'sparsebytenn',
    title: 'SparseByteNN: fine-grained group sparsity',
    family: 'compress',
    about: 'prunes groups of output channels after the channels of the whole network have changed places for it',
    paper: {
      authors: 'Xu, Liu, Xu, Wang, Li, Yan, Li, Fu, Pan, Chen',
      title: 'SparseByteNN: A Novel Mobile Inference Acceleration Framework Based on Fine-Grained Group Sparsity',
      venue: 'arXiv',
      year: 2023,
      arxiv: '2310.19509',
    },
    abstract: {
      precision:
        'Combined with our proposed whole network rearrangement strategy, the schema achieves a high compression rate ' +
        'and high precision at the same time',
      kernels:
        'The conventional wisdom is that this reduction in theoretical FLOPs does not translate into real-world ' +
        'efficiency gains. We aim to correct this misconception by introducing a family of efficient sparse kernels ' +
        'for […] WebAssembly',
      arm: 'efficient sparse kernels for ARM',
      curve: 'sparse versions of MobileNet-v1 outperform strong dense baselines on the efficiency-accuracy curve',
      speed: 'for 30% sparse MobileNet-v1, SparseByteNN achieves 1.27x speedup over the dense version',
      engine: '1.29x speedup over the state-of-the-art sparse inference engine',
      mnn: 'the state-of-the-art sparse inference engine MNN',
      drop: 'with a slight accuracy drop of 0.224%',
    },
    load: () => import('../compress/sparsebytenn.js'),
  },
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
