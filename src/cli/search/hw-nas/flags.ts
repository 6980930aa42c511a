// Flags of `gossamer search --model hw-nas`, and the networks that it chooses from.

import type { Measurement, TacticName } from '../../../compress/index.js';
import type { Configuration } from '../../../nn/index.js';
import type { SearchFlags } from '../model.js';
import type { Budget } from '../options.js';

/** Flags of `gossamer search --model hw-nas`. */
export interface HwNasFlags extends SearchFlags {
  readonly objectives: readonly string[];
  readonly supernet?: string;
  readonly supernetEpochs?: number;
  readonly evaluations: number;
  readonly population: number;
  readonly tactic: TacticName;
  readonly pass: number;
  readonly budget: readonly Budget[];
  readonly bits?: readonly string[];
  readonly warm?: string;
  readonly evaluate?: string;
}

/** A network of a front with what was measured. */
export interface Candidate {
  readonly configuration: Configuration;
  readonly measured: Measurement;
}
