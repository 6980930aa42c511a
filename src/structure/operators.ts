// Sparse propagation operators of graphs and hypergraphs: normalised once, then applied at every
// step.

import { SparseMatrix, SparsePattern } from '../sparse/index.js';
import { keep, tensor } from '../tensor/index.js';
import type { Graph } from './graph.js';
import type { Hypergraph } from './hypergraph.js';
import { memo } from './memo.js';

/** Elementwise xᵖ, with 0 for x = 0: a vertex or hyperedge of degree 0 propagates nothing. */
export function powers(values: ArrayLike<number>, exponent: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = values[i] === 0 ? 0 : (values[i] as number) ** exponent;
  return result;
}

function kept(matrix: SparseMatrix): SparseMatrix {
  keep(matrix.values);
  return matrix;
}

/** diag(left)·A·diag(right), with constant factors; a factor left out is the identity. */
export function scaled(matrix: SparseMatrix, left?: Float32Array, right?: Float32Array): SparseMatrix {
  return kept(matrix.scale(left && tensor(left), right && tensor(right)));
}

/** The two steps of hypergraph propagation. */
export interface Propagation {
  /** M×N: vertex features → hyperedge features. */
  readonly toHyperedges: SparseMatrix;
  /** N×M: hyperedge features → vertex features. */
  readonly toVertices: SparseMatrix;
}

/** N×M: hyperedge features → vertex features, with a factor of each vertex and each hyperedge. */
function toVertices(hypergraph: Hypergraph, left: Float32Array | undefined, right?: Float32Array): SparseMatrix {
  const { sampleScale: scale, incidence } = hypergraph;
  const factors = scale && left ? left.map((factor, v) => factor * (scale[v] as number)) : (left ?? scale);
  return scaled(new SparseMatrix(incidence), factors, right);
}

/** HGNN's operator D_v^{−1/2} H W D_e^{−1} Hᵀ D_v^{−1/2}, as two steps. */
export function symmetricPropagation(hypergraph: Hypergraph): Propagation {
  return memo(hypergraph, 'symmetricPropagation', () => {
    const root = powers(hypergraph.vertexDegrees, -0.5);
    return {
      toHyperedges: scaled(new SparseMatrix(hypergraph.members), powers(hypergraph.hyperedgeSizes, -1), root),
      toVertices: toVertices(hypergraph, root, hypergraph.weights),
    };
  });
}

/**
 * HGNN⁺'s operator D_v^{−1} H W D_e^{−1} Hᵀ, as two steps: means over members, then weighted means
 * over hyperedges.
 */
export function meanPropagation(hypergraph: Hypergraph): Propagation {
  return memo(hypergraph, 'meanPropagation', () => ({
    toHyperedges: scaled(new SparseMatrix(hypergraph.members), powers(hypergraph.hyperedgeSizes, -1)),
    toVertices: toVertices(hypergraph, powers(hypergraph.vertexDegrees, -1), hypergraph.weights),
  }));
}

/** Unnormalised sums, Hᵀ and H. */
export function sumPropagation(hypergraph: Hypergraph): Propagation {
  return memo(hypergraph, 'sumPropagation', () => ({
    toHyperedges: new SparseMatrix(hypergraph.members),
    toVertices: toVertices(hypergraph, undefined),
  }));
}

/**
 * GCN's operator D̃^{−1/2}(A + I)D̃^{−1/2} of an adjacency matrix (Kipf & Welling 2017), with D̃
 * the degrees of A + I.
 */
export function symmetricAdjacency(adjacency: SparseMatrix): SparseMatrix {
  return memo(adjacency, 'symmetricAdjacency', () => {
    const withLoops = addDiagonal(adjacency);
    const root = powers(withLoops.rowSums(), -0.5);
    return scaled(withLoops, root, root);
  });
}

/** A + I. */
function addDiagonal(matrix: SparseMatrix): SparseMatrix {
  const n = matrix.rows;
  const diagonal = Array.from({ length: n }, (_, i) => i);
  const rowOf = [...matrix.pattern.segments.ids.view(), ...diagonal];
  const columnOf = [...matrix.pattern.indices, ...diagonal];
  const values = matrix.values ? [...matrix.values.view()] : new Array<number>(matrix.nnz).fill(1);
  return SparseMatrix.fromCoordinates(n, n, rowOf, columnOf, [...values, ...diagonal.map(() => 1)]);
}

/** A + I of a graph, where self-loops of A are replaced by loops of weight 1. */
export function withUnitLoops(graph: Graph): SparseMatrix {
  return memo(graph, 'withUnitLoops', () => {
    const { indptr, indices } = graph.successors;
    const n = graph.nodeCount;
    const starts = new Int32Array(n + 1);
    const columns = new Int32Array(indices.length + n);
    const values = new Float32Array(indices.length + n);
    let at = 0;
    const put = (column: number, value: number) => {
      columns[at] = column;
      values[at++] = value;
    };
    for (let u = 0; u < n; u++) {
      let looped = false;
      for (let e = indptr[u] as number; e < (indptr[u + 1] as number); e++) {
        const v = indices[e] as number;
        if (!looped && v >= u) {
          put(u, 1);
          looped = true;
        }
        if (v !== u) put(v, graph.weights ? (graph.weights[e] as number) : 1);
      }
      if (!looped) put(u, 1);
      starts[u + 1] = at;
    }
    const pattern = new SparsePattern(n, n, starts, columns.slice(0, at));
    return new SparseMatrix(pattern, graph.weights && keep(tensor(values.subarray(0, at))));
  });
}

/** Normalisation of a graph operator. */
export interface OperatorOptions {
  /**
   * r of D^{r−1}·A·D^{−r}: ½ symmetric, 0 row-normalised (means), 1 column-normalised.
   * Default: 0.5.
   */
  readonly exponent?: number;
  /** Whether I is added to A. Default: true. */
  readonly selfLoops?: boolean;
}

/**
 * D̃^{r−1}·Ã·D̃^{−r} of a graph, with Ã = A + I and its degrees D̃, or A itself without self-loops;
 * GCN's operator by default (Kipf & Welling 2017). A node of degree 0 propagates nothing.
 */
export function graphOperator(graph: Graph, { exponent = 0.5, selfLoops = true }: OperatorOptions = {}): SparseMatrix {
  return memo(graph, `operator ${exponent} ${selfLoops}`, () => {
    const matrix = selfLoops ? withUnitLoops(graph) : graph.adjacency;
    const degrees = matrix.rowSums();
    return scaled(matrix, powers(degrees, exponent - 1), powers(degrees, -exponent));
  });
}
