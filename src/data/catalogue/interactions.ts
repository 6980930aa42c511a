// Interactions of users with items.

import type { DatasetRecord } from './record.js';

/** Sets for recommendation. */
export const interactionRecords: readonly DatasetRecord[] = [
  {
    name: 'gowalla',
    kinds: ['interactions'],
    files: [
      { path: 'gowalla/gowalla.npz', sha256: '239761a19d634a74d2cc682543aca0712cec38227d70c16bed2cc40e4bea3195' },
    ],
    licence: 'none stated',
    source: {
      address: 'https://github.com/gusye1234/LightGCN-PyTorch',
      citation:
        'Cho, Myers, Leskovec, "Friendship and Mobility", KDD 2011; split of Wang et al., "Neural Graph ' +
        'Collaborative Filtering", SIGIR 2019',
    },
    size: '29,858 users, 40,981 items, 810,128 training and 217,242 test interactions',
  },
];
