// The transformation of decoupled networks: a perceptron of any depth with skip connections (Zhang
// et al., "Evaluating Deep Graph Neural Networks", 2021).
//
//   h^{l+1} = σ(h^l W^l) + h^l

import { BatchNorm1d, Dropout, Linear, type Mode, parameter } from '../nn/index.js';
import { add, concatenate, type Random, relu, type Tensor } from '../tensor/index.js';

/** Layout of a `ResidualMLP`. */
export interface ResidualMLPOptions {
  /** D_t: number of linear layers, including the classifier. Default: 1. */
  readonly depth?: number;
  /** Hidden width. Default: 64. */
  readonly hidden?: number;
  /** Dropout probability of the input of each layer. Default: 0.5 (0.2 in `DGMLP`). */
  readonly dropout?: number;
  /**
   * How a layer's input joins its output: added, concatenated or not at all. Default: 'residual'.
   */
  readonly skip?: 'residual' | 'dense' | 'none';
}

/** A linear layer with weights from U(−1/√out, 1/√out), as the released code draws them. */
function wideLinear(inFeatures: number, outFeatures: number, random: Random, bias: boolean): Linear {
  const linear = new Linear(inFeatures, outFeatures, random, { bias, init: 'xavier' });
  const bound = 1 / Math.sqrt(outFeatures);
  linear.weight = parameter(random.uniform([outFeatures, inFeatures], -bound, bound));
  return linear;
}

/**
 * Layers of linear → batch norm → ReLU, joined with their inputs from the second on, and a linear
 * classifier; depth 1 is the classifier alone. Dropout before each.
 */
export class ResidualMLP {
  /** Hidden layers. */
  readonly layers: readonly Linear[];
  /** Batch norm of each hidden layer. */
  readonly norms: readonly BatchNorm1d[];
  /** The classifier. */
  readonly head: Linear;
  readonly #dropout: Dropout;
  readonly #skip: Required<ResidualMLPOptions>['skip'];

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { depth = 1, hidden = 64, dropout = 0.5, skip = 'residual' }: ResidualMLPOptions = {},
  ) {
    const widths = Array.from({ length: depth - 1 }, (_, l) =>
      l === 0 ? inFeatures : skip === 'dense' ? hidden * l : hidden,
    );
    this.layers = widths.map((width, l) => wideLinear(width, hidden, random.split(l), false));
    this.norms = widths.map(() => new BatchNorm1d(hidden));
    const last = depth === 1 ? inFeatures : skip === 'dense' ? hidden * (depth - 1) : hidden;
    this.head = wideLinear(last, outFeatures, random.split('head'), true);
    this.#dropout = new Dropout(dropout);
    this.#skip = skip;
  }

  /** The linear layer that reads x: the classifier where there is no other. */
  get first(): Linear {
    return this.layers[0] ?? this.head;
  }

  /** x [n, in] → logits [n, out]. */
  forward(x: Tensor, mode: Mode): Tensor {
    return this.afterFirst(this.first.forward(this.#dropout.forward(x, mode)), mode);
  }

  /** The output of `first` → logits [n, out]. */
  afterFirst(first: Tensor, mode: Mode): Tensor {
    if (this.layers.length === 0) return first;
    let h = relu((this.norms[0] as BatchNorm1d).forward(first, mode));
    this.layers.slice(1).forEach((layer, l) => {
      const norm = this.norms[l + 1] as BatchNorm1d;
      const y = relu(norm.forward(layer.forward(this.#dropout.forward(h, mode)), mode));
      if (this.#skip === 'dense') h = concatenate([h, y], 1);
      else h = this.#skip === 'residual' ? add(y, h) : y;
    });
    return this.head.forward(this.#dropout.forward(h, mode));
  }
}
