// Weights that stay in their file until a pass needs them, within a budget of memory.

import { concatenate, type Tensor } from '../../tensor/index.js';
import type { LoadedMatrix, StoredWeights, WeightMatrix } from './matrix.js';

/** What is kept when nobody says otherwise: WebAssembly's memory of 4 GiB, less room for caches and activations. */
export const DEFAULT_BUDGET = 3 * 2 ** 30;

/**
 * Keeps what fits a budget. When room is needed, experts go first, the least recently used before others; then matrices of every pass, the most recently used first: passes repeat in the same order, so that one is needed last.
 */
export class WeightStore {
  /** In memory, in the order of their last use. */
  readonly #loaded = { always: new Map<StoredMatrix, LoadedMatrix>(), chosen: new Map<StoredMatrix, LoadedMatrix>() };
  #used = 0;
  #bytesRead = 0;

  /** @param budget bytes of weights in memory at most */
  constructor(readonly budget: number = DEFAULT_BUDGET) {}

  /** Bytes of weights in memory. */
  get used(): number {
    return this.#used;
  }

  /** Bytes of weights read from files so far; what is read twice counts twice. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  add(weights: StoredWeights): WeightMatrix {
    return new StoredMatrix(weights, this);
  }

  /** The matrix if it is in memory. */
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

  /** The matrix, read if need be. */
  get(matrix: StoredMatrix): LoadedMatrix {
    const own = this.#loaded[matrix.weights.use];
    let loaded = own.get(matrix);
    if (loaded) own.delete(matrix);
    else {
      while (!this.hasRoom(matrix)) this.#evict();
      loaded = matrix.weights.read();
      this.#used += matrix.bytes;
      this.#bytesRead += matrix.bytes;
    }
    own.set(matrix, loaded);
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

  /** Gives all memory back; what is used afterwards is read again. */
  dispose(): void {
    while (this.#used > 0) this.#evict();
  }
}

/** A matrix of a store. */
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

  /** Reads it ahead when there is room. */
  load(): void {
    if (this.store.hasRoom(this)) this.store.get(this);
  }

  multiply(x: Tensor): Tensor {
    return this.store.get(this).multiply(x);
  }

  /** From memory if it is there, else the rows alone from the file. */
  rowsAt(rows: ArrayLike<number>): Tensor {
    const loaded = this.store.peek(this);
    if (loaded) return loaded.rowsAt(rows);
    return concatenate(
      Array.from(rows, (row) => {
        const own = this.weights.read([row, row + 1]);
        const values = own.rowsAt([0]);
        own.dispose();
        return values;
      }),
    );
  }
}
