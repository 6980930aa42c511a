// The dual hypergraph transformation (Jo, Baek, Lee, Kim, Kang, Hwang, "Edge Representation
// Learning with Hypergraphs", NeurIPS 2021): edges become vertices and nodes become hyperedges.
//
//   G = (X, M, E)  ↦  G* = (E, Mᵀ, X)
//
// with features X [n, d] of nodes and E [m, d'] of edges, and the incidence M ∈ {0,1}^{n×m}.
//
// It loses nothing, is its own inverse and costs O(incidences), where a line graph has a pair for
// every two edges at a node.

import { SparseMatrix, SparsePattern } from '../sparse/index.js';
import { keep, tensor } from '../tensor/index.js';
import type { EdgeEnds } from './graph-collection.js';
import { IncidenceList } from './incidence.js';
import { memo } from './memo.js';
import type { Propagation } from './operators.js';

/** A hypergraph or graph with features on both sides of its incidences. */
export interface FeaturedIncidences<Features = unknown> {
  /** Which vertices each hyperedge joins; of a graph, which nodes each edge joins. */
  readonly incidences: IncidenceList;
  /** Features of the vertices. */
  readonly vertices: Features;
  /** Features of the hyperedges. */
  readonly hyperedges: Features;
}

/** The dual: vertices and hyperedges change places, with their features. */
export function dualHypergraph<Features>(whole: FeaturedIncidences<Features>): FeaturedIncidences<Features> {
  return { incidences: dualIncidences(whole.incidences), vertices: whole.hyperedges, hyperedges: whole.vertices };
}

/**
 * The incidences with vertices and hyperedges exchanged: hyperedge v of the result joins the
 * hyperedges of vertex v, ascending. A node of degree 0 becomes an empty hyperedge, so that the
 * dual of the dual has the incidences of the whole again. Any layer on vertices of hypergraphs
 * becomes one on edges of graphs through `hypergraph` of the result.
 */
export function dualIncidences({ vertexCount, hyperedges, vertices }: IncidenceList): IncidenceList {
  const byHyperedge = new SparsePattern(hyperedges.count, vertexCount, hyperedges.offsets, vertices);
  const { indptr, indices } = byHyperedge.transposed().pattern;
  return new IncidenceList(hyperedges.count, indptr, indices);
}

/** The edges of graphs as hyperedges of two nodes each, and of one where an edge is a self-loop. */
export function edgeIncidences({ nodeCount, sources, targets }: EdgeEnds): IncidenceList {
  const offsets = new Int32Array(sources.length + 1);
  const vertices = new Int32Array(2 * sources.length);
  let at = 0;
  for (let e = 0; e < sources.length; e++) {
    const [u, v] = [sources[e] as number, targets[e] as number];
    vertices[at++] = Math.min(u, v);
    if (u !== v) vertices[at++] = Math.max(u, v);
    offsets[e + 1] = at;
  }
  return new IncidenceList(nodeCount, offsets, vertices.slice(0, at));
}

/**
 * The ends of the edges of which `incidences` is the list, the smaller one first.
 *
 * @throws Error naming the first hyperedge that is no edge: of no vertex, or of more than two.
 */
export function edgesOfIncidences({ vertexCount, hyperedges, vertices }: IncidenceList): EdgeEnds {
  const ends = Array.from({ length: hyperedges.count }, (_, e) => {
    const own = vertices.subarray(hyperedges.offsets[e], hyperedges.offsets[e + 1]);
    if (own.length < 1 || own.length > 2)
      throw new Error(`edgesOfIncidences: hyperedge ${e} joins ${own.length} vertices, an edge joins one or two`);
    return own;
  });
  return {
    nodeCount: vertexCount,
    sources: Int32Array.from(ends, (own) => Math.min(...own)),
    targets: Int32Array.from(ends, (own) => Math.max(...own)),
  };
}

/**
 * Means over the edges at a node and back, of the dual hypergraph with self-loops as EHGNN takes
 * it: nodes with a single edge are no hyperedges, and each edge has a private hyperedge, which is
 * its own channel.
 *
 * e'_k = (Σ over the ends of degree ≥ 2 of the mean there + e_k) / (number of such ends + 1)
 *
 * Hyperedges are the n nodes, then the private ones: `toHyperedges` [n + m, m], `toVertices`
 * [m, n + m].
 */
export function dualPropagation(ends: EdgeEnds): Propagation {
  return memo(ends, 'dualPropagation', () => {
    const { nodeCount, sources, targets } = ends;
    const edgeCount = sources.length;
    const degrees = new Int32Array(nodeCount);
    const count = (node: number) => {
      degrees[node] = (degrees[node] as number) + 1;
    };
    for (let e = 0; e < edgeCount; e++) {
      count(sources[e] as number);
      if (sources[e] !== targets[e]) count(targets[e] as number);
    }
    const byEdge = edgeRows(ends, degrees);
    const byHyperedge = byEdge.transposed().pattern;
    return { toHyperedges: rowMeans(byHyperedge), toVertices: rowMeans(byEdge) };
  });
}

/** m × (n + m): the hyperedges of each edge, ascending. */
function edgeRows({ nodeCount, sources, targets }: EdgeEnds, degrees: Int32Array): SparsePattern {
  const edgeCount = sources.length;
  const offsets = new Int32Array(edgeCount + 1);
  const columns = new Int32Array(3 * edgeCount);
  let at = 0;
  for (let e = 0; e < edgeCount; e++) {
    const [u, v] = [sources[e] as number, targets[e] as number];
    const [low, high] = u < v ? [u, v] : [v, u];
    if ((degrees[low] as number) > 1) columns[at++] = low;
    if (high !== low && (degrees[high] as number) > 1) columns[at++] = high;
    columns[at++] = nodeCount + e;
    offsets[e + 1] = at;
  }
  return new SparsePattern(edgeCount, nodeCount + edgeCount, offsets, columns.slice(0, at));
}

/** The matrix of a pattern whose rows are means. */
function rowMeans(pattern: SparsePattern): SparseMatrix {
  const { indptr, rows, nnz } = pattern;
  const shares = new Float32Array(nnz);
  for (let row = 0; row < rows; row++)
    shares.fill(1 / ((indptr[row + 1] as number) - (indptr[row] as number)), indptr[row], indptr[row + 1]);
  return new SparseMatrix(pattern, keep(tensor(shares)));
}
