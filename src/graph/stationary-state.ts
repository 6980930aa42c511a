// The limit of propagation with self-loops.

import { type Graph, memo, withUnitLoops } from '../structure/index.js';
import { type Tensor, tensor } from '../tensor/index.js';

/**
 * The limit x^∞ = Â^∞·x of propagation: in each connected component, x_v^∞ = d̃_v^r · Σ_u
 * d̃_u^{1−r}·x_u / Σ_u d̃_u with d̃ the degrees with self-loops. One weighted sum for each
 * component, no n×n matrix.
 *
 * @param x [n, d]
 * @param exponent r. Default: 0.5
 * @returns [n, d]
 * @throws Error for a directed graph, whose limit has no such form
 */
export function stationaryState(x: Tensor, graph: Graph, exponent = 0.5): Tensor {
  if (graph.directed)
    throw new Error('stationaryState: the graph has directions; take graph.undirected(), whose limit is known');
  const [n, d] = x.shape as [number, number];
  const degrees = memo(graph, 'degreesWithLoops', () => withUnitLoops(graph).rowSums());
  const { components } = graph;
  const count = components.reduce((most, c) => Math.max(most, c + 1), 0);
  const totals = new Float64Array(count);
  const sums = new Float64Array(count * d);
  const values = x.view();
  for (let v = 0; v < n; v++) {
    const c = components[v] as number;
    const degree = degrees[v] as number;
    const weight = degree ** (1 - exponent);
    totals[c] = (totals[c] as number) + degree;
    for (let j = 0; j < d; j++) sums[c * d + j] = (sums[c * d + j] as number) + weight * (values[v * d + j] as number);
  }
  const result = new Float32Array(n * d);
  for (let v = 0; v < n; v++) {
    const c = components[v] as number;
    const scale = (degrees[v] as number) ** exponent / (totals[c] as number);
    for (let j = 0; j < d; j++) result[v * d + j] = scale * (sums[c * d + j] as number);
  }
  return tensor(result, [n, d]);
}
