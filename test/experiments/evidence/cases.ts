// Hand-made scores for the claims of experiments: one set on which every claim must hold, one on
// which every claim must fail.

import type { Scores } from '../../../src/experiments/parts/contract.js';

export interface HandMade {
  /** Metrics by method title; one seed. */
  readonly methods: Readonly<Record<string, Scores>>;
  readonly studies?: Scores;
}

export interface Case {
  readonly data: string;
  /** Options that differ from the defaults on this data. */
  readonly options?: Readonly<Record<string, number | string>>;
  readonly holding: HandMade;
  readonly failing: HandMade;
}
