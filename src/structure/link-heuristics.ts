// Heuristics of links: how much of their neighbourhoods two nodes share. (Liben-Nowell & Kleinberg,
// "The Link-Prediction Problem for Social Networks", CIKM 2003.)

import type { Graph } from './graph.js';

/** What a common neighbour of so many neighbours counts. */
export const linkHeuristics = {
  /** |N(u) ∩ N(v)| */
  commonNeighbours: () => 1,
  /** Σ over w ∈ N(u) ∩ N(v) of 1 / ln |N(w)| (Adamic & Adar 2003) */
  adamicAdar: (neighbours: number) => 1 / Math.log(neighbours),
} as const;

/** A heuristic by name. */
export type LinkHeuristic = keyof typeof linkHeuristics;

/**
 * The score of each pair of nodes. Loops count nothing.
 *
 * @throws Error for a directed graph
 */
export function linkHeuristic(
  graph: Graph,
  { sources, targets }: { readonly sources: Int32Array; readonly targets: Int32Array },
  name: LinkHeuristic,
): Float64Array {
  if (graph.directed) throw new Error(`linkHeuristic: ${name} is of graphs without directions`);
  const weightOf = linkHeuristics[name];
  return Float64Array.from(sources, (u, at) => {
    const v = targets[at] as number;
    const [own, others] = [graph.neighbours(u), graph.neighbours(v)];
    let score = 0;
    // Both ascend.
    for (let i = 0, j = 0; i < own.length && j < others.length; ) {
      const [a, b] = [own[i] as number, others[j] as number];
      if (a === b && a !== u && a !== v) score += weightOf(graph.neighbours(a).length - Number(graph.hasEdge(a, a)));
      if (a <= b) i++;
      if (b <= a) j++;
    }
    return score;
  });
}
