// Deep graph networks for the classes of nodes, with HyperDrop in training against over-smoothing.

import { BatchNorm1d, Dropout, dropFeatures, type Features, type Mode } from '../../nn/index.js';
import type { GraphCollection } from '../../structure/index.js';
import { clip, type Random, relu, type Tensor } from '../../tensor/index.js';
import { DualConv } from '../conv/dual.js';
import { WeightedGCNConv, weightedOperator } from '../conv/weighted-gcn.js';
import { HyperDrop } from '../pool/index.js';
import { endpointFeatures } from './inputs.js';

/** Layout of a `DeepNodeNetwork`. */
export interface DeepNodeOptions {
  /** Number of convolutions. Default: 6. */
  readonly layers?: number;
  /** Width of the layers. Default: 32. */
  readonly hidden?: number;
  /** Width of the edges' layers. Default: 16. */
  readonly edgeHidden?: number;
  /**
   * Share of edges that each drop keeps in training; undefined for no drops. Default: undefined.
   */
  readonly ratio?: number | undefined;
  /** Whether batch norm follows each hidden layer. Default: false. */
  readonly batchNorm?: boolean;
  /** Dropout probability before each layer. Default: 0.5. */
  readonly dropout?: number;
}

/** GCN layers; with a ratio, edges are dropped after layers 2, 6, 10, … */
export class DeepNodeNetwork {
  /** The convolutions. */
  readonly layers: readonly WeightedGCNConv[];
  /** Convolutions of edges before each drop. */
  readonly edgeConvs: readonly DualConv[];
  /** The drops. */
  readonly drops: readonly HyperDrop[];
  /** Batch norms of the hidden layers; empty without. */
  readonly norms: readonly BatchNorm1d[];
  readonly #dropout: Dropout;

  constructor(
    inFeatures: number,
    classes: number,
    random: Random,
    { layers = 6, hidden = 32, edgeHidden = 16, ratio, batchNorm = false, dropout = 0.5 }: DeepNodeOptions = {},
  ) {
    const widths = [inFeatures, ...new Array<number>(layers - 1).fill(hidden), classes];
    this.layers = widths.slice(1).map((width, l) => new WeightedGCNConv(widths[l] as number, width, random.split(l)));
    const places = ratio === undefined ? [] : widths.slice(2).flatMap((_, l) => (isDrop(l) ? [l] : []));
    const own = (l: number) => random.split('drop').split(l);
    this.edgeConvs = places.map(
      (l, i) => new DualConv(i === 0 ? 2 * hidden : edgeHidden, edgeHidden, own(l).split('conv')),
    );
    this.drops = places.map((l) => new HyperDrop(edgeHidden, ratio as number, own(l)));
    this.norms = batchNorm ? widths.slice(2).map(() => new BatchNorm1d(hidden)) : [];
    this.#dropout = new Dropout(dropout);
  }

  /** Node features [n, in] of one graph → logits [n, classes]. */
  forward(x: Features, graph: GraphCollection, mode: Mode): Tensor {
    return this.#run(x, graph, mode).logits;
  }

  /** Node features [n, hidden] after the last hidden layer: what over-smoothing is measured on. */
  hidden(x: Features, graph: GraphCollection, mode: Mode): Tensor {
    return this.#run(x, graph, mode).hidden;
  }

  #run(x: Features, graph: GraphCollection, mode: Mode): { logits: Tensor; hidden: Tensor } {
    let graphs = graph;
    let edges: Tensor | undefined;
    let weights: Tensor | undefined;
    let hidden: Tensor | undefined;
    let drop = 0;
    for (const [l, layer] of this.layers.entries()) {
      const input = hidden ? this.#dropout.forward(hidden, mode) : dropFeatures(x, this.#dropout.p, mode);
      const y = layer.forward(input, weightedOperator(graphs, weights));
      if (l + 1 === this.layers.length) return { logits: y, hidden: hidden ?? y };
      hidden = relu(this.norms[l]?.forward(y, mode) ?? y);
      const [conv, pool] = [this.edgeConvs[drop], this.drops[drop]];
      if (!(isDrop(l) && conv && pool)) {
        if (l === 0 && this.drops.length > 0) edges = endpointFeatures(hidden, graphs);
        continue;
      }
      drop += 1;
      const passed = relu(conv.forward(edges ?? endpointFeatures(hidden, graphs), graphs));
      if (mode.training) ({ graphs, edges, weights } = pool.forward(passed, graphs));
      else {
        edges = passed;
        weights = clip(pool.scores(passed, graphs), 1e-4, 1);
      }
    }
    throw new Error('DeepNodeNetwork: there are no layers');
  }
}

/** Whether a drop follows the layer of a number, from 0. */
function isDrop(layer: number): boolean {
  return layer % 4 === 1;
}
