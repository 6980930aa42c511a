// FastRP (Chen, Sultan, Tian, Chen, Skiena, "Fast and Accurate Network Embeddings via Very Sparse
// Random Projection", CIKM 2019): embeds every node without training, by a few products of the
// transition matrix with a random projection.
//
//   N₁ = P·(L·R),  N_k = P·N_{k−1},  N = Σ_k α_k · rownorm(N_k),  then columns standardised
//
// P = D⁻¹A, L = diag(d_j^β), R very sparse. (P^k)_{ij} tends to d_j/2m, so β < 0 reduces the weight
// of nodes of high degree.

import { alone, type Communicator } from '../distributed/index.js';
import { cpu, eventTurn, tensorMemoryBudget } from '../engine/index.js';
import { type ProjectionOptions, SparseMatrix, SparsePattern, sparseProjection } from '../sparse/index.js';
import { type Graph, powers } from '../structure/index.js';
import {
  add,
  emptyTensor,
  keep,
  mean,
  multiply,
  Random,
  rsqrt,
  scope,
  subtract,
  type Tensor,
  variance,
  where,
  zeros,
} from '../tensor/index.js';
import { BLOCK, Chain, columnsOf } from './fastrp-chain.js';

/** Hyperparameters of FastRP. */
export interface FastRPOptions extends ProjectionOptions {
  /** Embedding dimension. Default: 128. */
  readonly dim?: number;
  /** α₁ … α_q. Default: [0, 0, 1, 6.67]. null concatenates N₁ … N_q instead: dim·q columns. */
  readonly weights?: readonly number[] | null;
  /** q, when `weights` is null. Default: 4. */
  readonly orders?: number;
  /** β of L = diag(d^β). Default: −0.64. */
  readonly degreeExponent?: number;
  /** Scale every row of N_k to length 1 before the sum. Default: true. */
  readonly normalizeRows?: boolean;
  /** Standardise columns to mean 0 and standard deviation 1. Default: true. */
  readonly standardize?: boolean;
  /**
   * P = D⁻¹A ('transition'), or A itself, whose powers grow with the degrees. Default:
   * 'transition'.
   */
  readonly matrix?: 'transition' | 'adjacency';
  /** Weight of rownorm(R), the node itself, in the sum. Default: 0. */
  readonly nodeSelfInfluence?: number;
  /** Node features [n, f], projected into the last columns. */
  readonly features?: Tensor;
  /** Share of the columns that `features` are projected into. Default: 0.5. */
  readonly propertyRatio?: number;
  /** Seed of all random draws. Default: 42. */
  readonly seed?: number;
  /**
   * Ranks that share the rows of each product; every rank gets the whole result. Default: this
   * process alone.
   */
  readonly communicator?: Communicator;
}

/** Defaults of `FastRPOptions`. */
export const fastrpDefaults = {
  dim: 128,
  weights: [0, 0, 1, 6.67],
  degreeExponent: -0.64,
  normalizeRows: true,
  standardize: true,
  matrix: 'transition',
  seed: 42,
} as const;

/**
 * Embeds every node. Nodes without outgoing edges get a row of zeros (before standardisation). For
 * a directed graph P uses out-degrees and L in-degrees. The result does not depend on the number of
 * threads.
 *
 * @returns [n, dim], or [n, dim·q] when orders are concatenated
 * @throws RangeError when dim or the number of orders is not a positive integer, the weights are
 * empty, all 0 or not finite, or the degree exponent is not finite
 */
export function fastRP(graph: Graph, options: FastRPOptions = {}): Tensor {
  const { dim, weights, degreeExponent, normalizeRows, standardize, matrix, seed } = { ...fastrpDefaults, ...options };
  const orders = weights ? weights.length : (options.orders ?? 4);
  const self = options.nodeSelfInfluence ?? 0;
  requireOptions(dim, orders, weights, self, degreeExponent);
  return scope(() => {
    // The chain is freed before columns are standardised, which needs as much memory.
    const merged = scope(() => {
      const random = new Random(seed).split('fastrp');
      const n = graph.nodeCount;
      const projection = sparseProjection(n, dim, random, options);
      const chain = new Chain(
        graph,
        projection,
        powers(graph.inDegrees, degreeExponent),
        matrix,
        options.communicator ?? alone(),
      );
      if (options.features) chain.addFeatures(options.features, options.propertyRatio ?? 0.5, random.split('features'));
      const parts: Tensor[] = [];
      const result = zeros([n, weights ? dim : dim * orders]);
      const rows = { normalize: Number(normalizeRows), rows: n, width: BLOCK, d: dim };
      const put = (blocks: Tensor, alpha: number, order: number) => {
        const target = weights ? result : zeros([n, dim]);
        cpu.run('addNormalizedRows', { ...rows, x: blocks, y: target, alpha });
        if (!weights) parts[order - 1] = target;
      };
      if (self !== 0) cpu.run('addNormalizedRows', { ...rows, x: chain.start(), y: result, alpha: self });
      for (let order = 1; order <= orders; order++) {
        chain.step();
        const alpha = weights ? (weights[order - 1] as number) : 1;
        if (alpha !== 0) put(chain.blocks, alpha, order);
      }
      projection.values?.dispose();
      return weights ? result : sideBySide(parts, n, dim);
    });
    return standardize ? standardizeColumns(merged) : merged;
  });
}

/**
 * The same embedding for graphs whose vectors exceed tensor memory (4 GiB). Columns are computed
 * block by block, twice: first for the norms of the rows, then for the sum. The result lies outside
 * tensor memory.
 *
 * Memory in bytes: 4·n·dim for the result; in tensor memory 4 for each entry of the adjacency (8
 * with weights) and 20·n for each column of a block.
 *
 * @returns [n, dim], row by row
 * @throws RangeError for options that only `fastRP` takes: features, concatenated orders,
 * nodeSelfInfluence
 */
export async function fastRPOutside(
  graph: Graph,
  {
    onProgress,
    signal,
    ...options
  }: FastRPOptions & { readonly onProgress?: (done: number) => void; readonly signal?: AbortSignal } = {},
): Promise<Float32Array> {
  const { dim, weights, degreeExponent, normalizeRows, standardize, matrix, seed } = { ...fastrpDefaults, ...options };
  if (!weights || options.features || options.nodeSelfInfluence)
    throw new RangeError('fastRPOutside: features, orders side by side and the node itself need fastRP');
  requireOptions(dim, weights.length, weights, 0, degreeExponent);
  const n = graph.nodeCount;
  const projection = keep(sparseProjection(n, dim, new Random(seed).split('fastrp'), options));
  const scale = powers(graph.inDegrees, degreeExponent);
  const width = Math.min(dim, blockWidth(graph));
  const result = new Float32Array(n * dim);
  const squares = weights.map((alpha) => (alpha !== 0 && normalizeRows ? keep(zeros([n])) : undefined));
  const passes = normalizeRows ? 2 : 1;
  for (let pass = 0; pass < passes; pass++)
    for (let column = 0; column < dim; column += width) {
      scope(() => {
        const columnCount = Math.min(width, dim - column);
        const total = zeros([n, columnCount]);
        // The chain is freed before columns are standardised, which needs as much memory.
        scope(() => {
          const { starts, entries, values } = columnsOf(projection, column, columnCount);
          const pattern = new SparsePattern(
            n,
            columnCount,
            starts.dataSync<Int32Array>(),
            entries.dataSync<Int32Array>(),
          );
          const chain = new Chain(graph, new SparseMatrix(pattern, values), scale, matrix, alone());
          for (const [order, alpha] of weights.entries()) {
            chain.step();
            const square = squares[order];
            if (alpha === 0) continue;
            if (pass + 1 < passes)
              cpu.run('addRowSquares', { x: chain.blocks, squares: square as Tensor, rows: n, d: columnCount });
            else if (square)
              cpu.run('addRowsOverNorm', {
                x: chain.blocks,
                y: total,
                squares: square,
                alpha,
                rows: n,
                d: columnCount,
              });
            else
              cpu.run('addNormalizedRows', {
                x: chain.blocks,
                y: total,
                alpha,
                normalize: 0,
                rows: n,
                width: columnCount,
                d: columnCount,
              });
          }
        });
        if (pass + 1 < passes) return;
        const columns = (standardize ? standardizeColumns(total) : total).view();
        for (let v = 0; v < n; v++)
          result.set(columns.subarray(v * columnCount, (v + 1) * columnCount), v * dim + column);
      });
      onProgress?.((pass + Math.min(dim, column + width) / dim) / passes);
      await eventTurn(signal);
    }
  for (const held of [projection.values, ...squares]) held?.dispose();
  return result;
}

/** Bytes of tensor memory that `fastRP` needs for embeddings of this dimension. */
export function fastRPBytes(graph: Graph, dim: number): number {
  const { nnz } = graph.successors;
  const n = graph.nodeCount;
  // Beside six matrices: the projection and what each step reads of it, and vectors of degrees.
  return 4 * (nnz * (graph.weights ? 2 : 1) + 6 * n * dim + 6 * dim * Math.sqrt(n) + 12 * n);
}

/**
 * The widest block that the memory budget allows: its five matrices (the sum, and those of the
 * chain or of standardisation) and a dozen vectors fit beside the graph.
 */
function blockWidth(graph: Graph): number {
  const n = Math.max(1, graph.nodeCount);
  const free = tensorMemoryBudget() - 4 * graph.successors.nnz * (graph.weights ? 2 : 1) - 12 * 4 * n;
  return Math.max(4, Math.min(BLOCK, 4 * Math.floor(free / (5 * 4 * 4 * n))));
}

function requireOptions(
  dim: number,
  orders: number,
  weights: readonly number[] | null,
  self: number,
  degreeExponent: number,
): void {
  if (!(Number.isInteger(dim) && dim >= 1)) throw new RangeError(`fastRP: dim must be a positive integer, got ${dim}`);
  if (!(Number.isInteger(orders) && orders >= 1))
    throw new RangeError(`fastRP: at least one order is needed, got ${orders}`);
  if (weights && self === 0 && weights.every((alpha) => alpha === 0)) throw new RangeError('fastRP: all weights are 0');
  if (weights?.some((alpha) => !Number.isFinite(alpha)))
    throw new RangeError(`fastRP: weights must be finite numbers, got ${weights.join(', ')}`);
  if (!Number.isFinite(degreeExponent)) throw new RangeError(`fastRP: the degree exponent is ${degreeExponent}`);
}

/** Concatenates matrices [n, dim] along columns. */
function sideBySide(parts: readonly Tensor[], n: number, dim: number): Tensor {
  const result = emptyTensor([n, dim * parts.length], 'f32');
  const to = result.view();
  parts.forEach((part, k) => {
    const from = part.view();
    for (let v = 0; v < n; v++) to.set(from.subarray(v * dim, (v + 1) * dim), (v * parts.length + k) * dim);
  });
  return result;
}

/**
 * (x − mean) / standard deviation of every column, [n, d] → [n, d]; a column without variance
 * becomes 0.
 */
export function standardizeColumns(x: Tensor): Tensor {
  const centre = mean(x, 0);
  const spread = variance(x, 0);
  const scale = where(spread.greater(1e-20), rsqrt(add(spread, 1e-30)), 0);
  return multiply(subtract(x, centre), scale);
}

/** Options of `tuneFastRP`; `dim` defaults to 64. */
export interface TuneOptions extends Omit<FastRPOptions, 'weights' | 'degreeExponent'> {
  /** Number of trials. Default: 20. */
  readonly trials?: number;
  /** Called after every trial. */
  readonly onTrial?: (trial: FastRPTrial) => void;
}

/** Hyperparameters and score of one trial. */
export interface FastRPTrial {
  /** α₁ … α₄. */
  readonly weights: readonly number[];
  /** β. */
  readonly degreeExponent: number;
  /** Value of the scoring function. */
  readonly score: number;
}

/** Hyperparameters that the search varies. */
export type FastRPSetting = Pick<FastRPTrial, 'weights' | 'degreeExponent'>;

/** Draws of the search: α = (0, 0, 1, α₄), α₄ log-uniform in [1, 64], β uniform in [−1, 0]. */
export function drawFastRPSettings(count: number, random: Random): FastRPSetting[] {
  return Array.from({ length: count }, () => {
    const fourth = 64 ** random.float();
    return { weights: [0, 0, 1, fourth], degreeExponent: -random.float() };
  });
}

/**
 * The paper's hyperparameter search: q = 4, α = (0, 0, 1, α₄) with α₄ log-uniform in [1, 64] and β
 * uniform in [−1, 0]. Deterministic for a given seed.
 *
 * @param score quality of an embedding [n, dim], larger is better
 * @returns the trials, best first
 */
export async function tuneFastRP(
  graph: Graph,
  score: (embedding: Tensor) => number | Promise<number>,
  { trials = 20, dim = 64, seed = 42, onTrial, ...options }: TuneOptions = {},
): Promise<FastRPTrial[]> {
  const results: FastRPTrial[] = [];
  for (const drawn of drawFastRPSettings(trials, new Random(seed).split('tune'))) {
    const embedding = fastRP(graph, { ...options, dim, seed, ...drawn });
    const result = { ...drawn, score: await score(embedding) };
    embedding.dispose();
    results.push(result);
    onTrial?.(result);
  }
  return results.sort((a, b) => b.score - a.score);
}
