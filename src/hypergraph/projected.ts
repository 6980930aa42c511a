// Vertex features from the hypergraph alone, where vertices have none of their own.

import { spmm } from '../sparse/index.js';
import { type Hypergraph, meanPropagation, randomSigns } from '../structure/index.js';
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

/**
 * log(1 + degree) and a random projection of who shares hyperedges with a vertex: the mean over its
 * hyperedges of the mean random vector of their other members. The vector of a member follows from
 * its name, so that a new vertex among known members is described as in training.
 *
 * @param names of the vertices, in order
 * @param dimensions of the projection. Default: 64
 * @returns [N, 1 + dimensions]
 */
export function projectedNeighbours(
  hypergraph: Hypergraph,
  names: readonly string[],
  random: Random,
  dimensions = 64,
): Tensor {
  const signs = randomSigns(names, random, dimensions);
  const width = 1 + dimensions;
  const features = new Float32Array(names.length * width);
  const shared = new Int32Array(names.length);
  const total = new Float64Array(dimensions);
  for (const members of hypergraph.hyperedges()) {
    if (members.length < 2) continue;
    total.fill(0);
    for (const v of members)
      for (let k = 0; k < dimensions; k++) total[k] = (total[k] as number) + (signs[v * dimensions + k] as number);
    for (const v of members) {
      shared[v] = (shared[v] as number) + 1;
      for (let k = 0; k < dimensions; k++) {
        const others = ((total[k] as number) - (signs[v * dimensions + k] as number)) / (members.length - 1);
        features[v * width + 1 + k] = (features[v * width + 1 + k] as number) + others;
      }
    }
  }
  for (let v = 0; v < names.length; v++) {
    features[v * width] = Math.log1p(hypergraph.vertexDegrees[v] as number);
    for (let k = 1; k < width; k++)
      features[v * width + k] = (features[v * width + k] as number) / Math.max(1, shared[v] as number);
  }
  return keep(tensor(features, [names.length, width]));
}
