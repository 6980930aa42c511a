// Lets the weights that a pass needs next begin to be read while it computes.

import type { WeightMatrix } from './matrix.js';
import { storedOf } from './neurons.js';
import type { StoredMatrix } from './store.js';

/** Steps of a pass beyond the present one whose weights are read meanwhile. */
const AHEAD = 2;

/** The matrices that every pass uses, step by step, where they lie in a file. */
export class UpcomingWeights {
  readonly #steps: readonly (readonly StoredMatrix[])[];

  /** @param steps matrices of each half of a layer in the order of use; experts do not count */
  constructor(steps: readonly (readonly WeightMatrix[])[]) {
    this.#steps = steps.map((all) =>
      all.flatMap((matrix) => storedOf(matrix) ?? []).filter(({ weights }) => weights.use === 'always'),
    );
  }

  /** A step begins: its matrices and those of the next two are read, if they are not in memory. */
  begin(step: number): void {
    const { length } = this.#steps;
    const next = Array.from({ length: 1 + AHEAD }, (_, i) => this.#steps[(step + i) % length] ?? []).flat();
    next[0]?.store.ahead(next);
  }
}
