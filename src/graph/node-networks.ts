// The networks that classify the nodes of a person's own graph, by name: how each is built from a
// few options, and what it can read.

import type { AdamOptions, Features } from '../nn/index.js';
import type { Graph } from '../structure/index.js';
import type { Random } from '../tensor/index.js';
import { APPNP, GAT, GCN, GCNII, GIN, type GraphModule, GraphSAGE, gcniiDecay, JKNet } from './conv/index.js';
import { fixedWeights, HopNetwork, hopWeightings } from './decoupled.js';
import { DGMLP } from './dgmlp.js';
import type { HopWeights } from './hops.js';
import { hopWeights, smoothness } from './smoothing.js';
import { firstLayer, NodeMLP } from './training.js';

/** Options of a network; each reads those that it has. */
export interface NetworkLayout {
  /** Propagations. */
  readonly steps?: number;
  /** Layers. */
  readonly depth?: number;
  /** Hidden width. */
  readonly hidden?: number;
  /** Dropout probability. */
  readonly dropout?: number;
  /** Attention heads. */
  readonly heads?: number;
  /** Teleport probability, or weight of the first layer. */
  readonly alpha?: number;
  /** Temperature of the weights of hops. */
  readonly temperature?: number;
}

/** A network by name. */
export interface NodeNetwork {
  /** Name for people. */
  readonly title: string;
  /** What it does with edges: their direction, and their weights. */
  readonly reads: { readonly directions: boolean; readonly weights: boolean };
  /** Builds it with freshly drawn weights. */
  readonly create: (inFeatures: number, classes: number, random: Random, layout: NetworkLayout) => GraphModule;
  /** The parameters that weight decay is for. Default: all alike. */
  readonly decay?: (weightDecay: number) => AdamOptions['weightDecay'];
  /**
   * Of networks on combined hops: the weights of the hops, by which training and answers need not
   * hold the combined features of all nodes.
   */
  readonly hops?: (features: Features, graph: Graph, layout: NetworkLayout) => HopWeights;
}

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
