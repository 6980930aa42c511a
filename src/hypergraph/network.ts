// Two-layer hypergraph networks: the teachers and baselines of this family.

import { Dropout, type Features, type Mode, rowsOf } from '../nn/index.js';
import { type Hypergraph, memo, restrict } from '../structure/index.js';
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

/** Networks by their convolution; gcn and gat work on the clique expansion. */
export const networkKinds = ['hgnn', 'hgnnp', 'hnhn', 'unigcn', 'gcn', 'gat'] as const;
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

export interface HypergraphNetworkOptions {
  readonly dropout?: number;
  /** What a vertex in no hyperedge sees: itself, through a hyperedge of its own, or nothing (its row propagates to zeros). */
  readonly isolated?: 'selfLoop' | 'zero';
}

/** Two convolutions with ReLU and dropout between them: the teacher, and the hypergraph baselines. */
export class HypergraphNetwork {
  readonly first: HypergraphConv;
  readonly second: HypergraphConv;
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

  /** The hypergraph that the layers work on: with self-loops for isolated vertices, unless told otherwise. */
  structure(hypergraph: Hypergraph): Hypergraph {
    return this.isolated === 'zero' ? hypergraph : memo(hypergraph, 'withSelfLoops', () => hypergraph.withSelfLoops());
  }

  /** Logits [N, classes]. */
  forward(x: Features, hypergraph: Hypergraph, mode: Mode): Tensor {
    return this.second.forward(this.#dropout.forward(this.hidden(x, hypergraph), mode), this.structure(hypergraph));
  }

  /** Embeddings after the first layer [N, hidden]. */
  hidden(x: Features, hypergraph: Hypergraph): Tensor {
    return relu(this.first.forward(x, this.structure(hypergraph)));
  }
}

/**
 * Logits of a few vertices, from their neighbourhood alone: fetches the vertices that the network's layers reach from them and computes there. Equal to the rows of
 * `forward`, and what it costs to classify vertices on demand with a network that needs the hypergraph.
 *
 * @throws Error for networks whose layers are not linear operators (hnhn, gat).
 */
export function classifyVertices(
  network: HypergraphNetwork,
  features: Features,
  hypergraph: Hypergraph,
  vertices: Int32Array,
): Tensor {
  const { first, second } = network;
  if (!(first instanceof LinearConv && second instanceof LinearConv)) {
    throw new Error('classifyVertices: the network needs the whole hypergraph; call forward');
  }
  const structure = network.structure(hypergraph);
  const last = restrict(second.operators(structure), vertices);
  const early = restrict(first.operators(structure), last.sources);
  const reached = rowsOf(features, early.sources);
  return second.propagate(relu(first.propagate(reached, early.operators)), last.operators);
}
