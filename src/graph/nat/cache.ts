// N-caches (Luo & Li, "Neighborhood-aware Scalable Temporal Network Representation Learning", LoG
// 2022): each node keeps a hash table of some of its neighbours, with a fixed slot for every key,
// so that reading and writing take no search.

import { keep, type Tensor, zeros } from '../../tensor/index.js';

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
  /** Representation z of each place: [nodes·slots, width]. */
  readonly vectors: Tensor;

  constructor(
    readonly nodeCount: number,
    readonly slots: number,
    readonly width: number,
    readonly q: number,
  ) {
    this.keys = new Int32Array(nodeCount * slots).fill(EMPTY);
    this.events = new Int32Array(nodeCount * slots).fill(-1);
    this.times = new Float64Array(nodeCount * slots);
    this.vectors = keep(zeros([nodeCount * slots, width]));
  }

  /** Place of a key in the cache of a node. */
  place(node: number, key: number): number {
    return node * this.slots + slotOf(key, this.slots, this.q);
  }

  /**
   * Writes an entry, unless another key occupies the slot and `draw` is not below `replace`.
   *
   * @param z representation of the entry; zeros when left out
   * @param replace probability of replacing another key
   * @param draw uniform in [0, 1)
   * @returns whether the entry was written
   */
  write(
    place: number,
    key: number,
    event: number,
    time: number,
    z: Float32Array | undefined,
    replace: number,
    draw: number,
  ): boolean {
    const held = this.keys[place] as number;
    if (held !== EMPTY && held !== key && !(draw < replace)) return false;
    this.keys[place] = key;
    this.events[place] = event;
    this.times[place] = time;
    const vector = this.vectors.view().subarray(place * this.width, (place + 1) * this.width);
    if (z) vector.set(z);
    else vector.fill(0);
    return true;
  }

  /** Empties every cache. */
  clear(): void {
    this.keys.fill(EMPTY);
    this.events.fill(-1);
    this.times.fill(0);
    this.vectors.view().fill(0);
  }

  /** A copy of the contents. */
  snapshot(): CacheSnapshot {
    return {
      keys: this.keys.slice(),
      events: this.events.slice(),
      times: this.times.slice(),
      vectors: Float32Array.from(this.vectors.view()),
    };
  }

  /** Restores the contents of a snapshot. */
  restore({ keys, events, times, vectors }: CacheSnapshot): void {
    this.keys.set(keys);
    this.events.set(events);
    this.times.set(times);
    this.vectors.view().set(vectors);
  }
}

/** Contents of an `NCache`: copies of the fields of the same names. */
export interface CacheSnapshot {
  readonly keys: Int32Array;
  readonly events: Int32Array;
  readonly times: Float64Array;
  readonly vectors: Float32Array;
}

/** Sizes and replacement policy of a `TemporalState`. */
export interface StateOptions {
  /** F: width of self-representations. */
  readonly selfWidth: number;
  /** f: width of cache entries. */
  readonly width: number;
  /** Slots of the 1-hop and 2-hop caches: [M₁, M₂], [M₁], or [] for none. */
  readonly slots: readonly number[];
  /** α: probability that a new key replaces another in its slot. */
  readonly replace: number;
  /** Seed of the hash function and of the draws against `replace`. */
  readonly seed: number;
}

/**
 * The state of all nodes: self-representations r [nodes, F], the last event of each node, and its
 * caches by hop (hop 0 is one slot for the node itself).
 */
export class TemporalState {
  /** Self-representations r: [nodes, F]. */
  readonly selves: Tensor;
  /** Other node of the last event of each node, or `EMPTY`. */
  readonly partners: Int32Array;
  /** Last event of each node, −1 for none. */
  readonly lastEvents: Int32Array;
  /** Time of that event, 0 for none. */
  readonly lastTimes: Float64Array;
  /** Caches of hop 0, 1 and 2, as many as `slots` asks for. */
  readonly hops: readonly NCache[];

  constructor(
    readonly nodeCount: number,
    readonly options: StateOptions,
  ) {
    this.selves = keep(zeros([nodeCount, options.selfWidth]));
    this.partners = new Int32Array(nodeCount).fill(EMPTY);
    this.lastEvents = new Int32Array(nodeCount).fill(-1);
    this.lastTimes = new Float64Array(nodeCount);
    const q = oddMultiplier(options.seed);
    this.hops = [1, ...options.slots].map((slots) => new NCache(nodeCount, slots, options.width, q));
  }

  /** Resets every node to zeros and empties the caches. */
  clear(): void {
    this.selves.view().fill(0);
    this.partners.fill(EMPTY);
    this.lastEvents.fill(-1);
    this.lastTimes.fill(0);
    for (const cache of this.hops) cache.clear();
  }

  /** A copy of the state. */
  snapshot(): StateSnapshot {
    return {
      selves: Float32Array.from(this.selves.view()),
      partners: this.partners.slice(),
      lastEvents: this.lastEvents.slice(),
      lastTimes: this.lastTimes.slice(),
      hops: this.hops.map((cache) => cache.snapshot()),
    };
  }

  /** Restores the state of a snapshot. */
  restore(snapshot: StateSnapshot): void {
    this.selves.view().set(snapshot.selves);
    this.partners.set(snapshot.partners);
    this.lastEvents.set(snapshot.lastEvents);
    this.lastTimes.set(snapshot.lastTimes);
    for (const [hop, cache] of this.hops.entries()) cache.restore(snapshot.hops[hop] as CacheSnapshot);
  }

  /**
   * Updates the state with one event (u, v): writes the hop-0 slot of both nodes, then each node
   * into the 1-hop cache of the other, then offers the entries of each updated 1-hop cache to the
   * 2-hop cache of the other.
   *
   * @param fresh updated z of a place of a hop that was read in this batch, undefined for other
   * places
   */
  observe(
    u: number,
    v: number,
    event: number,
    time: number,
    fresh: (hop: number, place: number) => Float32Array | undefined,
  ): void {
    const { replace, seed, slots } = this.options;
    const sides = [
      [u, v],
      [v, u],
    ] as const;
    for (const [side, [node, partner]] of sides.entries()) {
      const selfCache = this.hops[0] as NCache;
      selfCache.write(node, node, event, time, fresh(0, node), 1, 0);
      this.partners[node] = partner;
      this.lastEvents[node] = event;
      this.lastTimes[node] = time;
      const near = this.hops[1];
      if (!near) continue;
      const place = near.place(node, partner);
      const known = near.keys[place] === partner ? fresh(1, place) : undefined;
      near.write(place, partner, event, time, known, replace, hashUnit(seed, event, 2 * side, 0));
    }
    const [, near, far] = this.hops;
    if (!near || !far) return;
    for (const [side, [node, partner]] of sides.entries()) {
      for (let slot = 0; slot < (slots[0] as number); slot++) {
        const from = partner * near.slots + slot;
        const key = near.keys[from] as number;
        if (key === EMPTY || key === node) continue;
        const z = near.vectors.view().slice(from * near.width, (from + 1) * near.width);
        far.write(
          far.place(node, key),
          key,
          near.events[from] as number,
          near.times[from] as number,
          z,
          replace,
          hashUnit(seed, event, 2 * side + 1, slot),
        );
      }
    }
  }
}

/** Contents of a `TemporalState`. */
export interface StateSnapshot {
  /** Self-representations, [nodes, F] row by row. */
  readonly selves: Float32Array;
  /** See `TemporalState.partners`. */
  readonly partners: Int32Array;
  /** See `TemporalState.lastEvents`. */
  readonly lastEvents: Int32Array;
  /** See `TemporalState.lastTimes`. */
  readonly lastTimes: Float64Array;
  /** Contents of the caches by hop. */
  readonly hops: readonly CacheSnapshot[];
}
