// Fully personalised PageRank over ranks (after Lin, "Distributed Algorithms for Fully Personalized PageRank on Large Graphs", WWW 2019): walkers go to the rank that owns the node they stand on, all of them one move a round.
//
// Walks start in pipelines of γ a node, one pipeline a round, so that young pipelines fill what stopped walks leave: at most γ·n/α walkers live at once. The edges of a large node are cut into units of a bounded size, kept on
// other ranks; a walker at such a node first draws a unit, by an alias table of their weights, then an edge there: a tree of alias tables. Small nodes may hold pools of short walks made beforehand; a walker that arrives takes an unused one and
// jumps several moves at once.

import type { Communicator } from '../../distributed/index.js';
import { cpu } from '../../engine/index.js';
import type { Graph } from '../../structure/index.js';
import { scope, tensor } from '../../tensor/index.js';
import { DEFAULT_ALPHA, requireAlpha } from './exact.js';
import { keyOf, type MonteCarloOptions, thresholdOf } from './monte-carlo.js';
import { type Part, shareParts } from './parts.js';
import { type PageRankRows, rowsFromEnds } from './rows.js';

/** Big moves begin when there are so many short walks for each time that a living walker will still arrive at a node; a node lends one out while it has so many for each walker that waits. */
const LATE = 4;
/** Integers of a walker: source, place, walk, step. */
const WALKER = 4;

export interface PipelineOptions extends Pick<MonteCarloOptions, 'alpha' | 'walks' | 'seed'> {
  /** γ: walks from each node that start in one round. Chosen by memory when left out. */
  readonly gamma?: number;
  /** Bytes of walkers over all ranks that γ is chosen for. */
  readonly memory?: number;
  /** B: edges of the largest unit; nodes with more are cut. */
  readonly largestUnit?: number;
  /** Short walks made beforehand: moves of each, and how many for every node of at most `degree` edges; none when left out. */
  readonly bigMoves?: { readonly moves: number; readonly pool: number; readonly degree: number };
  /** Rounds between checkpoints, and where they are kept. */
  readonly checkpoint?: { readonly every: number; readonly store: WalkStore };
  readonly onRound?: (round: { readonly round: number; readonly live: number }) => void;
}

/** What a rank needs to go on. */
export interface WalkState {
  readonly round: number;
  readonly walkers: Int32Array;
  /** (source, end) of walks that stopped here. */
  readonly stops: Int32Array;
  /** Entries taken from each pool. */
  readonly used: Int32Array;
}

/** Keeps the state of one rank. `save` returns once it is safe; `commit`, called on rank 0 after all have saved, makes that round the one to resume from. */
export interface WalkStore {
  save(state: WalkState): void;
  commit(round: number): void;
  load(): WalkState | undefined;
}

export interface PipelineResult {
  /** The rows of this rank's sources. */
  readonly rows: PageRankRows;
  readonly rounds: number;
  readonly gamma: number;
  /** Most walkers that lived at once, on all ranks. */
  readonly peakWalkers: number;
  /** Edges of the largest unit. */
  readonly largestUnit: number;
}

/** The largest γ whose γ·n/α walkers fit the memory, evened out so that the last pipeline is not nearly empty. */
export function chooseGamma(nodes: number, walks: number, alpha: number, memory: number): number {
  // Walkers lie once in the rank that moves them and once in messages.
  const fitting = Math.floor((memory * alpha) / (2 * 4 * WALKER * Math.max(1, nodes)));
  const most = Math.max(1, Math.min(walks, fitting));
  return Math.ceil(walks / Math.ceil(walks / most));
}

/** Integers in an array that grows. */
class Ints {
  length = 0;
  #values = new Int32Array(1024);

  push2(a: number, b: number): void {
    this.#reserve(2);
    this.#values[this.length++] = a;
    this.#values[this.length++] = b;
  }

  pushWalker(from: Int32Array, at: number): void {
    this.#reserve(WALKER);
    for (let i = 0; i < WALKER; i++) this.#values[this.length++] = from[at + i] as number;
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

  view(): Int32Array {
    return this.#values.subarray(0, this.length);
  }
}

/** Short walks made beforehand: entries of local node v are v·pool … (v + 1)·pool − 1, each the place that it leads to, or −1 − place where the walk stopped. */
interface Pools {
  readonly pool: number;
  readonly ends: Int32Array;
  readonly small: Uint8Array;
  readonly used: Int32Array;
}

/**
 * All rows of a graph, each rank those of its own nodes. Every rank calls this with the same options; the graph is that of rank 0, which hands each rank the edges of its nodes: the others may leave it out. The walks are those of `personalizedPageRank`, bit for bit, unless nodes are cut into units or big moves are on: then the law is the same.
 */
export function distributedPageRank(
  graph: Graph | undefined,
  communicator: Communicator,
  options: PipelineOptions = {},
): PipelineResult {
  const {
    alpha = DEFAULT_ALPHA,
    walks = 64,
    seed = 42,
    memory = 2 ** 30,
    largestUnit = 4096,
    bigMoves,
    checkpoint,
    onRound,
  } = options;
  requireAlpha(alpha);
  if (walks > 65_535) throw new RangeError(`personalised PageRank: at most 65535 walks a node, got ${walks}`);
  const part = shareParts(graph, communicator, largestUnit);
  const gamma = Math.min(walks, options.gamma ?? chooseGamma(part.nodeCount, walks, alpha, memory));
  const engine = new Rounds(part, communicator, alpha, seed);
  try {
    const pools = bigMoves && engine.shortWalks(bigMoves);
    const saved = checkpoint?.store.load();
    const entries = pools ? totalEntries(pools, communicator) : 0;
    const stops = new Ints();
    let walkers: Int32Array = saved?.walkers ?? new Int32Array(0);
    let round = saved?.round ?? 0;
    if (saved) {
      stops.pushAll(saved.stops);
      pools?.used.set(saved.used);
    }
    let peak = 0;
    const pipelines = Math.ceil(walks / gamma);
    for (; ; round++) {
      if (checkpoint && round > 0 && round % checkpoint.every === 0) {
        checkpoint.store.save({ round, walkers, stops: stops.view().slice(), used: pools?.used ?? new Int32Array(0) });
        communicator.barrier();
        if (communicator.rank === 0) checkpoint.store.commit(round);
      }
      if (round < pipelines) walkers = engine.start(walkers, round * gamma, Math.min(walks, (round + 1) * gamma));
      const live = Float64Array.of(walkers.length / WALKER);
      communicator.allReduce(live);
      if (live[0] === 0) break;
      peak = Math.max(peak, live[0] as number);
      onRound?.({ round, live: live[0] as number });
      // Entries are for the last walkers: while many live, a round costs what its moves cost.
      const late = pools && (live[0] as number) <= (alpha * entries) / LATE;
      const { rest, jumped } = late ? jump(walkers, pools, part, stops) : { rest: walkers, jumped: undefined };
      walkers = engine.step(
        rest,
        (walker, at) => stops.push2(walker[at] as number, -1 - (walker[at + 1] as number)),
        jumped,
      );
    }
    return {
      rows: collect(stops.view(), part, communicator, walks),
      rounds: round,
      gamma,
      peakWalkers: peak,
      largestUnit: part.largest,
    };
  } finally {
    part.dispose();
  }
}

function totalEntries({ small, pool }: Pools, communicator: Communicator): number {
  const total = Float64Array.of(small.reduce((a, b) => a + b, 0) * pool);
  communicator.allReduce(total);
  return total[0] as number;
}

class Rounds {
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

  /** Adds walks [from, to) of every local node. */
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

  /** One move of every walker; those that stop are handed over, the others and `jumped` go where their place is. */
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
    const outgoing = Array.from({ length: communicator.size }, () => new Ints());
    for (let at = 0; at < moved.length; at += WALKER) {
      const place = moved[at + 1] as number;
      if (place < 0) onStop(moved, at);
      else outgoing[part.ownerOf(place)]?.pushWalker(moved, at);
    }
    for (let at = 0; at < (jumped?.length ?? 0); at += WALKER)
      outgoing[part.ownerOf(jumped?.[at + 1] as number)]?.pushWalker(jumped as Int32Array, at);
    return exchange(communicator, outgoing);
  }

  /** Pools of short walks for this rank's small nodes, made by the same rounds: walker (node, entry) walks `moves` moves and reports home. */
  shortWalks({ moves, pool, degree }: NonNullable<PipelineOptions['bigMoves']>): Pools {
    const { part, communicator } = this;
    const { first, last } = part;
    const small = Uint8Array.from({ length: last - first }, (_, i) => {
      const edges = part.degreeOf(first + i);
      return Number(edges > 0 && edges <= degree);
    });
    const begun = new Int32Array(small.reduce((total, yes) => total + yes * pool * WALKER, 0));
    let at = 0;
    small.forEach((yes, i) => {
      for (let entry = 0; entry < (yes ? pool : 0); entry++, at += WALKER)
        begun.set([first + i, first + i, entry, 0], at);
    });
    const key = keyOf(this.seed + 0x5eed);
    let walkers: Int32Array = begun;
    const home = Array.from({ length: communicator.size }, () => new Ints());
    for (let move = 0; move < moves; move++) {
      // Those that stand on a large node end their short walk there.
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

  /** Sends home the walkers on nodes of more than `degree` edges; gives back the others. */
  #settle(walkers: Int32Array, home: readonly Ints[], degree: number): Int32Array {
    const kept = new Ints();
    const { part } = this;
    for (let at = 0; at < walkers.length; at += WALKER) {
      const place = walkers[at + 1] as number;
      const large = place < part.nodeCount && part.degreeOf(place) > degree;
      if (large) home[part.ownerOf(walkers[at] as number)]?.pushWalker(walkers, at);
      else kept.pushWalker(walkers, at);
    }
    return kept.view().slice();
  }
}

/** Sends every rank its walkers. */
function exchange(communicator: Communicator, outgoing: readonly Ints[]): Int32Array {
  const [only] = outgoing;
  if (communicator.size === 1) return (only as Ints).view().slice();
  const counts = outgoing.map(({ length }) => length);
  const all = new Int32Array(counts.reduce((a, b) => a + b, 0));
  let at = 0;
  for (const ints of outgoing) {
    all.set(ints.view(), at);
    at += ints.length;
  }
  return communicator.allToAll(all, counts).data;
}

/**
 * Walkers on nodes with unused short walks take one each, in the order of (source, walk), so that the outcome does not depend on the order in which they came. No entry is ever taken twice: walks stay independent.
 */
function jump(walkers: Int32Array, pools: Pools, part: Part, stops: Ints): { rest: Int32Array; jumped: Int32Array } {
  const { pool, ends, small, used } = pools;
  const { first, last } = part;
  const waiting = new Map<number, number[]>();
  const rest = new Ints();
  for (let at = 0; at < walkers.length; at += WALKER) {
    const node = (walkers[at + 1] as number) - first;
    const open = node >= 0 && node < last - first && small[node] === 1 && (used[node] as number) < pool;
    if (!open) {
      rest.pushWalker(walkers, at);
      continue;
    }
    const here = waiting.get(node);
    if (here) here.push(at);
    else waiting.set(node, [at]);
  }
  const jumped = new Ints();
  for (const [node, places] of waiting) {
    // A crowd would leave nothing for those who come last.
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
  return { rest: rest.view().slice(), jumped: jumped.view() };
}

/** Brings each stop to the owner of its source and counts them. */
function collect(stops: Int32Array, part: Part, communicator: Communicator, walks: number): PageRankRows {
  const outgoing = Array.from({ length: communicator.size }, () => new Ints());
  for (let i = 0; i < stops.length; i += 2)
    outgoing[part.ownerOf(stops[i] as number)]?.push2(stops[i] as number, stops[i + 1] as number);
  const pairs = exchange(communicator, outgoing);
  const { first, last } = part;
  const ends = new Int32Array((last - first) * walks);
  const filled = new Int32Array(last - first);
  for (let i = 0; i < pairs.length; i += 2) {
    const row = (pairs[i] as number) - first;
    ends[row * walks + (filled[row] as number)] = pairs[i + 1] as number;
    filled[row] = (filled[row] as number) + 1;
  }
  for (let row = 0; row < last - first; row++) ends.subarray(row * walks, (row + 1) * walks).sort();
  return rowsFromEnds(
    Int32Array.from({ length: last - first }, (_, i) => first + i),
    ends,
    walks,
  );
}
