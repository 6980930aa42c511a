// Personalised PageRank of a directed graph as a symmetric operator (Tong et al., "Digraph
// Inception Convolutional Networks", NeurIPS 2020).
//
//   P = D̃_out⁻¹·(A + I)                                       one step of a walk
//   P' = [[(1 − α)·P, α·1], [1/n, 0]]                         with an auxiliary teleport node
//   Â = ½·(Π^{1/2}·P·Π^{−1/2} + Π^{−1/2}·Pᵀ·Π^{1/2})          Π = diag(π), π P' = π on the n nodes

import { SparseMatrix, type SparsePattern, sparseProduct } from '../../sparse/index.js';
import type { Graph } from '../graph.js';
import { memo } from '../memo.js';
import { graphOperator, powers, scaled, withUnitLoops } from '../operators.js';

/** The stationary distribution of the walk with a teleport node. */
export interface Stationary {
  /** π on the nodes [n], of sum 1. */
  readonly nodes: Float64Array;
  /** π of the teleport node beside nodes of sum 1: α. */
  readonly teleport: number;
  /** Power iterations until the L1 change was below the tolerance. */
  readonly iterations: number;
}

/** How long π is iterated. */
export interface StationaryOptions {
  /** Largest L1 change of the last iteration. Default: 1e-12. */
  readonly tolerance?: number;
  /** Iterations at most. Default: 1000. */
  readonly iterations?: number;
}

/**
 * π of P' by power iteration. P' steps to the teleport node with probability α, so that the change
 * falls at least by (1 − α) an iteration.
 *
 * @param alpha α, between 0 and 1. Default: 0.1
 * @throws RangeError for another α
 * @throws Error when the iterations do not suffice
 */
export function stationaryDistribution(
  graph: Graph,
  alpha = 0.1,
  { tolerance = 1e-12, iterations = 1000 }: StationaryOptions = {},
): Stationary {
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`stationaryDistribution: α must lie in (0, 1), got ${alpha}`);
  const n = graph.nodeCount;
  const { pattern, values } = withUnitLoops(graph);
  const weights = values?.view();
  const degrees = degreesOf(pattern, weights);
  let nodes = new Float64Array(n).fill(1 / n);
  for (let iteration = 1; iteration <= iterations; iteration++) {
    // The teleport node, of mass α beside nodes of mass 1, gives α/n to each node.
    const next = new Float64Array(n).fill(alpha / n);
    for (let u = 0; u < n; u++) {
      const mass = ((1 - alpha) * (nodes[u] as number)) / (degrees[u] as number);
      for (let e = pattern.indptr[u] as number; e < (pattern.indptr[u + 1] as number); e++) {
        const v = pattern.indices[e] as number;
        next[v] = (next[v] as number) + mass * (weights ? (weights[e] as number) : 1);
      }
    }
    let [total, change] = [0, 0];
    for (const mass of next) total += mass;
    for (let v = 0; v < n; v++) {
      const mass = (next[v] as number) / total;
      change += Math.abs(mass - (nodes[v] as number));
      next[v] = mass;
    }
    nodes = next;
    if (change < tolerance) return { nodes, teleport: alpha, iterations: iteration };
  }
  throw new Error(`stationaryDistribution: the change is above ${tolerance} after ${iterations} iterations`);
}

/** Row sums in double precision. */
function degreesOf({ rows, indptr }: SparsePattern, weights: Float32Array | undefined): Float64Array {
  return Float64Array.from({ length: rows }, (_, u) => {
    const [from, to] = [indptr[u] as number, indptr[u + 1] as number];
    return weights ? weights.subarray(from, to).reduce((sum, weight) => sum + weight, 0) : to - from;
  });
}

/**
 * Â, scaled symmetrically by its row sums once more.
 *
 * @param alpha α, the probability of a teleport. Default: 0.1
 */
export function pageRankOperator(graph: Graph, alpha = 0.1): SparseMatrix {
  return memo(graph, `pageRankOperator ${alpha}`, () => {
    const { nodes } = stationaryDistribution(graph, alpha);
    const walk = graphOperator(graph, { exponent: 0 });
    const forward = scaled(walk, powers(nodes, 0.5), powers(nodes, -0.5));
    return normalised(halfSum(forward, forward.transpose()));
  });
}

/**
 * Second-order proximity ½·(PᵀP + PPᵀ) where both products have an element, scaled symmetrically by
 * its row sums: nodes that share a source and a target.
 *
 * @param limit largest number of stored elements of a product. Default: that of `sparseProduct`
 */
export function meetingOperator(graph: Graph, limit?: number): SparseMatrix {
  return memo(graph, 'meetingOperator', () => {
    const walk = graphOperator(graph, { exponent: 0 });
    const back = walk.transpose();
    const options = limit === undefined ? {} : { limit };
    return normalised(intersection(sparseProduct(back, walk, options), sparseProduct(walk, back, options)));
  });
}

/** D^{−1/2}·M·D^{−1/2} with the row sums D of M. */
function normalised(matrix: SparseMatrix): SparseMatrix {
  const root = powers(matrix.rowSums(), -0.5);
  return scaled(matrix, root, root);
}

type Entries = { readonly row: number[]; readonly column: number[]; readonly value: number[] };

function entriesOf(...matrices: readonly SparseMatrix[]): Entries {
  const all: Entries = { row: [], column: [], value: [] };
  for (const { pattern, values } of matrices) {
    const own = values?.view();
    for (let row = 0; row < pattern.rows; row++)
      for (let e = pattern.indptr[row] as number; e < (pattern.indptr[row + 1] as number); e++) {
        all.row.push(row);
        all.column.push(pattern.indices[e] as number);
        all.value.push(own ? (own[e] as number) : 1);
      }
  }
  return all;
}

/** ½·(A + B). */
function halfSum(a: SparseMatrix, b: SparseMatrix): SparseMatrix {
  const { row, column, value } = entriesOf(a, b);
  return SparseMatrix.fromCoordinates(
    a.rows,
    a.columns,
    row,
    column,
    value.map((own) => own / 2),
  );
}

/** ½·(A + B) on the elements that both store; columns ascend in each row. */
function intersection(a: SparseMatrix, b: SparseMatrix): SparseMatrix {
  const all: Entries = { row: [], column: [], value: [] };
  const [left, right] = [a.values?.view(), b.values?.view()];
  for (let row = 0; row < a.rows; row++) {
    let [e, f] = [a.pattern.indptr[row] as number, b.pattern.indptr[row] as number];
    while (e < (a.pattern.indptr[row + 1] as number) && f < (b.pattern.indptr[row + 1] as number)) {
      const [i, j] = [a.pattern.indices[e] as number, b.pattern.indices[f] as number];
      if (i === j) {
        all.row.push(row);
        all.column.push(i);
        all.value.push(((left ? (left[e] as number) : 1) + (right ? (right[f] as number) : 1)) / 2);
      }
      if (i <= j) e += 1;
      if (j <= i) f += 1;
    }
  }
  return SparseMatrix.fromCoordinates(a.rows, a.columns, all.row, all.column, all.value);
}
