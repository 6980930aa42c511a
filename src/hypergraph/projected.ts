// Vertex features from the hypergraph alone, where vertices have none of their own.

import { spmm } from '../sparse/index.js';
import { type Hypergraph, meanPropagation } from '../structure/index.js';
import { concatenate, keep, log, type Random, scope, type Tensor, tensor } from '../tensor/index.js';

/**
 * log(1 + degree) and a random projection of the incidence: the mean of random vectors of the
 * hyperedges of a vertex, so that vertices with the same hyperedges are alike.
 *
 * @param dimensions of the projection. Default: 64
 * @returns [N, 1 + dimensions]
 */
export function projectedIncidence(hypergraph: Hypergraph, random: Random, dimensions = 64): Tensor {
  return keep(
    scope(() => {
      const { toVertices } = meanPropagation(hypergraph);
      const projection = spmm(toVertices, random.normal([hypergraph.hyperedgeCount, dimensions]));
      const degrees = tensor(Float32Array.from(hypergraph.vertexDegrees), [hypergraph.vertexCount, 1]);
      return concatenate([log(degrees.add(1)), projection], 1);
    }),
  );
}
