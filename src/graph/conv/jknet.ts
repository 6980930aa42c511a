// JK-Net (Xu et al., "Representation Learning on Graphs with Jumping Knowledge Networks", ICML
// 2018).

import { dropFeatures, type Features, Linear, type Mode } from '../../nn/index.js';
import type { Graph } from '../../structure/index.js';
import { concatenate, maximum, type Random, relu, type Tensor } from '../../tensor/index.js';
import { GCNConv, type StackOptions } from './gcn.js';
import type { GraphModule } from './propagate.js';

/** Layout of JK-Net. */
export interface JKNetOptions extends StackOptions {
  /**
   * How the outputs of the layers are aggregated: concatenated or by their elementwise maximum.
   * Default: 'concatenate'.
   */
  readonly join?: 'concatenate' | 'max';
}

/** GCN layers with ReLU and a linear classifier on the aggregated outputs of all layers. */
export class JKNet implements GraphModule {
  /** The convolutions. */
  readonly layers: readonly GCNConv[];
  /** Classifier of the aggregated outputs. */
  readonly head: Linear;
  readonly #join: 'concatenate' | 'max';
  readonly #dropout: number;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { layers = 2, hidden = 32, dropout = 0.5, join = 'concatenate' }: JKNetOptions = {},
  ) {
    this.layers = Array.from(
      { length: layers },
      (_, l) => new GCNConv(l === 0 ? inFeatures : hidden, hidden, random.split(l)),
    );
    this.head = new Linear(join === 'max' ? hidden : layers * hidden, outFeatures, random.split('head'), {
      init: 'xavier',
    });
    this.#join = join;
    this.#dropout = dropout;
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    const outputs: Tensor[] = [];
    for (const layer of this.layers)
      outputs.push(relu(layer.forward(dropFeatures(outputs.at(-1) ?? x, this.#dropout, mode), graph)));
    return this.head.forward(this.#join === 'max' ? outputs.reduce((a, b) => maximum(a, b)) : concatenate(outputs, 1));
  }
}
