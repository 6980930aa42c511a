// Lets the weights that a pass needs next begin to be read while it computes.

import type { WeightMatrix } from './matrix.js';
import { storedOf } from './neurons.js';
import type { StoredMatrix } from './store.js';

/** Steps of a pass beyond the present one whose weights are read meanwhile. */
const AHEAD = 2;

/** The matrices that every pass uses, step by step, where they lie in a file. */
export class UpcomingWeights {
  /** Those of each step and of the next ones. */
  readonly #from: readonly (readonly StoredMatrix[])[];

  /** @param steps matrices of each half of a layer in the order of use; experts do not count */
  constructor(steps: readonly (readonly WeightMatrix[])[]) {
    const stored = steps.map((all) =>
      all.flatMap((matrix) => storedOf(matrix) ?? []).filter(({ weights }) => weights.use === 'always'),
    );
    this.#from = stored.map((_, step) =>
      Array.from({ length: 1 + AHEAD }, (_, i) => stored[(step + i) % stored.length] ?? []).flat(),
    );
  }

  /** A step begins: its matrices and those of the next two are read, if they are not in memory. */
  begin(step: number): void {
    const next = this.#from[step] ?? [];
    next[0]?.store.ahead(next);
  }
}
