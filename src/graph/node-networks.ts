// The networks that classify the nodes of a person's own graph, by name: how each is built from a
// few options, and what it can read.

import { APPNP, GAT, GCN, GCNII, GIN, GraphSAGE, gcniiDecay, JKNet } from './conv/index.js';
import { fixedWeights, HopNetwork, hopWeightings } from './decoupled/index.js';
import { DGMLP } from './dgmlp.js';
import { directedNetworks } from './directed-graphs.js';
import type { NodeNetwork } from './network-layout.js';
import { hopWeights, smoothness } from './smoothing.js';
import { firstLayer, NodeMLP } from './training.js';

/** Operators that are symmetric know no directions. */
const symmetric = { directions: false, weights: true };
/** Sums or means over the nodes that edges lead to. */
const oneWay = { directions: true, weights: true };
/** Attention over the nodes that edges lead to. */
const attention = { directions: true, weights: false };

/** All networks. */
export const nodeNetworks = {
  dgmlp: {
    title: 'DGMLP',
    reads: symmetric,
    create: (i, o, random, layout) => new DGMLP(i, o, random, layout),
    hops: (features, graph, { steps = 20, temperature }) => hopWeights(smoothness(features, graph, steps), temperature),
  },
  gcn: {
    title: 'GCN',
    reads: symmetric,
    create: (i, o, random, { depth, ...layout }) => new GCN(i, o, random, { ...layout, ...layers(depth) }),
    decay: (decay) => firstLayer('layers.0', decay),
  },
  sgc: {
    title: 'SGC',
    reads: symmetric,
    create: (i, o, random, { steps = 2 }) =>
      new HopNetwork(i, o, fixedWeights(hopWeightings.last(steps)), random, { dropout: 0 }),
    hops: (_features, _graph, { steps = 2 }) => hopWeightings.last(steps),
  },
  sage: {
    title: 'GraphSAGE',
    reads: oneWay,
    create: (i, o, random, { depth, ...layout }) => new GraphSAGE(i, o, random, { ...layout, ...layers(depth) }),
  },
  gat: {
    title: 'GAT',
    reads: attention,
    create: (i, o, random, layout) => new GAT(i, o, random, layout),
  },
  gatv2: {
    title: 'GATv2',
    reads: attention,
    create: (i, o, random, layout) => new GAT(i, o, random, { ...layout, version: 2 }),
  },
  appnp: {
    title: 'APPNP',
    reads: symmetric,
    create: (i, o, random, layout) => new APPNP(i, o, random, layout),
    decay: (decay) => firstLayer('first', decay),
  },
  jknet: {
    title: 'JK-Net',
    reads: symmetric,
    create: (i, o, random, { depth, ...layout }) => new JKNet(i, o, random, { ...layout, ...layers(depth) }),
  },
  gcnii: {
    title: 'GCNII',
    reads: symmetric,
    create: (i, o, random, { depth, ...layout }) => new GCNII(i, o, random, { ...layout, ...layers(depth) }),
    // The published ratio of convolutions and linear layers.
    decay: (decay) => (name) => (gcniiDecay(name) / gcniiDecay('input')) * decay,
  },
  gin: {
    title: 'GIN',
    reads: oneWay,
    create: (i, o, random, { depth, ...layout }) =>
      new GIN(i, o, random, { ...layout, ...layers(depth), level: 'node' }),
  },
  mlp: {
    title: 'MLP',
    reads: { directions: true, weights: true },
    create: (i, o, random, layout) => new NodeMLP(i, o, random, layout),
  },
  ...directedNetworks,
} as const satisfies Readonly<Record<string, NodeNetwork>>;

/** Key of `nodeNetworks`. */
export type NetworkName = keyof typeof nodeNetworks;

const layers = (depth: number | undefined) => (depth === undefined ? {} : { layers: depth });

/**
 * @throws Error where the network would not read what the edges say, naming those that do
 */
export function requireReadable(name: NetworkName, directed: boolean): void {
  if (!directed || nodeNetworks[name].reads.directions) return;
  const others = Object.entries(nodeNetworks).filter(([own, { reads }]) => own !== 'mlp' && reads.directions);
  throw new Error(
    `${name} propagates both ways along each edge; directed edges are for ${others.map(([own]) => own).join(', ')}`,
  );
}
