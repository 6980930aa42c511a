// Joint neighbourhoods of pairs: every key in the caches of u or v becomes one row, with a bit mask
// of the caches that contain it.

import { SparsePattern } from '../../sparse/index.js';
import { EMPTY, type TemporalState } from './cache.js';

/** Occupied places of the caches of a batch of nodes, one row for each place. */
export interface Fetched {
  /** Rows of node i: starts[i] … starts[i + 1] − 1. */
  readonly starts: Int32Array;
  /** Hop of each row. */
  readonly hops: Uint8Array;
  /** Place of each row in the cache of its hop. */
  readonly places: Int32Array;
  /** Neighbour in each place. */
  readonly keys: Int32Array;
}

/** Lists the occupied places of the given nodes, hop by hop. */
export function fetchPlaces(state: TemporalState, nodes: Int32Array): Fetched {
  const perNode = state.hops.reduce((total, { slots }) => total + slots, 0);
  const hops = new Uint8Array(nodes.length * perNode);
  const places = new Int32Array(nodes.length * perNode);
  const keys = new Int32Array(nodes.length * perNode);
  const starts = new Int32Array(nodes.length + 1);
  let row = 0;
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i] as number;
    for (let hop = 0; hop < state.hops.length; hop++) {
      const cache = state.hops[hop] as TemporalState['hops'][number];
      for (let place = node * cache.slots; place < (node + 1) * cache.slots; place++) {
        const key = cache.keys[place] as number;
        if (key === EMPTY) continue;
        hops[row] = hop;
        places[row] = place;
        keys[row++] = key;
      }
    }
    starts[i + 1] = row;
  }
  return { starts, hops: hops.subarray(0, row), places: places.subarray(0, row), keys: keys.subarray(0, row) };
}

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
  const table = new PairTable();
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

/**
 * Hash table (open addressing) from the keys of one pair to rows; clearing increments a stamp and
 * takes constant time.
 */
class PairTable {
  #size = 512;
  #keys = new Int32Array(this.#size);
  #rows = new Int32Array(this.#size);
  #stamps = new Int32Array(this.#size);
  #stamp = 0;
  #used = 0;

  clear(): void {
    this.#stamp += 1;
    this.#used = 0;
  }

  #slot(key: number): number {
    let at = (Math.imul(key, 0x9e3779b1) >>> 8) & (this.#size - 1);
    while (this.#stamps[at] === this.#stamp && this.#keys[at] !== key) at = (at + 1) & (this.#size - 1);
    return at;
  }

  find(key: number): number {
    const at = this.#slot(key);
    return this.#stamps[at] === this.#stamp ? (this.#rows[at] as number) : -1;
  }

  put(key: number, row: number): void {
    if (2 * ++this.#used > this.#size) this.#grow();
    const at = this.#slot(key);
    this.#stamps[at] = this.#stamp;
    this.#keys[at] = key;
    this.#rows[at] = row;
  }

  #grow(): void {
    const held = Array.from(this.#stamps.keys()).filter((at) => this.#stamps[at] === this.#stamp);
    const entries = held.map((at) => [this.#keys[at] as number, this.#rows[at] as number] as const);
    this.#size *= 2;
    this.#keys = new Int32Array(this.#size);
    this.#rows = new Int32Array(this.#size);
    this.#stamps = new Int32Array(this.#size);
    for (const [key, row] of entries) {
      const at = this.#slot(key);
      this.#stamps[at] = this.#stamp;
      this.#keys[at] = key;
      this.#rows[at] = row;
    }
  }
}
