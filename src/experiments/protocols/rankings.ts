// Rows of personalised PageRank: the exact rows of some sources against estimates of them.

import { type EdgeGraph, loadEdgeGraph } from '../../data/node.js';
import { ForwardPush, type PageRankRows, type Push } from '../../embedding/index.js';
import { type Graph, rmat } from '../../structure/index.js';
import { Random } from '../../tensor/index.js';
import type { Metric, Scores, Table } from '../parts/contract.js';
import { count, type OptionValues } from '../parts/options.js';

const TOP = 10;

export const rankingOptions = {
  sampled: count(200, 'sources whose rows are compared with exact ones', { smoke: 8 }),
  scale: count(16, 'the embedded R-MAT graph has 2^scale nodes', { smoke: 10, minimum: 4, maximum: 22 }),
  edges: count(1_000_000, 'edges drawn for the embedded graph', { smoke: 10_000, minimum: 10 }),
};

export const rankingMetrics: Readonly<Record<string, Metric>> = {
  error: { label: 'error ‖π̂ − π‖', digits: 4, better: 'smaller' },
  total: { label: 'error ‖π̂ − π‖₁', digits: 4, better: 'smaller' },
  largest: { label: 'largest error', digits: 4, better: 'smaller' },
  precision: { label: 'top ten found', unit: '%', digits: 1, better: 'larger' },
  walks: { label: 'walks', digits: 0, better: 'neither' },
  source: { label: 'a source, one thread', unit: 'ms', digits: 4, better: 'smaller' },
};

/** The embedded weighted R-MAT graph, or a directed graph of the catalogue or of a file. */
export async function loadRankingGraph(
  source: string,
  { scale, edges }: OptionValues<typeof rankingOptions>,
): Promise<EdgeGraph> {
  return source === 'rmat' ? { name: source, graph: rmat(scale, edges, new Random(1)) } : loadEdgeGraph(source);
}

/** Sources with edges, drawn at random. */
export function sampleSources({ outDegrees, nodeCount }: Graph, sampled: number, random: Random): Int32Array {
  const able = Int32Array.from({ length: nodeCount }, (_, v) => v).filter((v) => (outDegrees[v] as number) > 0);
  return random.sample(able.length, Math.min(sampled, able.length)).map((at) => able[at] as number);
}

/** Rows of the sampled sources as a method estimates them: π̂ of the i-th, [nodes]. */
export type Ranking = (i: number) => Float64Array;

/** A dense row of the i-th source from (node, value) pairs. */
function denseRow(nodeCount: number, nodes: Int32Array, values: (at: number) => number): Float64Array {
  const row = new Float64Array(nodeCount);
  for (let at = 0; at < nodes.length; at++) row[nodes[at] as number] = values(at);
  return row;
}

/** Rows made by walks. @param rowOf which row is that of the i-th source */
export function walkRanking(
  { indptr, targets, counts, walks }: PageRankRows,
  nodeCount: number,
  rowOf: (i: number) => number,
): Ranking {
  return (i) => {
    const [first, last] = [indptr[rowOf(i)] as number, indptr[rowOf(i) + 1] as number];
    return denseRow(nodeCount, targets.subarray(first, last), (at) => (counts[first + at] as number) / walks);
  };
}

/** Rows made by forward push. */
export function pushRanking(rows: readonly Push[], nodeCount: number): Ranking {
  return (i) => {
    const { nodes, values } = rows[i] as Push;
    return denseRow(nodeCount, nodes, (at) => values[at] as number);
  };
}

/** How close the error of forward push must come to the one that is sought. */
const SEARCH_TOLERANCE = 0.05;
const MOST_SEARCHES = 24;

/**
 * The threshold at which the mean residual of forward push, which is its error ‖π̂ − π‖₁, is
 * `error`: bisection on its logarithm.
 */
export function thresholdForError(graph: Graph, sources: Int32Array, alpha: number, error: number): number {
  let [low, high] = [Math.log(1e-12), 0];
  for (let search = 0; search < MOST_SEARCHES; search++) {
    // From the cheap side: a small threshold takes long.
    const middle = search === 0 ? Math.log(1e-3) : low === Math.log(1e-12) ? high - 2 : (low + high) / 2;
    const push = new ForwardPush(graph, { alpha, threshold: Math.exp(middle) });
    const residual = sources.reduce((sum, source) => sum + push.from(source).residual, 0) / sources.length;
    if (Math.abs(residual / error - 1) <= SEARCH_TOLERANCE) return Math.exp(middle);
    if (residual > error) high = middle;
    else low = middle;
  }
  return Math.exp(high);
}

/** The nodes of the `TOP` largest entries that are not 0, falling; equal ones by number. */
function topOf(row: ArrayLike<number>): number[] {
  const best: number[] = [];
  for (let v = 0; v < row.length; v++) {
    const value = row[v] as number;
    if (value <= 0 || (best.length === TOP && value <= (row[best[TOP - 1] as number] as number))) continue;
    let at = best.length;
    while (at > 0 && (row[best[at - 1] as number] as number) < value) at -= 1;
    best.splice(at, 0, v);
    best.length = Math.min(best.length, TOP);
  }
  return best;
}

/**
 * Means over the sampled sources: ‖π̂ − π‖₂, whose mean square is (1 − ‖π‖²)/ω for ω walks, ‖π̂ −
 * π‖₁, max |π̂ − π|, and the share of the exact top ten that is found.
 */
export function rankingScores(ranking: Ranking, exact: readonly Float32Array[]): Scores {
  let [error, total, largest, found] = [0, 0, 0, 0];
  for (const [i, truth] of exact.entries()) {
    const row = ranking(i);
    let [squares, sum, most] = [0, 0, 0];
    for (let v = 0; v < truth.length; v++) {
      const difference = Math.abs((truth[v] as number) - (row[v] as number));
      squares += difference * difference;
      sum += difference;
      if (difference > most) most = difference;
    }
    error += Math.sqrt(squares);
    total += sum;
    largest += most;
    const top = topOf(truth);
    const estimatedTop = new Set(topOf(row));
    found += top.filter((v) => estimatedTop.has(v)).length / top.length;
  }
  const count = exact.length;
  return { error: error / count, total: total / count, largest: largest / count, precision: (100 * found) / count };
}

/** The top ten of each sampled source. */
export function rankingTable(ranking: Ranking, sources: Int32Array): Table {
  return {
    columns: ['source', 'rank', 'node', 'score'],
    rows: Array.from(sources).flatMap((source, i) => {
      const scores = ranking(i);
      return topOf(scores).map((node, at) => [source, at + 1, node, scores[node] as number]);
    }),
  };
}
