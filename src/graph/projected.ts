// Node features from the graph alone, where nodes have none of their own.

import { spmm } from '../sparse/index.js';
import { type Graph, graphOperator } from '../structure/index.js';
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
      const own = new Float32Array(nodeCount * dimensions);
      for (let v = 0; v < nodeCount; v++) {
        const stream = random.split(names?.[v] ?? String(v));
        for (let k = 0; k < dimensions; k++) own[v * dimensions + k] = stream.float() < 0.5 ? -1 : 1;
      }
      const projection = spmm(
        graphOperator(graph, { exponent: 0, selfLoops: false }),
        tensor(own, [nodeCount, dimensions]),
      );
      const degrees = tensor(Float32Array.from(graph.outDegrees), [nodeCount, 1]);
      return concatenate([log(degrees.add(1)), projection], 1);
    }),
  );
}
