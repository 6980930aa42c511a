// How a training is cut into parts, workers and episodes, and what memory that takes.

import type { Graph } from '../../structure/index.js';
import { zigzagParts } from '../grid.js';
import type { GraphViteSettings } from './options.js';

/** Most parts: a part has a byte. */
export const MOST_PARTS = 256;
/** Pairs of an episode for each node of a part. */
const EPISODE_PAIRS = 175;
/** Bytes of both pools, at most, where the episode is not given. */
const POOL_BYTES = 128 * 2 ** 20;
/** Bytes of a pair in both pools. */
const PAIR_BYTES = 16;
/** The largest ratio between blocks that is taken without a word. */
export const BALANCED = 1.5;
/** Nodes for each part where their number is chosen. */
const NODES_PER_PART = 16;
/** Samplers at most, and places of a block for each. */
const SAMPLERS = 32;
const SHARE = 256;

/** Sizes of a training. */
export interface GraphVitePlan {
  /** P. */
  readonly parts: number;
  /** W. */
  readonly workers: number;
  /** Most edges of a block over the fewest; Infinity when a block has none. */
  readonly balance: number;
  /** Batches in all: ⌊epochs·|E| / batch⌋. */
  readonly batches: number;
  /** Fillings of the pool. */
  readonly episodes: number;
  /** Streams that fill a pool together; it does not depend on the number of threads. */
  readonly samplers: number;
  /** Floats of a row: dim rounded up to a multiple of 4. */
  readonly width: number;
  /** Whether parts are kept in files, and not all in memory. */
  readonly inFiles: boolean;
  /** Bytes of the rows in memory: all of V and C, or the 2·W parts that train. */
  readonly matrixBytes: number;
  /** Bytes of both pools. */
  readonly poolBytes: number;
  /** Bytes of the graph as the samplers read it. */
  readonly graphBytes: number;
}

/**
 * @param memory bytes that the rows of V and C may take; above them they are kept in files, and
 * `parts` follows from it unless given. Default: no limit
 * @throws RangeError when P is no multiple of W, above n or 256, or the budget is below what one
 * group of 256 parts takes; when there is not one batch to train
 */
export function planTraining(
  graph: Graph,
  settings: GraphViteSettings,
  memory = Number.POSITIVE_INFINITY,
): GraphVitePlan {
  const n = graph.nodeCount;
  const width = Math.ceil(settings.dim / 4) * 4;
  const rowBytes = width * 4;
  const whole = 2 * n * rowBytes;
  const inFiles = whole > memory;
  const { parts, workers } = inFiles ? partsWithin(n, rowBytes, memory, settings) : partsOf(graph, settings);
  if (parts % workers !== 0)
    throw new RangeError(
      `graphvite: ${parts} parts are not a multiple of ${workers} workers; use ${Math.ceil(parts / workers) * workers} parts`,
    );
  const most = Math.min(n, MOST_PARTS);
  if (parts > most) throw new RangeError(`graphvite: ${parts} parts are more than the ${most} that ${n} nodes allow`);
  const batches = Math.floor((settings.epochs * graph.edgeCount) / settings.batch);
  if (batches < 1)
    throw new RangeError(
      `graphvite: ${settings.epochs} epochs of ${graph.edgeCount} edges are less than a batch of ${settings.batch} pairs; use more epochs or a smaller batch`,
    );
  const perBlock = settings.episode ?? episodeOf(n, parts, settings.batch);
  const episodes = Math.ceil(batches / (perBlock * parts ** 2));
  const pairs = Math.ceil(batches / episodes) * settings.batch;
  return {
    parts,
    workers,
    balance: blockBalance(graph, parts),
    batches,
    episodes,
    samplers: Math.min(SAMPLERS, Math.max(1, Math.floor(pairs / parts ** 2 / SHARE))),
    width,
    inFiles,
    matrixBytes: inFiles ? 2 * workers * Math.ceil(n / parts) * rowBytes : whole,
    poolBytes: PAIR_BYTES * pairs,
    graphBytes: graph.successors.nnz * (graph.weights ? 24 : 8) + n * 21,
  };
}

/** Batches of a block in an episode, unless given. */
function episodeOf(nodes: number, parts: number, batch: number): number {
  const wanted = (EPISODE_PAIRS * nodes) / parts;
  const affordable = POOL_BYTES / PAIR_BYTES / parts ** 2;
  return Math.max(1, Math.floor(Math.min(wanted, affordable) / batch));
}

/** Parts in memory: those given, or the most that are balanced. */
function partsOf(graph: Graph, { parts, workers }: GraphViteSettings) {
  if (parts !== undefined) return { parts, workers: workers ?? parts };
  const multiple = workers ?? 1;
  const chosen =
    [8, 4, 2].find(
      (count) =>
        count % multiple === 0 && count * NODES_PER_PART <= graph.nodeCount && blockBalance(graph, count) <= BALANCED,
    ) ?? multiple;
  return { parts: chosen, workers: workers ?? chosen };
}

/** The fewest parts of which 2·W fit into the memory. */
function partsWithin(n: number, rowBytes: number, memory: number, { parts, workers = 2 }: GraphViteSettings) {
  if (parts !== undefined) return { parts, workers: Math.min(parts, workers) };
  const most = Math.floor(Math.min(n, MOST_PARTS) / workers) * workers;
  for (let count = workers; count <= most; count += workers)
    if (2 * workers * Math.ceil(n / count) * rowBytes <= memory) return { parts: count, workers };
  const least = 2 * workers * Math.ceil(n / Math.max(1, most)) * rowBytes;
  throw new RangeError(
    `graphvite: a memory of ${memory} bytes is below the ${least} that ${2 * workers} of ${most} parts take; give at least that`,
  );
}

/** Edges of the fullest block over those of the emptiest. */
export function blockBalance(graph: Graph, parts: number): number {
  if (parts === 1) return 1;
  const partOf = new Uint8Array(graph.nodeCount);
  zigzagParts(graph.outDegrees, parts).forEach((nodes, part) => {
    for (const v of nodes) partOf[v] = part;
  });
  const mass = new Float64Array(parts ** 2);
  graph.forEachEntry((u, v, weight) => {
    const cell = (partOf[u] as number) * parts + (partOf[v] as number);
    mass[cell] = (mass[cell] as number) + weight;
  });
  return mass.reduce((a, b) => Math.max(a, b), 0) / mass.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
}
