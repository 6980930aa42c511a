// N-caches (Luo & Li, "Neighborhood-aware Scalable Temporal Network Representation Learning", LoG 2022): each node keeps a dictionary of some neighbours, a fixed slot for every key, so that reading and writing take no search.

import { keep, type Tensor, zeros } from '../../tensor/index.js';

/** Key of a slot that holds nothing. */
export const EMPTY = -1;

/** q of the slot function: odd, since with q odd and q + 1 even a·q + a²·(q + 1) runs through all residues of a power of two, and with q even through few (7 of 32 for q = 42). */
export function oddMultiplier(seed: number): number {
  return 2 * (seed % 50) + 1;
}

/** (a·q + a²·(q + 1)) mod slots: the slot of key a. Taken modulo first, so that it is exact for any key. */
export function slotOf(key: number, slots: number, q: number): number {
  const a = key % slots;
  return (a * q + a * a * (q + 1)) % slots;
}

/** Uniform in [0, 1) from a seed and three numbers (murmur3's finaliser). */
export function hashUnit(seed: number, a: number, b: number, c: number): number {
  let h =
    Math.imul(seed ^ Math.imul(a, 0x9e3779b1), 0x85ebca6b) ^
    Math.imul(b + 0x7f4a7c15, 0xc2b2ae35) ^
    Math.imul(c + 1, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

/** The caches of one hop: `slots` places for each node. A place is numbered node·slots + slot. */
export class NCache {
  readonly keys: Int32Array;
  /** Event of each entry, −1 for none. */
  readonly events: Int32Array;
  readonly times: Float64Array;
  /** z of each place: [nodes·slots, width]. */
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

  place(node: number, key: number): number {
    return node * this.slots + slotOf(key, this.slots, this.q);
  }

  /** Writes an entry unless another key holds the slot and `draw` (uniform) is not below the probability of replacing it. */
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
    const own = this.vectors.view().subarray(place * this.width, (place + 1) * this.width);
    if (z) own.set(z);
    else own.fill(0);
    return true;
  }

  clear(): void {
    this.keys.fill(EMPTY);
    this.events.fill(-1);
    this.times.fill(0);
    this.vectors.view().fill(0);
  }

  snapshot(): CacheSnapshot {
    return {
      keys: this.keys.slice(),
      events: this.events.slice(),
      times: this.times.slice(),
      vectors: Float32Array.from(this.vectors.view()),
    };
  }

  restore({ keys, events, times, vectors }: CacheSnapshot): void {
    this.keys.set(keys);
    this.events.set(events);
    this.times.set(times);
    this.vectors.view().set(vectors);
  }
}

export interface CacheSnapshot {
  readonly keys: Int32Array;
  readonly events: Int32Array;
  readonly times: Float64Array;
  readonly vectors: Float32Array;
}

export interface StateOptions {
  /** Width F of self representations, and f of cache entries. */
  readonly selfWidth: number;
  readonly width: number;
  /** Slots of the 1-hop and 2-hop caches: [M₁, M₂], [M₁], or [] for none. */
  readonly slots: readonly number[];
  readonly replace: number;
  readonly seed: number;
}

/** Everything that a node remembers: r [nodes, F], its last event, and its caches by hop (hop 0 is one slot for the node itself). */
export class TemporalState {
  readonly selves: Tensor;
  readonly partners: Int32Array;
  readonly lastEvents: Int32Array;
  readonly lastTimes: Float64Array;
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

  clear(): void {
    this.selves.view().fill(0);
    this.partners.fill(EMPTY);
    this.lastEvents.fill(-1);
    this.lastTimes.fill(0);
    for (const cache of this.hops) cache.clear();
  }

  snapshot(): StateSnapshot {
    return {
      selves: Float32Array.from(this.selves.view()),
      partners: this.partners.slice(),
      lastEvents: this.lastEvents.slice(),
      lastTimes: this.lastTimes.slice(),
      hops: this.hops.map((cache) => cache.snapshot()),
    };
  }

  restore(snapshot: StateSnapshot): void {
    this.selves.view().set(snapshot.selves);
    this.partners.set(snapshot.partners);
    this.lastEvents.set(snapshot.lastEvents);
    this.lastTimes.set(snapshot.lastTimes);
    for (const [hop, cache] of this.hops.entries()) cache.restore(snapshot.hops[hop] as CacheSnapshot);
  }

  /**
   * Takes in one event (u, v): both nodes' own slots, each in the other's 1-hop cache, then each one's updated 1-hop cache offered to the other's 2-hop cache.
   *
   * @param fresh the updated z of a place of a hop that was read in this batch, undefined for others
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
      const own = this.hops[0] as NCache;
      own.write(node, node, event, time, fresh(0, node), 1, 0);
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

export interface StateSnapshot {
  readonly selves: Float32Array;
  readonly partners: Int32Array;
  readonly lastEvents: Int32Array;
  readonly lastTimes: Float64Array;
  readonly hops: readonly CacheSnapshot[];
}
