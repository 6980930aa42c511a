// Flags of `gossamer search --model hw-nas`, and the networks that it chooses from.

import { InvalidArgumentError } from 'commander';
import type { Measurement, TacticName } from '../../compress/index.js';
import type { Configuration } from '../../nn/index.js';
import type { SearchFlags } from './model.js';

/** Flags of `gossamer search --model hw-nas`. */
export interface HwNasFlags extends SearchFlags {
  readonly objectives: readonly string[];
  readonly supernet?: string;
  readonly supernetEpochs: number;
  readonly evaluations: number;
  readonly population: number;
  readonly tactic: TacticName;
  readonly pass: number;
  readonly budget: readonly Budget[];
  readonly bits?: readonly string[];
  readonly warm?: string;
  readonly evaluate?: string;
}

/** The most that the chosen network may need of an objective. */
export interface Budget {
  readonly name: string;
  readonly most: number;
}

/** Parses a budget as latency=2, and joins it to those before. */
export function budget(text: string, before: readonly Budget[]): readonly Budget[] {
  const [, name, value] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || !(Number(value) > 0))
    throw new InvalidArgumentError('expected an objective and a number above 0, as latency=2.');
  return [...before, { name, most: Number(value) }];
}

/** A network of a front with what was measured. */
export interface Candidate {
  readonly configuration: Configuration;
  readonly measured: Measurement;
}
