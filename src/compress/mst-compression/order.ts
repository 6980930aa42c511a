// The trees of a network's binary layers.

import { binaryLayers } from '../../nn/index.js';
import { type ChannelTree, type SignRows, spanningTree, type TreeMeasures, treeMeasures } from '../binary/index.js';

/** The tree of a layer, and what it saves. */
export interface LayerTree extends TreeMeasures {
  /** Name of the layer. */
  readonly layer: string;
  /** The tree of its channels. */
  readonly tree: ChannelTree;
}

/** Options of `orderChannels`. */
export interface OrderOptions {
  /** Most edges between a channel and the root; `auto`: the least of the minimum trees. */
  readonly depth?: number | 'auto';
  /** Whether a channel may be computed from the negative of another one. Default: false. */
  readonly signs?: boolean;
}

/**
 * Names the binary layers.
 *
 * @throws Error for a network without binary layers, or with one of a single channel
 */
export function requireSeveralChannels(operation: string, model: object): void {
  const layers = Object.entries(binaryLayers(model));
  if (layers.length === 0)
    throw new Error(`${operation}: the network has no binary layers; train one with --model binary-net`);
  for (const [name, { outChannels }] of layers) requireChannels(operation, name, outChannels);
}

/** @throws Error for a layer of one channel */
export function requireChannels(operation: string, layer: string, channels: number): void {
  if (channels < 2)
    throw new Error(
      `${operation}: layer ${layer} has one output channel, and a tree needs at least two; leave it out or keep it real`,
    );
}

/**
 * Orders the channels of all binary layers along minimum spanning trees of their signs, in place:
 * the network computes the same on planes of bits, with fewer operations.
 *
 * @throws Error for a network without binary layers, or with one of a single channel
 */
export function orderChannels(model: object, { depth = 'auto', signs = false }: OrderOptions = {}): LayerTree[] {
  requireSeveralChannels('orderChannels', model);
  return Object.entries(binaryLayers(model)).map(([layer, { weight, parents }]) => {
    const channels = weight.shape[0] as number;
    const rows: SignRows = { values: weight.view(), channels, length: weight.size / channels };
    const tree = spanningTree(rows, { signs, ...(depth !== 'auto' && { depth }) });
    parents.assign(Float32Array.from(tree.codes));
    return { layer, tree, ...treeMeasures(rows, tree) };
  });
}
