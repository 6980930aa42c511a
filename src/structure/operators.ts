// Sparse operators of graphs and hypergraphs: normalised once, then used at every step.

import { SparseMatrix } from '../sparse/index.js';
import { keep, tensor } from '../tensor/index.js';
import type { Hypergraph } from './hypergraph.js';
import { memo } from './memo.js';

/** xᵖ, and 0 where x is 0: a vertex or hyperedge without degree passes nothing on. */
export function powers(values: ArrayLike<number>, exponent: number): Float32Array {
  return Float32Array.from(values, (value) => (value === 0 ? 0 : value ** exponent));
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
