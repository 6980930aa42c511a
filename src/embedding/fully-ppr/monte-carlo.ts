// Fully personalised PageRank on one machine: ω independent walks from every source, advanced together block by block on all threads.

import { cpu, eventTurn } from '../../engine/index.js';
import { fillAlias, type Graph, memo } from '../../structure/index.js';
import { emptyTensor, keep, Random, scope, type Tensor, tensor } from '../../tensor/index.js';
import { DEFAULT_ALPHA, type PageRankOptions, requireAlpha } from './exact.js';
import { type PageRankRows, rowsFromEnds } from './rows.js';

export interface MonteCarloOptions extends PageRankOptions {
  /** ω: walks from each source. */
  readonly walks?: number;
  /** All nodes when left out. */
  readonly sources?: Int32Array;
  readonly seed?: number;
  readonly onProgress?: (progress: { readonly done: number; readonly sources: number }) => void;
  readonly signal?: AbortSignal;
}

/**
 * ω ≥ (2 + 2ε/3)·ln(2/p)/(ε²δ): walks for which every π(u, v) ≥ δ is estimated within a relative ε, but for a probability p each (Chernoff).
 */
export function walksFor({ epsilon, delta, failure }: { epsilon: number; delta: number; failure: number }): number {
  return Math.ceil(((2 + (2 * epsilon) / 3) * Math.log(2 / failure)) / (epsilon ** 2 * delta));
}

/** Walks that a block of sources holds at a time: their places stay in the first caches. */
const BLOCK_WALKS = 8192;
/** Ends kept in tensor memory at a time. */
const BATCH_ENDS = 1 << 24;

/** Alias columns (probability, target, other target) of rows of weighted targets, 12 bytes an edge, so that a draw reads one place of memory. */
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

function columnsOf(graph: Graph): Tensor | null {
  const { successors, weights } = graph;
  if (!weights) return null;
  return memo(graph, 'aliasColumns', () => keep(tensor(aliasColumns(successors.indptr, successors.indices, weights))));
}

export function thresholdOf(alpha: number): number {
  return Math.min(2 ** 32 - 1, Math.round(alpha * 2 ** 32)) | 0;
}

export function keyOf(seed: number): readonly [number, number] {
  return new Random(seed).split('personalised pagerank').key;
}

/**
 * Rows batch by batch, for graphs whose rows do not fit memory together. Rows do not depend on the batches, nor on threads.
 *
 * @throws RangeError unless 0 < α ≤ 1 and ω is a positive integer.
 */
export async function* pageRankBatches(
  graph: Graph,
  { alpha = DEFAULT_ALPHA, walks = 64, sources, seed = 42, onProgress, signal }: MonteCarloOptions = {},
): AsyncGenerator<PageRankRows> {
  requireAlpha(alpha);
  if (!(Number.isInteger(walks) && walks >= 1))
    throw new RangeError(`personalised PageRank: walks must be a positive integer, got ${walks}`);
  const all = sources ?? Int32Array.from({ length: graph.nodeCount }, (_, v) => v);
  const wrong = all.find((v) => !(v >= 0 && v < graph.nodeCount));
  if (wrong !== undefined)
    throw new RangeError(`personalised PageRank: source ${wrong} is outside 0…${graph.nodeCount - 1}`);
  const perBatch = Math.max(1, Math.floor(BATCH_ENDS / walks));
  for (let at = 0; at < all.length; at += perBatch) {
    const own = all.subarray(at, at + perBatch);
    yield rowsFromEnds(own, walkEnds(graph, own, walks, alpha, seed), walks);
    onProgress?.({ done: (at + own.length) / all.length, sources: at + own.length });
    await eventTurn(signal);
  }
}

/** π̂ of all sources. */
export async function personalizedPageRank(graph: Graph, options: MonteCarloOptions = {}): Promise<PageRankRows> {
  const batches: PageRankRows[] = [];
  for await (const rows of pageRankBatches(graph, options)) batches.push(rows);
  return joinRows(batches, options.walks ?? 64);
}

function joinRows(batches: readonly PageRankRows[], walks: number): PageRankRows {
  const [only] = batches;
  if (batches.length === 1 && only) return only;
  const length = (of: (rows: PageRankRows) => ArrayLike<number>) =>
    batches.reduce((total, rows) => total + of(rows).length, 0);
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

/** Ends of the walks of some sources, sorted within each: [sources · walks]. */
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
      count: sources.length,
      walks,
      perBlock,
      threshold: thresholdOf(alpha),
      key: keyOf(seed),
    });
    return ends.dataSync<Int32Array>();
  });
}
