// The record, as it stands in src/experiments/records/graph.ts.

import type { SystemRecord } from '../parts/system-record.js';

export const record: SystemRecord = {
  slug: 's2gc',
  title: 'S²GC: simple spectral graph convolution',
  family: 'graph',
  about: 'classifies nodes by a linear model on the mean of many propagations',
  paper: {
    authors: 'Zhu, Koniusz',
    title: 'Simple Spectral Graph Convolution',
    venue: 'ICLR',
    year: 2021,
  },
  abstract: {
    competitive: 'SSGC with a linear learner is competitive in text and node classification tasks',
    oversmoothing:
      'we can aggregate over a sequence of increasingly larger neighborhoods compared to competitors while limiting ' +
      'severe oversmoothing',
    clustering:
      'SSGC is comparable to other state-of-the-art methods for node clustering and community prediction tasks',
  },
  load: () => import('../graph/s2gc.js'),
};
