// Fully personalised PageRank on one machine: ω independent walks from every source, advanced block
// by block on all threads.

import { cpu, eventTurn } from '../../engine/index.js';
import { fillAlias, type Graph, memo } from '../../structure/index.js';
import { emptyTensor, keep, Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import { DEFAULT_ALPHA, type PageRankOptions, requireAlpha } from './exact.js';
import { allNodes, type PageRankRows, rowsFromEnds } from './rows.js';

/** Number and law of the walks. */
export interface MonteCarloOptions extends PageRankOptions {
  /** ω: walks from each source. Default: 64. */
  readonly walks?: number;
  /** Nodes whose rows are wanted. Default: all nodes. */
  readonly sources?: Int32Array;
  /** Seed of all random draws. Default: 42. */
  readonly seed?: number;
  /** Called after every batch: completed share in [0, 1], and number of completed sources. */
  readonly onProgress?: (progress: { readonly done: number; readonly sources: number }) => void;
  /** Aborts between batches. */
  readonly signal?: AbortSignal;
}

/**
 * Walks needed for a given accuracy (Chernoff bound): ω ≥ (2 + 2ε/3)·ln(2/p)/(ε²δ). Every π(u, v) ≥
 * δ is then estimated within a relative error ε, except with probability p each.
 *
 * @param accuracy `epsilon` ε, `delta` δ and `failure` p
 */
export function walksFor({ epsilon, delta, failure }: { epsilon: number; delta: number; failure: number }): number {
  return Math.ceil(((2 + (2 * epsilon) / 3) * Math.log(2 / failure)) / (epsilon ** 2 * delta));
}

/** Walks of a block of sources, so few that their state stays in the L1 and L2 caches. */
const BLOCK_WALKS = 8192;
/** Most walk ends in tensor memory at a time. */
const BATCH_ENDS = 1 << 24;

/**
 * Alias tables of rows of weighted targets, interleaved as (probability, target, alias target), 12
 * bytes for each edge, so that a draw reads adjacent memory.
 */
export function aliasColumns(indptr: Int32Array, targets: Int32Array, weights: ArrayLike<number>): Float32Array {
  const probabilities = new Float32Array(targets.length);
  const aliases = new Int32Array(targets.length);
  const columns = new Float32Array(Math.max(1, 3 * targets.length));
  const bits = new Int32Array(columns.buffer);
  for (let u = 0; u + 1 < indptr.length; u++) {
    const [begin, end] = [indptr[u] as number, indptr[u + 1] as number];
    let total = 0;
    for (let e = begin; e < end; e++) total += weights[e] as number;
    if (end > begin) fillAlias(weights, begin, end, total, probabilities, aliases);
    for (let e = begin; e < end; e++) {
      columns[3 * e] = probabilities[e] as number;
      bits[3 * e + 1] = targets[e] as number;
      bits[3 * e + 2] = targets[begin + (aliases[e] as number)] as number;
    }
  }
  return columns;
}

/** Alias tables of the edges of a weighted graph; null without weights. */
function columnsOf(graph: Graph): Tensor | null {
  const { successors, weights } = graph;
  if (!weights) return null;
  return memo(graph, 'aliasColumns', () => keep(tensor(aliasColumns(successors.indptr, successors.indices, weights))));
}

/** α as a 32-bit unsigned threshold for random words. */
export function thresholdOf(alpha: number): number {
  return Math.min(2 ** 32 - 1, Math.round(alpha * 2 ** 32)) | 0;
}

/** Key of the random streams of all walks. */
export function keyOf(seed: number): readonly [number, number] {
  return new Random(seed).split('personalised pagerank').key;
}

/**
 * Rows batch by batch, for graphs whose rows do not fit in memory together. Rows depend neither on
 * the batches nor on the number of threads.
 *
 * @throws RangeError unless 0 < α ≤ 1, ω is a positive integer and all sources are nodes
 */
export async function* pageRankBatches(
  graph: Graph,
  { alpha = DEFAULT_ALPHA, walks = 64, sources, seed = 42, onProgress, signal }: MonteCarloOptions = {},
): AsyncGenerator<PageRankRows> {
  requireAlpha(alpha);
  if (!(Number.isInteger(walks) && walks >= 1))
    throw new RangeError(`personalised PageRank: walks must be a positive integer, got ${walks}`);
  const all = sources ?? allNodes(graph.nodeCount);
  const wrong = all.find((v) => !(v >= 0 && v < graph.nodeCount));
  if (wrong !== undefined)
    throw new RangeError(`personalised PageRank: source ${wrong} is outside 0…${graph.nodeCount - 1}`);
  const perBatch = Math.max(1, Math.floor(BATCH_ENDS / walks));
  for (let at = 0; at < all.length; at += perBatch) {
    const batch = all.subarray(at, at + perBatch);
    yield rowsFromEnds(batch, walkEnds(graph, batch, walks, alpha, seed), walks);
    onProgress?.({ done: (at + batch.length) / all.length, sources: at + batch.length });
    await eventTurn(signal);
  }
}

/**
 * π̂ of all sources, as sparse rows of counts.
 *
 * @throws RangeError like `pageRankBatches`
 */
export async function personalizedPageRank(graph: Graph, options: MonteCarloOptions = {}): Promise<PageRankRows> {
  const batches: PageRankRows[] = [];
  for await (const rows of pageRankBatches(graph, options)) batches.push(rows);
  return joinRows(batches, options.walks ?? 64);
}

function joinRows(batches: readonly PageRankRows[], walks: number): PageRankRows {
  const [only] = batches;
  if (batches.length === 1 && only) return only;
  const length = (field: (rows: PageRankRows) => ArrayLike<number>) =>
    batches.reduce((total, rows) => total + field(rows).length, 0);
  const sources = new Int32Array(length((rows) => rows.sources));
  const targets = new Int32Array(length((rows) => rows.targets));
  const counts = new Int32Array(targets.length);
  const indptr = new Int32Array(sources.length + 1);
  let [row, entry] = [0, 0];
  for (const batch of batches) {
    sources.set(batch.sources, row);
    targets.set(batch.targets, entry);
    counts.set(batch.counts, entry);
    batch.sources.forEach((_, i) => {
      indptr[row + i + 1] = entry + (batch.indptr[i + 1] as number);
    });
    row += batch.sources.length;
    entry += batch.targets.length;
  }
  return { sources, indptr, targets, counts, walks };
}

/** Ends of the walks of some sources, sorted for each source: [sources · walks]. */
function walkEnds(graph: Graph, sources: Int32Array, walks: number, alpha: number, seed: number): Int32Array {
  return scope(() => {
    const { segments, indexTensor } = graph.successors;
    const ends = emptyTensor([sources.length * walks], 'i32');
    const perBlock = Math.max(1, Math.floor(BLOCK_WALKS / walks));
    cpu.run('walkEnds', {
      indptr: segments.offsetTensor,
      indices: indexTensor,
      columns: columnsOf(graph),
      sources: tensor(sources),
      ends,
      nodes: graph.nodeCount,
      count: sources.length,
      walks,
      perBlock,
      threshold: thresholdOf(alpha),
      key: keyOf(seed),
    });
    return ends.dataSync<Int32Array>();
  });
}
