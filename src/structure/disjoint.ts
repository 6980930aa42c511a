// Disjoint unions: many graphs or hypergraphs as one, so that a batch is one sparse computation.
// The nodes of one follow those of another; segments tell them apart.

import { Segments, SparseMatrix, SparsePattern } from '../sparse/index.js';
import { joinedArrays, keep, tensor } from '../tensor/index.js';
import { Graph } from './graph.js';
import { Hypergraph } from './hypergraph.js';
import { memo } from './memo.js';

/** The disjoint union of graphs. */
export interface DisjointGraphs {
  /** All nodes and edges. */
  readonly graph: Graph;
  /** Nodes of each graph. */
  readonly nodes: Segments;
}

/** The disjoint union of hypergraphs. */
export interface DisjointHypergraphs {
  /** All vertices and hyperedges. */
  readonly hypergraph: Hypergraph;
  /** Vertices of each hypergraph. */
  readonly vertices: Segments;
  /** Hyperedges of each hypergraph. */
  readonly hyperedges: Segments;
}

/**
 * Block-diagonal adjacency of graphs, all directed or all undirected.
 *
 * @throws Error when some have a direction and others do not
 */
export function disjointGraphs(graphs: readonly Graph[]): DisjointGraphs {
  const directed = graphs[0]?.directed ?? false;
  const other = graphs.findIndex((graph) => graph.directed !== directed);
  if (other >= 0)
    throw new Error(`disjointGraphs: graph ${other} is ${directed ? 'un' : ''}directed, those before are not`);
  const nodes = Segments.fromSizes(graphs.map(({ nodeCount }) => nodeCount));
  const { indptr, indices } = stacked(
    graphs.map(({ successors }) => successors),
    nodes,
  );
  const weighted = graphs.some(({ weights }) => weights !== undefined);
  const weights = weighted
    ? joinedArrays(
        Float32Array,
        graphs.map((graph) => graph.weights ?? new Float32Array(graph.successors.nnz).fill(1)),
      )
    : undefined;
  return { graph: Graph.fromCompressed(indptr, indices, { directed, ...(weights && { weights }) }), nodes };
}

/** Block-diagonal incidence of hypergraphs. */
export function disjointHypergraphs(hypergraphs: readonly Hypergraph[]): DisjointHypergraphs {
  const vertices = Segments.fromSizes(hypergraphs.map(({ vertexCount }) => vertexCount));
  const hyperedges = Segments.fromSizes(hypergraphs.map(({ hyperedgeCount }) => hyperedgeCount));
  const { indptr, indices } = stacked(
    hypergraphs.map(({ members }) => members),
    vertices,
  );
  const weights = joinedArrays(
    Float32Array,
    hypergraphs.map((hypergraph) => hypergraph.weights),
  );
  const hypergraph = Hypergraph.fromCompressed(vertices.size, indptr, indices, weights);
  partsOf.set(hypergraph, hypergraphs);
  return { hypergraph, vertices, hyperedges };
}

/** What unions were made of. */
const partsOf = new WeakMap<Hypergraph, readonly Hypergraph[]>();

/**
 * An operator on vertices that does not mix the parts of a disjoint union, such as an adjacency.
 * That of a union is block-diagonal, of those of its parts. Each hypergraph remembers its own.
 *
 * @param make the operator [N, N] of a hypergraph that is no union
 */
export function operatorByParts(
  hypergraph: Hypergraph,
  name: string,
  make: (part: Hypergraph) => SparseMatrix,
): SparseMatrix {
  return memo(hypergraph, name, () => {
    const parts = partsOf.get(hypergraph);
    return parts ? blockDiagonal(parts.map((part) => operatorByParts(part, name, make))) : make(hypergraph);
  });
}

/** The matrices along the diagonal of one. */
function blockDiagonal(matrices: readonly SparseMatrix[]): SparseMatrix {
  const columns = Segments.fromSizes(matrices.map((matrix) => matrix.columns));
  const { indptr, indices } = stacked(
    matrices.map(({ pattern }) => pattern),
    columns,
  );
  const pattern = new SparsePattern(indptr.length - 1, columns.size, indptr, indices);
  if (matrices.every(({ values }) => values === undefined)) return new SparseMatrix(pattern);
  const values = matrices.map((own) => own.values?.view<Float32Array>() ?? new Float32Array(own.nnz).fill(1));
  return new SparseMatrix(pattern, keep(tensor(joinedArrays(Float32Array, values))));
}

/** Rows of all patterns one after the other, their columns moved by the segments. */
function stacked(
  patterns: readonly { readonly indptr: Int32Array; readonly indices: Int32Array; readonly rows: number }[],
  columns: Segments,
): { readonly indptr: Int32Array; readonly indices: Int32Array } {
  const rows = patterns.reduce((sum, pattern) => sum + pattern.rows, 0);
  const indptr = new Int32Array(rows + 1);
  const indices = new Int32Array(patterns.reduce((sum, pattern) => sum + pattern.indices.length, 0));
  let [row, at] = [0, 0];
  patterns.forEach((pattern, block) => {
    const shift = columns.offsets[block] as number;
    for (let r = 1; r <= pattern.rows; r++) indptr[row + r] = at + (pattern.indptr[r] as number);
    for (const column of pattern.indices) indices[at++] = column + shift;
    row += pattern.rows;
  });
  return { indptr, indices };
}
