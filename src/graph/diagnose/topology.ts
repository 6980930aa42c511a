// The topological view of a directed graph: what its arcs look like, whatever the labels.

import {
  type BowTiePart,
  bowTie,
  bowTieParts,
  type Graph,
  strongComponents,
  trophicLevels,
} from '../../structure/index.js';

/** Shape of a distribution of degrees. */
export interface DegreeLaw {
  /** Mean degree. */
  readonly mean: number;
  /** Median degree. */
  readonly median: number;
  /** Largest degree. */
  readonly largest: number;
  /** Share of all arcs at the tenth of nodes with most. */
  readonly topShare: number;
  /** Share of the nodes with at least so many arcs, at most 64 degrees, ascending. */
  readonly distribution: readonly { readonly degree: number; readonly share: number }[];
  /** Power law of the tail, where it has 50 nodes or more. */
  readonly tail: PowerLaw | undefined;
}

/** P(d) ∝ d^−exponent for d ≥ from. */
export interface PowerLaw {
  /** Exponent of the law. */
  readonly exponent: number;
  /** Degree at which the tail starts. */
  readonly from: number;
  /** Nodes in the tail. */
  readonly nodes: number;
  /** Largest gap between the distribution of the tail and the law (Kolmogorov–Smirnov). */
  readonly distance: number;
}

/** The topological view. */
export interface TopologicalView {
  /** Number of nodes. */
  readonly nodes: number;
  /** Number of stored arcs; an undirected edge is two. */
  readonly arcs: number;
  /** Number of self-loops. */
  readonly selfLoops: number;
  /** Σ A∘Aᵀ / |E| of arcs between different nodes: share with an opposite arc. */
  readonly reciprocity: number;
  /** Arcs that leave a node. */
  readonly outDegrees: DegreeLaw;
  /** Arcs that lead to a node. */
  readonly inDegrees: DegreeLaw;
  /** Nodes with arcs out alone. */
  readonly sources: number;
  /** Nodes with arcs in alone. */
  readonly sinks: number;
  /** Nodes without arcs. */
  readonly isolated: number;
  /** Connected components, directions ignored. */
  readonly components: number;
  /** Strongly connected components. */
  readonly strongComponents: number;
  /** Nodes of the largest of them. */
  readonly largestStrongComponent: number;
  /** Whether no cycle leads back to a node. */
  readonly acyclic: boolean;
  /** Nodes in each part of the bow-tie. */
  readonly bowTie: Readonly<Record<BowTiePart, number>>;
  /** F of `trophicLevels`: 0 layered, 1 not at all; NaN where it is not known. */
  readonly trophicIncoherence: number;
}

/** Counts of arcs, whatever their weights. */
export function topologicalView(graph: Graph): TopologicalView {
  const n = graph.nodeCount;
  const [out, into] = [new Int32Array(n), new Int32Array(n)];
  let [between, reciprocal] = [0, 0];
  graph.forEachEntry((u, v) => {
    out[u] = (out[u] as number) + 1;
    into[v] = (into[v] as number) + 1;
    if (u === v) return;
    between += 1;
    if (graph.hasEdge(v, u)) reciprocal += 1;
  });
  const count = (holds: (v: number) => boolean) => {
    let total = 0;
    for (let v = 0; v < n; v++) total += Number(holds(v));
    return total;
  };
  const { sizes, count: components } = strongComponents(graph);
  const parts = bowTie(graph);
  return {
    nodes: n,
    arcs: graph.successors.nnz,
    selfLoops: graph.selfLoopCount,
    reciprocity: reciprocal / between,
    outDegrees: degreeLaw(out),
    inDegrees: degreeLaw(into),
    sources: count((v) => out[v] !== 0 && into[v] === 0),
    sinks: count((v) => out[v] === 0 && into[v] !== 0),
    isolated: count((v) => out[v] === 0 && into[v] === 0),
    components: graph.components.reduce((most, c) => Math.max(most, c + 1), 0),
    strongComponents: components,
    largestStrongComponent: sizes.reduce((most, size) => Math.max(most, size), 0),
    acyclic: components === n && graph.selfLoopCount === 0,
    bowTie: Object.fromEntries(
      bowTieParts.map((part, code) => [part, parts.reduce((total, own) => total + Number(own === code), 0)]),
    ) as Record<BowTiePart, number>,
    trophicIncoherence: incoherenceOf(graph),
  };
}

/** NaN where conjugate gradients do not reach the levels. */
function incoherenceOf(graph: Graph): number {
  if (graph.successors.nnz === 0) return Number.NaN;
  try {
    return trophicLevels(graph).incoherence;
  } catch {
    return Number.NaN;
  }
}

/** @param degrees of each node */
export function degreeLaw(degrees: Int32Array): DegreeLaw {
  const sorted = degrees.slice().sort().reverse();
  const total = sorted.reduce((sum, degree) => sum + degree, 0);
  const tenth = Math.max(1, Math.round(sorted.length / 10));
  return {
    mean: total / sorted.length,
    median: sorted[Math.floor(sorted.length / 2)] ?? 0,
    largest: sorted[0] ?? 0,
    topShare: sorted.subarray(0, tenth).reduce((sum, degree) => sum + degree, 0) / total,
    distribution: distributionOf(sorted),
    tail: powerLaw(sorted),
  };
}

/** Degrees that the distribution tells at most. */
const POINTS = 64;

/** @param sorted degrees, descending */
function distributionOf(sorted: Int32Array): DegreeLaw['distribution'] {
  const points: { degree: number; share: number }[] = [];
  for (let i = 0; i < sorted.length; i++) {
    if (sorted[i + 1] === sorted[i]) continue;
    points.push({ degree: sorted[i] as number, share: (i + 1) / sorted.length });
  }
  const ascending = points.reverse().filter(({ degree }) => degree > 0);
  const step = Math.max(1, ascending.length / POINTS);
  const chosen = new Set(
    Array.from({ length: POINTS }, (_, i) => Math.min(ascending.length - 1, Math.floor(i * step))),
  );
  return ascending.filter((_, i) => chosen.has(i) || i === ascending.length - 1);
}

/** Nodes that a tail needs. */
const TAIL = 50;

/**
 * The power law of a tail by the approximate maximum likelihood of whole numbers, exponent = 1 +
 * n/Σ ln(d/(from − ½)), from where the distance is smallest (Clauset, Shalizi, Newman, SIAM Review
 * 2009).
 *
 * @param sorted degrees, descending
 */
export function powerLaw(sorted: Int32Array): PowerLaw | undefined {
  let best: PowerLaw | undefined;
  for (const from of new Set(sorted)) {
    if (from < 1) continue;
    const end = sorted.findIndex((degree) => degree < from);
    const tail = end < 0 ? sorted : sorted.subarray(0, end);
    if (tail.length < TAIL) continue;
    const logs = tail.reduce((sum, degree) => sum + Math.log(degree / (from - 0.5)), 0);
    const exponent = 1 + tail.length / logs;
    let distance = 0;
    // P(D ≥ d) is ((d − ½)/(from − ½))^(1 − exponent), and i/n in the tail.
    for (let i = 0; i < tail.length; i++) {
      if (i + 1 < tail.length && tail[i + 1] === tail[i]) continue;
      const law = (((tail[i] as number) - 0.5) / (from - 0.5)) ** (1 - exponent);
      distance = Math.max(distance, Math.abs((i + 1) / tail.length - law));
    }
    if (!best || distance < best.distance) best = { exponent, from, nodes: tail.length, distance };
  }
  return best;
}
