// Baselines of edge-dependent node classification: vertex features alone, vertex features with
// ranks, and hypergraph convolution.

import { dropFeatures, type Features, Linear, MLP, type Mode } from '../../nn/index.js';
import { spmm } from '../../sparse/index.js';
import { add, concatenate, gatherKnownRows, type Random, relu, type Tensor } from '../../tensor/index.js';
import { HGNNConv } from '../conv/index.js';
import type { CoNHDInput } from './network.js';

/** A perceptron on [x_v ‖ positions] of every incidence. */
export class IncidenceMLP {
  /** Two hidden layers and a classifier. */
  readonly mlp: MLP;

  /**
   * @param options hidden width (default 64), dropout probability (default 0.3) and width of the
   * positional encoding (default 0: not used)
   */
  constructor(inFeatures: number, classes: number, random: Random, { hidden = 64, dropout = 0.3, positions = 0 } = {}) {
    this.mlp = new MLP([inFeatures + positions, hidden, hidden, classes], random, { dropout });
    this.#positions = positions > 0;
  }

  readonly #positions: boolean;

  /** Logits of each incidence: [nnz, classes]. Vertex features must be dense. */
  forward({ features, incidences, positions }: CoNHDInput, mode: Mode): Tensor {
    const vertices = gatherKnownRows(features as Tensor, incidences.byVertex.ids);
    return this.mlp.forward(this.#positions && positions ? concatenate([vertices, positions], 1) : vertices, mode);
  }
}

/** Two HGNN layers and a linear classifier of [h_v ‖ mean of h over the members of e]. */
export class IncidenceHGNN {
  /** First convolution. */
  readonly first: HGNNConv;
  /** Second convolution. */
  readonly second: HGNNConv;
  /** Classifier weights of h_v, with the bias. */
  readonly vertex: Linear;
  /** Classifier weights of the mean over e. */
  readonly hyperedge: Linear;
  readonly #dropout: number;

  /** @param options hidden width (default 64) and dropout probability (default 0.3) */
  constructor(inFeatures: number, classes: number, random: Random, { hidden = 64, dropout = 0.3 } = {}) {
    this.first = new HGNNConv(inFeatures, hidden, random.split('first'));
    this.second = new HGNNConv(hidden, hidden, random.split('second'));
    this.vertex = new Linear(hidden, classes, random.split('vertex'));
    this.hyperedge = new Linear(hidden, classes, random.split('hyperedge'), { bias: false });
    this.#dropout = dropout;
  }

  /** Logits of each incidence: [nnz, classes]. */
  forward({ features, incidences }: CoNHDInput, mode: Mode): Tensor {
    const drop = (x: Features) => dropFeatures(x, this.#dropout, mode);
    const { hypergraph, byHyperedge, byVertex } = incidences;
    const h = relu(this.second.forward(drop(relu(this.first.forward(drop(features), hypergraph))), hypergraph));
    const members = gatherKnownRows(h, byVertex.ids);
    const means = spmm(byHyperedge.means, members);
    return add(this.vertex.forward(members), gatherKnownRows(this.hyperedge.forward(means), byHyperedge.ids));
  }
}
