// Layouts of graphs in the plane, on the same grid (Tang, Liu, Zhang, Mei, "Visualizing Large-scale
// and High-dimensional Data", WWW 2016): nodes of an edge attract each other, drawn negatives
// repel.
//
//   O = Σ_{(i, j) ∈ E} w_ij·(log f_ij + γ·Σ_m log(1 − f_im)),  f_ij = 1/(1 + |y_i − y_j|²)

import { Graph } from '../../structure/index.js';
import { matmul, scope, type Tensor, tensor, topK } from '../../tensor/index.js';
import { type GraphViteHooks, type GraphViteOptions, graphViteSettings } from './options.js';
import { planTraining } from './plan.js';
import { GridTrainer } from './trainer.js';

/** Options of a layout. */
export interface LayoutOptions
  extends Pick<GraphViteOptions, 'epochs' | 'negatives' | 'learningRate' | 'batch' | 'parts' | 'seed'>,
    GraphViteHooks {
  /** Dimensions of the layout. Default: 2. */
  readonly dim?: 2 | 3;
  /** γ: weight of a negative. Default: 7. */
  readonly repulsion?: number;
}

/** Defaults of `LayoutOptions`. */
export const layoutDefaults = { dim: 2, epochs: 300, negatives: 5, repulsion: 7, learningRate: 1, seed: 42 } as const;

/**
 * Points of the nodes, so that neighbours lie close and others apart.
 *
 * @returns [n, dim]
 * @throws RangeError for options out of range; the reason of `signal` when it aborts
 */
export async function layoutGraph(graph: Graph, options: LayoutOptions = {}): Promise<Tensor> {
  const { dim, repulsion, onProgress, signal, ...own } = { ...layoutDefaults, ...options };
  const settings = graphViteSettings(graph, { batch: 100, ...own, dim, negativeWeight: repulsion, step: 1, decay: 0 });
  const trainer = new GridTrainer(graph, settings, planTraining(graph, settings), { kind: 'distance' });
  try {
    if ((await trainer.train({ ...(onProgress && { onProgress }), signal })) === 'aborted') signal?.throwIfAborted();
    const nodes = Int32Array.from({ length: graph.nodeCount }, (_, v) => v);
    return tensor(trainer.rows('vertices', nodes), [graph.nodeCount, dim]);
  } finally {
    trainer.dispose();
  }
}

/** Steps of bisection for a bandwidth. */
const BISECTIONS = 60;
/** Least weight of an edge: weights are positive. */
const LEAST = 1e-30;

/**
 * Graph of the nearest neighbours of vectors by Euclidean distance, each weighted as LargeVis and
 * t-SNE do: p_{j|i} ∝ exp(−β_i·|x_i − x_j|²) with β_i such that the entropy is the logarithm of the
 * perplexity, made symmetric by (p_{j|i} + p_{i|j})/2n.
 *
 * @param x [n, d]
 * @param neighbours of a node. Default: 30
 * @param perplexity effective number of neighbours, below `neighbours`. Default: a third of them
 * @throws RangeError unless 1 < perplexity < neighbours < n
 */
export function neighbourGraph(x: Tensor, neighbours = 30, perplexity = neighbours / 3): Graph {
  const n = x.shape[0] as number;
  if (!(Number.isInteger(neighbours) && neighbours < n && perplexity > 1 && perplexity < neighbours))
    throw new RangeError(
      `neighbourGraph: of ${n} vectors, ${neighbours} neighbours and a perplexity of ${perplexity} are not in 1 < perplexity < neighbours < ${n}`,
    );
  const { distances, indices } = nearest(x, neighbours);
  const [sources, targets, weights] = [[] as number[], [] as number[], [] as number[]];
  for (let i = 0; i < n; i++) {
    const own = distances.subarray(i * neighbours, (i + 1) * neighbours);
    perplexityWeights(own, perplexity).forEach((p, k) => {
      sources.push(i);
      targets.push(indices[i * neighbours + k] as number);
      weights.push(Math.max(p / (2 * n), LEAST));
    });
  }
  return Graph.fromEdges(n, sources, targets, { weights: Float32Array.from(weights), duplicates: 'sum' });
}

/** Weights ∝ exp(−β·d) of sum 1 whose entropy is log perplexity. */
export function perplexityWeights(distances: ArrayLike<number>, perplexity: number): number[] {
  const least = Math.min(...Array.from(distances));
  let [low, high, beta] = [0, Number.POSITIVE_INFINITY, 1];
  let weights: number[] = [];
  for (let step = 0; step < BISECTIONS; step++) {
    const raw = Array.from(distances, (d) => Math.exp(-beta * (d - least)));
    const total = raw.reduce((a, b) => a + b, 0);
    weights = raw.map((w) => w / total);
    const entropy = -weights.reduce((sum, w) => sum + (w > 0 ? w * Math.log(w) : 0), 0);
    if (entropy > Math.log(perplexity)) low = beta;
    else high = beta;
    beta = high === Number.POSITIVE_INFINITY ? beta * 2 : (low + high) / 2;
  }
  return weights;
}

/** Rows whose distances are computed at a time. */
const BLOCK = 256;

/** Squared distances and numbers of the nearest others, nearest first: [n, k] each. */
function nearest(x: Tensor, k: number): { distances: Float32Array; indices: Int32Array } {
  const [n, d] = x.shape as [number, number];
  const all = x.view();
  const squares = Float64Array.from({ length: n }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < d; j++) sum += (all[i * d + j] as number) ** 2;
    return sum;
  });
  const [distances, indices] = [new Float32Array(n * k), new Int32Array(n * k)];
  for (let from = 0; from < n; from += BLOCK)
    scope(() => {
      const rows = Math.min(BLOCK, n - from);
      const block = tensor(all.slice(from * d, (from + rows) * d), [rows, d]);
      const products = matmul(block, x, { transposeB: true });
      const scores = products.view();
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < n; j++)
          scores[i * n + j] =
            j === from + i ? Number.NEGATIVE_INFINITY : 2 * (scores[i * n + j] as number) - (squares[j] as number);
      const [values, positions] = topK(products, k);
      const [found, at] = [values.view(), positions.view() as unknown as Int32Array];
      for (let i = 0; i < rows * k; i++) {
        indices[from * k + i] = at[i] as number;
        distances[from * k + i] = Math.max(0, (squares[from + Math.floor(i / k)] as number) - (found[i] as number));
      }
    });
  return { distances, indices };
}
