// Vision: the records of their systems.

import type { SystemRecord } from '../parts/system-record.js';

export const records: readonly SystemRecord[] = [
  {
    slug: 'vanillanet',
    title: 'VanillaNet: the power of minimalism',
    family: 'vision',
    about: 'image classifiers of five to thirteen layers, trained deep and merged into plain convolutions',
    paper: {
      authors: 'Chen, Wang, Guo, Tao',
      title: 'VanillaNet: the Power of Minimalism in Deep Learning',
      venue: 'NeurIPS',
      year: 2023,
      arxiv: '2305.12972',
    },
    abstract: {
      simple: 'avoiding high depth, shortcuts, and intricate operations like self-attention',
      pruned: 'nonlinear activation functions pruned after training to restore the original architecture',
      deployment:
        'its easy-to-understand and highly simplified architecture opens new possibilities for efficient deployment',
      performance: 'delivers performance on par with renowned deep neural networks and vision transformers',
    },
    load: () => import('../vision/vanillanet.js'),
  },
  {
    slug: 'lsnet',
    title: 'LSNet: see large, focus small',
    family: 'vision',
    about: 'a vision backbone that perceives with a large static kernel and aggregates with a small dynamic one',
    paper: {
      authors: 'Wang, Chen, Lin, Han, Ding',
      title: 'LSNet: See Large, Focus Small',
      venue: 'CVPR',
      year: 2025,
      arxiv: '2503.23135',
    },
    abstract: {
      convolution:
        'LS (Large-Small) convolution, which combines large-kernel perception and small-kernel aggregation […] can ' +
        'efficiently capture a wide range of perceptual information and achieve precise feature aggregation for ' +
        'dynamic and complex visual representations',
      performance: 'LSNet achieves superior performance […] over existing lightweight networks',
      efficiency: 'LSNet achieves superior […] efficiency over existing lightweight networks',
      tasks: 'in various vision tasks',
    },
    load: () => import('../vision/lsnet.js'),
  },
];
