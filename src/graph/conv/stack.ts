// Stacks of convolutions with jumping knowledge: the skeleton that directed networks and their
// symmetrised baselines share (Rossi et al., LoG 2023; Xu et al., ICML 2018).

import { Dropout, type Features, Linear, type Mode } from '../../nn/index.js';
import type { Graph } from '../../structure/index.js';
import { concatenate, maximum, normalizeRows, type Random, relu, type Tensor } from '../../tensor/index.js';
import type { GraphModule } from './propagate.js';

/** How a stack joins its layers. */
export interface JumpingOptions {
  /** Number of layers. Default: 2. */
  readonly layers?: number;
  /** Hidden width. Default: 64. */
  readonly hidden?: number;
  /** Dropout probability after each ReLU. Default: 0.5. */
  readonly dropout?: number;
  /**
   * What the classifier reads: the elementwise maximum of the outputs of all layers, their
   * concatenation, or none, where the last layer gives the logits. Default: 'max'.
   */
  readonly jump?: 'max' | 'concatenate' | 'none';
  /** Whether each row of a layer's output is scaled to length 1. Default: false. */
  readonly normalize?: boolean;
}

/** Builds a convolution with freshly drawn weights. */
export type CreateLayer = (inFeatures: number, outFeatures: number, random: Random) => GraphModule;

/**
 * Layers of convolution → ReLU → dropout → row normalisation, and a linear classifier on their
 * joined outputs.
 *
 * **Shapes**: x [n, inFeatures] → logits [n, outFeatures].
 */
export class JumpingStack implements GraphModule {
  /** The convolutions. */
  readonly layers: readonly GraphModule[];
  /** Classifier of the joined outputs; none where the last layer gives the logits. */
  readonly head: Linear | undefined;
  readonly #options: Required<JumpingOptions>;
  readonly #dropout: Dropout;

  constructor(
    inFeatures: number,
    outFeatures: number,
    createLayer: CreateLayer,
    random: Random,
    { layers = 2, hidden = 64, dropout = 0.5, jump = 'max', normalize = false }: JumpingOptions = {},
  ) {
    const last = jump === 'none' ? outFeatures : hidden;
    this.layers = Array.from({ length: layers }, (_, l) =>
      createLayer(l === 0 ? inFeatures : hidden, l + 1 < layers ? hidden : last, random.split(l)),
    );
    if (jump !== 'none')
      this.head = new Linear(jump === 'max' ? hidden : layers * hidden, outFeatures, random.split('head'));
    this.#options = { layers, hidden, dropout, jump, normalize };
    this.#dropout = new Dropout(dropout);
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    const outputs: Tensor[] = [];
    this.layers.forEach((layer, l) => {
      const y = layer.forward(outputs.at(-1) ?? x, graph, mode);
      if (!this.head && l + 1 === this.layers.length) {
        outputs.push(y);
        return;
      }
      const dropped = this.#dropout.forward(relu(y), mode);
      outputs.push(this.#options.normalize ? normalizeRows(dropped) : dropped);
    });
    if (!this.head) return outputs.at(-1) as Tensor;
    const joined = this.#options.jump === 'max' ? outputs.reduce((a, b) => maximum(a, b)) : concatenate(outputs, 1);
    return this.head.forward(joined);
  }
}

/** A network that reads the underlying undirected graph: every arc goes both ways. */
export class Symmetrised implements GraphModule {
  constructor(readonly network: GraphModule) {}

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    return this.network.forward(x, graph.undirected(), mode);
  }
}
