// Strongly connected components, and the bow-tie around the largest of them.

import { Graph } from '../graph.js';
import { memo } from '../memo.js';
import { reversed } from './reverse.js';

/** Strongly connected components of a graph. */
export interface StrongComponents {
  /**
   * Component of each node [n], 0 … count − 1 in topological order: an arc between components leads
   * to a larger number.
   */
  readonly of: Int32Array;
  /** Number of components. */
  readonly count: number;
  /** Nodes of each component [count]. */
  readonly sizes: Int32Array;
}

/**
 * Tarjan's algorithm (SIAM Journal on Computing 1, 1972) with a stack of its own, in time linear in
 * nodes and arcs.
 */
export function strongComponents(graph: Graph): StrongComponents {
  return memo(graph, 'strongComponents', () => {
    const n = graph.nodeCount;
    const { indptr, indices } = graph.successors;
    const order = new Int32Array(n).fill(-1);
    const lowest = new Int32Array(n);
    const component = new Int32Array(n).fill(-1);
    const next = indptr.slice(0, n);
    const open = new Int32Array(n);
    const path = new Int32Array(n);
    let [visited, opened, count] = [0, 0, 0];
    const enter = (v: number) => {
      order[v] = lowest[v] = visited++;
      open[opened++] = v;
    };
    for (let root = 0; root < n; root++) {
      if (order[root] !== -1) continue;
      enter(root);
      path[0] = root;
      for (let depth = 1; depth > 0; ) {
        const u = path[depth - 1] as number;
        const at = next[u] as number;
        if (at < (indptr[u + 1] as number)) {
          next[u] = at + 1;
          const v = indices[at] as number;
          if (order[v] === -1) {
            enter(v);
            path[depth++] = v;
          } else if (component[v] === -1) lowest[u] = Math.min(lowest[u] as number, order[v] as number);
          continue;
        }
        depth -= 1;
        if (depth > 0) {
          const parent = path[depth - 1] as number;
          lowest[parent] = Math.min(lowest[parent] as number, lowest[u] as number);
        }
        if (lowest[u] !== order[u]) continue;
        for (let v = -1; v !== u; ) {
          v = open[--opened] as number;
          component[v] = count;
        }
        count += 1;
      }
    }
    // A component is closed after all that it reaches.
    const sizes = new Int32Array(count);
    for (let v = 0; v < n; v++) {
      const own = count - 1 - (component[v] as number);
      component[v] = own;
      sizes[own] = (sizes[own] as number) + 1;
    }
    return { of: component, count, sizes };
  });
}

/** Parts of the bow-tie of a graph (Broder et al., "Graph structure in the Web", 2000). */
export const bowTieParts = ['core', 'in', 'out', 'tube', 'tendril', 'disconnected'] as const;

/** A part of the bow-tie. */
export type BowTiePart = (typeof bowTieParts)[number];

/**
 * Part of each node, as an index of `bowTieParts`: the largest strongly connected component is the
 * core; `in` reaches it, `out` is reached from it; a tube leads from `in` to `out` past the core;
 * a tendril hangs on `in` or `out`; all else is disconnected from them.
 */
export function bowTie(graph: Graph): Uint8Array {
  return memo(graph, 'bowTie', () => {
    const { of, sizes } = strongComponents(graph);
    const n = graph.nodeCount;
    const largest = sizes.indexOf(sizes.reduce((most, size) => Math.max(most, size), 0));
    const core = Array.from({ length: n }, (_, v) => v).filter((v) => of[v] === largest);
    const back = reversed(graph);
    const [after, before] = [reachable(graph, core), reachable(back, core)];
    const part = (v: number): BowTiePart | undefined =>
      of[v] === largest ? 'core' : before[v] ? 'in' : after[v] ? 'out' : undefined;
    const parts = Array.from({ length: n }, (_, v) => part(v));
    const nodesOf = (own: BowTiePart) => Array.from(parts.keys()).filter((v) => parts[v] === own);
    const [fromIn, toOut] = [reachable(graph, nodesOf('in')), reachable(back, nodesOf('out'))];
    return Uint8Array.from(parts, (own, v) => {
      const name = own ?? (fromIn[v] && toOut[v] ? 'tube' : fromIn[v] || toOut[v] ? 'tendril' : 'disconnected');
      return bowTieParts.indexOf(name);
    });
  });
}

/** Which nodes are reached from some nodes, themselves among them [n]. */
function reachable(graph: Graph, from: readonly number[]): Uint8Array {
  const reached = new Uint8Array(graph.nodeCount);
  const stack = new Int32Array(graph.nodeCount);
  let height = 0;
  const reach = (v: number) => {
    if (reached[v]) return;
    reached[v] = 1;
    stack[height++] = v;
  };
  for (const v of from) reach(v);
  while (height > 0) for (const v of graph.neighbours(stack[--height] as number)) reach(v);
  return reached;
}

/**
 * The graph of strongly connected components: an arc where an arc leads from one to another, with
 * their summed weight. It has no cycles, and its nodes are in topological order.
 */
export function condensation(graph: Graph): Graph {
  return memo(graph, 'condensation', () => {
    const { of, count } = strongComponents(graph);
    const [sources, targets, weights] = [[] as number[], [] as number[], [] as number[]];
    graph.forEachEntry((u, v, weight) => {
      if (of[u] === of[v]) return;
      sources.push(of[u] as number);
      targets.push(of[v] as number);
      weights.push(weight);
    });
    return Graph.fromEdges(count, sources, targets, { directed: true, weights, duplicates: 'sum' });
  });
}

/**
 * Topological rank of each node of a graph without cycles [n]: the number of arcs of the longest
 * path that ends there.
 *
 * @throws Error naming a node that lies on a cycle
 */
export function topologicalRanks(graph: Graph): Int32Array {
  const { of, sizes } = strongComponents(graph);
  const n = graph.nodeCount;
  const cyclic = Array.from({ length: n }, (_, v) => v).find(
    (v) => (sizes[of[v] as number] as number) > 1 || graph.hasEdge(v, v),
  );
  if (cyclic !== undefined)
    throw new Error(`topologicalRanks: node ${cyclic} lies on a cycle; make the graph acyclic first`);
  const order = Int32Array.from({ length: n }, (_, v) => v).sort((a, b) => (of[a] as number) - (of[b] as number));
  const ranks = new Int32Array(n);
  for (const u of order)
    for (const v of graph.neighbours(u)) ranks[v] = Math.max(ranks[v] as number, (ranks[u] as number) + 1);
  return ranks;
}
