// What meta-training needs, said before it begins.

import { inference, type Layer, parameters } from '../../nn/index.js';
import type { Tensor } from '../../tensor/index.js';
import { cost } from '../../trace/index.js';
import type { MetanetworkOptions } from './metanetwork.js';
import { networkGraph } from './read-graph.js';

/** Measured: maps of a batch and their gradients, over the maps of a pass. */
const MAPS = 3.3;
/** Measured: tensors [edges, d] that a layer of messages keeps for its gradient, and all else. */
const [PER_LAYER, REST] = [91, 27];

/**
 * Bytes that a step takes, about: the larger of those of the network's gradient on a batch and of
 * the metanetwork's, whose layers each keep numbers of every edge.
 *
 * @param example one input of the network; only its shape matters
 */
export function metaTrainingBytes(
  model: Layer,
  example: Tensor,
  {
    batchSize = 500,
    dimension = 16,
    layers = 3,
  }: Pick<MetanetworkOptions, 'dimension' | 'layers'> & { readonly batchSize?: number } = {},
): number {
  const { activationBytes } = cost((x) => model.forward(x, inference), [example], parameters(model));
  const { nodes, edges } = networkGraph(model, example);
  const sizeOf = (set: number) => nodes[set]?.size ?? 0;
  const count = edges.reduce((sum, { from, to, pairs }) => sum + sizeOf(to) * (pairs === 'all' ? sizeOf(from) : 1), 0);
  const metanetwork = (PER_LAYER * layers + REST) * count * dimension * Float32Array.BYTES_PER_ELEMENT;
  return Math.max(MAPS * batchSize * activationBytes, metanetwork);
}
