// Two-layer hypergraph networks: the teachers and baselines of this family.

import { Dropout, type Features, type Mode, rowsOf } from '../nn/index.js';
import { type Hypergraph, memo, type Restricted, restrict } from '../structure/index.js';
import { type Random, relu, type Tensor } from '../tensor/index.js';
import {
  CliqueGATConv,
  CliqueGCNConv,
  HGNNConv,
  HGNNPlusConv,
  HNHNConv,
  type HypergraphConv,
  LinearConv,
  UniGCNConv,
} from './conv/index.js';

/** Convolutions of `HypergraphNetwork`; gcn and gat work on the clique expansion. */
export const networkKinds = ['hgnn', 'hgnnp', 'hnhn', 'unigcn', 'gcn', 'gat'] as const;
/** Convolution of a `HypergraphNetwork`. */
export type NetworkKind = (typeof networkKinds)[number];

const convolutions: Readonly<
  Record<NetworkKind, (inFeatures: number, outFeatures: number, random: Random) => HypergraphConv>
> = {
  hgnn: (i, o, random) => new HGNNConv(i, o, random),
  hgnnp: (i, o, random) => new HGNNPlusConv(i, o, random),
  hnhn: (i, o, random) => new HNHNConv(i, o, random),
  unigcn: (i, o, random) => new UniGCNConv(i, o, random),
  gcn: (i, o, random) => new CliqueGCNConv(i, o, random),
  gat: (i, o, random) => new CliqueGATConv(i, o, random),
};

/** Regularisation, and treatment of isolated vertices. */
export interface HypergraphNetworkOptions {
  /** Dropout probability of the hidden layer. Default: 0.5. */
  readonly dropout?: number;
  /**
   * A vertex in no hyperedge is given a hyperedge of its own ('selfLoop') or receives zeros from
   * propagation ('zero'). Default: 'selfLoop'.
   */
  readonly isolated?: 'selfLoop' | 'zero';
}

/**
 * Two convolutions with ReLU and dropout between them: the teacher, and the hypergraph baselines.
 */
export class HypergraphNetwork {
  /** Hidden convolution. */
  readonly first: HypergraphConv;
  /** Output convolution, to the classes. */
  readonly second: HypergraphConv;
  /** Treatment of isolated vertices. */
  readonly isolated: 'selfLoop' | 'zero';
  readonly #dropout: Dropout;

  constructor(
    readonly kind: NetworkKind,
    inFeatures: number,
    hidden: number,
    classes: number,
    random: Random,
    { dropout = 0.5, isolated = 'selfLoop' }: HypergraphNetworkOptions = {},
  ) {
    this.first = convolutions[kind](inFeatures, hidden, random.split('first'));
    this.second = convolutions[kind](hidden, classes, random.split('second'));
    this.#dropout = new Dropout(dropout);
    this.isolated = isolated;
  }

  /**
   * The hypergraph that the layers propagate over: with self-loops at isolated vertices, unless
   * `isolated` is 'zero'.
   */
  structure(hypergraph: Hypergraph): Hypergraph {
    return this.isolated === 'zero' ? hypergraph : memo(hypergraph, 'withSelfLoops', () => hypergraph.withSelfLoops());
  }

  /** x [N, in] → logits [N, classes]. */
  forward(x: Features, hypergraph: Hypergraph, mode: Mode): Tensor {
    return this.second.forward(this.#dropout.forward(this.hidden(x, hypergraph), mode), this.structure(hypergraph));
  }

  /** Embeddings after the first layer: [N, hidden]. */
  hidden(x: Features, hypergraph: Hypergraph): Tensor {
    return relu(this.first.forward(x, this.structure(hypergraph)));
  }
}

/**
 * The operators of both layers restricted to what a few vertices depend on.
 *
 * @throws Error for networks whose layers are not linear operators (hnhn, gat)
 */
export function receptiveField(
  network: HypergraphNetwork,
  hypergraph: Hypergraph,
  vertices: Int32Array,
): { readonly early: Restricted; readonly last: Restricted } {
  const { first, second } = network;
  if (!(first instanceof LinearConv && second instanceof LinearConv)) {
    throw new Error('classifyVertices: the network needs the whole hypergraph; call forward');
  }
  const whole = network.structure(hypergraph);
  const last = restrict(second.operators(whole), vertices);
  return { early: restrict(first.operators(whole), last.sources), last };
}

/**
 * Logits of a few vertices, computed from their neighbourhood alone: gathers the vertices within
 * reach of the two layers and evaluates the network on them. Equal to the corresponding rows of
 * `forward`; this is the cost of classifying vertices on demand with a network that needs the
 * hypergraph.
 *
 * @param features [N, in]
 * @returns [vertices, classes]
 * @throws Error for networks whose layers are not linear operators (hnhn, gat)
 */
export function classifyVertices(
  network: HypergraphNetwork,
  features: Features,
  hypergraph: Hypergraph,
  vertices: Int32Array,
): Tensor {
  const { early, last } = receptiveField(network, hypergraph, vertices);
  const reached = rowsOf(features, early.sources);
  const hidden = relu((network.first as LinearConv).propagate(reached, early.operators));
  return (network.second as LinearConv).propagate(hidden, last.operators);
}
