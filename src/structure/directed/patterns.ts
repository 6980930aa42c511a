// Patterns of one and two arcs by which a node reaches others: along arcs (A), against them (Aᵀ),
// and their four products.

import { type SparseMatrix, SparsePattern, sparseProduct } from '../../sparse/index.js';
import type { Graph } from '../graph.js';
import { memo } from '../memo.js';
import { powers, scaled, withUnitLoops } from '../operators.js';
import { reversed } from './reverse.js';

/**
 * All patterns, one arc first. `AAᵀ` joins sources of a common target, `AᵀA` targets of a common
 * source.
 */
export const arcPatterns = ['A', 'Aᵀ', 'AA', 'AAᵀ', 'AᵀA', 'AᵀAᵀ'] as const;

/** A pattern by its product. */
export type ArcPattern = (typeof arcPatterns)[number];

/** The arcs that a pattern follows, one after the other. */
export function stepsOf(graph: Graph, pattern: ArcPattern): readonly Graph[] {
  const back = reversed(graph);
  const steps: Readonly<Record<ArcPattern, readonly Graph[]>> = {
    A: [graph],
    Aᵀ: [back],
    AA: [graph, graph],
    AAᵀ: [graph, back],
    AᵀA: [back, graph],
    AᵀAᵀ: [back, back],
  };
  return steps[pattern];
}

/** Options of `patternOperator`. */
export interface PatternOperatorOptions {
  /** r of D^{r−1}·G·D^{−r}. Default: 0.5. */
  readonly exponent?: number;
  /** Largest number of stored elements of a product. Default: that of `sparseProduct`. */
  readonly limit?: number;
}

/**
 * D^{r−1}·G·D^{−r} of a pattern G, with D the row sums of G, which counts paths; A and Aᵀ have
 * self-loops, products have none but those of their paths.
 *
 * @see Sun et al., "Breaking the Entanglement of Homophily and Heterophily in Semi-supervised Node
 * Classification", ICDE 2024 (ADPA)
 */
export function patternOperator(
  graph: Graph,
  pattern: ArcPattern,
  { exponent = 0.5, limit }: PatternOperatorOptions = {},
): SparseMatrix {
  return memo(graph, `patternOperator ${pattern} ${exponent}`, () => {
    const [first, second] = stepsOf(graph, pattern) as [Graph, Graph?];
    const matrix = second
      ? sparseProduct(first.adjacency, second.adjacency, limit === undefined ? {} : { limit })
      : withUnitLoops(first);
    const degrees = matrix.rowSums();
    return scaled(matrix, powers(degrees, exponent - 1), powers(degrees, -exponent));
  });
}

/**
 * Calls `visit` for each node that some nodes reach by a pattern, once however many paths lead
 * there, never the node itself. Nothing is stored but a mark for each node.
 *
 * @param sources the nodes from which is walked, in order
 */
export function forEachReached(
  steps: readonly Graph[],
  sources: Iterable<number>,
  visit: (source: number, target: number) => void,
): void {
  const [first, second] = steps as [Graph, Graph?];
  const seen = new Int32Array(first.nodeCount).fill(-1);
  for (const source of sources) {
    const reach = (target: number) => {
      if (target === source || seen[target] === source) return;
      seen[target] = source;
      visit(source, target);
    };
    forEachTarget(first, source, (middle) => {
      if (second) forEachTarget(second, middle, reach);
      else reach(middle);
    });
  }
}

function forEachTarget({ successors: { indptr, indices } }: Graph, node: number, visit: (target: number) => void) {
  for (let e = indptr[node] as number; e < (indptr[node + 1] as number); e++) visit(indices[e] as number);
}

/** Paths of a pattern from a node: the work of `forEachReached`. */
export function pathsFrom(steps: readonly Graph[], source: number): number {
  const [first, second] = steps as [Graph, Graph?];
  const { indptr, indices } = first.successors;
  const [from, to] = [indptr[source] as number, indptr[source + 1] as number];
  if (!second) return to - from;
  let paths = 0;
  for (let e = from; e < to; e++) {
    const middle = indices[e] as number;
    paths += (second.successors.indptr[middle + 1] as number) - (second.successors.indptr[middle] as number);
  }
  return paths;
}

/** The pattern A ∪ Aᵀ with the position of each element in A and in Aᵀ, −1 where it has none. */
export function unionWithReverse(graph: Graph): {
  readonly pattern: SparsePattern;
  readonly forward: Int32Array;
  readonly backward: Int32Array;
} {
  const [a, t] = [graph.successors, reversed(graph).successors];
  const n = graph.nodeCount;
  const indptr = new Int32Array(n + 1);
  const indices = new Int32Array(a.nnz + t.nnz);
  const [forward, backward] = [new Int32Array(a.nnz + t.nnz), new Int32Array(a.nnz + t.nnz)];
  let at = 0;
  for (let u = 0; u < n; u++) {
    let [e, f] = [a.indptr[u] as number, t.indptr[u] as number];
    const [last, end] = [a.indptr[u + 1] as number, t.indptr[u + 1] as number];
    while (e < last || f < end) {
      const i = e < last ? (a.indices[e] as number) : n;
      const j = f < end ? (t.indices[f] as number) : n;
      indices[at] = Math.min(i, j);
      forward[at] = i <= j ? e++ : -1;
      backward[at++] = j <= i ? f++ : -1;
    }
    indptr[u + 1] = at;
  }
  return {
    pattern: new SparsePattern(n, n, indptr, indices.slice(0, at)),
    forward: forward.slice(0, at),
    backward: backward.slice(0, at),
  };
}
