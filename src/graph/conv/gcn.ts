// GCN (Kipf & Welling, "Semi-Supervised Classification with Graph Convolutional Networks", ICLR
// 2017).

import { dropFeatures, type Features, Linear, type Mode } from '../../nn/index.js';
import { type Graph, graphOperator } from '../../structure/index.js';
import { type Random, relu, type Tensor } from '../../tensor/index.js';
import { type GraphModule, propagateLinear } from './propagate.js';

/**
 * H' = Â·H·W + b with Â = D̃^{-1/2}(A + I)D̃^{-1/2}. W starts from Glorot-uniform values, b from 0.
 */
export class GCNConv implements GraphModule {
  /** W [out, in] and b [out]. */
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

/** Layout of a stack of convolutions. */
export interface StackOptions {
  /** Number of layers. Default: 2 for GCN, GraphSAGE and JK-Net, 5 for GIN, 64 for GCNII. */
  readonly layers?: number;
  /** Hidden width. Default: 16 for GCN, 32 for JK-Net, 64 for GraphSAGE, GIN and GCNII. */
  readonly hidden?: number;
  /**
   * Dropout probability of the input of each layer (GIN: of the input of its classifier). Default:
   * 0.5; 0.6 for GCNII.
   */
  readonly dropout?: number;
}

/** Convolutions with dropout before each and ReLU between them; the last gives the logits. */
export class GCN implements GraphModule {
  /** The convolutions. */
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
