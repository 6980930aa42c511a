// What networks of nodes that go by a name have in common.

import type { AdamOptions, Features } from '../nn/index.js';
import type { Graph } from '../structure/index.js';
import type { Random } from '../tensor/index.js';
import type { GraphModule } from './conv/index.js';
import type { HopWeights } from './hops.js';

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
  /** Teleport probability, weight of the first layer, or weight of out-neighbours. */
  readonly alpha?: number;
  /** Temperature of the weights of hops. */
  readonly temperature?: number;
  /** q of the magnetic Laplacian. */
  readonly q?: number;
  /** Order of spectral filters. */
  readonly order?: number;
  /** Walks from each node. */
  readonly walks?: number;
  /** Steps of a walk. */
  readonly length?: number;
  /** How the outputs of layers are joined. */
  readonly jump?: 'max' | 'concatenate' | 'none';
  /** Whether rows of each layer's output are scaled to length 1. */
  readonly normalizeRows?: 'no' | 'yes';
  /** Whether the weight of out-neighbours is learned. */
  readonly learnAlpha?: 'no' | 'yes';
  /** Number of nodes, for networks that know nodes by their place. */
  readonly nodes?: number;
}

/** A network by name. */
export interface NodeNetwork {
  /** Name for people. */
  readonly title: string;
  /** What it does with edges: their direction, and their weights. */
  readonly reads: { readonly directions: boolean; readonly weights: boolean };
  /** Whether edges have a direction unless a person says otherwise. Default: false. */
  readonly directed?: boolean;
  /**
   * Whether it can know nodes by their place, and then answers for their graph alone. Default:
   * false.
   */
  readonly placed?: boolean;
  /** Builds it with freshly drawn weights. */
  readonly create: (inFeatures: number, classes: number, random: Random, layout: NetworkLayout) => GraphModule;
  /**
   * Builds what heads on pairs of nodes read, with its width, where it is not outputs as many as a
   * head likes.
   */
  readonly represent?: (
    inFeatures: number,
    random: Random,
    layout: NetworkLayout,
  ) => { readonly network: GraphModule; readonly width: number };
  /** The parameters that weight decay is for. Default: all alike. */
  readonly decay?: (weightDecay: number) => AdamOptions['weightDecay'];
  /**
   * Of networks on combined hops: the weights of the hops, by which training and answers need not
   * hold the combined features of all nodes.
   */
  readonly hops?: (features: Features, graph: Graph, layout: NetworkLayout) => HopWeights;
}
