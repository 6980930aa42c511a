// LINE (Tang et al., "LINE: Large-scale Information Network Embedding", WWW 2015): skip-gram whose
// pairs are the edges. First-order proximity: σ(u_i·u_j) for the two nodes of an edge; second-order
// proximity: vertex and context vectors.

import type { Graph } from '../structure/index.js';
import { concatenate, normalizeRows, Random, scope, type Tensor } from '../tensor/index.js';
import { EdgeTable } from './edge-table.js';
import { batchSize, SkipGram, type SkipGramOptions, trainBatches } from './skip-gram.js';

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
