// Topology tools that drop or add arcs of a directed graph.

import { type Features, type Mode, randomOf } from '../../nn/index.js';
import { SparseMatrix, sparseProduct } from '../../sparse/index.js';
import {
  condensation,
  Graph,
  reversed,
  strongComponents,
  topologicalRanks,
  trophicLevels,
} from '../../structure/index.js';
import type { Random, Tensor } from '../../tensor/index.js';
import type { GraphModule } from '../conv/index.js';

/** The graph of some of its stored arcs, as a directed one. */
export function arcsWhere(
  graph: Graph,
  keep: (source: number, target: number, weight: number, entry: number) => boolean,
): Graph {
  const [sources, targets, weights] = [[] as number[], [] as number[], [] as number[]];
  graph.forEachEntry((u, v, weight, entry) => {
    if (!keep(u, v, weight, entry)) return;
    sources.push(u);
    targets.push(v);
    weights.push(weight);
  });
  return Graph.fromEdges(graph.nodeCount, sources, targets, {
    directed: true,
    ...(graph.weights && { weights }),
  });
}

/** A graph without cycles. */
export interface Acyclic {
  /** The graph. */
  readonly graph: Graph;
  /** Longest path to each node [n]: arcs lead to larger ranks. */
  readonly ranks: Int32Array;
}

/** The graph without the arcs that do not climb in trophic level; nodes stay. */
export function withoutDescent(graph: Graph): Acyclic {
  const { levels } = trophicLevels(graph);
  // Levels of a cycle are equal up to the residual of conjugate gradients.
  const climbing = arcsWhere(graph, (u, v) => (levels[v] as number) - (levels[u] as number) > 1e-6);
  return { graph: climbing, ranks: topologicalRanks(climbing) };
}

/** A graph whose nodes are strongly connected components. */
export interface Condensed extends Acyclic {
  /** The component of each node [n]. */
  readonly componentOf: Int32Array;
}

/** The condensation: cycles become nodes, so that no arc is lost between them. */
export function condensed(graph: Graph): Condensed {
  const acyclic = condensation(graph);
  return { graph: acyclic, ranks: topologicalRanks(acyclic), componentOf: strongComponents(graph).of };
}

/** A random view: each arc is kept with a probability, by the stream and its place alone. */
export function randomView(graph: Graph, keep: number, random: Random): Graph {
  if (!(keep >= 0 && keep <= 1)) throw new RangeError(`randomView: arcs are kept with a probability, got ${keep}`);
  if (graph.directed) return arcsWhere(graph, () => random.float() < keep);
  const { sources, targets, weights } = graph.edges();
  const kept = Array.from(sources.keys()).filter(() => random.float() < keep);
  return Graph.fromEdges(
    graph.nodeCount,
    kept.map((e) => sources[e] as number),
    kept.map((e) => targets[e] as number),
    weights ? { weights: kept.map((e) => weights[e] as number) } : {},
  );
}

/** A network that reads another random view of the graph in each training pass (DropEdge). */
export class RandomViews implements GraphModule {
  readonly #keep: number;

  /** @param keep probability with which an arc is kept */
  constructor(
    readonly network: GraphModule,
    keep: number,
  ) {
    this.#keep = keep;
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    const seen = mode.training ? randomView(graph, this.#keep, randomOf(mode, 'RandomViews').split('view')) : graph;
    return this.network.forward(x, seen, mode);
  }
}

/** Every arc and its reverse, as a directed graph; weights of opposite arcs are added. */
export function withReverseArcs(graph: Graph): Graph {
  const both = graph.undirected();
  return Graph.fromCompressed(both.successors.indptr, both.successors.indices, {
    directed: true,
    ...(both.weights && { weights: both.weights }),
  });
}

/** Arcs between nodes with neighbours in common. */
export interface CommonNeighbourOptions {
  /** `coCitation`: sources in common (AᵀA); `coupling`: targets in common (AAᵀ). */
  readonly kind: 'coCitation' | 'coupling';
  /** Arcs added from each node: to those with most in common. Default: 10. */
  readonly top?: number;
}

/**
 * The graph with arcs to the nodes that have most neighbours in common, of the number of those as
 * weight; an arc that is there keeps its own.
 */
export function withCommonNeighbours(graph: Graph, { kind, top = 10 }: CommonNeighbourOptions): Graph {
  const [a, t] = [graph.adjacency, reversed(graph).adjacency];
  // One more, since a node has most in common with itself.
  const product = kind === 'coupling' ? sparseProduct(a, t, { top: top + 1 }) : sparseProduct(t, a, { top: top + 1 });
  return withArcs(graph, product, (u, v) => u !== v, top);
}

/** Adds the largest elements of each row of a matrix as arcs. */
function withArcs(graph: Graph, matrix: SparseMatrix, isArc: (u: number, v: number) => boolean, top: number): Graph {
  const [sources, targets, weights] = [[] as number[], [] as number[], [] as number[]];
  graph.forEachEntry((u, v, weight) => {
    sources.push(u);
    targets.push(v);
    weights.push(weight);
  });
  const { indptr, indices } = matrix.pattern;
  const values = matrix.values?.view();
  for (let u = 0; u < matrix.rows; u++) {
    const own = Array.from({ length: (indptr[u + 1] as number) - (indptr[u] as number) }, (_, i) => {
      const at = (indptr[u] as number) + i;
      return { v: indices[at] as number, value: values ? (values[at] as number) : 1 };
    });
    const added = own.filter(({ v }) => isArc(u, v)).sort((a, b) => b.value - a.value || a.v - b.v);
    for (const { v, value } of added.slice(0, top)) {
      sources.push(u);
      targets.push(v);
      weights.push(value);
    }
  }
  return Graph.fromEdges(graph.nodeCount, sources, targets, { directed: true, weights });
}

/**
 * Removes the share of arcs whose ends agree least in their features, by the cosine; a node keeps
 * at least the arc that agrees best of those that it has, in or out. Self-loops stay.
 *
 * @param share of arcs to remove, from 0 to 1
 */
export function pruneByAgreement(graph: Graph, features: Features, share: number): Graph {
  if (!(share >= 0 && share <= 1)) throw new RangeError(`pruneByAgreement: a share of arcs, got ${share}`);
  const agreement = arcAgreement(graph, features);
  const best = new Int32Array(graph.nodeCount).fill(-1);
  const better = (node: number, entry: number) => {
    const known = best[node] as number;
    if (known < 0 || (agreement[entry] as number) > (agreement[known] as number)) best[node] = entry;
  };
  const candidates: number[] = [];
  graph.forEachEntry((u, v, _, entry) => {
    if (u === v) return;
    better(u, entry);
    better(v, entry);
    candidates.push(entry);
  });
  const needed = new Set(best);
  const removed = new Set(
    candidates
      .sort((a, b) => (agreement[a] as number) - (agreement[b] as number) || a - b)
      .slice(0, Math.round(share * candidates.length))
      .filter((entry) => !needed.has(entry)),
  );
  return arcsWhere(graph, (_u, _v, _weight, entry) => !removed.has(entry));
}

/** Cosine of the features of both ends of each stored arc; 0 where a node has none. */
export function arcAgreement(graph: Graph, features: Features): Float32Array {
  const rows = features instanceof SparseMatrix ? sparseRows(features) : denseRows(features);
  const norms = Float64Array.from({ length: graph.nodeCount }, (_, v) => Math.sqrt(rows(v, v)));
  const agreement = new Float32Array(graph.successors.nnz);
  graph.forEachEntry((u, v, _, entry) => {
    const lengths = (norms[u] as number) * (norms[v] as number);
    agreement[entry] = lengths === 0 ? 0 : rows(u, v) / lengths;
  });
  return agreement;
}

/** Inner products of rows. */
type Product = (u: number, v: number) => number;

function denseRows(features: Tensor): Product {
  const width = features.shape[1] as number;
  const values = features.view();
  return (u, v) => {
    let sum = 0;
    for (let j = 0; j < width; j++) sum += (values[u * width + j] as number) * (values[v * width + j] as number);
    return sum;
  };
}

function sparseRows({ pattern: { indptr, indices }, values }: SparseMatrix): Product {
  const stored = values?.view();
  return (u, v) => {
    let [e, f, sum] = [indptr[u] as number, indptr[v] as number, 0];
    const [last, end] = [indptr[u + 1] as number, indptr[v + 1] as number];
    while (e < last && f < end) {
      const [i, j] = [indices[e] as number, indices[f] as number];
      if (i === j) sum += stored ? (stored[e] as number) * (stored[f] as number) : 1;
      if (i <= j) e += 1;
      if (j <= i) f += 1;
    }
    return sum;
  };
}

/**
 * Turns arcs around that are more probable the other way; reciprocal arcs and self-loops stay.
 *
 * @param forward probability that each stored arc leads as it should [nnz], such as
 * `estimatedDirections` gives it
 * @param threshold probability of the reverse above which an arc is turned. Default: 0.5
 */
export function reoriented(graph: Graph, forward: ArrayLike<number>, threshold = 0.5): Graph {
  if (forward.length !== graph.successors.nnz)
    throw new Error(`reoriented: ${forward.length} probabilities for ${graph.successors.nnz} arcs`);
  const [sources, targets, weights] = [[] as number[], [] as number[], [] as number[]];
  graph.forEachEntry((u, v, weight, entry) => {
    const isTurned = 1 - (forward[entry] as number) > threshold && !graph.hasEdge(v, u);
    sources.push(isTurned ? v : u);
    targets.push(isTurned ? u : v);
    weights.push(weight);
  });
  return Graph.fromEdges(graph.nodeCount, sources, targets, { directed: true, ...(graph.weights && { weights }) });
}
