// Rounds of walkers over ranks: one move of all walkers, the exchange between ranks, and jumps
// along precomputed short walks.

import type { Communicator } from '../../distributed/index.js';
import { cpu } from '../../engine/index.js';
import { scope, tensor } from '../../tensor/index.js';
import { keyOf, thresholdOf } from './monte-carlo.js';
import type { Part } from './parts.js';

/**
 * Big moves begin when there are this many short walks for each remaining move of a live walker; a
 * node hands out entries while it has this many for each waiting walker.
 */
export const LATE = 4;
/** Integers of a walker: source, place, walk, step. */
export const WALKER = 4;

/** Precomputed short walks, taken by walkers that arrive at small nodes. */
export interface BigMoves {
  /** Moves of each short walk. */
  readonly moves: number;
  /** Short walks of each small node. */
  readonly pool: number;
  /** Edges of the largest node that counts as small. */
  readonly degree: number;
}

/** Growable array of integers. */
export class IntegerList {
  length = 0;
  #values = new Int32Array(1024);

  push2(a: number, b: number): void {
    this.#reserve(2);
    this.#values[this.length++] = a;
    this.#values[this.length++] = b;
  }

  /** Appends the walker at index `at` of an array of walkers. */
  pushWalker(from: Int32Array, at: number): void {
    this.#reserve(WALKER);
    const [values, end] = [this.#values, this.length];
    values[end] = from[at] as number;
    values[end + 1] = from[at + 1] as number;
    values[end + 2] = from[at + 2] as number;
    values[end + 3] = from[at + 3] as number;
    this.length = end + WALKER;
  }

  pushAll(values: Int32Array): void {
    this.#reserve(values.length);
    this.#values.set(values, this.length);
    this.length += values.length;
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#values.length) return;
    const grown = new Int32Array(Math.max(this.length + count, this.#values.length * 2));
    grown.set(this.#values.subarray(0, this.length));
    this.#values = grown;
  }

  /** The integers, valid until the next append. */
  view(): Int32Array {
    return this.#values.subarray(0, this.length);
  }
}

/**
 * Pools of precomputed short walks: the entries of local node v are v·pool … (v + 1)·pool − 1, each
 * the place that the walk reaches, or −1 − place where it stopped.
 */
export interface Pools {
  /** Short walks of each small node. */
  readonly pool: number;
  /** Ends of the short walks. */
  readonly ends: Int32Array;
  /** 1 for each local node that has a pool. */
  readonly small: Uint8Array;
  /** Number of short walks taken from each pool. */
  readonly used: Int32Array;
}

/** The rounds of one rank. */
export class Rounds {
  readonly #threshold: number;
  readonly #key: readonly [number, number];

  constructor(
    readonly part: Part,
    readonly communicator: Communicator,
    alpha: number,
    readonly seed: number,
  ) {
    this.#threshold = thresholdOf(alpha);
    this.#key = keyOf(seed);
  }

  /** Appends walks [from, to) of every local node. */
  start(walkers: Int32Array, from: number, to: number): Int32Array {
    const { first, last } = this.part;
    const result = new Int32Array(walkers.length + (last - first) * (to - from) * WALKER);
    result.set(walkers);
    let at = walkers.length;
    for (let node = first; node < last; node++)
      for (let walk = from; walk < to; walk++) {
        result[at] = node;
        result[at + 1] = node;
        result[at + 2] = walk;
        at += WALKER;
      }
    return result;
  }

  /**
   * Moves every walker once. Those that stop are passed to `onStop`; the others and `jumped` are
   * sent to the ranks that own their places.
   */
  step(
    walkers: Int32Array,
    onStop: (walkers: Int32Array, at: number) => void,
    jumped?: Int32Array,
    key = this.#key,
  ): Int32Array {
    const { part, communicator } = this;
    const moved = scope(() => {
      const records = tensor(walkers);
      cpu.run('advanceWalkers', {
        walkers: records,
        indptr: part.indptr,
        indices: part.indices,
        columns: part.columns,
        nodes: part.nodeCount,
        first: part.first,
        unitRow: part.unitRow,
        ranks: part.ranks,
        threshold: this.#threshold,
        key,
        count: walkers.length / WALKER,
      });
      return records.dataSync<Int32Array>();
    });
    const outgoing = Array.from({ length: communicator.size }, () => new IntegerList());
    const alone = communicator.size === 1 ? outgoing[0] : undefined;
    for (let at = 0; at < moved.length; at += WALKER) {
      const place = moved[at + 1] as number;
      if (place < 0) onStop(moved, at);
      else (alone ?? outgoing[part.ownerOf(place)])?.pushWalker(moved, at);
    }
    for (let at = 0; at < (jumped?.length ?? 0); at += WALKER)
      outgoing[part.ownerOf(jumped?.[at + 1] as number)]?.pushWalker(jumped as Int32Array, at);
    return exchange(communicator, outgoing);
  }

  /**
   * Precomputes the pools of this rank's small nodes by the same rounds: walker (node, entry) makes
   * `moves` moves and is sent back to the rank of its node.
   */
  shortWalks({ moves, pool, degree }: BigMoves): Pools {
    const { part, communicator } = this;
    const { first, last } = part;
    const small = Uint8Array.from({ length: last - first }, (_, i) => {
      const edges = part.degreeOf(first + i);
      return Number(edges > 0 && edges <= degree);
    });
    const begun = new Int32Array(small.reduce((total, isSmall) => total + isSmall * pool * WALKER, 0));
    let at = 0;
    small.forEach((isSmall, i) => {
      for (let entry = 0; entry < (isSmall ? pool : 0); entry++, at += WALKER)
        begun.set([first + i, first + i, entry, 0], at);
    });
    const key = keyOf(this.seed + 0x5eed);
    let walkers: Int32Array = begun;
    const home = Array.from({ length: communicator.size }, () => new IntegerList());
    for (let move = 0; move < moves; move++) {
      // A short walk that reaches a large node ends there.
      walkers = this.#settle(walkers, home, move > 0 ? degree : Number.POSITIVE_INFINITY);
      const report = (moved: Int32Array, at: number) => home[part.ownerOf(moved[at] as number)]?.pushWalker(moved, at);
      walkers = this.step(walkers, report, undefined, key);
    }
    for (let at = 0; at < walkers.length; at += WALKER)
      home[part.ownerOf(walkers[at] as number)]?.pushWalker(walkers, at);
    const ends = new Int32Array((last - first) * pool);
    const reports = exchange(communicator, home);
    for (let i = 0; i < reports.length; i += WALKER)
      ends[((reports[i] as number) - first) * pool + (reports[i + 2] as number)] = reports[i + 1] as number;
    return { pool, ends, small, used: new Int32Array(last - first) };
  }

  /** Ends the short walks at nodes of more than `degree` edges; returns the other walkers. */
  #settle(walkers: Int32Array, home: readonly IntegerList[], degree: number): Int32Array {
    const kept = new IntegerList();
    const { part } = this;
    for (let at = 0; at < walkers.length; at += WALKER) {
      const place = walkers[at + 1] as number;
      const large = place < part.nodeCount && part.degreeOf(place) > degree;
      if (large) home[part.ownerOf(walkers[at] as number)]?.pushWalker(walkers, at);
      else kept.pushWalker(walkers, at);
    }
    return kept.view();
  }
}

/** Sends every rank its integers, of lists that are not used again, and returns those received. */
export function exchange(communicator: Communicator, outgoing: readonly IntegerList[]): Int32Array {
  const [only] = outgoing;
  if (communicator.size === 1) return (only as IntegerList).view();
  const counts = outgoing.map(({ length }) => length);
  const all = new Int32Array(counts.reduce((a, b) => a + b, 0));
  let at = 0;
  for (const list of outgoing) {
    all.set(list.view(), at);
    at += list.length;
  }
  return communicator.allToAll(all, counts).data;
}

/**
 * Walkers at nodes with unused short walks take one each, in the order of (source, walk), so that
 * the result does not depend on their order of arrival. No entry is taken twice: walks stay
 * independent.
 */
export function jump(
  walkers: Int32Array,
  pools: Pools,
  part: Part,
  stops: IntegerList,
): { rest: Int32Array; jumped: Int32Array } {
  const { pool, ends, small, used } = pools;
  const { first, last } = part;
  const waiting = new Map<number, number[]>();
  const rest = new IntegerList();
  for (let at = 0; at < walkers.length; at += WALKER) {
    const node = (walkers[at + 1] as number) - first;
    const available = node >= 0 && node < last - first && small[node] === 1 && (used[node] as number) < pool;
    if (!available) {
      rest.pushWalker(walkers, at);
      continue;
    }
    const queue = waiting.get(node);
    if (queue) queue.push(at);
    else waiting.set(node, [at]);
  }
  const jumped = new IntegerList();
  for (const [node, places] of waiting) {
    // Too many walkers would leave no entries for later ones.
    const crowded = places.length * LATE > pool - (used[node] as number);
    if (places.length > 1)
      places.sort(
        (a, b) =>
          (walkers[a] as number) - (walkers[b] as number) || (walkers[a + 2] as number) - (walkers[b + 2] as number),
      );
    for (const at of places) {
      const entry = used[node] as number;
      if (crowded || entry >= pool) {
        rest.pushWalker(walkers, at);
        continue;
      }
      used[node] = entry + 1;
      const end = ends[node * pool + entry] as number;
      if (end < 0) stops.push2(walkers[at] as number, -1 - end);
      else {
        walkers[at + 1] = end;
        jumped.pushWalker(walkers, at);
      }
    }
  }
  return { rest: rest.view(), jumped: jumped.view() };
}
