// The grid over ranks: each keeps its columns of tails for good, and parts of the heads go round in
// a ring, one a group. Samplers are shared out, and each rank gets the pairs of its own columns.

import type { Communicator } from '../../distributed/index.js';
import { keep, type Tensor, zeros } from '../../tensor/index.js';
import type { Grid } from '../grid.js';
import type { Matrices, Side } from './matrices.js';
import { ints, type PairPool } from './pools.js';
import type { Block } from './schedule.js';

/** Columns of a rank: [first, behind the last). */
export function columnsOf(parts: number, rank: number, size: number): readonly [number, number] {
  return [(rank * parts) / size, ((rank + 1) * parts) / size];
}

/** Samplers of a rank: [first, behind the last). */
export function samplersOf(samplers: number, rank: number, size: number): readonly [number, number] {
  return [Math.floor((rank * samplers) / size), Math.floor(((rank + 1) * samplers) / size)];
}

/**
 * P/K parts of V and as many of C on each of K ranks. In group o the rank of columns a … b − 1 has
 * the heads a + o … b − 1 + o (mod P); then it sends the first to the rank before and gets one from
 * the rank behind.
 */
export class RankMatrices implements Matrices {
  readonly vertices: Tensor;
  readonly contexts: Tensor;
  moved = 0;
  readonly #rows: number;
  readonly #slots: number;
  readonly #columns: readonly [number, number];
  /** The part of V in each slot. */
  readonly #heads: Int32Array;
  readonly #gathered: Partial<Record<Side, Float32Array>> = {};

  /** @throws RangeError unless the parts are a multiple of the ranks */
  constructor(
    readonly grid: Grid,
    readonly width: number,
    readonly ranks: Communicator,
  ) {
    const { parts } = grid;
    if (parts % ranks.size !== 0)
      throw new RangeError(
        `graphvite: ${parts} parts are not a multiple of ${ranks.size} ranks; use ${Math.ceil(parts / ranks.size) * ranks.size} parts`,
      );
    this.#slots = parts / ranks.size;
    this.#rows = Math.ceil(grid.nodes.length / parts);
    this.#columns = columnsOf(parts, ranks.rank, ranks.size);
    const slots = () => keep(zeros([this.#slots * this.#rows, width]));
    [this.vertices, this.contexts] = [slots(), slots()];
    const [first] = this.#columns;
    this.#heads = Int32Array.from({ length: this.#slots }, (_, slot) => first + slot);
  }

  /** Whether this rank trains a block. */
  owns([, column]: Block): boolean {
    return column >= this.#columns[0] && column < this.#columns[1];
  }

  place(blocks: readonly Block[]) {
    return blocks.map(([row, column]) => ({
      heads: (row % this.#slots) * this.#rows,
      tails: (column % this.#slots) * this.#rows,
    }));
  }

  #slot(side: Side, part: number): Float32Array {
    const { bounds } = this.grid;
    const first = (part % this.#slots) * this.#rows * this.width;
    const size = ((bounds[part + 1] as number) - (bounds[part] as number)) * this.width;
    return this[side].view().subarray(first, first + size);
  }

  trained(blocks: readonly Block[]): void {
    const { ranks, grid } = this;
    const own = blocks.filter((block) => this.owns(block));
    const [leaving] = own[0] as Block;
    const arriving = (leaving + this.#slots) % grid.parts;
    const values = this.#slot('vertices', leaving);
    const counts = new Array<number>(ranks.size).fill(0);
    counts[(ranks.rank + ranks.size - 1) % ranks.size] = values.length;
    const { data } = ranks.allToAll(values.slice(), counts);
    this.#heads[arriving % this.#slots] = arriving;
    this.#slot('vertices', arriving).set(data);
    this.moved += 4 * values.length;
  }

  /** After a training was resumed before group `group` of an episode. */
  resumeAt(group: number): void {
    const { parts } = this.grid;
    for (let i = 0; i < this.#slots; i++) {
      const part = (this.#columns[0] + group + i) % parts;
      this.#heads[part % this.#slots] = part;
    }
  }

  #holds(side: Side, part: number): boolean {
    return side === 'vertices' ? this.#heads[part % this.#slots] === part : this.owns([0, part]);
  }

  /** @throws Error for a part of another rank, on rank 0 before `gather` */
  copy(side: Side, part: number, into: Float32Array, from = 0): void {
    const all = this.#gathered[side];
    if (all) {
      const first = (this.grid.bounds[part] as number) * this.width + from;
      into.set(all.subarray(first, first + into.length));
      return;
    }
    if (!this.#holds(side, part)) throw new Error(`graphvite: part ${part} is on another rank; gather the rows first`);
    into.set(this.#slot(side, part).subarray(from, from + into.length));
  }

  restore(side: Side, part: number, values: Float32Array): void {
    if (this.#holds(side, part)) this.#slot(side, part).set(values);
  }

  /**
   * All rows in the order of places, on rank 0, where `copy` then has them; at the end of training,
   * when every part is at home.
   */
  gather(side: Side): Float32Array | undefined {
    const { ranks, grid, width } = this;
    const all = ranks.rank === 0 ? new Float32Array(grid.nodes.length * width) : undefined;
    for (let part = 0; part < grid.parts; part++) {
      const owner = Math.floor((part * ranks.size) / grid.parts);
      const [begin, end] = [(grid.bounds[part] as number) * width, (grid.bounds[part + 1] as number) * width];
      if (owner === 0) all?.set(this.#slot(side, part), begin);
      else if (all) {
        const values = new Float32Array(end - begin);
        ranks.receive(values, owner);
        all.set(values, begin);
      } else if (owner === ranks.rank) ranks.send(this.#slot(side, part).slice(), 0);
    }
    if (all) this.#gathered[side] = all;
    return all;
  }

  dispose(): void {
    this.vertices.dispose();
    this.contexts.dispose();
  }
}

/** Gives every rank the pairs of its columns that samplers of other ranks drew. */
export function exchangePairs(pool: PairPool, ranks: Communicator): void {
  const { parts, samplers } = pool.plan;
  const pairs = ints(pool.pairs);
  /** Places of what rank `from` drew for the columns of rank `to`. */
  function* places(from: number, to: number): Generator<readonly [begin: number, end: number]> {
    const [firstColumn, lastColumn] = columnsOf(parts, to, ranks.size);
    const [first, last] = samplersOf(samplers, from, ranks.size);
    for (let row = 0; row < parts; row++)
      for (let column = firstColumn; column < lastColumn; column++)
        for (let sampler = first; sampler < last; sampler++) {
          const [begin, end] = pool.share(row * parts + column, sampler);
          yield [2 * begin, 2 * end];
        }
  }
  const all = Array.from({ length: ranks.size }, (_, rank) => rank);
  const counts = all.map((to) => [...places(ranks.rank, to)].reduce((sum, [begin, end]) => sum + end - begin, 0));
  const sent = new Int32Array(counts.reduce((a, b) => a + b, 0));
  let at = 0;
  for (const to of all)
    for (const [begin, end] of places(ranks.rank, to)) {
      sent.set(pairs.subarray(begin, end), at);
      at += end - begin;
    }
  const { data } = ranks.allToAll(sent, counts);
  at = 0;
  for (const from of all)
    for (const [begin, end] of places(from, ranks.rank)) {
      pairs.set(data.subarray(at, at + end - begin), begin);
      at += end - begin;
    }
}
