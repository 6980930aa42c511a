// Random elements, in blocks of 16: see kernels/random.ts.

import type { KernelArguments } from '../../generated/arguments.js';
import type { Execution, Keyed } from '../execution.js';

const BLOCK = 16;

export const randomRoutines = {
  /** y = raw 32-bit words. */
  randomBits: (run: Execution, { y, key, size }: Keyed<KernelArguments['randomBits']>): void =>
    run.over('randomBits', { y, key0: key[0], key1: key[1], size }, Math.ceil(size / BLOCK), 30),
  /** y uniform in [low, low + width), at most `largest`. */
  randomUniform: (run: Execution, { key, ...args }: Keyed<KernelArguments['randomUniform']>): void =>
    run.over('randomUniform', { ...args, key0: key[0], key1: key[1] }, Math.ceil(args.size / BLOCK), 30),
  randomNormal: (run: Execution, { y, key, mean, deviation, size }: Keyed<KernelArguments['randomNormal']>): void =>
    run.over('randomNormal', { y, key0: key[0], key1: key[1], mean, deviation, size }, Math.ceil(size / BLOCK), 60),
  /** y = x·scale where the element's word is at least `threshold`, else 0. */
  dropout: (run: Execution, { x, y, key, threshold, scale, size }: Keyed<KernelArguments['dropout']>): void =>
    run.over('dropout', { x, y, key0: key[0], key1: key[1], threshold, scale, size }, Math.ceil(size / BLOCK), 30),
};
