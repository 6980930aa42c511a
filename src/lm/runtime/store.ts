// Weights that are read from files on demand, within a memory budget, and ahead of their use, on a
// thread of their own.

import { tensorMemoryBudget } from '../../engine/index.js';
import { concatenate, type Tensor } from '../../tensor/index.js';
import type { LoadedMatrix, StoredWeights, WeightMatrix } from './matrix.js';
import { type Disk, FileReader, type PendingRead } from './reader.js';

/**
 * When experts begin to be read: `early` as soon as a router has chosen them, before attention
 * where it reads the layer's input; `late` after attention; `never` ahead, but one after the other
 * when products need them. Matrices that every pass uses are read half a layer ahead unless
 * `never`.
 */
export type ReadAhead = 'early' | 'late' | 'never';

/** Options of a `WeightStore`. */
export interface StoreOptions {
  /** Default: `early`. */
  readonly readAhead?: ReadAhead;
  /** Whether experts stay in memory when a layer is done with them. Default: true. */
  readonly keep?: boolean;
  /** A disk to emulate. Default: the host's own. */
  readonly disk?: Disk | undefined;
}

/** What a store has done since its start. */
export interface StoreStatistics {
  /** Choices of matrices of experts that were in memory, or on their way. */
  readonly hits: number;
  /** Choices that were not. */
  readonly misses: number;
  /** Bytes read from files, repeated reads included. */
  readonly bytesRead: number;
  /** Seconds that products waited for reads. */
  readonly waitSeconds: number;
  /** Seconds from the choice of a layer's experts to the first product with one. */
  readonly aheadSeconds: number;
}

/** A matrix in memory, or on its way there. */
interface Entry {
  loaded?: LoadedMatrix;
  pending?: { readonly read: PendingRead; readonly staged: Tensor };
}

/**
 * Keeps weights in memory within a budget. Eviction takes experts first, the least recently used
 * one first; then matrices that every pass uses, the most recently used first: passes repeat in the
 * same order, so that it is needed last. Matrices that were read ahead (`ahead`) go after those,
 * and experts that a layer has been promised (`want`) last of all, and never while they are being
 * read.
 */
export class WeightStore {
  /** Matrices in memory, least recently used first. */
  readonly #kept = { always: new Map<StoredMatrix, Entry>(), chosen: new Map<StoredMatrix, Entry>() };
  /** How many layers in progress need a matrix. */
  readonly #pins = new Map<StoredMatrix, number>();
  readonly #options: StoreOptions;
  #reader: FileReader | undefined;
  #used = 0;
  #hits = 0;
  #misses = 0;
  #bytesRead = 0;
  #waitSeconds = 0;
  #aheadSeconds = 0;
  /** When experts were chosen that no product has used yet. */
  #chosenAt: number | undefined;

  /**
   * @param budget most bytes of weights in memory; the rest of tensor memory is for caches and
   * activations
   */
  constructor(
    readonly budget: number = tensorMemoryBudget(),
    options: StoreOptions = {},
  ) {
    this.#options = options;
  }

  /** When experts begin to be read. */
  get readAhead(): ReadAhead {
    return this.#options.readAhead ?? 'early';
  }

  /** Bytes of weights in memory, those on their way included. */
  get used(): number {
    return this.#used;
  }

  /** Bytes of weights read from files so far, repeated reads included. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Counts of what was found in memory, read and waited for. */
  get statistics(): StoreStatistics {
    const [hits, misses] = [this.#hits, this.#misses];
    const [waitSeconds, aheadSeconds] = [this.#waitSeconds, this.#aheadSeconds];
    return { hits, misses, bytesRead: this.#bytesRead, waitSeconds, aheadSeconds };
  }

  /** Registers a matrix of a file; nothing is read yet. */
  add(weights: StoredWeights): StoredMatrix {
    return new StoredMatrix(weights, this);
  }

  /** The matrix if it is in memory; does not count as a use. */
  peek(matrix: StoredMatrix): LoadedMatrix | undefined {
    return this.#kept[matrix.weights.use].get(matrix)?.loaded;
  }

  /** Whether a product with the matrix need not wait. */
  isReady(matrix: StoredMatrix): boolean {
    const entry = this.#kept[matrix.weights.use].get(matrix);
    return entry !== undefined && (entry.loaded !== undefined || entry.pending?.read.isDone === true);
  }

  /** @throws RangeError when the matrix alone exceeds the budget. */
  hasRoom({ bytes, rows, columns }: StoredMatrix): boolean {
    if (bytes > this.budget)
      throw new RangeError(
        `a matrix of ${rows}×${columns} takes ${bytes} bytes, more than all the ${this.budget} bytes for weights`,
      );
    return this.#used + bytes <= this.budget;
  }

  /** The matrix, read from its file when it is not in memory. @throws Error naming the file. */
  get(matrix: StoredMatrix): LoadedMatrix {
    const kept = this.#kept[matrix.weights.use];
    if (matrix.weights.use === 'chosen' && this.#chosenAt !== undefined) {
      this.#aheadSeconds += (performance.now() - this.#chosenAt) / 1000;
      this.#chosenAt = undefined;
    }
    let entry = kept.get(matrix);
    if (entry) kept.delete(matrix);
    else {
      while (!this.hasRoom(matrix)) this.#evict();
      entry = this.#begin(matrix);
    }
    kept.set(matrix, entry);
    return entry.loaded ?? this.#complete(matrix, entry);
  }

  /**
   * Experts' matrices that a layer is about to use, in that order: they begin to be read as far as
   * there is room, and stay until `release`.
   *
   * @param counted whether they count in the statistics
   */
  want(matrices: readonly StoredMatrix[], counted: boolean): void {
    if (counted) this.#chosenAt = performance.now();
    for (const matrix of matrices) this.#pins.set(matrix, (this.#pins.get(matrix) ?? 0) + 1);
    for (const matrix of matrices) {
      const kept = this.#kept[matrix.weights.use];
      const entry = kept.get(matrix);
      if (counted && entry) this.#hits += 1;
      else if (counted) this.#misses += 1;
      if (entry) {
        kept.delete(matrix);
        kept.set(matrix, entry);
      } else if (this.readAhead !== 'never' && matrix.range && this.#makeRoom(matrix))
        kept.set(matrix, this.#begin(matrix));
    }
  }

  /**
   * Matrices of every pass that are used next, in that order: those that are not in memory begin to
   * be read, as far as the matrices that were used just before them make room.
   */
  ahead(matrices: readonly StoredMatrix[]): void {
    if (this.readAhead === 'never') return;
    const missing = matrices.filter((matrix) => matrix.range && !this.#kept.always.has(matrix));
    if (missing.length === 0) return;
    const next = new Set(matrices);
    for (const matrix of missing) {
      if (!this.#makeRoom(matrix, () => this.#lastUsed(next))) return;
      this.#kept.always.set(matrix, this.#begin(matrix, true));
    }
  }

  /** Ends what `want` has begun: the matrices may be evicted. */
  release(matrices: readonly StoredMatrix[]): void {
    for (const matrix of matrices) {
      const left = (this.#pins.get(matrix) ?? 1) - 1;
      if (left > 0) this.#pins.set(matrix, left);
      else this.#pins.delete(matrix);
      if (left === 0 && this.#options.keep === false && this.#kept.chosen.has(matrix)) this.#drop(matrix);
    }
  }

  /**
   * Evicts experts that nobody has been promised, then what `other` gives; whether there is room
   * then.
   */
  #makeRoom(matrix: StoredMatrix, other?: () => StoredMatrix | undefined): boolean {
    while (!this.hasRoom(matrix)) {
      const victim = this.#unpinned() ?? other?.();
      if (!victim) return false;
      this.#drop(victim);
    }
    return true;
  }

  /** The expert's matrix that was used least recently, of those that no layer was promised. */
  #unpinned(): StoredMatrix | undefined {
    for (const matrix of this.#kept.chosen.keys()) if (!this.#pins.has(matrix)) return matrix;
    return undefined;
  }

  /** The matrix of every pass that was used last, but for those of `next`. */
  #lastUsed(next?: ReadonlySet<StoredMatrix>): StoredMatrix | undefined {
    let last: StoredMatrix | undefined;
    for (const [matrix, { loaded }] of this.#kept.always) if (loaded && !next?.has(matrix)) last = matrix;
    return last;
  }

  #evict(): void {
    const { always, chosen } = this.#kept;
    const victim = this.#unpinned() ?? this.#lastUsed() ?? [...always.keys()].at(-1) ?? chosen.keys().next().value;
    if (victim) this.#drop(victim);
  }

  /**
   * Begins to read a matrix for which there is room: on the thread where the file allows, and where
   * there is something else to do meanwhile.
   */
  #begin(matrix: StoredMatrix, isAhead = false): Entry {
    const { weights } = matrix;
    const range = isAhead || weights.use === 'chosen' ? matrix.range : undefined;
    this.#used += matrix.bytes;
    this.#bytesRead += matrix.bytes;
    try {
      if (range && weights.stage) {
        this.#reader ??= FileReader.start(this.#options.disk);
        const staged = weights.stage();
        const read = this.#reader?.read(range, staged);
        if (read) return { pending: { read, staged } };
        staged.dispose();
      }
      const started = performance.now();
      const loaded = weights.read();
      this.#waitSeconds += (performance.now() - started) / 1000;
      return { loaded };
    } catch (error) {
      this.#used -= matrix.bytes;
      throw error;
    }
  }

  /** Waits for a matrix that is on its way. */
  #complete(matrix: StoredMatrix, entry: Entry): LoadedMatrix {
    const { pending } = entry;
    if (!pending) throw new Error('a matrix is neither in memory nor on its way');
    entry.pending = undefined;
    try {
      const started = performance.now();
      pending.read.wait();
      this.#waitSeconds += (performance.now() - started) / 1000;
      entry.loaded = (matrix.weights.finish as NonNullable<StoredWeights['finish']>)(pending.staged);
      return entry.loaded;
    } catch (error) {
      this.#kept[matrix.weights.use].delete(matrix);
      this.#used -= matrix.bytes;
      pending.staged.dispose();
      throw error;
    }
  }

  /** Frees a matrix; one on its way first arrives, since the thread writes to its memory. */
  #drop(matrix: StoredMatrix): void {
    const kept = this.#kept[matrix.weights.use];
    const entry = kept.get(matrix);
    kept.delete(matrix);
    this.#used -= matrix.bytes;
    entry?.loaded?.dispose();
    if (!entry?.pending) return;
    try {
      entry.pending.read.wait();
    } catch {
      // Who needs the matrix reads it again, and is told.
    }
    entry.pending.staged.dispose();
  }

  /** Frees all weights and ends the thread; later uses read them again. */
  dispose(): void {
    for (const kept of Object.values(this.#kept)) for (const matrix of [...kept.keys()]) this.#drop(matrix);
    this.#reader?.close();
    this.#reader = undefined;
  }
}

/** A matrix whose values the store holds or reads. */
export class StoredMatrix implements WeightMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly bytes: number;
  /** Where its bytes lie, if they lie together in an open file. */
  readonly range: StoredWeights['range'];

  constructor(
    readonly weights: StoredWeights,
    readonly store: WeightStore,
  ) {
    ({ rows: this.rows, columns: this.columns, bytes: this.bytes, range: this.range } = weights);
  }

  /** Preloads the matrix when the budget allows. */
  load(): void {
    if (this.store.hasRoom(this)) this.store.get(this);
  }

  resident(): LoadedMatrix {
    return this.store.get(this);
  }

  held(): LoadedMatrix | undefined {
    return this.store.peek(this);
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
