// The state of NAT between events: self-representations, last events and caches of all nodes; what
// a batch reads of it, and how the events of the batch change it.

import { keep, type Tensor, zeros } from '../../tensor/index.js';
import { type CacheSnapshot, EMPTY, hashUnit, NCache, oddMultiplier } from './cache.js';

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
  /** Number of events taken in; the draws against `replace` are hashed from it. */
  observed = 0;

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
    this.observed = 0;
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
      observed: this.observed,
    };
  }

  /** Restores the state of a snapshot of as many nodes, or fewer: the others have no events. */
  restore(snapshot: StateSnapshot): void {
    this.clear();
    this.selves.view().set(snapshot.selves);
    this.partners.set(snapshot.partners);
    this.lastEvents.set(snapshot.lastEvents);
    this.lastTimes.set(snapshot.lastTimes);
    this.observed = snapshot.observed;
    for (const [hop, cache] of this.hops.entries()) cache.restore(snapshot.hops[hop] as CacheSnapshot);
  }

  /**
   * Updates the state with the events of a batch, from what was read before the batch: first r and
   * the last events, then hop 2, hop 1 and hop 0, each event by event. Every z that is written is
   * z′ of the reading. Of several events that write one place the last counts.
   *
   * - hop 2: the entries of the partner's 1-hop cache, as read;
   * - hop 1: the partner, with z′ of its entry, or zeros where the reading has none;
   * - hop 0: the node itself.
   *
   * @throws Error when the reading lacks a node of the events
   */
  observe(batch: EventBatch, reading: Reading): void {
    const sides = sidesOf(batch, reading, this.observed);
    this.observed += batch.events.length;
    this.#writeSelves(sides, reading);
    if (this.hops.length > 2) this.#writeFar(sides, reading);
    if (this.hops.length > 1) this.#writeNear(sides, reading);
    const own = this.hops[0] as NCache;
    for (const { node, index, event, time } of sides)
      own.write(
        node,
        { key: node, event, time, vectors: reading.vectors, row: reading.starts[index] as number },
        { replace: 1, draw: 0 },
      );
  }

  #writeSelves(sides: readonly Side[], { selves }: Reading): void {
    const table = this.selves.view();
    const { selfWidth } = this.options;
    for (const { node, index, partner, event, time } of sides) {
      table.set(selves.subarray(index * selfWidth, (index + 1) * selfWidth), node * selfWidth);
      this.partners[node] = partner;
      this.lastEvents[node] = event;
      this.lastTimes[node] = time;
    }
  }

  #writeFar(sides: readonly Side[], { starts, hops, places, keys, events, times, vectors }: Reading): void {
    const { replace, seed, slots } = this.options;
    const far = this.hops[2] as NCache;
    for (const { node, partnerIndex, turn } of sides)
      for (let row = starts[partnerIndex] as number; row < (starts[partnerIndex + 1] as number); row++) {
        if (hops[row] !== 1) continue;
        const [key, event, time] = [keys[row] as number, events[row] as number, times[row] as number];
        const draw = hashUnit(seed, turn, 2, (places[row] as number) % (slots[0] as number));
        far.write(node, { key, event, time, vectors, row }, { replace, draw });
      }
  }

  #writeNear(sides: readonly Side[], { starts, hops, keys, vectors }: Reading): void {
    const { replace, seed } = this.options;
    const near = this.hops[1] as NCache;
    for (const { node, index, partner, event, time, turn } of sides) {
      let row = starts[index] as number;
      const end = starts[index + 1] as number;
      while (row < end && !(hops[row] === 1 && keys[row] === partner)) row += 1;
      const draw = hashUnit(seed, turn, 1, 0);
      near.write(node, { key: partner, event, time, vectors, row: row < end ? row : -1 }, { replace, draw });
    }
  }
}

/** Events of a batch, in order of time. */
export interface EventBatch {
  /** Numbers of the events in their stream. */
  readonly events: Int32Array;
  /** Source node of each event. */
  readonly sources: Int32Array;
  /** Target node of each event. */
  readonly targets: Int32Array;
  /** Time of each event. */
  readonly times: Float64Array;
}

/** An event as one of its nodes sees it. */
interface Side {
  readonly node: number;
  readonly partner: number;
  /** Index of the node in the reading. */
  readonly index: number;
  readonly partnerIndex: number;
  readonly event: number;
  readonly time: number;
  /** Twice the number of events before it, plus 1 for the target: the draws are hashed from it. */
  readonly turn: number;
}

function sidesOf({ events, sources, targets, times }: EventBatch, { position }: Reading, observed: number): Side[] {
  return Array.from(events).flatMap((event, i) => {
    const ends = [sources[i] as number, targets[i] as number] as const;
    const [u, v] = ends.map((node) => position.get(node));
    if (u === undefined || v === undefined)
      throw new Error(`NAT.observe: event ${event} was not scored by the last call of score`);
    const time = times[i] as number;
    const turn = 2 * (observed + i);
    return [
      { node: ends[0], partner: ends[1], index: u, partnerIndex: v, event, time, turn },
      { node: ends[1], partner: ends[0], index: v, partnerIndex: u, event, time, turn: turn + 1 },
    ];
  });
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
  /** See `TemporalState.observed`. */
  readonly observed: number;
}

/**
 * Places of the caches of a batch of nodes, one row for each: that of hop 0, then the occupied ones
 * of hop 1 and of hop 2. A node is in its own 0-hop cache even before its first event.
 */
export interface Fetched {
  /** Rows of node i: starts[i] … starts[i + 1] − 1. */
  readonly starts: Int32Array;
  /** Hop of each row. */
  readonly hops: Uint8Array;
  /** Place of each row in the cache of its hop. */
  readonly places: Int32Array;
  /** Neighbour in each place. */
  readonly keys: Int32Array;
  /** Event that wrote each place, −1 for a node that had none. */
  readonly events: Int32Array;
  /** Time of that event. */
  readonly times: Float64Array;
}

/** What the caches and self-representations of a batch of nodes are once updated. */
export interface Reading extends Fetched {
  /** Index of each node in the reading. */
  readonly position: ReadonlyMap<number, number>;
  /** r′: [nodes, F]. */
  readonly selves: Float32Array;
  /** z′: [rows, f]. */
  readonly vectors: Float32Array;
}

/** Lists the occupied places of the given nodes, hop by hop. */
export function fetchPlaces(state: TemporalState, nodes: Int32Array): Fetched {
  const size = nodes.length * state.hops.reduce((total, { slots }) => total + slots, 0);
  const [hops, places, keys] = [new Uint8Array(size), new Int32Array(size), new Int32Array(size)];
  const [events, times] = [new Int32Array(size), new Float64Array(size)];
  const starts = new Int32Array(nodes.length + 1);
  let row = 0;
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i] as number;
    for (let hop = 0; hop < state.hops.length; hop++) {
      const cache = state.hops[hop] as TemporalState['hops'][number];
      for (let place = node * cache.slots; place < (node + 1) * cache.slots; place++) {
        const key = hop === 0 ? node : (cache.keys[place] as number);
        if (key === EMPTY) continue;
        hops[row] = hop;
        places[row] = place;
        keys[row] = key;
        events[row] = cache.events[place] as number;
        times[row++] = cache.times[place] as number;
      }
    }
    starts[i + 1] = row;
  }
  return {
    starts,
    hops: hops.subarray(0, row),
    places: places.subarray(0, row),
    keys: keys.subarray(0, row),
    events: events.subarray(0, row),
    times: times.subarray(0, row),
  };
}
