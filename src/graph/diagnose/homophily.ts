// How often arcs join nodes of one class: homophily of edges, of nodes, and of patterns of two
// arcs. Labels are −1 where unknown; only pairs with two known labels count, and no node with
// itself.

import { type ArcPattern, arcPatterns, type Graph, stepsOf } from '../../structure/index.js';

/** Σ weights of arcs within a class / Σ weights of arcs with two known labels; NaN without any. */
export function edgeHomophily(graph: Graph, labels: Int32Array): number {
  let [same, all] = [0, 0];
  graph.forEachEntry((u, v, weight) => {
    if (u === v || (labels[u] as number) < 0 || (labels[v] as number) < 0) return;
    all += weight;
    if (labels[u] === labels[v]) same += weight;
  });
  return same / all;
}

/**
 * Row-normalised mass of arcs from class to class [classes, classes], row after row; rows of
 * classes without arcs are 0.
 */
export function compatibilityMatrix(graph: Graph, labels: Int32Array, classes: number): Float64Array {
  const mass = new Float64Array(classes * classes);
  graph.forEachEntry((u, v, weight) => {
    const [a, b] = [labels[u] as number, labels[v] as number];
    if (u !== v && a >= 0 && b >= 0) mass[a * classes + b] = (mass[a * classes + b] as number) + weight;
  });
  for (let a = 0; a < classes; a++) {
    const row = mass.subarray(a * classes, (a + 1) * classes);
    const total = row.reduce((sum, value) => sum + value, 0);
    if (total > 0) for (let b = 0; b < classes; b++) row[b] = (row[b] as number) / total;
  }
  return mass;
}

/** Limits of the work on pairs of nodes. */
export interface WorkOptions {
  /**
   * Paths that are followed at most; beyond it a pattern is measured from some nodes. Default: 50
   * million.
   */
  readonly work?: number;
}

/**
 * Weighted node homophily of a pattern: the mean over nodes of the share of paths that end in the
 * node's class, among paths to other nodes of a known class (Rossi et al., LoG 2023). For A it is
 * the node homophily of out-neighbours. NaN where no node has such a path.
 */
export function nodeHomophily(
  graph: Graph,
  labels: Int32Array,
  pattern: ArcPattern = 'A',
  { work = 5e7 }: WorkOptions = {},
): number {
  const [first, second] = stepsOf(graph, pattern) as [Graph, Graph?];
  let [sum, nodes, left] = [0, 0, work];
  for (const source of spread(graph.nodeCount)) {
    const label = labels[source] as number;
    if (label < 0) continue;
    if (left <= 0) break;
    let [same, all] = [0, 0];
    const count = (target: number, weight: number) => {
      left -= 1;
      if (target === source || (labels[target] as number) < 0) return;
      all += weight;
      if (labels[target] === label) same += weight;
    };
    forEachArc(first, source, (middle, weight) => {
      if (second) forEachArc(second, middle, (target, next) => count(target, weight * next));
      else count(middle, weight);
    });
    if (all === 0) continue;
    sum += same / all;
    nodes += 1;
  }
  return sum / nodes;
}

function forEachArc({ successors, weights }: Graph, node: number, visit: (target: number, weight: number) => void) {
  const { indptr, indices } = successors;
  for (let e = indptr[node] as number; e < (indptr[node + 1] as number); e++)
    visit(indices[e] as number, weights ? (weights[e] as number) : 1);
}

/** All nodes, those of any start of the order spread evenly: steps of a golden section. */
export function* spread(n: number): Generator<number> {
  let step = Math.max(1, Math.round(n * 0.6180339887));
  while (gcd(step, n) !== 1) step += 1;
  for (let i = 0; i < n; i++) yield (i * step) % n;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** Homophily of each pattern, and the largest. */
export interface EffectiveHomophily {
  /** Weighted node homophily by pattern; NaN where it is unknown. */
  readonly patterns: Readonly<Record<ArcPattern, number>>;
  /** The largest; NaN where none is known. */
  readonly effective: number;
}

/**
 * Effective homophily: the largest weighted node homophily over {A, Aᵀ, AA, AAᵀ, AᵀA, AᵀAᵀ}, what a
 * network that tells directions apart may reach (Rossi et al., LoG 2023).
 */
export function effectiveHomophily(graph: Graph, labels: Int32Array, options: WorkOptions = {}): EffectiveHomophily {
  const values = arcPatterns.map((pattern) => [pattern, nodeHomophily(graph, labels, pattern, options)] as const);
  const known = values.map(([, value]) => value).filter((value) => !Number.isNaN(value));
  return {
    patterns: Object.fromEntries(values) as Record<ArcPattern, number>,
    effective: known.length === 0 ? Number.NaN : Math.max(...known),
  };
}
