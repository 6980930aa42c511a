// Weights that are read from files on demand, within a memory budget.

import { tensorMemoryBudget } from '../../engine/index.js';
import { concatenate, type Tensor } from '../../tensor/index.js';
import type { LoadedMatrix, StoredWeights, WeightMatrix } from './matrix.js';

/**
 * Keeps weights in memory within a budget. Eviction takes experts first, the least recently used
 * one first; then matrices that every pass uses, the most recently used first: passes repeat in the
 * same order, so that it is needed last.
 */
export class WeightStore {
  /** Matrices in memory, least recently used first. */
  readonly #loaded = { always: new Map<StoredMatrix, LoadedMatrix>(), chosen: new Map<StoredMatrix, LoadedMatrix>() };
  #used = 0;
  #bytesRead = 0;

  /**
   * @param budget most bytes of weights in memory; the rest of tensor memory is for caches and
   * activations
   */
  constructor(readonly budget: number = tensorMemoryBudget()) {}

  /** Bytes of weights in memory. */
  get used(): number {
    return this.#used;
  }

  /** Bytes of weights read from files so far, repeated reads included. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Registers a matrix of a file; nothing is read yet. */
  add(weights: StoredWeights): WeightMatrix {
    return new StoredMatrix(weights, this);
  }

  /** The matrix if it is in memory; does not count as a use. */
  peek(matrix: StoredMatrix): LoadedMatrix | undefined {
    return this.#loaded[matrix.weights.use].get(matrix);
  }

  /** @throws RangeError when the matrix alone exceeds the budget. */
  hasRoom({ bytes, rows, columns }: StoredMatrix): boolean {
    if (bytes > this.budget)
      throw new RangeError(
        `a matrix of ${rows}×${columns} takes ${bytes} bytes, more than all the ${this.budget} bytes for weights`,
      );
    return this.#used + bytes <= this.budget;
  }

  /** The matrix, read from its file when it is not in memory. */
  get(matrix: StoredMatrix): LoadedMatrix {
    const kept = this.#loaded[matrix.weights.use];
    let loaded = kept.get(matrix);
    if (loaded) kept.delete(matrix);
    else {
      while (!this.hasRoom(matrix)) this.#evict();
      loaded = matrix.weights.read();
      this.#used += matrix.bytes;
      this.#bytesRead += matrix.bytes;
    }
    kept.set(matrix, loaded);
    return loaded;
  }

  #evict(): void {
    const { always, chosen } = this.#loaded;
    const [victim] = chosen.size > 0 ? chosen.keys() : [...always.keys()].slice(-1);
    if (!victim) return;
    this.peek(victim)?.dispose();
    this.#loaded[victim.weights.use].delete(victim);
    this.#used -= victim.bytes;
  }

  /** Frees all weights; later uses read them again. */
  dispose(): void {
    while (this.#used > 0) this.#evict();
  }
}

/** A matrix whose values the store holds or reads. */
class StoredMatrix implements WeightMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly bytes: number;

  constructor(
    readonly weights: StoredWeights,
    readonly store: WeightStore,
  ) {
    ({ rows: this.rows, columns: this.columns, bytes: this.bytes } = weights);
  }

  /** Preloads the matrix when the budget allows. */
  load(): void {
    if (this.store.hasRoom(this)) this.store.get(this);
  }

  resident(): LoadedMatrix {
    return this.store.get(this);
  }

  multiply(x: Tensor): Tensor {
    return this.store.get(this).multiply(x);
  }

  /** Takes rows from memory, or reads those rows alone from the file. */
  rowsAt(rows: ArrayLike<number>): Tensor {
    const loaded = this.store.peek(this);
    if (loaded) return loaded.rowsAt(rows);
    return concatenate(
      Array.from(rows, (row) => {
        const single = this.weights.read([row, row + 1]);
        const values = single.rowsAt([0]);
        single.dispose();
        return values;
      }),
    );
  }
}
