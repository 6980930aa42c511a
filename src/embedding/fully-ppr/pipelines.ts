// Fully personalised PageRank over ranks (after Lin, "Distributed Algorithms for Fully Personalized
// PageRank on Large Graphs", WWW 2019): every walker is sent to the rank that owns its current
// node, and all walkers make one move per round.
//
// Walks start in pipelines of γ for each node, one pipeline per round, so that new pipelines
// replace walks that have stopped: at most γ·n/α walkers are live at once. The edges of a large
// node are split into units of bounded size, stored on other ranks; a walker at such a node first
// draws a unit, by an alias table of their weights, then an edge in it: a tree of alias tables.
// Small nodes may hold pools of precomputed short walks; a walker that arrives there takes an
// unused one and makes several moves at once.

import type { Communicator } from '../../distributed/index.js';
import type { Graph } from '../../structure/index.js';
import { DEFAULT_ALPHA, requireAlpha } from './exact.js';
import type { MonteCarloOptions } from './monte-carlo.js';
import { type Part, shareParts } from './parts.js';
import { type BigMoves, exchange, IntegerList, jump, LATE, type Pools, Rounds, WALKER } from './rounds.js';
import { allNodes, type PageRankRows, rowsFromEnds } from './rows.js';

/** Schedule, memory and checkpoints of `distributedPageRank`. */
export interface PipelineOptions extends Pick<MonteCarloOptions, 'alpha' | 'walks' | 'seed'> {
  /**
   * γ: walks from each node that start in one round. Default: the largest that fits in `memory`.
   */
  readonly gamma?: number;
  /** Bytes of walkers over all ranks, from which γ is chosen. Default: 1 GiB. */
  readonly memory?: number;
  /** B: edges of the largest unit; nodes with more edges are split. Default: 4096. */
  readonly largestUnit?: number;
  /** Precomputed short walks of small nodes. Default: none. */
  readonly bigMoves?: BigMoves;
  /** Rounds between checkpoints, and their store. Default: none. */
  readonly checkpoint?: { readonly every: number; readonly store: WalkStore };
  /** Called every round with its index and the number of live walkers on all ranks. */
  readonly onRound?: (round: { readonly round: number; readonly live: number }) => void;
}

/** State of one rank, from which it can resume. */
export interface WalkState {
  /** Next round. */
  readonly round: number;
  /** Live walkers of this rank, four integers each. */
  readonly walkers: Int32Array;
  /** (source, end) of the walks that stopped on this rank. */
  readonly stops: Int32Array;
  /** Number of short walks taken from each pool. */
  readonly used: Int32Array;
}

/** Stores checkpoints of one rank. */
export interface WalkStore {
  /** Stores a state; returns once it is durable. */
  save(state: WalkState): void;
  /** Called on rank 0 after all ranks have saved: marks the round as the one to resume from. */
  commit(round: number): void;
  /** State of the last committed round, undefined when there is none. */
  load(): WalkState | undefined;
}

/** Rows of one rank, and the cost of the run. */
export interface PipelineResult {
  /** The rows of this rank's sources. */
  readonly rows: PageRankRows;
  /** Number of rounds. */
  readonly rounds: number;
  /** γ. */
  readonly gamma: number;
  /** Maximal number of live walkers, on all ranks. */
  readonly peakWalkers: number;
  /** Edges of the largest row of this rank. */
  readonly largestUnit: number;
}

/**
 * The largest γ for which γ·n/α walkers fit in memory, reduced so that the pipelines are of
 * near-equal size.
 *
 * @param nodes n
 * @param walks ω
 * @param memory in bytes
 */
export function chooseGamma(nodes: number, walks: number, alpha: number, memory: number): number {
  // A walker is stored once on the rank that moves it and once in a message.
  const fitting = Math.floor((memory * alpha) / (2 * 4 * WALKER * Math.max(1, nodes)));
  const most = Math.max(1, Math.min(walks, fitting));
  return Math.ceil(walks / Math.ceil(walks / most));
}

/**
 * All rows of a graph, each rank those of its own nodes. Every rank calls this with the same
 * options; only rank 0 needs the graph, and sends each rank the edges of its nodes. The walks are
 * bit-identical to those of `personalizedPageRank`, unless nodes are split into units or big moves
 * are used: then they only have the same distribution.
 *
 * @throws RangeError unless 0 < α ≤ 1 and ω ≤ 65 535
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
    const stops = new IntegerList();
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
      // Entries are saved for the last walkers: while many are live, the moves dominate the cost of
      // a round.
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

/** Short walks in all pools of all ranks. */
function totalEntries({ small, pool }: Pools, communicator: Communicator): number {
  const total = Float64Array.of(small.reduce((a, b) => a + b, 0) * pool);
  communicator.allReduce(total);
  return total[0] as number;
}

/** Sends each (source, end) to the owner of the source and counts ends. */
function collect(stops: Int32Array, part: Part, communicator: Communicator, walks: number): PageRankRows {
  const outgoing = Array.from({ length: communicator.size }, () => new IntegerList());
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
    allNodes(last - first).map((i) => first + i),
    ends,
    walks,
  );
}
