// Node features from the graph alone, where nodes have none of their own.

import { spmm } from '../sparse/index.js';
import { type Graph, graphOperator, randomSigns } from '../structure/index.js';
import { concatenate, keep, log, type Random, scope, type Tensor, tensor } from '../tensor/index.js';

/**
 * log(1 + degree) and a random projection of the adjacency: the mean of random vectors of the
 * neighbours, so that nodes with the same neighbours are alike. The vector of a node follows from
 * its name, so that it is the same in another graph.
 *
 * @param names of the nodes. Default: 0 … n − 1
 * @param dimensions of the projection. Default: 64
 * @returns [n, 1 + dimensions]
 */
export function projectedAdjacency(graph: Graph, random: Random, names?: readonly string[], dimensions = 64): Tensor {
  const { nodeCount } = graph;
  return keep(
    scope(() => {
      const own = randomSigns(names ?? Array.from({ length: nodeCount }, (_, v) => String(v)), random, dimensions);
      const projection = spmm(
        graphOperator(graph, { exponent: 0, selfLoops: false }),
        tensor(own, [nodeCount, dimensions]),
      );
      const degrees = tensor(Float32Array.from(graph.outDegrees), [nodeCount, 1]);
      return concatenate([log(degrees.add(1)), projection], 1);
    }),
  );
}
