// Language models: the records of their systems.

import type { SystemRecord } from '../parts/system-record.js';

export const records: readonly SystemRecord[] = [
  {
    slug: 'moepp',
    title: 'MoE++: zero-computation experts',
    family: 'lm',
    about: 'mixtures of experts in which some experts cost nothing, so that easy tokens use fewer of the others',
    paper: {
      authors: 'Jin, Zhu, Yuan, Yan',
      title: 'MoE++: Accelerating Mixture-of-Experts Methods with Zero-Computation Experts',
      venue: 'ICLR',
      year: 2025,
      arxiv: '2410.07348',
    },
    abstract: {
      dynamic:
        'MoE++ allows each token to engage with a dynamic number of FFNs, be adjusted by constant vectors, or even ' +
        'skip the MoE layer entirely',
      simple:
        'by enabling simple tokens to utilize fewer FFN experts, MoE++ allows more experts to focus on challenging tokens',
      deployment:
        'we can deploy all zero-computation experts on each GPU, eliminating the significant communication overhead ' +
        'and expert load imbalance associated with FFN experts distributed across different GPUs',
      performance: 'MoE++ achieves better performance […] compared to a vanilla MoE model of the same size',
      throughput: 'delivering 1.1-2.1x expert forward throughput compared to a vanilla MoE model of the same size',
    },
    load: () => import('../lm/moepp.js'),
  },
];
