// Joint neighbourhoods of pairs: every key in the caches of u or v becomes one row, with a bit mask
// of the caches that contain it.

import { SparsePattern } from '../../sparse/index.js';
import { KeyTable } from '../temporal/key-table.js';
import type { Fetched } from './state.js';

/** Joint neighbourhoods: one row for every key of every pair. */
export interface JointRows {
  /** [rows, places]: the fetched places whose z are summed into a row. */
  readonly pattern: SparsePattern;
  /** Rows of pair p: offsets[p] … offsets[p + 1] − 1. */
  readonly offsets: Int32Array;
  /** Neighbour of each row. */
  readonly keys: Int32Array;
  /**
   * Bit mask of the caches that contain the key: 2^hop for those of u, 8·2^hop for those of v; 0 …
   * 63.
   */
  readonly bits: Int32Array;
}

/**
 * Joint rows of pairs of fetched nodes.
 *
 * @param left index of u in the fetched nodes, for each pair
 * @param right index of v
 */
export function joinPairs(
  { starts, hops, keys }: Fetched,
  left: ArrayLike<number>,
  right: ArrayLike<number>,
): JointRows {
  const count = left.length;
  const offsets = new Int32Array(count + 1);
  let capacity = 0;
  for (let p = 0; p < count; p++) {
    const [i, j] = [left[p] as number, right[p] as number];
    capacity += (starts[i + 1] as number) - (starts[i] as number) + (starts[j + 1] as number) - (starts[j] as number);
  }
  const rowKeys = new Int32Array(capacity);
  const bits = new Int32Array(capacity);
  const rowOf = new Int32Array(capacity);
  const columns = new Int32Array(capacity);
  const table = new KeyTable();
  let [rows, entries] = [0, 0];
  for (let p = 0; p < count; p++) {
    table.clear();
    for (const [side, node] of [left[p] as number, right[p] as number].entries()) {
      for (let place = starts[node] as number; place < (starts[node + 1] as number); place++) {
        const key = keys[place] as number;
        let row = table.find(key);
        if (row < 0) {
          row = rows++;
          table.put(key, row);
          rowKeys[row] = key;
        }
        bits[row] = (bits[row] as number) | (1 << ((hops[place] as number) + 3 * side));
        rowOf[entries] = row;
        columns[entries++] = place;
      }
    }
    offsets[p + 1] = rows;
  }
  return {
    pattern: patternOf(rows, keys.length, rowOf.subarray(0, entries), columns.subarray(0, entries)),
    offsets,
    keys: rowKeys.subarray(0, rows),
    bits: bits.slice(0, rows),
  };
}

/** Sparse pattern from its entries, by a counting sort over rows. */
function patternOf(rows: number, columnCount: number, rowOf: Int32Array, columns: Int32Array): SparsePattern {
  const indptr = new Int32Array(rows + 1);
  for (const row of rowOf) indptr[row + 1] = (indptr[row + 1] as number) + 1;
  for (let row = 0; row < rows; row++) indptr[row + 1] = (indptr[row + 1] as number) + (indptr[row] as number);
  const next = indptr.slice();
  const indices = new Int32Array(columns.length);
  for (let e = 0; e < columns.length; e++) {
    const row = rowOf[e] as number;
    indices[next[row] as number] = columns[e] as number;
    next[row] = (next[row] as number) + 1;
  }
  return new SparsePattern(rows, columnCount, indptr, indices);
}
