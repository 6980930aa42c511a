// The rows of a tree's nodes: each node owns a contiguous range of one array, and a split moves the
// rows of the left child to its front.

import { cpu, regionAt } from '../../engine/index.js';
import { emptyTensor, type Tensor } from '../../tensor/index.js';
import type { BinnedRows } from './bins.js';

/** Rows above which a split is shared by threads, and rows of each of its chunks. */
const CHUNK = 16_384;

/** The rows of all nodes of a tree. Belongs to the scope it is made in. */
export class NodeRows {
  readonly count: number;
  /** Row numbers, i32. */
  readonly order: Tensor;
  readonly #rows: Int32Array;
  readonly #codes: Uint8Array;
  readonly #aside: Tensor;
  readonly #lefts: Tensor;

  /** @param rows repeated indices count as often as they occur */
  constructor(
    rows: Int32Array,
    readonly binned: BinnedRows,
  ) {
    this.count = rows.length;
    this.order = emptyTensor([rows.length], 'i32');
    this.#rows = this.order.view<Int32Array>();
    this.#rows.set(rows);
    this.#aside = emptyTensor([rows.length], 'i32');
    this.#lefts = emptyTensor([Math.ceil(rows.length / CHUNK)], 'i32');
    this.#codes = binned.codes.view<Uint8Array>();
  }

  /** The rows of a node. */
  of(from: number, to: number): Int32Array {
    return this.#rows.subarray(from, to);
  }

  /**
   * Stable partition: moves rows with codes ≤ `bin` to the front of a node's range.
   *
   * @returns their number
   */
  split(from: number, to: number, column: number, bin: number): number {
    const { count } = this.binned;
    const aside = this.#aside.view<Int32Array>();
    if (to - from > CHUNK) return this.#splitChunks(from, to, column, bin);
    const [rows, codes, offset] = [this.#rows, this.#codes, column * count];
    let [left, right] = [from, 0];
    for (let i = from; i < to; i++) {
      const row = rows[i] as number;
      if ((codes[offset + row] as number) <= bin) rows[left++] = row;
      else aside[right++] = row;
    }
    rows.set(aside.subarray(0, right), left);
    return left - from;
  }

  #splitChunks(from: number, to: number, column: number, bin: number): number {
    const { codes, count: all } = this.binned;
    const count = to - from;
    cpu.run('splitRows', {
      codes: regionAt(codes, column * all),
      order: regionAt(this.order, 4 * from),
      aside: this.#aside,
      counts: this.#lefts,
      ...{ bin, count, perChunk: CHUNK },
    });
    const [rows, aside, lefts] = [
      this.#rows,
      this.#aside.view<Int32Array>(),
      this.#lefts.view<Int32Array>().subarray(0, Math.ceil(count / CHUNK)),
    ];
    let end = from;
    lefts.forEach((length, chunk) => {
      const start = from + chunk * CHUNK;
      rows.copyWithin(end, start, start + length);
      end += length;
    });
    const left = end - from;
    lefts.forEach((length, chunk) => {
      const start = chunk * CHUNK;
      const right = aside.subarray(start, start + Math.min(CHUNK, count - start) - length);
      rows.set(right, end);
      end += right.length;
    });
    return left;
  }
}
