// Where the rows of V and C are while they train: all in memory, or part by part from files.

import { keep, type Random, type Tensor, zeros } from '../../tensor/index.js';
import type { Grid } from '../grid.js';
import type { Block } from './schedule.js';

/** Rows of V or of C. */
export type Side = 'vertices' | 'contexts';

/** Where parts are kept that are not in memory. */
export interface PartStore {
  /** Reads floats of a part, from a float on. */
  read(side: Side, part: number, into: Float32Array, from?: number): void;
  /** Writes a whole part. */
  write(side: Side, part: number, values: Float32Array): void;
}

/** The rows that kernels train. */
export interface Matrices {
  /** Rows of V in memory. */
  readonly vertices: Tensor;
  /** Rows of C in memory; the same tensor in a layout. */
  readonly contexts: Tensor;
  /** Bytes of parts that were moved so far. */
  readonly moved: number;
  /** Brings the parts of blocks into memory and gives the first row of each. */
  place(blocks: readonly Block[]): readonly { readonly heads: number; readonly tails: number }[];
  /** Called when a group has trained. */
  trained(blocks: readonly Block[]): void;
  /** Copies rows of V or C: the part's rows from `from` on, as many as fit. */
  copy(side: Side, part: number, into: Float32Array, from?: number): void;
  /** Replaces a part. */
  restore(side: Side, part: number, values: Float32Array): void;
  /** Frees what is in memory. */
  dispose(): void;
}

/** Initial rows of a part: V ~ U(−½, ½)/dim and C = 0, columns that pad rows 0. */
export function initialPart(grid: Grid, part: number, dim: number, width: number, random: Random): Float32Array {
  const rows = (grid.bounds[part + 1] as number) - (grid.bounds[part] as number);
  const drawn = random
    .split('vertices')
    .split(part)
    .uniform([rows, width], -0.5 / dim, 0.5 / dim);
  const values = drawn.dataSync<Float32Array>().slice();
  drawn.dispose();
  for (let at = 0; at < values.length; at += width) values.fill(0, at + dim, at + width);
  return values;
}

/** All rows in memory, in the order of places. */
export class LocalMatrices implements Matrices {
  readonly vertices: Tensor;
  readonly contexts: Tensor;
  readonly moved = 0;

  /** @param shared one matrix is V and C. Default: false */
  constructor(
    readonly grid: Grid,
    readonly width: number,
    shared = false,
  ) {
    const n = grid.nodes.length;
    this.vertices = keep(zeros([n, width]));
    this.contexts = shared ? this.vertices : keep(zeros([n, width]));
  }

  place(blocks: readonly Block[]) {
    const { bounds } = this.grid;
    return blocks.map(([row, column]) => ({ heads: bounds[row] as number, tails: bounds[column] as number }));
  }

  trained(): void {}

  #part(side: Side, part: number): Float32Array {
    const { bounds } = this.grid;
    return this[side].view().subarray((bounds[part] as number) * this.width, (bounds[part + 1] as number) * this.width);
  }

  copy(side: Side, part: number, into: Float32Array, from = 0): void {
    into.set(this.#part(side, part).subarray(from, from + into.length));
  }

  restore(side: Side, part: number, values: Float32Array): void {
    this.#part(side, part).set(values);
  }

  dispose(): void {
    this.vertices.dispose();
    if (this.contexts !== this.vertices) this.contexts.dispose();
  }
}

/**
 * W parts of V and W of C in memory, the others in a store; a part is written when it is replaced.
 */
export class StoredMatrices implements Matrices {
  readonly vertices: Tensor;
  readonly contexts: Tensor;
  moved = 0;
  readonly #rows: number;
  /** The part in each slot, −1 for none. */
  readonly #held: Readonly<Record<Side, Int32Array>>;

  constructor(
    readonly grid: Grid,
    readonly width: number,
    readonly workers: number,
    readonly store: PartStore,
  ) {
    this.#rows = Math.ceil(grid.nodes.length / grid.parts);
    const slots = () => keep(zeros([workers * this.#rows, width]));
    [this.vertices, this.contexts] = [slots(), slots()];
    const none = () => new Int32Array(workers).fill(-1);
    this.#held = { vertices: none(), contexts: none() };
  }

  place(blocks: readonly Block[]) {
    return blocks.map(([row, column]) => ({
      heads: this.#bring('vertices', row),
      tails: this.#bring('contexts', column),
    }));
  }

  trained(): void {}

  #size(part: number): number {
    const { bounds } = this.grid;
    return ((bounds[part + 1] as number) - (bounds[part] as number)) * this.width;
  }

  #slot(side: Side, slot: number, part: number): Float32Array {
    const first = slot * this.#rows * this.width;
    return this[side].view().subarray(first, first + this.#size(part));
  }

  /** Brings a part into its slot and gives the first row of that. */
  #bring(side: Side, part: number): number {
    const slot = part % this.workers;
    if (this.#held[side][slot] !== part) {
      this.#keep(side, slot);
      this.store.read(side, part, this.#slot(side, slot, part));
      this.moved += 4 * this.#size(part);
      this.#held[side][slot] = part;
    }
    return slot * this.#rows;
  }

  /** Writes the part of a slot. */
  #keep(side: Side, slot: number): void {
    const part = this.#held[side][slot] as number;
    if (part < 0) return;
    this.store.write(side, part, this.#slot(side, slot, part));
    this.moved += 4 * this.#size(part);
    this.#held[side][slot] = -1;
  }

  /** Writes all parts in memory. */
  flush(): void {
    for (const side of ['vertices', 'contexts'] as const)
      for (let slot = 0; slot < this.workers; slot++) this.#keep(side, slot);
  }

  copy(side: Side, part: number, into: Float32Array, from = 0): void {
    const slot = part % this.workers;
    if (this.#held[side][slot] === part) into.set(this.#slot(side, slot, part).subarray(from, from + into.length));
    else this.store.read(side, part, into, from);
  }

  restore(side: Side, part: number, values: Float32Array): void {
    const slot = part % this.workers;
    if (this.#held[side][slot] === part) this.#slot(side, slot, part).set(values);
    else this.store.write(side, part, values);
  }

  dispose(): void {
    this.vertices.dispose();
    this.contexts.dispose();
  }
}
