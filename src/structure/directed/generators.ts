// Random directed graphs.

import type { Random } from '../../tensor/index.js';
import { Graph } from '../graph.js';

/** n·meanDegree arcs between uniform nodes, of which repeats and self-loops are dropped. */
export function randomDigraph(random: Random, nodes: number, meanDegree: number): Graph {
  const count = Math.round(nodes * meanDegree);
  const ends = () => Int32Array.from({ length: count }, () => random.integer(nodes));
  return Graph.fromEdges(nodes, ends(), ends(), { directed: true, selfLoops: 'drop' });
}

/** Parameters of a cyclic block model. */
export interface CyclicBlockOptions {
  /** Number of blocks. Default: 3. */
  readonly blocks?: number;
  /** Nodes of a block. Default: 200. */
  readonly size?: number;
  /** Probability that a pair of nodes is joined, whatever their blocks. Default: 0.05. */
  readonly density?: number;
  /** Probability that an arc between neighbouring blocks leads to the next one. Default: 0.9. */
  readonly forward?: number;
}

/**
 * Directed stochastic block model whose blocks differ in the directions of their arcs alone: pairs
 * are joined regardless of blocks, an arc between block c and block c + 1 leads forward with a
 * probability, and all others lead either way. Without directions it is an Erdős–Rényi graph.
 */
export function cyclicBlocks(
  random: Random,
  { blocks = 3, size = 200, density = 0.05, forward = 0.9 }: CyclicBlockOptions = {},
): { graph: Graph; labels: Int32Array } {
  const n = blocks * size;
  const labels = Int32Array.from({ length: n }, (_, v) => Math.floor(v / size));
  const [sources, targets] = [[] as number[], [] as number[]];
  for (let u = 0; u < n; u++)
    for (let v = u + 1; v < n; v++) {
      if (random.float() >= density) continue;
      const step = ((labels[v] as number) - (labels[u] as number) + blocks) % blocks;
      // Of two blocks each is the next of the other.
      const probability = blocks < 3 || (step !== 1 && step !== blocks - 1) ? 0.5 : step === 1 ? forward : 1 - forward;
      const isForward = random.float() < probability;
      sources.push(isForward ? u : v);
      targets.push(isForward ? v : u);
    }
  return { graph: Graph.fromEdges(n, sources, targets, { directed: true }), labels };
}
