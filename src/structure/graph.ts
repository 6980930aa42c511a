// Graphs: nodes and weighted edges, in compressed sparse rows for both directions.
//
// A ∈ ℝ^{n×n} has A[u, v] = w for an edge u → v. An undirected graph stores each edge in both
// directions and counts it once; a self-loop is stored once.

import { SparseMatrix, SparsePattern } from '../sparse/index.js';
import { keep, requireChoice, tensor } from '../tensor/index.js';
import { type Rows, requireAscending, requireEdges, requireFiniteSums, requireNode, requireWeights } from './edges.js';
import { memo } from './memo.js';
import { renumbering } from './restrict.js';

/** Options of building a graph. */
export interface GraphOptions {
  /** Whether edges have a direction. Default: false. */
  readonly directed?: boolean;
  /** Positive weight of each edge. Default: 1. */
  readonly weights?: ArrayLike<number>;
  /**
   * Rule for duplicate edges: one edge of their summed weight, one of the first weight, or an
   * error. Default: `first`.
   */
  readonly duplicates?: 'sum' | 'first' | 'error';
  /** Whether self-loops are kept. Default: `keep`. */
  readonly selfLoops?: 'keep' | 'drop';
}

/** An immutable graph with nodes 0 … n − 1. */
export class Graph {
  /** Whether edges have a direction. */
  readonly directed: boolean;
  /** n×n pattern of A: row u holds the targets of u's edges, ascending. */
  readonly successors: SparsePattern;
  /** Weight of each stored element of A; undefined when all are 1. */
  readonly weights: Float32Array | undefined;

  private constructor(successors: SparsePattern, weights: Float32Array | undefined, directed: boolean) {
    this.successors = successors;
    this.weights = weights;
    this.directed = directed;
  }

  /**
   * From the endpoints of each edge. An undirected edge may be given in either direction, or in
   * both, which counts as a duplicate.
   *
   * @throws RangeError naming the first edge with an endpoint that is no integer 0 … n − 1, or with
   * a weight that is not positive and finite as an f32; also when weights add up beyond its range.
   * @throws Error for arrays of different lengths, or for a duplicate edge under the rule `error`.
   */
  static fromEdges(
    nodeCount: number,
    sources: ArrayLike<number>,
    targets: ArrayLike<number>,
    { directed = false, weights, duplicates = 'first', selfLoops = 'keep' }: GraphOptions = {},
  ): Graph {
    if (sources.length !== targets.length || (weights && weights.length !== sources.length))
      throw new Error(
        `Graph: ${sources.length} sources, ${targets.length} targets and ${weights?.length ?? sources.length} weights do not pair up`,
      );
    requireChoice('Graph', 'duplicates', duplicates, ['sum', 'first', 'error']);
    requireChoice('Graph', 'selfLoops', selfLoops, ['keep', 'drop']);
    requireEdges(nodeCount, sources, targets, weights);
    const unsorted = compressRows(nodeCount, sources, targets, weights, !directed, selfLoops === 'drop');
    // Transposing sorts the rows. A symmetric matrix is its own transpose; others are transposed
    // back.
    const transpose = transposed(nodeCount, unsorted);
    const sorted = directed ? transposed(nodeCount, transpose) : transpose;
    mergeDuplicates(sorted, duplicates);
    if (duplicates === 'sum') requireFiniteSums(sorted);
    const pattern = new SparsePattern(nodeCount, nodeCount, sorted.indptr, sorted.indices);
    return new Graph(pattern, sorted.values?.some((weight) => weight !== 1) ? sorted.values : undefined, directed);
  }

  /**
   * From compressed rows, sorted and without duplicates: row u holds the targets of u. An
   * undirected graph needs both directions.
   *
   * @throws RangeError naming the first row that is not ascending, or the first weight that is not
   * positive and finite.
   */
  static fromCompressed(
    indptr: Int32Array,
    indices: Int32Array,
    { directed = false, weights }: Pick<GraphOptions, 'directed'> & { readonly weights?: Float32Array } = {},
  ): Graph {
    const n = indptr.length - 1;
    const pattern = new SparsePattern(n, n, indptr, indices);
    requireAscending(pattern);
    if (weights) requireWeights(weights, indices.length);
    return new Graph(pattern, weights, directed);
  }

  /** Number of nodes n. */
  get nodeCount(): number {
    return this.successors.rows;
  }

  /** Number of edges, an undirected edge counted once. */
  get edgeCount(): number {
    return this.directed ? this.successors.nnz : (this.successors.nnz + this.selfLoopCount) / 2;
  }

  /** Number of self-loops. */
  get selfLoopCount(): number {
    return memo(this, 'selfLoopCount', () => {
      let count = 0;
      this.forEachEntry((u, v) => {
        if (u === v) count += 1;
      });
      return count;
    });
  }

  /**
   * n×n pattern of Aᵀ: row v holds the sources of v's edges, ascending. Equals `successors` for an
   * undirected graph.
   */
  get predecessors(): SparsePattern {
    return this.directed ? this.successors.transposed().pattern : this.successors;
  }

  /** Adjacency matrix A [n, n]. */
  get adjacency(): SparseMatrix {
    return memo(this, 'adjacency', () => new SparseMatrix(this.successors, this.weights && keep(tensor(this.weights))));
  }

  /** Targets of the edges of u, ascending; a view. @throws RangeError unless u is a node. */
  neighbours(u: number): Int32Array {
    const { indptr, indices } = this.successors;
    requireNode(u, this.nodeCount);
    return indices.subarray(indptr[u], indptr[u + 1]);
  }

  /** Weighted out-degree of each node [n]. */
  get outDegrees(): Float64Array {
    return memo(this, 'outDegrees', () => {
      const degrees = new Float64Array(this.nodeCount);
      this.forEachEntry((u, _, weight) => {
        degrees[u] = (degrees[u] as number) + weight;
      });
      return degrees;
    });
  }

  /** Weighted in-degree of each node [n]. */
  get inDegrees(): Float64Array {
    if (!this.directed) return this.outDegrees;
    return memo(this, 'inDegrees', () => {
      const degrees = new Float64Array(this.nodeCount);
      this.forEachEntry((_, v, weight) => {
        degrees[v] = (degrees[v] as number) + weight;
      });
      return degrees;
    });
  }

  /** Nodes without edges, ascending. */
  get isolated(): Int32Array {
    const { inDegrees, outDegrees } = this;
    return Int32Array.from({ length: this.nodeCount }, (_, v) => v).filter(
      (v) => outDegrees[v] === 0 && inDegrees[v] === 0,
    );
  }

  /** Whether there is an edge u → v, by binary search. @throws RangeError unless both are nodes. */
  hasEdge(u: number, v: number): boolean {
    const { indptr, indices } = this.successors;
    requireNode(u, this.nodeCount);
    requireNode(v, this.nodeCount);
    let low = indptr[u] as number;
    let high = indptr[u + 1] as number;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((indices[middle] as number) < v) low = middle + 1;
      else high = middle;
    }
    return low < (indptr[u + 1] as number) && indices[low] === v;
  }

  /**
   * Calls `visit` for every stored element of A, row by row; an undirected edge is stored in both
   * directions.
   */
  forEachEntry(visit: (source: number, target: number, weight: number, entry: number) => void): void {
    const { indptr, indices } = this.successors;
    for (let u = 0; u < this.nodeCount; u++)
      for (let entry = indptr[u] as number; entry < (indptr[u + 1] as number); entry++)
        visit(u, indices[entry] as number, this.weights ? (this.weights[entry] as number) : 1, entry);
  }

  /**
   * Endpoints and weights of each edge, an undirected edge once with the smaller endpoint first.
   */
  edges(): { sources: Int32Array; targets: Int32Array; weights: Float32Array | undefined } {
    const sources = new Int32Array(this.edgeCount);
    const targets = new Int32Array(this.edgeCount);
    const weights = this.weights && new Float32Array(this.edgeCount);
    let at = 0;
    this.forEachEntry((u, v, weight) => {
      if (!this.directed && u > v) return;
      sources[at] = u;
      targets[at] = v;
      if (weights) weights[at] = weight;
      at += 1;
    });
    return { sources, targets, weights };
  }

  /**
   * The underlying undirected graph: opposite edges merge, with summed weights if the graph is
   * weighted.
   */
  undirected(): Graph {
    if (!this.directed) return this;
    return memo(this, 'undirected', () => {
      const { sources, targets, weights } = this.edges();
      return Graph.fromEdges(this.nodeCount, sources, targets, { weights, duplicates: weights ? 'sum' : 'first' });
    });
  }

  /**
   * Induced subgraph of the given nodes, renumbered in the order given.
   *
   * @throws RangeError naming the first that is no node or is given twice.
   */
  induced(nodes: ArrayLike<number>): Graph {
    const renumbered = renumbering('Graph.induced', nodes, this.nodeCount);
    const kept = { sources: [] as number[], targets: [] as number[], weights: [] as number[] };
    const { sources, targets, weights } = this.edges();
    for (let e = 0; e < sources.length; e++) {
      const [u, v] = [renumbered[sources[e] as number] as number, renumbered[targets[e] as number] as number];
      if (u < 0 || v < 0) continue;
      kept.sources.push(u);
      kept.targets.push(v);
      kept.weights.push(weights?.[e] ?? 1);
    }
    return Graph.fromEdges(nodes.length, kept.sources, kept.targets, {
      directed: this.directed,
      weights: weights && kept.weights,
    });
  }

  /** Connected component of each node [n], directions ignored, numbered by smallest node. */
  get components(): Int32Array {
    return memo(this, 'components', () => {
      const component = new Int32Array(this.nodeCount).fill(-1);
      const stack = new Int32Array(this.nodeCount);
      const patterns = this.directed ? [this.successors, this.predecessors] : [this.successors];
      let count = 0;
      for (let start = 0; start < this.nodeCount; start++) {
        if (component[start] !== -1) continue;
        component[start] = count;
        stack[0] = start;
        for (let height = 1; height > 0; ) {
          const u = stack[--height] as number;
          for (const { indptr, indices } of patterns)
            for (let e = indptr[u] as number; e < (indptr[u + 1] as number); e++) {
              const v = indices[e] as number;
              if (component[v] !== -1) continue;
              component[v] = count;
              stack[height++] = v;
            }
        }
        count += 1;
      }
      return component;
    });
  }

  /** Nodes of the largest connected component, ascending. */
  get largestComponent(): Int32Array {
    const sizes: number[] = [];
    for (const c of this.components) sizes[c] = (sizes[c] ?? 0) + 1;
    const largest = sizes.indexOf(sizes.reduce((a, b) => Math.max(a, b), 0));
    return Int32Array.from({ length: this.nodeCount }, (_, v) => v).filter((v) => this.components[v] === largest);
  }
}

/** Compressed rows with the columns in the order of the edges, optionally in both directions. */
function compressRows(
  nodeCount: number,
  sources: ArrayLike<number>,
  targets: ArrayLike<number>,
  weights: ArrayLike<number> | undefined,
  bothDirections: boolean,
  dropLoops: boolean,
): Rows {
  const indptr = new Int32Array(nodeCount + 1);
  const count = (u: number) => {
    indptr[u + 1] = (indptr[u + 1] as number) + 1;
  };
  for (let e = 0; e < sources.length; e++) {
    const [u, v] = [sources[e] as number, targets[e] as number];
    if (u === v && dropLoops) continue;
    count(u);
    if (bothDirections && u !== v) count(v);
  }
  for (let u = 0; u < nodeCount; u++) indptr[u + 1] = (indptr[u + 1] as number) + (indptr[u] as number);
  const total = indptr[nodeCount] as number;
  const indices = new Int32Array(total);
  const values = weights && new Float32Array(total);
  const next = indptr.slice();
  const put = (u: number, v: number, e: number) => {
    const at = next[u] as number;
    next[u] = at + 1;
    indices[at] = v;
    if (values) values[at] = weights?.[e] as number;
  };
  for (let e = 0; e < sources.length; e++) {
    const [u, v] = [sources[e] as number, targets[e] as number];
    if (u === v && dropLoops) continue;
    put(u, v, e);
    if (bothDirections && u !== v) put(v, u, e);
  }
  return { indptr, indices, values };
}

/** The transpose, by counting sort: its rows are ascending. */
function transposed(nodeCount: number, { indptr, indices, values }: Rows): Rows {
  const starts = new Int32Array(nodeCount + 1);
  for (let e = 0; e < indices.length; e++) {
    const v = (indices[e] as number) + 1;
    starts[v] = (starts[v] as number) + 1;
  }
  for (let v = 0; v < nodeCount; v++) starts[v + 1] = (starts[v + 1] as number) + (starts[v] as number);
  const next = starts.slice();
  const columns = new Int32Array(indices.length);
  const transposedValues = values && new Float32Array(values.length);
  for (let u = 0; u < nodeCount; u++) {
    for (let e = indptr[u] as number; e < (indptr[u + 1] as number); e++) {
      const v = indices[e] as number;
      const at = next[v] as number;
      next[v] = at + 1;
      columns[at] = u;
      if (transposedValues) transposedValues[at] = values?.[e] as number;
    }
  }
  return { indptr: starts, indices: columns, values: transposedValues };
}

/** Merges duplicates, which are adjacent in sorted rows, in place. */
function mergeDuplicates(rows: Rows, rule: 'sum' | 'first' | 'error'): void {
  const { indptr, indices } = rows;
  let values = rows.values;
  let kept = 0;
  let start = 0;
  for (let u = 0; u + 1 < indptr.length; u++) {
    const end = indptr[u + 1] as number;
    const first = kept;
    for (let e = start; e < end; e++) {
      if (kept > first && indices[kept - 1] === indices[e]) {
        if (rule === 'error') throw new Error(`Graph: the edge ${u} → ${indices[e]} is given more than once`);
        if (rule === 'sum') {
          values ??= new Float32Array(indices.length).fill(1);
          values[kept - 1] = (values[kept - 1] as number) + (values[e] as number);
        }
        continue;
      }
      indices[kept] = indices[e] as number;
      if (values) values[kept] = values[e] as number;
      kept += 1;
    }
    start = end;
    indptr[u + 1] = kept;
  }
  if (kept < indices.length) {
    rows.indices = indices.slice(0, kept);
    values = values?.slice(0, kept);
  }
  rows.values = values;
}
