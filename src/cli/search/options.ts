// Options that several searches share.

import { InvalidArgumentError, Option } from 'commander';
import { number } from '../arguments.js';

/** Epochs and steps of a search that trains what it found. */
export const trainingOptions: readonly Option[] = [
  new Option('--search-epochs <n>', 'epochs of the search').argParser(number(1)).default(10),
  new Option('--epochs <n>', 'epochs of the training of what was found; 0 trains nothing')
    .argParser(number(0))
    .default(30),
  new Option('--batch <n>', 'pictures per step').argParser(number(2)).default(32),
  new Option('--learning-rate <rate>', 'peak learning rate of the training').argParser(number(0, false)).default(3e-3),
];

/** The most that what is found may cost. */
export interface Budget {
  /** An objective; empty for a share of the cost of the network that is made smaller. */
  readonly name: string;
  readonly most: number;
}

/** Parses a budget as latency=2, or a share as 0.5, and joins it to those before. */
function budget(text: string, before: readonly Budget[]): readonly Budget[] {
  const [, name = '', value] = /^(?:([^=]+)=)?(.+)$/.exec(text) ?? [];
  if (!(Number(value) > 0))
    throw new InvalidArgumentError('expected an objective and a number above 0, as latency=2, or a share, as 0.5.');
  return [...before, { name, most: Number(value) }];
}

/** What may be spent: of objectives, or as a share of the cost of a teacher. */
export const budgetOption = new Option(
  '--budget <most>',
  'hw-nas: the most of an objective, as latency=2 (repeatable); tas: share of the cost of the teacher, 0.5 unless given',
)
  .argParser(budget)
  .default([], 'none');
