// Collections of graphs as flat arrays: many graphs as one, so that a batch of them is one sparse
// computation. The nodes and edges of one graph follow those of another.

import { isIndex, Segments, shown } from '../sparse/index.js';
import { Graph } from './graph.js';
import { memo } from './memo.js';

/** The ends of edges among numbered nodes. */
export interface EdgeEnds {
  /** Number of nodes n. */
  readonly nodeCount: number;
  /** One end of each edge [m]. */
  readonly sources: Int32Array;
  /** The other end of each edge [m]. */
  readonly targets: Int32Array;
}

/** Some graphs of a collection, and where their nodes and edges were. */
export interface SelectedGraphs {
  /** The graphs, in the order asked for. */
  readonly graphs: GraphCollection;
  /** Row of each of their nodes in the collection. */
  readonly nodeRows: Int32Array;
  /** Row of each of their edges in the collection. */
  readonly edgeRows: Int32Array;
}

/** The neighbours of all nodes, in compressed rows. */
export interface Neighbours {
  /** Node v has neighbours indptr[v] … indptr[v + 1] − 1. */
  readonly indptr: Int32Array;
  /** The neighbours, numbers among the nodes of all graphs; in the order of the edges. */
  readonly indices: Int32Array;
  /** The edge that leads to each. */
  readonly edgeOf: Int32Array;
}

/** An immutable collection of graphs, each edge stored once. */
export class GraphCollection implements EdgeEnds {
  /**
   * @param nodes nodes of each graph
   * @param edges edges of each graph
   * @param sources one end of each edge, a number among the nodes of all graphs
   * @param targets the other end
   * @throws Error when graphs, ends and segments do not agree; RangeError naming the first edge
   * that leaves its graph.
   */
  constructor(
    readonly nodes: Segments,
    readonly edges: Segments,
    readonly sources: Int32Array,
    readonly targets: Int32Array,
  ) {
    if (nodes.count !== edges.count)
      throw new Error(`GraphCollection: nodes of ${nodes.count} graphs and edges of ${edges.count}`);
    if (sources.length !== edges.size || targets.length !== edges.size)
      throw new Error(
        `GraphCollection: ${sources.length} sources and ${targets.length} targets for ${edges.size} edges`,
      );
    for (let g = 0; g < nodes.count; g++) {
      const [first, end] = [nodes.offsets[g] as number, nodes.offsets[g + 1] as number];
      for (let e = edges.offsets[g] as number; e < (edges.offsets[g + 1] as number); e++)
        for (const node of [sources[e] as number, targets[e] as number])
          if (node < first || node >= end)
            throw new RangeError(
              `GraphCollection: edge ${e} of graph ${g} ends at ${node}, outside ${first}…${end - 1}`,
            );
    }
  }

  /** From graphs, whose edges come in the order of `Graph.edges`. */
  static of(graphs: readonly Graph[]): GraphCollection {
    const lists = graphs.map((graph) => graph.edges());
    const nodes = Segments.fromSizes(graphs.map(({ nodeCount }) => nodeCount));
    const edges = Segments.fromSizes(lists.map(({ sources }) => sources.length));
    const shifted = (side: 'sources' | 'targets') => {
      const all = new Int32Array(edges.size);
      lists.forEach((list, g) => {
        const shift = nodes.offsets[g] as number;
        all.set(
          list[side].map((node) => node + shift),
          edges.offsets[g],
        );
      });
      return all;
    };
    return new GraphCollection(nodes, edges, shifted('sources'), shifted('targets'));
  }

  /** Number of graphs. */
  get count(): number {
    return this.nodes.count;
  }

  get nodeCount(): number {
    return this.nodes.size;
  }

  /** Number of edges m of all graphs. */
  get edgeCount(): number {
    return this.edges.size;
  }

  /** Mean number of edges of a graph, 0 for no graphs. */
  get meanEdges(): number {
    return this.edgeCount / Math.max(1, this.count);
  }

  /** Mean number of nodes of a graph, 0 for no graphs. */
  get meanNodes(): number {
    return this.nodeCount / Math.max(1, this.count);
  }

  /** The neighbours of all nodes; an edge of two nodes is one of both, a self-loop of its node. */
  get neighbours(): Neighbours {
    return memo(this, 'neighbours', () => {
      const { sources, targets, nodeCount } = this;
      const indptr = new Int32Array(nodeCount + 1);
      const each = (visit: (node: number, other: number, edge: number) => void) => {
        for (let e = 0; e < sources.length; e++) {
          const [u, v] = [sources[e] as number, targets[e] as number];
          visit(u, v, e);
          if (u !== v) visit(v, u, e);
        }
      };
      each((node) => {
        indptr[node + 1] = (indptr[node + 1] as number) + 1;
      });
      for (let node = 0; node < nodeCount; node++)
        indptr[node + 1] = (indptr[node + 1] as number) + (indptr[node] as number);
      const next = indptr.slice();
      const indices = new Int32Array(indptr[nodeCount] as number);
      const edgeOf = new Int32Array(indices.length);
      each((node, other, edge) => {
        const at = next[node] as number;
        next[node] = at + 1;
        indices[at] = other;
        edgeOf[at] = edge;
      });
      return { indptr, indices, edgeOf };
    });
  }

  /** All nodes and edges as one graph: the disjoint union. */
  get union(): Graph {
    return memo(this, 'union', () => Graph.fromEdges(this.nodeCount, this.sources, this.targets));
  }

  /** The graph of a number. @throws RangeError unless there is one. */
  graph(g: number): Graph {
    if (!isIndex(g, this.count))
      throw new RangeError(`GraphCollection: there is no graph ${shown(g)} of ${this.count}`);
    const first = this.nodes.offsets[g] as number;
    const own = (side: Int32Array) =>
      side.subarray(this.edges.offsets[g], this.edges.offsets[g + 1]).map((node) => node - first);
    return Graph.fromEdges((this.nodes.offsets[g + 1] as number) - first, own(this.sources), own(this.targets));
  }

  /** Some of the graphs, in the order given. @throws RangeError naming a number without a graph. */
  select(chosen: ArrayLike<number>): SelectedGraphs {
    for (let i = 0; i < chosen.length; i++)
      if (!isIndex(chosen[i] as number, this.count))
        throw new RangeError(`GraphCollection: there is no graph ${shown(chosen[i])} of ${this.count}`);
    const nodes = picked(this.nodes, chosen);
    const edges = picked(this.edges, chosen);
    const moved = (side: Int32Array) => {
      const all = new Int32Array(edges.segments.size);
      for (let i = 0; i < chosen.length; i++) {
        const shift = (nodes.segments.offsets[i] as number) - (this.nodes.offsets[chosen[i] as number] as number);
        for (let at = edges.segments.offsets[i] as number; at < (edges.segments.offsets[i + 1] as number); at++)
          all[at] = (side[edges.rows[at] as number] as number) + shift;
      }
      return all;
    };
    const graphs = new GraphCollection(nodes.segments, edges.segments, moved(this.sources), moved(this.targets));
    return { graphs, nodeRows: nodes.rows, edgeRows: edges.rows };
  }

  /** All nodes and the given edges, ascending rows of `sources`; no node is ever left out. */
  keepEdges(rows: Int32Array): GraphCollection {
    const at = (side: Int32Array) => rows.map((row) => side[row] as number);
    return new GraphCollection(this.nodes, kept(this.edges, rows), at(this.sources), at(this.targets));
  }

  /**
   * The given nodes, ascending, and the edges between them.
   *
   * @returns the graphs, and the rows of the edges that are left
   */
  keepNodes(rows: Int32Array): { readonly graphs: GraphCollection; readonly edgeRows: Int32Array } {
    const renumbered = new Int32Array(this.nodeCount).fill(-1);
    rows.forEach((node, at) => {
      renumbered[node] = at;
    });
    const isKept = (e: number) =>
      (renumbered[this.sources[e] as number] as number) >= 0 && (renumbered[this.targets[e] as number] as number) >= 0;
    const edgeRows = Int32Array.from({ length: this.edgeCount }, (_, e) => e).filter(isKept);
    const at = (side: Int32Array) => edgeRows.map((e) => renumbered[side[e] as number] as number);
    const graphs = new GraphCollection(
      kept(this.nodes, rows),
      kept(this.edges, edgeRows),
      at(this.sources),
      at(this.targets),
    );
    return { graphs, edgeRows };
  }

  /** Each edge in both directions, the two after one another: rows 2e and 2e + 1 are edge e. */
  bothDirections(): GraphCollection {
    const woven = (first: Int32Array, second: Int32Array) =>
      Int32Array.from({ length: 2 * first.length }, (_, i) => (i % 2 === 0 ? first : second)[i >> 1] as number);
    return new GraphCollection(
      this.nodes,
      new Segments(this.edges.offsets.map((offset) => 2 * offset)),
      woven(this.sources, this.targets),
      woven(this.targets, this.sources),
    );
  }
}

/** The rows of the chosen segments, and their segments. */
function picked({ offsets }: Segments, chosen: ArrayLike<number>): { segments: Segments; rows: Int32Array } {
  const sizes = Int32Array.from(chosen, (s) => (offsets[s + 1] as number) - (offsets[s] as number));
  const segments = Segments.fromSizes(sizes);
  const rows = new Int32Array(segments.size);
  for (let i = 0; i < chosen.length; i++) {
    const first = offsets[chosen[i] as number] as number;
    const at = segments.offsets[i] as number;
    for (let r = 0; r < (sizes[i] as number); r++) rows[at + r] = first + r;
  }
  return { segments, rows };
}

/** The segments of some rows, ascending. */
function kept({ offsets, count }: Segments, rows: Int32Array): Segments {
  const sizes = new Int32Array(count);
  let segment = 0;
  for (const row of rows) {
    while (row >= (offsets[segment + 1] as number)) segment += 1;
    sizes[segment] = (sizes[segment] as number) + 1;
  }
  return Segments.fromSizes(sizes);
}
