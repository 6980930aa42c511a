// Vertex centralities, and spectra of large sparse matrices.

import { symmetricEigen } from '../linalg/index.js';
import { type SparseMatrix, spmm } from '../sparse/index.js';
import {
  gatherKnownRows,
  keep,
  matmul,
  multiply,
  type Random,
  scope,
  type Tensor,
  tensor,
  transpose,
} from '../tensor/index.js';
import type { Graph } from './graph.js';
import type { Hypergraph } from './hypergraph.js';

/** x ↦ A·x of a symmetric non-negative matrix A, matrix-free. */
type Operator = (x: Float64Array) => Float64Array;

/**
 * The weighted clique expansion as an operator, without building it: A·x = H·(Hᵀx) − d ∘ x, with
 * A[u, v] the number of hyperedges that u and v share.
 */
export function cliqueOperator(hypergraph: Hypergraph): Operator {
  const { members, vertexCount } = hypergraph;
  return (x) => {
    const y = new Float64Array(vertexCount);
    for (let e = 0; e < members.rows; e++) {
      const vertices = members.indices.subarray(members.indptr[e], members.indptr[e + 1]);
      let total = 0;
      for (const v of vertices) total += x[v] as number;
      for (const v of vertices) y[v] = (y[v] as number) + total - (x[v] as number);
    }
    return y;
  };
}

/**
 * Eigenvector of the largest eigenvalue, of unit length and non-negative, by power iteration on
 * A + I; the shift keeps an eigenvalue −λ₁ from making the iteration oscillate. Defaults: at most
 * 200 iterations, tolerance 1e-9 on the largest change of a component.
 */
export function eigenvectorCentrality(
  operator: Operator,
  n: number,
  { iterations = 200, tolerance = 1e-9 } = {},
): Float64Array {
  let x = new Float64Array(n).fill(1 / Math.sqrt(Math.max(1, n)));
  for (let i = 0; i < iterations; i++) {
    const image = operator(x);
    const y = image.map((value, v) => value + (x[v] as number));
    const norm = Math.sqrt(y.reduce((total, value) => total + value * value, 0));
    const next = y.map((value) => value / norm);
    const change = next.reduce((most, value, v) => Math.max(most, Math.abs(value - (x[v] as number))), 0);
    x = next as typeof x;
    if (change < tolerance) break;
  }
  return x;
}

/**
 * PageRank with damping d of a symmetric A: x = d·A·D⁻¹x + (1 − d)/n, with the mass of vertices of
 * degree 0 spread evenly. Defaults: d 0.85, at most 200 iterations, tolerance 1e-10 on the L1
 * change.
 */
export function pageRank(
  operator: Operator,
  n: number,
  { damping = 0.85, iterations = 200, tolerance = 1e-10 } = {},
): Float64Array {
  const degrees = operator(new Float64Array(n).fill(1));
  let x = new Float64Array(n).fill(1 / n);
  for (let i = 0; i < iterations; i++) {
    const dangling = x.reduce((total, value, v) => total + (degrees[v] === 0 ? value : 0), 0);
    const spread = operator(x.map((value, v) => (degrees[v] === 0 ? 0 : value / (degrees[v] as number))) as typeof x);
    const next = spread.map((value) => damping * (value + dangling / n) + (1 - damping) / n);
    const change = next.reduce((total, value, v) => total + Math.abs(value - (x[v] as number)), 0);
    x = next as typeof x;
    if (change < tolerance) break;
  }
  return x;
}

/**
 * Core number of each node, the largest k for which it belongs to a subgraph of minimum degree k,
 * in linear time (Batagelj & Zaveršnik 2003). Self-loops do not count.
 */
export function coreNumbers(graph: Graph): Int32Array {
  const n = graph.nodeCount;
  const degree = Int32Array.from({ length: n }, (_, v) =>
    graph.neighbours(v).reduce((count, u) => count + Number(u !== v), 0),
  );
  const most = degree.reduce((a, b) => Math.max(a, b), 0);
  const starts = new Int32Array(most + 2);
  for (const d of degree) starts[d + 1] = (starts[d + 1] as number) + 1;
  for (let d = 0; d <= most; d++) starts[d + 1] = (starts[d + 1] as number) + (starts[d] as number);
  const next = starts.slice();
  const order = new Int32Array(n);
  const position = new Int32Array(n);
  for (let v = 0; v < n; v++) {
    const at = next[degree[v] as number] as number;
    next[degree[v] as number] = at + 1;
    order[at] = v;
    position[v] = at;
  }
  for (let i = 0; i < n; i++) {
    const v = order[i] as number;
    for (const u of graph.neighbours(v)) {
      const d = degree[u] as number;
      if (u === v || d <= (degree[v] as number)) continue;
      // Swap u with the first node of its degree bucket, then move the start of the bucket past it.
      const front = starts[d] as number;
      const other = order[front] as number;
      order[position[u] as number] = other;
      position[other] = position[u] as number;
      order[front] = u;
      position[u] = front;
      starts[d] = front + 1;
      degree[u] = d - 1;
    }
  }
  return degree;
}

/** A linear map by its products with dense matrices. */
export interface LinearMap {
  /** Rows of the matrix A. */
  readonly rows: number;
  /** Columns of A. */
  readonly columns: number;
  /** A·x: [columns, w] → [rows, w]. */
  times(x: Tensor): Tensor;
  /** Aᵀ·y: [rows, w] → [columns, w]. */
  transposedTimes(y: Tensor): Tensor;
}

/** The map of a sparse matrix. */
function linearMap(matrix: SparseMatrix): LinearMap {
  const transposed = matrix.transpose();
  const { rows, columns } = matrix;
  return { rows, columns, times: (x) => spmm(matrix, x), transposedTimes: (y) => spmm(transposed, y) };
}

/**
 * The k largest singular values and left singular vectors, by randomised subspace iteration with
 * oversampling (Halko, Martinsson, Tropp 2011). Defaults: 8 iterations, 8 more vectors than k. The
 * right singular vectors are the left ones of the transposed matrix.
 *
 * @returns vectors [rows, k], values [k] in descending order; min(k, rows, columns) of them
 * @throws RangeError unless k is a positive integer
 */
export function truncatedSvd(
  matrix: SparseMatrix | LinearMap,
  k: number,
  random: Random,
  { iterations = 8, oversampling = 8 } = {},
): { vectors: Tensor; values: Float32Array } {
  if (!(Number.isInteger(k) && k >= 1)) throw new RangeError(`truncatedSvd: the rank is ${k}`);
  const width = Math.min(k + oversampling, matrix.rows, matrix.columns);
  return scope(() => {
    const map = 'times' in matrix ? matrix : linearMap(matrix);
    let basis = orthonormal(map.times(random.normal([map.columns, width])));
    for (let i = 0; i < iterations; i++)
      basis = scope(() => orthonormal(map.times(orthonormal(map.transposedTimes(basis)))));
    // A ≈ Q·(QᵀA): the eigenvectors of (QᵀA)(QᵀA)ᵀ map Q to singular vectors.
    const { values, vectors } = gramEigen(map.transposedTimes(basis));
    const kept = Math.min(k, width);
    return {
      vectors: keep(matmul(basis, vectors.slice(null, [0, kept]))),
      values: values.slice(0, kept).map((value) => Math.sqrt(Math.max(0, value))),
    };
  });
}

/** Eigenvalues, in descending order, and eigenvectors of yᵀy. */
function gramEigen(y: Tensor): { values: Float32Array; vectors: Tensor } {
  const { values, vectors } = symmetricEigen(matmul(y, y, { transposeA: true }));
  const eigenvalues = values.view();
  const order = Array.from(eigenvalues.keys()).sort((a, b) => (eigenvalues[b] as number) - (eigenvalues[a] as number));
  const columns = takeRows(transpose(vectors), order);
  return { values: Float32Array.from(order, (i) => eigenvalues[i] as number), vectors: transpose(columns) };
}

function takeRows(x: Tensor, rows: readonly number[]): Tensor {
  return gatherKnownRows(x, tensor(Int32Array.from(rows)));
}

/**
 * Orthonormal basis of the column space: y·(yᵀy)^{−1/2}, computed twice to correct the float32
 * rounding of the first pass.
 */
function orthonormal(y: Tensor): Tensor {
  let basis = y;
  for (let pass = 0; pass < 2; pass++) {
    const { values, vectors } = gramEigen(basis);
    const largest = values[0] as number;
    const scale = values.map((value) => (value > 1e-12 * largest ? 1 / Math.sqrt(value) : 0));
    basis = matmul(basis, multiply(vectors, tensor(scale)));
  }
  return basis;
}
