// Rows of personalised PageRank: the exact rows of some sources against estimates of them.

import { type EdgeGraph, loadEdgeGraph } from '../../data/node.js';
import type { PageRankRows } from '../../embedding/index.js';
import { type Graph, rmat } from '../../structure/index.js';
import { Random } from '../../tensor/index.js';
import type { Metric, Scores, Table } from '../parts/contract.js';
import { count, type OptionValues } from '../parts/options.js';

const TOP = 10;

export const rankingOptions = {
  sampled: count(30, 'sources whose rows are compared with exact ones', { smoke: 8 }),
  scale: count(16, 'the embedded R-MAT graph has 2^scale nodes', { smoke: 10, minimum: 4, maximum: 22 }),
  edges: count(1_000_000, 'edges drawn for the embedded graph', { smoke: 10_000, minimum: 10 }),
};

export const rankingMetrics: Readonly<Record<string, Metric>> = {
  error: { label: 'error ‖π̂ − π‖', digits: 4, better: 'smaller' },
  precision: { label: 'top ten found', unit: '%', digits: 1, better: 'larger' },
  source: { label: 'a source', unit: 'ms', digits: 4, better: 'smaller' },
  rate: { label: 'million walks/s', digits: 2, better: 'larger' },
  entries: { label: 'entries a row', digits: 0, better: 'neither' },
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

/** Rows of the sampled sources as a method estimates them, and what they took. */
export interface Ranking {
  /** π̂ of the i-th sampled source: [nodes]. */
  row(i: number): Float64Array;
  /** `source`: milliseconds a source; of walks from all nodes also `rate` and `entries`. */
  readonly costs: Scores;
}

/** Rows of one source at a time. */
export function rankEach(sources: Int32Array, estimate: (source: number) => Float64Array): Ranking {
  const started = performance.now();
  const rows = Array.from(sources, estimate);
  return {
    row: (i) => rows[i] as Float64Array,
    costs: { source: (performance.now() - started) / sources.length },
  };
}

/** Rows of all nodes at once, by walks. */
export async function rankAll(
  sources: Int32Array,
  { nodeCount }: Graph,
  walk: () => PageRankRows | Promise<PageRankRows>,
): Promise<Ranking> {
  const started = performance.now();
  const { indptr, targets, counts, walks } = await walk();
  const elapsed = performance.now() - started;
  const row = (i: number) => {
    const estimate = new Float64Array(nodeCount);
    const source = sources[i] as number;
    for (let e = indptr[source] as number; e < (indptr[source + 1] as number); e++)
      estimate[targets[e] as number] = (counts[e] as number) / walks;
    return estimate;
  };
  const rate = (nodeCount * walks) / elapsed / 1000;
  return { row, costs: { source: elapsed / nodeCount, rate, entries: targets.length / nodeCount } };
}

/** The nodes of the `TOP` largest entries that are not 0, falling; equal ones by number. */
function topOf(row: Float64Array): number[] {
  const reached = Array.from(row.keys()).filter((v) => (row[v] as number) > 0);
  return reached.sort((a, b) => (row[b] as number) - (row[a] as number)).slice(0, TOP);
}

/**
 * Means over the sampled sources: ‖π̂ − π‖₂, whose mean square is (1 − ‖π‖²)/ω for ω walks, and the
 * share of the exact top ten that is found.
 */
export function rankingScores({ row, costs }: Ranking, exact: Ranking, sources: Int32Array): Scores {
  let [error, found] = [0, 0];
  for (let i = 0; i < sources.length; i++) {
    const [estimated, truth] = [row(i), exact.row(i)];
    error += Math.sqrt(truth.reduce((squares, value, v) => squares + (value - (estimated[v] as number)) ** 2, 0));
    const top = topOf(truth);
    const estimatedTop = new Set(topOf(estimated));
    found += top.filter((v) => estimatedTop.has(v)).length / top.length;
  }
  return { error: error / sources.length, precision: (100 * found) / sources.length, ...costs };
}

/** The top ten of each sampled source. */
export function rankingTable({ row }: Ranking, sources: Int32Array): Table {
  return {
    columns: ['source', 'rank', 'node', 'score'],
    rows: Array.from(sources).flatMap((source, i) => {
      const scores = row(i);
      return topOf(scores).map((node, at) => [source, at + 1, node, scores[node] as number]);
    }),
  };
}
