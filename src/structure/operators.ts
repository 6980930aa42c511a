// Sparse operators of graphs and hypergraphs: normalised once, then used at every step.

import { SparseMatrix, SparsePattern } from '../sparse/index.js';
import { keep, tensor } from '../tensor/index.js';
import type { Graph } from './graph.js';
import type { Hypergraph } from './hypergraph.js';
import { memo } from './memo.js';

/** xᵖ, and 0 where x is 0: a vertex or hyperedge without degree passes nothing on. */
export function powers(values: ArrayLike<number>, exponent: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = values[i] === 0 ? 0 : (values[i] as number) ** exponent;
  return result;
}

function kept(matrix: SparseMatrix): SparseMatrix {
  keep(matrix.values);
  return matrix;
}

/** diag(left)·A·diag(right) with constant factors. */
export function scaled(matrix: SparseMatrix, left?: Float32Array, right?: Float32Array): SparseMatrix {
  return kept(matrix.scale(left && tensor(left), right && tensor(right)));
}

/** Both halves of a hypergraph propagation: M×N vertices → hyperedges, and N×M hyperedges → vertices. */
export interface Propagation {
  readonly toHyperedges: SparseMatrix;
  readonly toVertices: SparseMatrix;
}

/** HGNN's operator D_v^{-1/2} H W D_e^{-1} Hᵀ D_v^{-1/2}, in two halves. */
export function symmetricPropagation(hypergraph: Hypergraph): Propagation {
  return memo(hypergraph, 'symmetricPropagation', () => {
    const root = powers(hypergraph.vertexDegrees, -0.5);
    return {
      toHyperedges: scaled(new SparseMatrix(hypergraph.members), powers(hypergraph.hyperedgeSizes, -1), root),
      toVertices: scaled(new SparseMatrix(hypergraph.incidence), root, hypergraph.weights),
    };
  });
}

/** HGNN⁺'s operator D_v^{-1} H W D_e^{-1} Hᵀ, in two halves: means over members, then weighted means over hyperedges. */
export function meanPropagation(hypergraph: Hypergraph): Propagation {
  return memo(hypergraph, 'meanPropagation', () => ({
    toHyperedges: scaled(new SparseMatrix(hypergraph.members), powers(hypergraph.hyperedgeSizes, -1)),
    toVertices: scaled(
      new SparseMatrix(hypergraph.incidence),
      powers(hypergraph.vertexDegrees, -1),
      hypergraph.weights,
    ),
  }));
}

/** Plain sums both ways. */
export function sumPropagation(hypergraph: Hypergraph): Propagation {
  return memo(hypergraph, 'sumPropagation', () => ({
    toHyperedges: new SparseMatrix(hypergraph.members),
    toVertices: new SparseMatrix(hypergraph.incidence),
  }));
}

/** GCN's operator D^{-1/2}(A + I)D^{-1/2} of an adjacency matrix (Kipf & Welling 2017). */
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

/** A + I of a graph, with loops of weight 1 in place of its own. */
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

export interface OperatorOptions {
  /** r of D^{r−1}·A·D^{−r}: ½ is symmetric, 0 by rows (means), 1 by columns. */
  readonly exponent?: number;
  readonly selfLoops?: boolean;
}

/** D̃^{r−1}·Ã·D̃^{−r} of a graph, Ã = A + I with degrees D̃, or A itself without self-loops; GCN's operator by default (Kipf & Welling 2017). A node without edges passes nothing on. */
export function graphOperator(graph: Graph, { exponent = 0.5, selfLoops = true }: OperatorOptions = {}): SparseMatrix {
  return memo(graph, `operator ${exponent} ${selfLoops}`, () => {
    const matrix = selfLoops ? withUnitLoops(graph) : graph.adjacency;
    const degrees = matrix.rowSums();
    return scaled(matrix, powers(degrees, exponent - 1), powers(degrees, -exponent));
  });
}
