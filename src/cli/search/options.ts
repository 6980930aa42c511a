// Options that several searches share.

import { Option } from 'commander';
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
