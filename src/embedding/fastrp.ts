// FastRP (Chen, Sultan, Tian, Chen, Skiena, "Fast and Accurate Network Embeddings via Very Sparse Random Projection", CIKM 2019): embeds every node without training, by a few products of the transition matrix with a
// random projection.
//
//   N₁ = P·(L·R),  N_k = P·N_{k−1},  N = Σ_k α_k · rownorm(N_k),  then columns standardised
//
// P = D⁻¹A, L = diag(d_j^β), R very sparse. (P^k)_{ij} tends to d_j/2m, so β < 0 takes weight from nodes of high degree.

import { alone, type Communicator, shareOf } from '../distributed/index.js';
import { cpu, eventTurn, regionAt } from '../engine/index.js';
import { SparseMatrix, SparsePattern } from '../sparse/index.js';
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
  tensor,
  variance,
  where,
  zeros,
} from '../tensor/index.js';
import { type ProjectionOptions, sparseProjection } from './random-projection.js';

export interface FastRPOptions extends ProjectionOptions {
  readonly dim?: number;
  /** α₁ … α_q. null puts N₁ … N_q side by side instead: dim·q columns. */
  readonly weights?: readonly number[] | null;
  /** q, when `weights` is null. */
  readonly orders?: number;
  /** β of L = diag(d^β). */
  readonly degreeExponent?: number;
  readonly normalizeRows?: boolean;
  /** Columns brought to mean 0 and deviation 1. */
  readonly standardize?: boolean;
  /** P = D⁻¹A, or A itself, whose powers grow with the degrees. */
  readonly matrix?: 'transition' | 'adjacency';
  /** Weight of norm(R), the node itself; 0 leaves it out. */
  readonly nodeSelfInfluence?: number;
  /** Node features [n, f] projected into the last `propertyRatio` share of the columns. */
  readonly features?: Tensor;
  readonly propertyRatio?: number;
  readonly seed?: number;
  /** Ranks that share the rows of each product; all get the whole result. */
  readonly communicator?: Communicator;
}

export const fastrpDefaults = {
  dim: 128,
  weights: [0, 0, 1, 6.67],
  degreeExponent: -0.64,
  normalizeRows: true,
  standardize: true,
  matrix: 'transition',
  seed: 42,
} as const;

/** Columns that are worked on at a time: a block of the node matrix stays in cache, and the rest of the memory holds only what the sum needs. */
const BLOCK = 32;

/**
 * Embeds every node. Nodes without outgoing edges get a row of zeros (before standardising). For a directed graph P uses out-degrees and L in-degrees.
 *
 * @returns [n, dim], or [n, dim·q] when orders stand side by side. The same for any number of threads.
 * @throws RangeError when the weights are empty or all 0, and for sizes that cannot be.
 */
export function fastRP(graph: Graph, options: FastRPOptions = {}): Tensor {
  const { dim, weights, degreeExponent, normalizeRows, standardize, matrix, seed } = { ...fastrpDefaults, ...options };
  const orders = weights ? weights.length : (options.orders ?? 4);
  const self = options.nodeSelfInfluence ?? 0;
  requireOptions(dim, orders, weights, self, degreeExponent);
  return scope(() => {
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
    const merged = weights ? result : sideBySide(parts, n, dim);
    return standardize ? standardizeColumns(merged) : merged;
  });
}

/**
 * The same embedding for graphs whose vectors do not fit tensor memory (4 GiB): columns are made a block at a time, twice, first for the lengths of rows and then for the sum. The result lies outside tensor memory.
 *
 * Bytes: 4·n·dim for the result, and in tensor memory 4 an entry of the adjacency (8 with weights) and 20·n a column of a block.
 *
 * @returns [n, dim], row by row
 * @throws RangeError for options that only `fastRP` takes: features, orders side by side, the node itself.
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
        const own = Math.min(width, dim - column);
        const total = zeros([n, own]);
        // The chain is gone before columns are standardised, which takes as much again.
        scope(() => {
          const { starts, entries, values } = columnsOf(projection, column, own);
          const pattern = new SparsePattern(n, own, starts.dataSync<Int32Array>(), entries.dataSync<Int32Array>());
          const chain = new Chain(graph, new SparseMatrix(pattern, values), scale, matrix, alone());
          for (const [order, alpha] of weights.entries()) {
            chain.step();
            const square = squares[order];
            if (alpha === 0) continue;
            if (pass + 1 < passes)
              cpu.run('addRowSquares', { x: chain.blocks, squares: square as Tensor, rows: n, d: own });
            else if (square)
              cpu.run('addRowsOverNorm', { x: chain.blocks, y: total, squares: square, alpha, rows: n, d: own });
            else
              cpu.run('addNormalizedRows', {
                x: chain.blocks,
                y: total,
                alpha,
                normalize: 0,
                rows: n,
                width: own,
                d: own,
              });
          }
        });
        if (pass + 1 < passes) return;
        const columns = (standardize ? standardizeColumns(total) : total).view();
        for (let v = 0; v < n; v++) result.set(columns.subarray(v * own, (v + 1) * own), v * dim + column);
      });
      onProgress?.((pass + Math.min(dim, column + width) / dim) / passes);
      await eventTurn(signal);
    }
  for (const held of [projection.values, ...squares]) held?.dispose();
  return result;
}

/** Bytes of tensor memory that vectors of this size take with everything that `fastRP` keeps beside them. */
export function fastRPBytes(graph: Graph, dim: number): number {
  const { nnz } = graph.successors;
  return 4 * (nnz * (graph.weights ? 2 : 1) + 6 * graph.nodeCount * dim);
}

/** Tensor memory that the graph and a block may use: somewhat below the 4 GiB that there are. */
const TENSOR_BYTES = 3.7 * 2 ** 30;

/** The widest block whose five matrices (the sum, and what the chain or standardising makes beside it) and a dozen vectors fit beside the graph. */
function blockWidth(graph: Graph): number {
  const n = Math.max(1, graph.nodeCount);
  const free = TENSOR_BYTES - 4 * graph.successors.nnz * (graph.weights ? 2 : 1) - 12 * 4 * n;
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

/** N_k in blocks of columns [n, 32], one after another. */
class Chain {
  blocks: Tensor;
  #spare: Tensor;
  #order = 0;
  #projection: SparseMatrix;
  readonly #graph: Graph;
  readonly #scale: Tensor;
  readonly #communicator: Communicator;

  constructor(
    graph: Graph,
    projection: SparseMatrix,
    columnScale: Float32Array,
    matrix: 'transition' | 'adjacency',
    communicator: Communicator,
  ) {
    const { rows, columns } = projection;
    this.#graph = graph;
    this.#communicator = communicator;
    this.#scale = tensor(matrix === 'adjacency' ? new Float32Array(rows).fill(1) : powers(graph.outDegrees, -1));
    this.#projection = projection.scale(tensor(columnScale));
    this.blocks = emptyTensor([rows * columns], 'f32');
    this.#spare = emptyTensor([rows * columns], 'f32');
    this.#start = projection;
  }

  readonly #start: SparseMatrix;
  #dense: Tensor | undefined;

  /** Projects features into the last columns of L·R: R ← [R_structure | F·R_features]. */
  addFeatures(features: Tensor, ratio: number, random: Random): void {
    const { rows, columns } = this.#projection;
    if (features.rank !== 2 || features.shape[0] !== rows)
      throw new Error(`fastRP: expected features of ${rows} nodes, got ${features}`);
    const width = Math.round(ratio * columns);
    const mapped = features.matmul(
      sparseProjection(features.shape[1] as number, width, random, { sparsity: 1 }).toDense(),
    );
    const dense = this.#projection.toDense();
    const [to, from] = [dense.view(), mapped.view()];
    for (let v = 0; v < rows; v++) to.set(from.subarray(v * width, (v + 1) * width), v * columns + columns - width);
    this.#dense = dense;
  }

  /** R itself, in blocks. */
  start(): Tensor {
    return intoBlocks(this.#dense ?? this.#start.toDense());
  }

  /** N_{k+1} from N_k, block by block; of each block this rank makes its share of the rows. */
  step(): void {
    const { rows, columns } = this.#projection;
    const { successors, adjacency } = this.#graph;
    const [begin, end] = shareOf(rows, this.#communicator);
    const shared = {
      indptr: regionAt(successors.segments.offsetTensor, 4 * begin),
      indices: successors.indexTensor,
      values: adjacency.values ?? null,
      scale: regionAt(this.#scale, 4 * begin),
      rows: end - begin,
    };
    const first = this.#order++ === 0;
    const dense = first && this.#dense ? intoBlocks(this.#dense) : this.blocks;
    for (let column = 0; column < columns; column += BLOCK) {
      const width = Math.min(BLOCK, columns - column);
      const y = regionAt(this.#spare, 4 * (rows * column + begin * width));
      if (first && !this.#dense) {
        const { starts, entries, values } = columnsOf(this.#projection, column, width);
        cpu.run('spmmSparse', { ...shared, starts, columns: entries, entries: values, y, d: width });
      } else {
        cpu.run('spmmScaled', { ...shared, x: regionAt(dense, 4 * rows * column), y, d: width });
      }
      this.#gather(rows * column, width, begin, end);
    }
    [this.blocks, this.#spare] = [this.#spare, this.blocks];
  }

  /** Puts every rank's rows of a block where they belong. */
  #gather(offset: number, width: number, begin: number, end: number): void {
    if (this.#communicator.size === 1) return;
    const values = this.#spare.view();
    let at = offset;
    for (const part of this.#communicator.allGather(values.slice(offset + begin * width, offset + end * width))) {
      values.set(part, at);
      at += part.length;
    }
  }
}

/** The columns [first, first + width) of a sparse matrix, renumbered from 0. */
function columnsOf({ rows, pattern, values }: SparseMatrix, first: number, width: number) {
  const own = (values as Tensor).view();
  const starts = new Int32Array(rows + 1);
  const entries = new Int32Array(pattern.nnz);
  const kept = new Float32Array(pattern.nnz);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (let e = pattern.indptr[row] as number; e < (pattern.indptr[row + 1] as number); e++) {
      const column = (pattern.indices[e] as number) - first;
      if (column < 0 || column >= width) continue;
      entries[at] = column;
      kept[at++] = own[e] as number;
    }
    starts[row + 1] = at;
  }
  return {
    starts: tensor(starts),
    entries: tensor(entries.subarray(0, Math.max(1, at))),
    values: tensor(kept.subarray(0, Math.max(1, at))),
  };
}

function intoBlocks(x: Tensor): Tensor {
  const [n, d] = x.shape as [number, number];
  const from = x.view();
  const result = emptyTensor([n * d], 'f32');
  const to = result.view();
  for (let column = 0; column < d; column += BLOCK) {
    const width = Math.min(BLOCK, d - column);
    for (let v = 0; v < n; v++) to.set(from.subarray(v * d + column, v * d + column + width), n * column + v * width);
  }
  return result;
}

function sideBySide(parts: readonly Tensor[], n: number, dim: number): Tensor {
  const result = emptyTensor([n, dim * parts.length], 'f32');
  const to = result.view();
  parts.forEach((part, k) => {
    const from = part.view();
    for (let v = 0; v < n; v++) to.set(from.subarray(v * dim, (v + 1) * dim), (v * parts.length + k) * dim);
  });
  return result;
}

/** (x − mean) / deviation by column; a column without variance becomes 0. */
export function standardizeColumns(x: Tensor): Tensor {
  const centre = mean(x, 0);
  const spread = variance(x, 0);
  const scale = where(spread.greater(1e-20), rsqrt(add(spread, 1e-30)), 0);
  return multiply(subtract(x, centre), scale);
}

export interface TuneOptions extends Omit<FastRPOptions, 'weights' | 'degreeExponent'> {
  readonly trials?: number;
  readonly onTrial?: (trial: FastRPTrial) => void;
}

export interface FastRPTrial {
  readonly weights: readonly number[];
  readonly degreeExponent: number;
  readonly score: number;
}

/**
 * The paper's search: q = 4, α = (0, 0, 1, α₄) with α₄ log-uniform in [1, 64] and β uniform in [−1, 0], each embedding judged by `score` (larger is better). Deterministic under the seed.
 *
 * @returns the best trial first.
 */
export async function tuneFastRP(
  graph: Graph,
  score: (embedding: Tensor) => number | Promise<number>,
  { trials = 20, dim = 64, seed = 42, onTrial, ...options }: TuneOptions = {},
): Promise<FastRPTrial[]> {
  const random = new Random(seed).split('tune');
  const results: FastRPTrial[] = [];
  for (let trial = 0; trial < trials; trial++) {
    const weights = [0, 0, 1, 64 ** random.float()];
    const degreeExponent = -random.float();
    const embedding = fastRP(graph, { ...options, dim, seed, weights, degreeExponent });
    const result = { weights, degreeExponent, score: await score(embedding) };
    embedding.dispose();
    results.push(result);
    onTrial?.(result);
  }
  return results.sort((a, b) => b.score - a.score);
}
