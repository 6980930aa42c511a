// Baselines of edge-dependent classification: what vertices alone, vertices with their ranks, and hypergraph convolution can tell.

import { dropFeatures, type Features, Linear, MLP, type Mode } from '../../nn/index.js';
import { spmm } from '../../sparse/index.js';
import { add, concatenate, gatherKnownRows, type Random, relu, type Tensor } from '../../tensor/index.js';
import { HGNNConv } from '../conv/index.js';
import type { CoNHDInput } from './network.js';

/** A perceptron on [x_v ‖ positions]. */
export class IncidenceMLP {
  readonly mlp: MLP;

  constructor(inFeatures: number, classes: number, random: Random, { hidden = 64, dropout = 0.3, positions = 0 } = {}) {
    this.mlp = new MLP([inFeatures + positions, hidden, hidden, classes], random, { dropout });
    this.#positions = positions > 0;
  }

  readonly #positions: boolean;

  forward({ features, incidences, positions }: CoNHDInput, mode: Mode): Tensor {
    const own = gatherKnownRows(features as Tensor, incidences.byVertex.ids);
    return this.mlp.forward(this.#positions && positions ? concatenate([own, positions], 1) : own, mode);
  }
}

/** Two HGNN layers and a linear scorer of [h_v ‖ mean of e's h]. */
export class IncidenceHGNN {
  readonly first: HGNNConv;
  readonly second: HGNNConv;
  readonly vertex: Linear;
  readonly hyperedge: Linear;
  readonly #dropout: number;

  constructor(inFeatures: number, classes: number, random: Random, { hidden = 64, dropout = 0.3 } = {}) {
    this.first = new HGNNConv(inFeatures, hidden, random.split('first'));
    this.second = new HGNNConv(hidden, hidden, random.split('second'));
    this.vertex = new Linear(hidden, classes, random.split('vertex'));
    this.hyperedge = new Linear(hidden, classes, random.split('hyperedge'), { bias: false });
    this.#dropout = dropout;
  }

  forward({ features, incidences }: CoNHDInput, mode: Mode): Tensor {
    const drop = (x: Features) => dropFeatures(x, this.#dropout, mode);
    const { hypergraph, byHyperedge, byVertex } = incidences;
    const h = relu(this.second.forward(drop(relu(this.first.forward(drop(features), hypergraph))), hypergraph));
    const members = gatherKnownRows(h, byVertex.ids);
    const means = spmm(byHyperedge.means, members);
    return add(this.vertex.forward(members), gatherKnownRows(this.hyperedge.forward(means), byHyperedge.ids));
  }
}
