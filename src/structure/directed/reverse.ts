// The graph with every arc turned around.

import { Graph } from '../graph.js';
import { memo } from '../memo.js';

/** The graph of Aᵀ, made once; an undirected graph is its own. */
export function reversed(graph: Graph): Graph {
  if (!graph.directed) return graph;
  return memo(graph, 'reversed', () => {
    const { pattern, permutation } = graph.successors.transposed();
    const weights = graph.weights;
    return Graph.fromCompressed(pattern.indptr, pattern.indices, {
      directed: true,
      ...(weights && { weights: Float32Array.from(permutation.view(), (entry) => weights[entry] as number) }),
    });
  });
}
