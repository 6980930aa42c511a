// The context of a seed in tests: nothing is reported, nothing stops it.

import type { RunContext } from '../../src/experiments/parts/contract.js';
import { Random } from '../../src/tensor/index.js';

/** A quiet context whose random numbers follow from the seed. */
export const context = (seed: number, signal?: AbortSignal): RunContext => ({
  seed,
  random: new Random(seed),
  signal,
  hooks: () => ({ signal }),
  onEpoch: () => {},
  progress: () => {},
});
