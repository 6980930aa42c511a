// Checks of the graphs and files that models of nodes are asked about.

import type { AttributedGraph } from '../data/index.js';
import { nodeNetworks } from './node-networks.js';

/** @throws Error naming a network that this version does not have */
export function requireNetwork(network: string, file: string): void {
  if (!Object.hasOwn(nodeNetworks, network))
    throw new Error(`file "${file}" is a model of an unknown network "${network}"`);
}

/**
 * @param places names of the nodes that a model knows by their place
 * @throws Error unless the graph has the same nodes in the same order
 */
export function requirePlaces(places: readonly string[] | undefined, { name, nodeNames }: AttributedGraph): void {
  if (!places) return;
  const other = nodeNames.findIndex((node, v) => node !== places[v]);
  if (other < 0 && nodeNames.length === places.length) return;
  throw new Error(
    `"${name}" has ${other < 0 ? `${nodeNames.length} nodes` : `node "${nodeNames[other]}" at place ${other + 1}`}, the ` +
      `model knows its ${places.length} nodes by their place in adjacency lists; train with --set adjacency=no to answer ` +
      'for other nodes',
  );
}
