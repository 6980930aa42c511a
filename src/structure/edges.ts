// Checks of the edges that a graph is built from.

import { isIndex, isPositiveFloat, requireLimit, type SparsePattern, shown } from '../sparse/index.js';

/** Compressed sparse rows under construction. */
export interface Rows {
  indptr: Int32Array;
  indices: Int32Array;
  values: Float32Array | undefined;
}

/** @throws RangeError naming the first edge with a wrong endpoint or weight. */
export function requireEdges(
  nodeCount: number,
  sources: ArrayLike<number>,
  targets: ArrayLike<number>,
  weights: ArrayLike<number> | undefined,
): void {
  requireLimit('Graph', 'nodes', nodeCount);
  for (let e = 0; e < sources.length; e++) {
    const [u, v] = [sources[e] as number, targets[e] as number];
    if (!(isIndex(u, nodeCount) && isIndex(v, nodeCount)))
      throw new RangeError(
        `Graph: edge ${e} joins ${shown(u)} and ${shown(v)}, outside 0…${nodeCount - 1} (nodes are integers)`,
      );
    if (weights && !isPositiveFloat(weights[e] as number))
      throw new RangeError(
        `Graph: edge ${e} (${u} → ${v}) has weight ${shown(weights[e])}; weights must be positive and finite as f32`,
      );
  }
}

/** @throws RangeError unless it is a node. */
export function requireNode(node: number, nodeCount: number): void {
  if (!isIndex(node, nodeCount))
    throw new RangeError(`Graph: node ${shown(node)} is outside 0…${nodeCount - 1} (nodes are integers)`);
}

/** @throws RangeError naming the first row that is not ascending. */
export function requireAscending({ indptr, indices, rows }: SparsePattern): void {
  for (let u = 0; u < rows; u++)
    for (let e = (indptr[u] as number) + 1; e < (indptr[u + 1] as number); e++)
      if ((indices[e - 1] as number) >= (indices[e] as number))
        throw new RangeError(`Graph: the targets of node ${u} are not ascending: ${indices[e - 1]}, ${indices[e]}`);
}

/** @throws RangeError naming the first weight that is not positive and finite. */
export function requireWeights(weights: Float32Array, count: number): void {
  if (weights.length !== count) throw new Error(`Graph: ${weights.length} weights for ${count} stored edges`);
  const wrong = weights.findIndex((weight) => !isPositiveFloat(weight));
  if (wrong >= 0)
    throw new RangeError(
      `Graph: stored edge ${wrong} has weight ${weights[wrong]}; weights must be positive and finite as f32`,
    );
}

/** @throws RangeError naming the first edge whose weight is infinite. */
export function requireFiniteSums({ indptr, indices, values }: Rows): void {
  const at = values?.indexOf(Number.POSITIVE_INFINITY) ?? -1;
  if (at < 0) return;
  const u = indptr.findIndex((_, row) => at < (indptr[row + 1] as number));
  throw new RangeError(`Graph: the weights of edge ${u} → ${indices[at]} add up beyond the range of f32`);
}
