// GCN (Kipf & Welling, "Semi-Supervised Classification with Graph Convolutional Networks", ICLR 2017).

import { dropFeatures, type Features, Linear, type Mode } from '../../nn/index.js';
import { type Graph, graphOperator } from '../../structure/index.js';
import { type Random, relu, type Tensor } from '../../tensor/index.js';
import { type GraphModule, propagateLinear } from './propagate.js';

/** H' = Â·H·W + b with Â = D̃^{-1/2}(A + I)D̃^{-1/2}; Glorot weights, b from 0. */
export class GCNConv implements GraphModule {
  readonly linear: Linear;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { bias = true }: { readonly bias?: boolean } = {},
  ) {
    this.linear = new Linear(inFeatures, outFeatures, random, { bias, init: 'xavier' });
  }

  forward(x: Features, graph: Graph): Tensor {
    return propagateLinear(graphOperator(graph), x, this.linear);
  }
}

export interface StackOptions {
  readonly layers?: number;
  readonly hidden?: number;
  readonly dropout?: number;
}

/** Convolutions with dropout before and ReLU after each but the last. @param inFeatures width of x; `outFeatures` classes. */
export class GCN implements GraphModule {
  readonly layers: readonly GCNConv[];
  readonly #dropout: number;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { layers = 2, hidden = 16, dropout = 0.5 }: StackOptions = {},
  ) {
    const widths = [inFeatures, ...new Array<number>(layers - 1).fill(hidden), outFeatures];
    this.layers = widths.slice(1).map((width, l) => new GCNConv(widths[l] as number, width, random.split(l)));
    this.#dropout = dropout;
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    return this.layers.reduce<Features>((features, layer, l) => {
      const y = layer.forward(dropFeatures(features, this.#dropout, mode), graph);
      return l + 1 < this.layers.length ? relu(y) : y;
    }, x) as Tensor;
  }
}
