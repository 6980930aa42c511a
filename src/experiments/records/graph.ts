// Graphs: the records of their systems.

import type { SystemRecord } from '../parts/system-record.js';

export const records: readonly SystemRecord[] = [
  {
    slug: 'dgmlp',
    title: 'DGMLP: evaluating deep graph neural networks',
    family: 'graph',
    about:
      'deep graph networks that stay accurate, and the harness that tells depth of propagation from depth of ' +
      'transformation',
    paper: {
      authors: 'Zhang, Sheng, Jiang, Xia, Gao, Yang, Cui',
      title: 'Evaluating Deep Graph Neural Networks',
      venue: 'arXiv',
      year: 2021,
      arxiv: '2108.00955',
    },
    abstract: {
      accuracy: 'it achieves state-of-the-art node classification performance on various datasets',
      flexibility:
        'it can flexibly choose different propagation and transformation depths according to graph size and sparsity',
      scalability: 'it supports fast training on large-scale graphs',
    },
    load: () => import('../graph/dgmlp.js'),
  },
  {
    slug: 'nat',
    title: 'NAT: neighbourhood-aware temporal network representation',
    family: 'graph',
    about: 'predicts who meets next in an event stream, from caches of neighbours of fixed size',
    paper: {
      authors: 'Luo, Li',
      title: 'Neighborhood-aware Scalable Temporal Network Representation Learning',
      venue: 'LoG',
      year: 2022,
      arxiv: '2209.01084',
    },
    abstract: {
      transductive:
        'outperforms all cutting-edge baselines by averaged 1.2% […] in transductive […] link prediction accuracy',
      inductive:
        'outperforms all cutting-edge baselines by averaged […] 4.2% in […] inductive link prediction accuracy',
      jointSpeed: 'a speed-up of 4.1-76.7x against the baselines that adopt joint structural features',
      speed: 'a speed-up of 1.6-4.0x against the baselines that cannot adopt those features',
    },
    load: () => import('../graph/nat.js'),
  },
];
