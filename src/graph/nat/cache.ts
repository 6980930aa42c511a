// N-caches (Luo & Li, "Neighborhood-aware Scalable Temporal Network Representation Learning", LoG
// 2022): each node keeps a hash table of some of its neighbours, with a fixed slot for every key,
// so that reading and writing take no search.

/** Key of an empty slot. */
export const EMPTY = -1;

/**
 * q of the hash function, always odd: with q odd and q + 1 even, a·q + a²·(q + 1) takes all
 * residues modulo a power of two; with q even only few (7 of 32 for q = 42).
 */
export function oddMultiplier(seed: number): number {
  return 2 * (seed % 50) + 1;
}

/**
 * (a·q + a²·(q + 1)) mod slots: the slot of key a. The key is reduced modulo `slots` first, which
 * keeps the arithmetic exact for any key.
 */
export function slotOf(key: number, slots: number, q: number): number {
  const a = key % slots;
  return (a * q + a * a * (q + 1)) % slots;
}

/** A uniform number in [0, 1) hashed from a seed and three integers (the finaliser of murmur3). */
export function hashUnit(seed: number, a: number, b: number, c: number): number {
  let h =
    Math.imul(seed ^ Math.imul(a, 0x9e3779b1), 0x85ebca6b) ^
    Math.imul(b + 0x7f4a7c15, 0xc2b2ae35) ^
    Math.imul(c + 1, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

/** The caches of one hop: `slots` slots for each node. A place is the index node·slots + slot. */
export class NCache {
  /** Neighbour in each place, or `EMPTY`. */
  readonly keys: Int32Array;
  /** Event that wrote each place, −1 for none. */
  readonly events: Int32Array;
  /** Time of that event, 0 for none. */
  readonly times: Float64Array;
  /** Representation z of each place: [nodes·slots, width], row by row. */
  readonly vectors: Float32Array;

  constructor(
    readonly nodeCount: number,
    readonly slots: number,
    readonly width: number,
    readonly q: number,
  ) {
    this.keys = new Int32Array(nodeCount * slots).fill(EMPTY);
    this.events = new Int32Array(nodeCount * slots).fill(-1);
    this.times = new Float64Array(nodeCount * slots);
    this.vectors = new Float32Array(nodeCount * slots * width);
  }

  /** Place of a key in the cache of a node. */
  place(node: number, key: number): number {
    return node * this.slots + slotOf(key, this.slots, this.q);
  }

  /**
   * Writes an entry to the cache of a node, unless another key occupies its slot and `draw` is not
   * below `replace`. z is row `row` of `vectors`, zeros for row −1.
   *
   * @param replace α, the probability of replacing another key
   * @param draw uniform in [0, 1)
   * @returns whether the entry was written
   */
  write(
    node: number,
    { key, event, time, vectors, row }: CacheEntry,
    { replace, draw }: { readonly replace: number; readonly draw: number },
  ): boolean {
    const place = this.place(node, key);
    const held = this.keys[place] as number;
    if (held !== EMPTY && held !== key && !(draw < replace)) return false;
    this.keys[place] = key;
    this.events[place] = event;
    this.times[place] = time;
    const { width } = this;
    for (let j = 0; j < width; j++)
      this.vectors[place * width + j] = row < 0 ? 0 : (vectors[row * width + j] as number);
    return true;
  }

  /** Empties every cache. */
  clear(): void {
    this.keys.fill(EMPTY);
    this.events.fill(-1);
    this.times.fill(0);
    this.vectors.fill(0);
  }

  /** A copy of the contents. */
  snapshot(): CacheSnapshot {
    return {
      keys: this.keys.slice(),
      events: this.events.slice(),
      times: this.times.slice(),
      vectors: this.vectors.slice(),
    };
  }

  /** Restores the contents of a snapshot of as many nodes, or fewer: the others are empty. */
  restore({ keys, events, times, vectors }: CacheSnapshot): void {
    this.clear();
    this.keys.set(keys);
    this.events.set(events);
    this.times.set(times);
    this.vectors.set(vectors);
  }
}

/** What is written to a place of a cache. */
export interface CacheEntry {
  /** The neighbour. */
  readonly key: number;
  /** Number of the event. */
  readonly event: number;
  /** Time of the event. */
  readonly time: number;
  /** [rows, width], of which z is one row. */
  readonly vectors: Float32Array;
  /** The row of z; −1 for zeros. */
  readonly row: number;
}

/** Contents of an `NCache`: copies of the fields of the same names. */
export interface CacheSnapshot {
  /** See `NCache.keys`. */
  readonly keys: Int32Array;
  /** See `NCache.events`. */
  readonly events: Int32Array;
  /** See `NCache.times`. */
  readonly times: Float64Array;
  /** See `NCache.vectors`. */
  readonly vectors: Float32Array;
}
