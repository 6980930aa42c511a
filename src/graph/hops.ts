// Chains of propagated features x^k = Âᵏ·x, k = 0 … K, computed by blocks of columns: what is
// needed of them is summed or copied while they pass, so that memory holds blocks [n, block] and
// the result, never K copies of the features.

import { type Features, featureCount, type Linear } from '../nn/index.js';
import { SparseMatrix, spmm } from '../sparse/index.js';
import { type Graph, graphOperator } from '../structure/index.js';
import { matmul, scope, type Tensor, tensor, zeros } from '../tensor/index.js';
import { stationaryState } from './stationary-state.js';

/** How features are propagated. */
export interface HopOptions {
  /** r of Â = D̃^{r−1}ÃD̃^{−r}. Default: 0.5. */
  readonly exponent?: number;
  /** Columns of features that are propagated at a time. Default: 256. */
  readonly block?: number;
}

/** Columns [from, from + width) of x^k. */
export interface HopBlock {
  /** Number of propagations. */
  readonly k: number;
  /** First column of the block. */
  readonly from: number;
  /** Columns of the block. */
  readonly width: number;
  /** x^k [n, width], row after row; valid during the call alone. */
  readonly values: Float32Array;
}

/**
 * What is called for the blocks of a chain: those of all k for one block of columns, then the next.
 */
export type HopVisitor = (block: HopBlock) => void;

/** Columns [from, from + width) of a feature matrix as a dense tensor [n, width]. */
export function columnsOf(features: Features, from: number, width: number): Tensor {
  if (!(features instanceof SparseMatrix)) {
    const [n, d] = features.shape as [number, number];
    if (width === d) return features;
    const values = features.view();
    const block = new Float32Array(n * width);
    for (let v = 0; v < n; v++) block.set(values.subarray(v * d + from, v * d + from + width), v * width);
    return tensor(block, [n, width]);
  }
  const { pattern, values } = features.transpose();
  const stored = values?.view();
  const block = new Float32Array(features.rows * width);
  for (let column = from; column < from + width; column++)
    for (let e = pattern.indptr[column] as number; e < (pattern.indptr[column + 1] as number); e++) {
      const at = (pattern.indices[e] as number) * width + column - from;
      block[at] = (block[at] as number) + (stored ? (stored[e] as number) : 1);
    }
  return tensor(block, [features.rows, width]);
}

/** Blocks that open a chain. */
export interface ChainStart {
  /** x^0 [n, width], valid until the last block of these columns. */
  readonly first: Tensor;
  /** First column. */
  readonly from: number;
}

/**
 * Calls the visitor that `open` gives for each block of columns with x^0, x^1, …, x^steps of these
 * columns.
 *
 * @throws Error when features and graph differ in their number of nodes
 * @throws RangeError unless steps is a non-negative and block a positive integer
 */
export function walkHops(
  features: Features,
  graph: Graph,
  steps: number,
  { exponent = 0.5, block = 256 }: HopOptions,
  open: (start: ChainStart) => HopVisitor,
): void {
  const rows = features instanceof SparseMatrix ? features.rows : features.shape[0];
  if (rows !== graph.nodeCount)
    throw new Error(`walkHops: features of ${rows} nodes for a graph of ${graph.nodeCount}`);
  if (!(Number.isInteger(steps) && steps >= 0))
    throw new RangeError(`walkHops: propagations must be a non-negative integer, got ${steps}`);
  if (!(Number.isInteger(block) && block >= 1))
    throw new RangeError(`walkHops: the block must be a positive number of columns, got ${block}`);
  const operator = graphOperator(graph, { exponent });
  const columns = featureCount(features);
  for (let from = 0; from < columns; from += block)
    scope(() => {
      const width = Math.min(block, columns - from);
      const first = columnsOf(features, from, width);
      const visit = open({ first, from });
      let x = first;
      for (let k = 0; ; k++) {
        visit({ k, from, width, values: x.view() });
        if (k === steps) return;
        const next = spmm(operator, x);
        if (x !== first) x.dispose();
        x = next;
      }
    });
}

/** Weights of the hops k = 0 … K: one number for all nodes, or one for each node [n]. */
export type HopWeights = readonly (number | Float32Array)[];

/**
 * Σ_k w_v(k)·x_v^k.
 *
 * @returns [n, d]
 */
export function weightedHops(features: Features, graph: Graph, weights: HopWeights, options: HopOptions = {}): Tensor {
  const all = Int32Array.from({ length: graph.nodeCount }, (_, v) => v);
  return weightedHopRows(features, graph, weights, all, options);
}

/** The hops of some nodes, from which any combination for these nodes follows. */
export interface HopRows {
  /** The nodes. */
  readonly rows: Int32Array;
  /** x^k of the nodes for k = 0 … K, each [rows, d] row after row. */
  readonly hops: readonly Float32Array[];
  /** x^∞ of the nodes [rows, d]. */
  readonly limit: Float32Array;
}

/** x^k for k = 0 … steps and x^∞ of some nodes alone: memory (steps + 2)·rows·d. */
export function hopRows(
  features: Features,
  graph: Graph,
  steps: number,
  rows: Int32Array,
  options: HopOptions = {},
): HopRows {
  const d = featureCount(features);
  const hops = Array.from({ length: steps + 1 }, () => new Float32Array(rows.length * d));
  const limit = new Float32Array(rows.length * d);
  const copy = (to: Float32Array, values: Float32Array, from: number, width: number) =>
    rows.forEach((v, i) => {
      to.set(values.subarray(v * width, (v + 1) * width), i * d + from);
    });
  walkHops(features, graph, steps, options, ({ first, from }) => {
    copy(limit, stationaryState(first, graph, options.exponent).view(), from, first.shape[1] as number);
    return (block) => copy(hops[block.k] as Float32Array, block.values, block.from, block.width);
  });
  return { rows, hops, limit };
}

/**
 * Σ_k w_v(k)·x_v^k of the nodes of `hopRows` [rows, d]; later hops than there are weights count for
 * nothing.
 */
export function weightedRows({ rows, hops }: HopRows, weights: HopWeights): Tensor {
  if (weights.length > hops.length)
    throw new RangeError(`weightedRows: ${weights.length} weights for ${hops.length} hops`);
  const d = (hops[0]?.length ?? 0) / Math.max(1, rows.length);
  const sums = new Float32Array(rows.length * d);
  weights.forEach((weight, k) => {
    if (weight === 0) return;
    const values = hops[k] as Float32Array;
    for (let i = 0; i < rows.length; i++) {
      const own = typeof weight === 'number' ? weight : (weight[i] as number);
      for (let at = i * d; at < (i + 1) * d; at++) sums[at] = (sums[at] as number) + own * (values[at] as number);
    }
  });
  return tensor(sums, [rows.length, d]);
}

/** Σ_k w_v(k)·x_v^k of some nodes alone [rows, d]: memory of blocks and of the result. */
export function weightedHopRows(
  features: Features,
  graph: Graph,
  weights: HopWeights,
  rows: Int32Array,
  options: HopOptions = {},
): Tensor {
  const d = featureCount(features);
  const total = zeros([rows.length, d]);
  walkHops(features, graph, weights.length - 1, options, () => ({ k, from, width, values }) => {
    const weight = weights[k] as number | Float32Array;
    if (weight === 0) return;
    const sums = total.view();
    rows.forEach((v, i) => {
      const own = typeof weight === 'number' ? weight : (weight[v] as number);
      const [to, at] = [i * d + from, v * width];
      for (let j = 0; j < width; j++) sums[to + j] = (sums[to + j] as number) + own * (values[at + j] as number);
    });
  });
  return total;
}

/**
 * (Σ_k w_v(k)·x_v^k)·Wᵀ + b of all nodes [n, out], summed over blocks of columns: the combined
 * features [n, d] are never whole.
 *
 * @param linear W [out, d] and b [out]
 */
export function projectedHops(
  features: Features,
  graph: Graph,
  weights: HopWeights,
  { weight, bias }: Linear,
  options: HopOptions = {},
): Tensor {
  const n = graph.nodeCount;
  const out = weight.shape[0] as number;
  const first = bias ? Float32Array.from({ length: n * out }, (_, i) => bias.view()[i % out] as number) : undefined;
  const total = first ? tensor(first, [n, out]) : zeros([n, out]);
  const last = weights.length - 1;
  walkHops(features, graph, last, options, ({ first: { shape } }) => {
    const combined = new Float32Array(n * (shape[1] as number));
    return ({ k, from, width, values }) => {
      const own = weights[k] as number | Float32Array;
      if (own !== 0)
        for (let v = 0; v < n; v++) {
          const factor = typeof own === 'number' ? own : (own[v] as number);
          for (let at = v * width; at < (v + 1) * width; at++)
            combined[at] = (combined[at] as number) + factor * (values[at] as number);
        }
      if (k < last) return;
      const part = matmul(tensor(combined, [n, width]), columnsOf(weight, from, width), { transposeB: true });
      const [sums, added] = [total.view(), part.view()];
      for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + (added[i] as number);
    };
  });
  return total;
}
