// A sparse pattern whose places change during training while memory does not: columns, values and
// optimiser moments are exchanged within the arrays that hold them.

import { keep, type Tensor, tensor, zeros } from '../tensor/index.js';
import { shown } from './indices.js';
import type { StoredPattern } from './ops.js';

/** Places of stored elements, of at most 2³¹ in all, in rows of ascending columns. */
export class ChangingPattern implements StoredPattern {
  /** Where rows begin, as kernels read it: i32 [rows + 1]. */
  readonly segments: { readonly offsetTensor: Tensor };
  #indices: Tensor;
  #transposed: { pattern: StoredPattern; permutation: Tensor } | undefined;

  /**
   * @param places row · columns + column of each stored element, ascending
   * @throws RangeError when there are more places than an i32 numbers
   * @throws Error when a place is outside or out of order
   */
  constructor(
    readonly rows: number,
    readonly columns: number,
    places: Int32Array,
  ) {
    if (rows * columns > 2 ** 31 - 1)
      throw new RangeError(`ChangingPattern: ${rows} × ${columns} places are more than 2³¹ − 1`);
    for (let at = 0; at < places.length; at++) {
      const place = places[at] as number;
      if (place < 0 || place >= rows * columns || (at > 0 && place <= (places[at - 1] as number)))
        throw new Error(`ChangingPattern: place ${shown(place)} at ${at} is outside, or not above the one before`);
    }
    this.segments = { offsetTensor: keep(zeros([rows + 1], 'i32')) };
    this.#indices = keep(zeros([places.length], 'i32'));
    this.#put(places);
  }

  /** Number of stored elements. */
  get nnz(): number {
    return this.#indices.size;
  }

  /** Columns as an i32 tensor [nnz]. */
  get indexTensor(): Tensor {
    return this.#indices;
  }

  /** Row r holds elements offsets[r] … offsets[r + 1] − 1; in place, changes with the pattern. */
  get offsets(): Int32Array {
    return this.segments.offsetTensor.view<Int32Array>();
  }

  /** The column of each element; in place, changes with the pattern. */
  get indices(): Int32Array {
    return this.#indices.view<Int32Array>();
  }

  /** row · columns + column of each element, ascending. */
  places(): Int32Array {
    const { offsets, indices } = this;
    const places = new Int32Array(indices.length);
    for (let row = 0; row < this.rows; row++)
      for (let e = offsets[row] as number; e < (offsets[row + 1] as number); e++)
        places[e] = row * this.columns + (indices[e] as number);
    return places;
  }

  /** Bytes of offsets and columns, and of the transpose where products have asked for it. */
  get bytes(): number {
    const transposed = this.#transposed;
    const own = 4 * (this.rows + 1 + this.nnz);
    return transposed ? own + 4 * (this.columns + 1 + 2 * this.nnz) : own;
  }

  /** The transposed pattern; made once between two changes. */
  transposed(): { readonly pattern: StoredPattern; readonly permutation: Tensor } {
    this.#transposed ??= transposeOf(this);
    return this.#transposed;
  }

  /**
   * Removes elements and adds others, in place where their number stays: kept elements move to the
   * front, then from the back to where they belong among the new ones.
   *
   * @param removed 1 for each element that goes, [nnz]
   * @param grown places of new elements, ascending, none of which is kept
   * @param companions tensors with a number for each element, such as values and moments; numbers
   *   of kept elements go with them, those of new ones are 0
   * @returns the companions; others than those given where the number of elements changes, which
   *   are then disposed of
   */
  exchange(removed: Uint8Array, grown: Int32Array, companions: readonly Tensor[]): Tensor[] {
    const { rows, columns, nnz } = this;
    const kept = removed.reduce((left, gone) => left - gone, nnz);
    const size = kept + grown.length;
    const fit = (own: Tensor, dtype: 'f32' | 'i32') => (size === nnz ? own : keep(zeros([size], dtype)));
    const before = [this.#indices, ...companions];
    const after = before.map((own, at) => fit(own, at === 0 ? 'i32' : 'f32'));
    const [from, to] = [before, after].map((all) => all.map((own) => own.view())) as [Float32Array[], Float32Array[]];
    const keptInRow = new Int32Array(rows);
    const { offsets } = this;
    let front = 0;
    for (let row = 0; row < rows; row++)
      for (let e = offsets[row] as number; e < (offsets[row + 1] as number); e++) {
        if (removed[e]) continue;
        for (let array = 0; array < from.length; array++)
          (to[array] as Float32Array)[front] = (from[array] as Float32Array)[e] as number;
        keptInRow[row] = (keptInRow[row] as number) + 1;
        front += 1;
      }
    const [indices, ...others] = to as [Float32Array, ...Float32Array[]];
    let [last, next] = [front - 1, grown.length - 1];
    let end = size;
    for (let row = rows - 1; row >= 0; row--) {
      offsets[row + 1] = end;
      const first = last - (keptInRow[row] as number);
      for (; last > first || (next >= 0 && (grown[next] as number) >= row * columns); ) {
        const column = next >= 0 ? (grown[next] as number) - row * columns : -1;
        end -= 1;
        if (last > first && (column < 0 || (indices[last] as number) > column)) {
          for (const array of to) array[end] = array[last] as number;
          last -= 1;
        } else {
          if (last > first && indices[last] === column)
            throw new Error(`ChangingPattern: row ${row} already has an element in column ${column}`);
          indices[end] = column;
          for (const array of others) array[end] = 0;
          next -= 1;
        }
      }
    }
    before.forEach((own, at) => {
      if (own !== after[at]) own.dispose();
    });
    this.#indices = after[0] as Tensor;
    this.#forgetTranspose();
    return after.slice(1);
  }

  /** Whether offsets and columns, as of a file, are those of a matrix of this shape. */
  fits(offsets: Tensor, indices: Tensor): boolean {
    const [starts, columns] = [offsets.view<Int32Array>(), indices.view<Int32Array>()];
    if (starts.length !== this.rows + 1 || starts[0] !== 0 || starts[this.rows] !== columns.length) return false;
    for (let row = 0; row < this.rows; row++) {
      const [begin, end] = [starts[row] as number, starts[row + 1] as number];
      if (end < begin) return false;
      for (let e = begin; e < end; e++) {
        const least = e > begin ? (columns[e - 1] as number) + 1 : 0;
        if (!((columns[e] as number) >= least && (columns[e] as number) < this.columns)) return false;
      }
    }
    return true;
  }

  /** Takes up other places, as of a checkpoint. @throws Error unless they are of this shape */
  restore(offsets: Tensor, indices: Tensor): void {
    if (!this.fits(offsets, indices))
      throw new Error(`ChangingPattern: offsets and columns are not those of [${this.rows}, ${this.columns}]`);
    this.segments.offsetTensor.assign(offsets);
    if (indices.size !== this.nnz) {
      this.#indices.dispose();
      this.#indices = keep(zeros([indices.size], 'i32'));
    }
    this.#indices.assign(indices);
    this.#forgetTranspose();
  }

  /** Frees the memory. */
  dispose(): void {
    this.#forgetTranspose();
    this.#indices.dispose();
    this.segments.offsetTensor.dispose();
  }

  #put(places: Int32Array): void {
    const { offsets, indices, columns } = this;
    for (let at = 0; at < places.length; at++) {
      const row = Math.floor((places[at] as number) / columns);
      indices[at] = (places[at] as number) - row * columns;
      offsets[row + 1] = (offsets[row + 1] as number) + 1;
    }
    for (let row = 0; row < this.rows; row++)
      offsets[row + 1] = (offsets[row + 1] as number) + (offsets[row] as number);
  }

  #forgetTranspose(): void {
    if (!this.#transposed) return;
    const { pattern, permutation } = this.#transposed;
    for (const own of [pattern.segments.offsetTensor, pattern.indexTensor, permutation]) own.dispose();
    this.#transposed = undefined;
  }
}

/** Counting sort of the elements by column. */
function transposeOf(pattern: ChangingPattern): { pattern: StoredPattern; permutation: Tensor } {
  const { rows, columns, nnz, offsets, indices } = pattern;
  const starts = new Int32Array(columns + 1);
  for (const column of indices) starts[column + 1] = (starts[column + 1] as number) + 1;
  for (let column = 0; column < columns; column++)
    starts[column + 1] = (starts[column + 1] as number) + (starts[column] as number);
  const offsetTensor = keep(tensor(starts));
  const next = starts;
  const [rowOf, order] = [keep(zeros([nnz], 'i32')), keep(zeros([nnz], 'i32'))];
  const [rowView, orderView] = [rowOf.view<Int32Array>(), order.view<Int32Array>()];
  for (let row = 0; row < rows; row++)
    for (let e = offsets[row] as number; e < (offsets[row + 1] as number); e++) {
      const at = next[indices[e] as number] as number;
      next[indices[e] as number] = at + 1;
      rowView[at] = row;
      orderView[at] = e;
    }
  const transposed: StoredPattern = {
    ...{ rows: columns, columns: rows, nnz, segments: { offsetTensor }, indexTensor: rowOf },
    transposed: () => ({ pattern, permutation: tensor(inverseOf(order.view<Int32Array>())) }),
  };
  return { pattern: transposed, permutation: order };
}

function inverseOf(permutation: Int32Array): Int32Array {
  const inverse = new Int32Array(permutation.length);
  permutation.forEach((from, to) => {
    inverse[from] = to;
  });
  return inverse;
}
