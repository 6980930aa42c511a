// Comparisons of several systems in one run: their records, beside those of the systems.

import type { ExperimentRecord } from '../parts/system-record.js';

/** Comparisons, of which none is a system. */
export const records: readonly ExperimentRecord[] = [
  {
    slug: 'backbones',
    title: 'Backbones for small images, side by side',
    family: 'vision',
    about: 'all backbones of the family vision and the usual small networks in one table, trained alike',
    abstract: {},
    load: () => import('../vision/backbones.js'),
  },
];
