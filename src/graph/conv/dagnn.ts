// DAGNN (Liu, Gao, Ji, "Towards Deeper Graph Neural Networks", KDD 2020).

import { Dropout, dropFeatures, type Features, Linear, type Mode } from '../../nn/index.js';
import { spmm } from '../../sparse/index.js';
import { type Graph, graphOperator } from '../../structure/index.js';
import { add, multiply, type Random, sigmoid, type Tensor } from '../../tensor/index.js';
import type { GraphModule } from './propagate.js';

/** Layout of DAGNN. */
export interface DAGNNOptions {
  /** Hidden width. Default: 64. */
  readonly hidden?: number;
  /** Dropout probability of features and hidden layer. Default: 0.5. */
  readonly dropout?: number;
  /** K: propagation steps. Default: 10. */
  readonly steps?: number;
}

/**
 * Transform first: H = W₂·ReLU(W₁·X), then H' = Σ_{k=0..K} σ(h^k·s + b)·h^k with h^k = Âᵏ·H, where
 * each node retains of each hop as much as the learned projection s says.
 *
 * **Shapes**: x [n, inFeatures] → logits [n, outFeatures].
 *
 * @see Liu, Gao, Ji, "Towards Deeper Graph Neural Networks", KDD 2020
 */
export class DAGNN implements GraphModule {
  /** W₁. */
  readonly first: Linear;
  /** W₂. */
  readonly second: Linear;
  /** s and b. */
  readonly retain: Linear;
  readonly #steps: number;
  readonly #dropout: Dropout;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { hidden = 64, dropout = 0.5, steps = 10 }: DAGNNOptions = {},
  ) {
    this.first = new Linear(inFeatures, hidden, random.split('first'));
    this.second = new Linear(hidden, outFeatures, random.split('second'));
    this.retain = new Linear(outFeatures, 1, random.split('retain'));
    this.#steps = steps;
    this.#dropout = new Dropout(dropout);
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    const hidden = this.first.forward(dropFeatures(x, this.#dropout.p, mode), 'relu');
    const operator = graphOperator(graph);
    const retained = (hop: Tensor) => multiply(sigmoid(this.retain.forward(hop)), hop);
    let hop = this.second.forward(this.#dropout.forward(hidden, mode));
    let total = retained(hop);
    for (let k = 1; k <= this.#steps; k++) {
      hop = spmm(operator, hop);
      total = add(total, retained(hop));
    }
    return total;
  }
}
