// Vectors of nodes that join a trained graph, while those of all others stay as they are.

import { AliasTable, type Graph } from '../../structure/index.js';
import { Random } from '../../tensor/index.js';
import { type GraphViteOptions, graphViteSettings } from './options.js';

/** Vectors of the nodes that were trained, which are the first of the graph. */
export interface TrainedVectors {
  /** V [nodes, dim]. */
  readonly vertices: Float32Array;
  /** C [nodes, dim]. */
  readonly contexts: Float32Array;
}

/** Exponent of the degree in the distribution of negatives. */
const NEGATIVE_EXPONENT = 0.75;

/**
 * Trains V and C of the nodes behind the first `trained.vertices.length / dim` of a graph, on pairs
 * of walks that begin at them; rows of other nodes are read and not changed. Each new node has as
 * many pairs as `epochs` times its edges, in both roles.
 *
 * @returns V and C of the new nodes alone
 * @throws RangeError when the vectors have another dimension, or there is no new node
 */
export function embedNewNodes(
  graph: Graph,
  trained: TrainedVectors,
  options: Omit<GraphViteOptions, 'parts' | 'workers' | 'episode'> = {},
): TrainedVectors {
  const settings = graphViteSettings(graph, options);
  const { dim, epochs, step, negatives, negativeWeight, learningRate, decay } = settings;
  const known = trained.vertices.length / dim;
  if (!Number.isInteger(known) || trained.contexts.length !== trained.vertices.length)
    throw new RangeError(
      `embedNewNodes: ${trained.vertices.length} values are no rows of ${dim}; give the dim that they were trained with`,
    );
  if (known >= graph.nodeCount)
    throw new RangeError(`embedNewNodes: all ${graph.nodeCount} nodes have vectors; there is none to train`);
  const random = new Random(settings.seed).split('new nodes');
  const count = graph.nodeCount - known;
  const vertices = Float32Array.from({ length: count * dim }, () => (random.float() - 0.5) / dim);
  const contexts = new Float32Array(count * dim);
  const noise = new AliasTable(graph.outDegrees.map((degree) => degree ** NEGATIVE_EXPONENT));
  const neighbours = neighbourTables(graph);
  const row = (side: 'vertices' | 'contexts', node: number) =>
    node < known
      ? trained[side].subarray(node * dim, (node + 1) * dim)
      : (side === 'vertices' ? vertices : contexts).subarray((node - known) * dim, (node - known + 1) * dim);
  const sample = (head: number, tail: number, label: 0 | 1, rate: number) => {
    const [v, c] = [row('vertices', head), row('contexts', tail)];
    let logit = 0;
    for (let k = 0; k < dim; k++) logit += (v[k] as number) * (c[k] as number);
    const g = label - 1 / (1 + Math.exp(-Math.max(-30, Math.min(30, logit))));
    const [moveHead, moveTail] = [head >= known, tail >= known];
    for (let k = 0; k < dim; k++) {
      const [a, b] = [v[k] as number, c[k] as number];
      if (moveHead) v[k] = a + rate * (g * b - decay * a);
      if (moveTail) c[k] = b + rate * (g * a - decay * b);
    }
  };
  const pair = (head: number, tail: number, rate: number) => {
    for (let m = 0; m < negatives; m++) sample(head, noise.draw(random), 0, rate * negativeWeight);
    sample(head, tail, 1, rate);
  };
  const rounds = Math.max(1, Math.round(epochs / step));
  for (let round = 0; round < rounds; round++) {
    const rate = learningRate * Math.max(1 - round / rounds, 1e-4);
    for (let node = known; node < graph.nodeCount; node++)
      for (let edge = 0; edge < graph.neighbours(node).length; edge++) {
        let at = node;
        for (let t = 1; t <= step; t++) {
          const next = neighbours(at, random);
          if (next < 0) break;
          at = next;
          pair(node, at, rate);
          if (!graph.directed) pair(at, node, rate);
        }
      }
  }
  return { vertices, contexts };
}

/** Draws a neighbour by weight; −1 at a node without any. */
function neighbourTables(graph: Graph): (node: number, random: Random) => number {
  const tables = new Map<number, AliasTable>();
  return (node, random) => {
    const neighbours = graph.neighbours(node);
    if (neighbours.length === 0) return -1;
    if (!graph.weights) return neighbours[random.integer(neighbours.length)] as number;
    const begin = graph.successors.indptr[node] as number;
    const table = tables.get(node) ?? new AliasTable(graph.weights.subarray(begin, begin + neighbours.length));
    tables.set(node, table);
    return neighbours[table.draw(random)] as number;
  };
}
