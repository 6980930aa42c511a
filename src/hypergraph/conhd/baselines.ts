// Baselines of edge-dependent node classification: vertex features with or without ranks, and
// networks with one vector for each vertex and each hyperedge, classified by [x_e ‖ x_v].

import { Dropout, dropFeatures, Linear, MLP, type Mode } from '../../nn/index.js';
import { spmm } from '../../sparse/index.js';
import type { Hypergraph } from '../../structure/index.js';
import { add, concatenate, gatherKnownRows, type Random, relu, scope, type Tensor, zeros } from '../../tensor/index.js';
import { AllSetTransformerConv, EDHNNConv, HGNNConv, HNHNConv, UniGCNII, WhatsNetConv } from '../conv/index.js';
import { askedRows, type IncidenceInput, type IncidenceNetwork } from './incidence-network.js';

/** A perceptron on [x_v ‖ positions] of every incidence. */
export class IncidenceMLP implements IncidenceNetwork {
  readonly reach = 0;
  /** Hidden layers and a classifier. */
  readonly mlp: MLP;
  readonly #positions: boolean;

  /**
   * @param options hidden width (default 64), hidden layers (default 2), dropout probability
   * (default 0.3) and width of the positional encoding (default 0: not used)
   */
  constructor(
    inFeatures: number,
    classes: number,
    random: Random,
    { hidden = 64, layers = 2, dropout = 0.3, positions = 0 } = {},
  ) {
    const widths = Array.from({ length: layers }, () => hidden);
    this.mlp = new MLP([inFeatures + positions, ...widths, classes], random, { dropout });
    this.#positions = positions > 0;
  }

  /** Logits [nnz, classes], of a batch [asked, classes]. Vertex features must be dense. */
  forward({ features, incidences, positions, asked }: IncidenceInput, mode: Mode): Tensor {
    const vertices = gatherKnownRows(features as Tensor, incidences.byVertex.ids);
    const read = this.#positions && positions ? concatenate([vertices, positions], 1) : vertices;
    return this.mlp.forward(askedRows(read, asked), mode);
  }
}

/** Hidden layers of a network on vertices. x [N, hidden] → [N, hidden]. */
interface VertexLayers {
  forward(x: Tensor, hypergraph: Hypergraph, mode: Mode): Tensor;
}

/** Layers one after the other, each with ReLU and dropout. */
class Stacked implements VertexLayers {
  constructor(
    readonly layers: readonly VertexLayers[],
    readonly dropout: Dropout,
  ) {}

  forward(x: Tensor, hypergraph: Hypergraph, mode: Mode): Tensor {
    return this.layers.reduce(
      (y, layer) => scope(() => this.dropout.forward(relu(layer.forward(y, hypergraph, mode)), mode)),
      x,
    );
  }
}

/** ED-HNN layers, which share the input x⁰. */
class EquivariantLayers implements VertexLayers {
  constructor(
    readonly layers: readonly EDHNNConv[],
    readonly dropout: Dropout,
  ) {}

  forward(x: Tensor, hypergraph: Hypergraph, mode: Mode): Tensor {
    return this.layers.reduce(
      (y, layer) => scope(() => this.dropout.forward(relu(layer.forward(y, hypergraph, x, mode)), mode)),
      x,
    );
  }
}

type LayersOf = (hidden: number, layers: number, dropout: number, random: Random) => VertexLayers;

const stacked =
  (layer: (hidden: number, random: Random, dropout: number) => VertexLayers): LayersOf =>
  (hidden, layers, dropout, random) =>
    new Stacked(
      Array.from({ length: layers }, (_, i) => layer(hidden, random.split(i), dropout)),
      new Dropout(dropout),
    );

const vertexLayers = {
  hgnn: stacked((d, random) => new HGNNConv(d, d, random)),
  hnhn: stacked((d, random) => new HNHNConv(d, d, random)),
  unigcnii: (d, layers, dropout, random) => new UniGCNII(d, d, d, random, { layers, dropout }),
  allset: stacked((d, random, dropout) => new AllSetTransformerConv(d, d, random, { dropout })),
  edhnn: (d, layers, dropout, random) =>
    new EquivariantLayers(
      Array.from({ length: layers }, (_, i) => new EDHNNConv(d, random.split(i), { aggregate: 'mean', degree: 'log' })),
      new Dropout(dropout),
    ),
} as const satisfies Readonly<Record<string, LayersOf>>;

/** Networks on vertices that `VertexIncidenceNetwork` knows. */
export type VertexLayersName = keyof typeof vertexLayers;

/** Layout of the networks with a vector for each vertex and each hyperedge. */
export interface VertexIncidenceOptions {
  /** Hidden width. Default: 64. */
  readonly hidden?: number;
  /** Hypergraph layers. Default: 2. */
  readonly layers?: number;
  /** Dropout probability. Default: 0.3. */
  readonly dropout?: number;
  /** Width of the positional encoding that is read too; 0 uses none. Default: 0. */
  readonly positions?: number;
}

/** Linear classifier of [x_e ‖ x_v ‖ positions] at each incidence. */
class PairScorer {
  readonly vertex: Linear;
  readonly hyperedge: Linear;
  readonly position: Linear | undefined;

  constructor(hidden: number, classes: number, positions: number, random: Random) {
    this.vertex = new Linear(hidden, classes, random.split('vertex'));
    this.hyperedge = new Linear(hidden, classes, random.split('hyperedge'), { bias: false });
    if (positions > 0) this.position = new Linear(positions, classes, random.split('position'), { bias: false });
  }

  forward(vertices: Tensor, hyperedges: Tensor, { incidences, positions, asked }: IncidenceInput): Tensor {
    const { byVertex, byHyperedge } = incidences;
    const ofVertex = gatherKnownRows(this.vertex.forward(vertices), byVertex.ids);
    const ofHyperedge = gatherKnownRows(this.hyperedge.forward(hyperedges), byHyperedge.ids);
    const logits = add(ofVertex, ofHyperedge);
    return askedRows(this.position && positions ? add(logits, this.position.forward(positions)) : logits, asked);
  }
}

/** Linear → ReLU, hypergraph layers on vertices, x_e as the mean of x_v over members, scorer. */
export class VertexIncidenceNetwork implements IncidenceNetwork {
  readonly reach: number;
  /** Linear layer of vertex features, before ReLU. */
  readonly input: Linear;
  /** Hypergraph layers. */
  readonly layers: VertexLayers;
  /** Classifier of incidences. */
  readonly scorer: PairScorer;
  readonly #dropout: number;

  constructor(
    readonly kind: VertexLayersName,
    inFeatures: number,
    classes: number,
    random: Random,
    { hidden = 64, layers = 2, dropout = 0.3, positions = 0 }: VertexIncidenceOptions = {},
  ) {
    this.reach = 2 * layers;
    this.input = new Linear(inFeatures, hidden, random.split('input'));
    this.layers = vertexLayers[kind](hidden, layers, dropout, random.split('layers'));
    this.scorer = new PairScorer(hidden, classes, positions, random.split('scorer'));
    this.#dropout = dropout;
  }

  forward(input: IncidenceInput, mode: Mode): Tensor {
    const { features, incidences } = input;
    const { hypergraph, byHyperedge, byVertex } = incidences;
    const x = this.input.forward(features, 'relu');
    const vertices = this.layers.forward(dropFeatures(x, this.#dropout, mode) as Tensor, hypergraph, mode);
    const hyperedges = scope(() => spmm(byHyperedge.means, gatherKnownRows(vertices, byVertex.ids)));
    return this.scorer.forward(vertices, hyperedges, input);
  }
}

/** WHATsNet with the same classifier; x_e starts at 0. */
export class WhatsNet implements IncidenceNetwork {
  readonly reach: number;
  /** Linear layer of vertex features. */
  readonly input: Linear;
  /** Layers, each of weights of its own. */
  readonly layers: readonly WhatsNetConv[];
  /** Classifier of incidences. */
  readonly scorer: PairScorer;
  readonly #hidden: number;

  /** @throws Error when the hidden width does not divide into four heads */
  constructor(
    inFeatures: number,
    classes: number,
    random: Random,
    { hidden = 64, layers = 2, dropout = 0.3, positions = 0 }: VertexIncidenceOptions = {},
  ) {
    this.reach = 2 * layers;
    this.#hidden = hidden;
    this.input = new Linear(inFeatures, hidden, random.split('input'));
    this.layers = Array.from(
      { length: layers },
      (_, i) => new WhatsNetConv(hidden, random.split(i), { positions, dropout }),
    );
    this.scorer = new PairScorer(hidden, classes, 0, random.split('scorer'));
  }

  forward(input: IncidenceInput, mode: Mode): Tensor {
    const { features, incidences, positions } = input;
    const start = {
      vertices: this.input.forward(features),
      hyperedges: zeros([incidences.hyperedgeCount, this.#hidden]),
    };
    const { vertices, hyperedges } = this.layers.reduce(
      (state, layer) => scope(() => layer.forward(state, incidences, positions, mode)),
      start,
    );
    return this.scorer.forward(vertices, hyperedges, input);
  }
}
