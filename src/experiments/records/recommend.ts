// Recommendation: the records of its systems.

import type { SystemRecord } from '../parts/system-record.js';

export const records: readonly SystemRecord[] = [
  {
    slug: 'dsl',
    title: 'DSL: dynamic sparse learning of recommenders',
    family: 'recommend',
    about: 'trains recommenders with a fixed, small number of weights from the first step to inference',
    paper: {
      authors: 'Wang, Sui, Wu, Zheng, Xiong',
      title: 'Dynamic Sparse Learning: A Novel Paradigm for Efficient Recommendation',
      venue: 'WSDM',
      year: 2024,
      arxiv: '2402.02855',
    },
    abstract: {
      dynamic:
        "trains a lightweight sparse model from scratch, periodically evaluating and dynamically adjusting each weight's " +
        "significance and the model's sparsity distribution during the training",
      budget: 'ensures a consistent and minimal parameter budget throughout the full learning lifecycle',
      costs: 'significantly reducing training and inference costs',
      compression: 'substantial additional computational costs from pre-training/re-training in model compression',
      architecture: 'an extensive search space in architecture design',
      comparable: 'delivering comparable recommendation performance',
    },
    load: () => import('../recommend/dsl.js'),
  },
];
