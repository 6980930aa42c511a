// Deterministic personalised PageRank: power iteration, of one source or of blocks, and forward
// push with a bound on the residual.
//
//   π(u, v) = probability that a walk from u ends at v: π_u = α·e_u + (1 − α)·π_u·W, W
//   row-stochastic
//
// A walk stops at a node without edges, so every row sums to 1.

import type { SparseMatrix } from '../../sparse/index.js';
import { type Graph, powers } from '../../structure/index.js';
import { scope, type Tensor, tensor } from '../../tensor/index.js';

/** Sources whose rows are computed together by `exactRows`. */
const BLOCK_SOURCES = 64;

/** Law of the walks. */
export interface PageRankOptions {
  /** α: probability of stopping at each node (1 − α is the damping factor). Default: 0.15. */
  readonly alpha?: number;
}

export const DEFAULT_ALPHA = 0.15;

export function requireAlpha(alpha: number): void {
  if (!(alpha > 0 && alpha <= 1)) throw new RangeError(`personalised PageRank: α must lie in (0, 1], got ${alpha}`);
}

/**
 * π_u of one source by power iteration until the walk mass that has not stopped is at most
 * `tolerance` (default 1e-9).
 *
 * @returns [n], summing to 1 − tolerance … 1
 * @throws RangeError unless 0 < α ≤ 1
 */
export function powerIteration(
  graph: Graph,
  source: number,
  { alpha = DEFAULT_ALPHA, tolerance = 1e-9 }: PageRankOptions & { readonly tolerance?: number } = {},
): Float64Array {
  requireAlpha(alpha);
  const n = graph.nodeCount;
  const { indptr, indices } = graph.successors;
  const { weights, outDegrees } = graph;
  const reached = new Float64Array(n);
  let walking = new Float64Array(n);
  walking[source] = 1;
  for (let mass = 1; mass > tolerance; ) {
    const next = new Float64Array(n);
    mass = 0;
    for (let u = 0; u < n; u++) {
      const here = walking[u] as number;
      if (here === 0) continue;
      const degree = outDegrees[u] as number;
      reached[u] = (reached[u] as number) + (degree === 0 ? here : alpha * here);
      if (degree === 0) continue;
      const share = ((1 - alpha) * here) / degree;
      for (let e = indptr[u] as number; e < (indptr[u + 1] as number); e++) {
        const v = indices[e] as number;
        next[v] = (next[v] as number) + share * (weights ? (weights[e] as number) : 1);
      }
      mass += (1 - alpha) * here;
    }
    walking = next;
  }
  return reached;
}

/**
 * Rows of several sources at once, in single precision: power iteration on blocks of sources as
 * columns, on all threads, until at most `tolerance` (default 1e-7) of the walk mass has not
 * stopped.
 *
 * @returns one row [n] for each source
 * @throws RangeError unless 0 < α ≤ 1
 */
export function exactRows(
  graph: Graph,
  sources: Int32Array,
  { alpha = DEFAULT_ALPHA, tolerance = 1e-7 }: PageRankOptions & { readonly tolerance?: number } = {},
): Float32Array[] {
  requireAlpha(alpha);
  const rounds = alpha === 1 ? 1 : Math.ceil(Math.log(tolerance) / Math.log(1 - alpha));
  return scope(() => {
    const moves = graph.adjacency.scale(tensor(powers(graph.outDegrees, -1).map((v) => v * (1 - alpha)))).transpose();
    const stops = tensor(
      graph.outDegrees.map((degree) => (degree === 0 ? 1 : alpha)),
      [graph.nodeCount, 1],
    );
    const rows: Float32Array[] = [];
    for (let at = 0; at < sources.length; at += BLOCK_SOURCES)
      rows.push(...blockRows(moves, stops, sources.subarray(at, at + BLOCK_SOURCES), rounds));
    return rows;
  });
}

/** π of a block of sources after `rounds` moves of the walk mass. */
function blockRows(moves: SparseMatrix, stops: Tensor, sources: Int32Array, rounds: number): Float32Array[] {
  const [n, width] = [stops.shape[0] as number, sources.length];
  const begun = new Float32Array(n * width);
  sources.forEach((source, i) => {
    begun[source * width + i] = 1;
  });
  const reached = scope(() => {
    let walking = tensor(begun, [n, width]);
    let stopped = walking.multiply(stops);
    for (let round = 1; round < rounds; round++) {
      const before = [walking, stopped];
      walking = moves.matmul(walking);
      stopped = scope(() => stopped.add(walking.multiply(stops)));
      for (const held of before) held.dispose();
    }
    return stopped.transpose().dataSync<Float32Array>().slice();
  });
  return Array.from(sources, (_, i) => reached.subarray(i * n, (i + 1) * n));
}

/** Result of a forward push. */
export interface Push {
  /** Nodes that mass reached, in the order in which it did. */
  readonly nodes: Int32Array;
  /** Lower bound of π(u, v) for each of them. */
  readonly values: Float64Array;
  /** Walk mass not yet pushed: the values sum to 1 − residual, and ‖π̂ − π‖₁ = residual. */
  readonly residual: number;
}

/**
 * Forward push (Andersen, Chung, Lang, "Local Graph Partitioning using PageRank Vectors", FOCS
 * 2006): pushes the mass of nodes with more than `threshold`·degree (default 1e-6) until there are
 * none. Local: nodes that no mass reaches cost nothing; the working arrays of 20 bytes a node are
 * shared by all sources.
 */
export class ForwardPush {
  readonly #graph: Graph;
  readonly #alpha: number;
  readonly #threshold: number;
  readonly #estimates: Float64Array;
  readonly #residuals: Float64Array;
  /** 0: not reached; 1: reached; 2: in the queue. */
  readonly #states: Uint8Array;
  readonly #queue: Int32Array;
  readonly #reached: Int32Array;

  /** @throws RangeError unless 0 < α ≤ 1 */
  constructor(
    graph: Graph,
    { alpha = DEFAULT_ALPHA, threshold = 1e-6 }: PageRankOptions & { readonly threshold?: number } = {},
  ) {
    requireAlpha(alpha);
    const n = graph.nodeCount;
    this.#graph = graph;
    this.#alpha = alpha;
    this.#threshold = threshold;
    this.#estimates = new Float64Array(n);
    this.#residuals = new Float64Array(n);
    this.#states = new Uint8Array(n);
    this.#queue = new Int32Array(n);
    this.#reached = new Int32Array(n);
  }

  /** The row of one source. */
  from(source: number): Push {
    const [estimates, residuals, states, queue, reached] = [
      this.#estimates,
      this.#residuals,
      this.#states,
      this.#queue,
      this.#reached,
    ];
    const { indptr, indices } = this.#graph.successors;
    const { weights, outDegrees, nodeCount } = this.#graph;
    residuals[source] = 1;
    states[source] = 2;
    queue[0] = source;
    reached[0] = source;
    let [head, waiting, count] = [0, 1, 1];
    while (waiting > 0) {
      const u = queue[head] as number;
      head = head + 1 === nodeCount ? 0 : head + 1;
      waiting -= 1;
      states[u] = 1;
      const mass = residuals[u] as number;
      residuals[u] = 0;
      const degree = outDegrees[u] as number;
      estimates[u] = (estimates[u] as number) + (degree === 0 ? mass : this.#alpha * mass);
      if (degree === 0) continue;
      const share = ((1 - this.#alpha) * mass) / degree;
      for (let e = indptr[u] as number; e < (indptr[u + 1] as number); e++) {
        const v = indices[e] as number;
        const held = (residuals[v] as number) + (weights ? share * (weights[e] as number) : share);
        residuals[v] = held;
        if (states[v] === 0) {
          states[v] = 1;
          reached[count++] = v;
        }
        if (states[v] === 2 || held <= this.#threshold * Math.max(1, (indptr[v + 1] as number) - (indptr[v] as number)))
          continue;
        states[v] = 2;
        queue[(head + waiting) % nodeCount] = v;
        waiting += 1;
      }
    }
    return this.#collect(count);
  }

  /** Copies the reached nodes and clears the working arrays. */
  #collect(count: number): Push {
    const nodes = this.#reached.slice(0, count);
    const values = new Float64Array(count);
    let residual = 0;
    for (let i = 0; i < count; i++) {
      const node = nodes[i] as number;
      values[i] = this.#estimates[node] as number;
      residual += this.#residuals[node] as number;
      this.#estimates[node] = 0;
      this.#residuals[node] = 0;
      this.#states[node] = 0;
    }
    return { nodes, values, residual };
  }
}
