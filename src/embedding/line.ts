// LINE (Tang et al., "LINE: Large-scale Information Network Embedding", WWW 2015): skip-gram whose
// pairs are the edges. First-order proximity: σ(u_i·u_j) for the two nodes of an edge; second-order
// proximity: vertex and context vectors.

import { cpu } from '../engine/index.js';
import { fillAlias, type Graph } from '../structure/index.js';
import { concatenate, keep, normalizeRows, Random, scope, type Tensor, tensor } from '../tensor/index.js';
import type { Grid } from './grid.js';
import { batchSize, chunked, type PairSource, SkipGram, type SkipGramOptions, trainBatches } from './skip-gram.js';

/** Hyperparameters of LINE. */
export interface LINEOptions extends SkipGramOptions {
  /** Number of sampled edges, as a multiple of the number of edges. Default: 100. */
  readonly samplesPerEdge?: number;
  /** First-order or second-order proximity, or both with dim/2 columns each. Default: 'both'. */
  readonly order?: 1 | 2 | 'both';
  /** Seed of all random draws. Default: 42. */
  readonly seed?: number;
}

/** Defaults of `LINEOptions`; those of `SkipGramOptions` apply to the rest. */
export const lineDefaults = { dim: 128, samplesPerEdge: 100, order: 'both', seed: 42 } as const;

/**
 * Trains one order, or both with dim/2 columns each, whose rows are scaled to length 1 and
 * concatenated.
 *
 * @returns [n, dim]
 * @throws RangeError when both orders are asked for and dim is odd
 */
export async function line(graph: Graph, options: LINEOptions = {}): Promise<Tensor> {
  const settings = { ...lineDefaults, ...options };
  const { dim, order, seed } = settings;
  const random = new Random(seed).split('line');
  if (order !== 'both') return trainOrder(graph, settings, order, dim, random.split(order));
  if (dim % 2 !== 0) throw new RangeError(`line: both orders share the columns, so dim must be even, got ${dim}`);
  const half = (part: 1 | 2) =>
    trainOrder(
      graph,
      {
        ...settings,
        onProgress: options.onProgress && ((p) => options.onProgress?.({ ...p, done: (p.done + part - 1) / 2 })),
      },
      part,
      dim / 2,
      random.split(part),
    );
  const [first, second] = [await half(1), await half(2)];
  return scope(() => concatenate([normalizeRows(first), normalizeRows(second)], 1));
}

async function trainOrder(
  graph: Graph,
  settings: Required<Pick<LINEOptions, 'samplesPerEdge'>> & LINEOptions,
  order: 1 | 2,
  dim: number,
  random: Random,
): Promise<Tensor> {
  const model = new SkipGram(graph, random, { ...settings, dim, shared: order === 1 });
  const edges = new EdgeTable(model.grid);
  const total = Math.round(settings.samplesPerEdge * graph.edgeCount);
  function* batches() {
    const size = batchSize(total);
    for (let at = 0; at < total; at += size) {
      const count = Math.min(size, total - at);
      yield {
        source: edges.source(count, random.split(Math.floor(at / size))),
        from: at / total,
        to: (at + count) / total,
      };
    }
  }
  try {
    return await trainBatches(model, batches(), settings);
  } finally {
    edges.dispose();
  }
}

/** Source of training pairs: stored edges, sampled by weight with an alias table. */
class EdgeTable {
  readonly #sources: Tensor;
  readonly #probabilities: Tensor | null;
  readonly #aliases: Tensor | null;

  constructor(readonly grid: Grid) {
    const { nodes, places, graph } = grid;
    const indptr = grid.indptr.view() as unknown as Int32Array;
    const sources = new Int32Array(Math.max(1, graph.successors.nnz));
    for (let place = 0; place < nodes.length; place++) sources.fill(place, indptr[place], indptr[place + 1]);
    this.#sources = keep(tensor(sources));
    const weights = graph.weights && weightsByPlace(grid, places);
    if (!weights) {
      this.#probabilities = null;
      this.#aliases = null;
      return;
    }
    const [probabilities, aliases] = [new Float32Array(weights.length), new Int32Array(weights.length)];
    fillAlias(
      weights,
      0,
      weights.length,
      weights.reduce((total, weight) => total + weight, 0),
      probabilities,
      aliases,
    );
    this.#probabilities = keep(tensor(probabilities));
    this.#aliases = keep(tensor(aliases));
  }

  source(count: number, random: Random): PairSource {
    const { chunks, perChunk } = chunked(count);
    const { key } = random;
    return {
      chunks,
      write: (grid, counts, pairs) =>
        cpu.run('edgePairs', {
          sources: this.#sources,
          indices: grid.indices,
          probabilities: this.#probabilities,
          aliases: this.#aliases,
          entries: grid.graph.successors.nnz,
          total: count,
          perChunk,
          partOf: grid.partOf,
          parts: grid.parts,
          counts,
          pairs,
          key,
          first: 0,
        }),
    };
  }

  dispose(): void {
    for (const held of [this.#sources, this.#probabilities, this.#aliases]) held?.dispose();
  }
}

/** Weights of the stored edges in the order of the grid. */
function weightsByPlace({ graph, nodes, indptr, indices }: Grid, places: Int32Array): Float64Array {
  const starts = indptr.view() as unknown as Int32Array;
  const targets = indices.view() as unknown as Int32Array;
  const weights = new Float64Array(targets.length);
  nodes.forEach((v, place) => {
    const begin = graph.successors.indptr[v] as number;
    const weightOf = new Map(
      Array.from(graph.neighbours(v), (u, i) => [places[u] as number, graph.weights?.[begin + i] as number]),
    );
    for (let e = starts[place] as number; e < (starts[place + 1] as number); e++)
      weights[e] = weightOf.get(targets[e] as number) as number;
  });
  return weights;
}
