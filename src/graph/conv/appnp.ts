// APPNP (Klicpera, Bojchevski, Günnemann, "Predict then Propagate: Graph Neural Networks meet Personalized PageRank", ICLR 2019).

import { Dropout, dropFeatures, type Features, Linear, type Mode, randomOf } from '../../nn/index.js';
import { SparseMatrix, spmm } from '../../sparse/index.js';
import { type Graph, graphOperator } from '../../structure/index.js';
import { add, dropout, multiply, type Random, type Tensor } from '../../tensor/index.js';
import type { GraphModule } from './propagate.js';

export interface APPNPOptions {
  readonly hidden?: number;
  readonly dropout?: number;
  /** K. */
  readonly steps?: number;
  /** Teleport probability α. */
  readonly alpha?: number;
}

/** Z^{k+1} = (1 − α)·Â·Z^k + α·H from Z⁰ = H: K steps towards personalised PageRank of H. `operator` may differ in every step. */
export function propagatePageRank(h: Tensor, operator: () => SparseMatrix, steps: number, alpha: number): Tensor {
  const teleport = multiply(h, alpha);
  let z = h;
  for (let k = 0; k < steps; k++) z = add(multiply(spmm(operator(), z), 1 - alpha), teleport);
  return z;
}

/** H = W₂·ReLU(W₁·X), then propagation; dropout of X, of the hidden layer and, anew in every step, of the elements of Â. */
export class APPNP implements GraphModule {
  readonly first: Linear;
  readonly second: Linear;
  readonly #options: Required<APPNPOptions>;
  readonly #dropout: Dropout;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { hidden = 64, dropout = 0.5, steps = 10, alpha = 0.1 }: APPNPOptions = {},
  ) {
    this.first = new Linear(inFeatures, hidden, random, { init: 'xavier', bias: false });
    this.second = new Linear(hidden, outFeatures, random, { init: 'xavier', bias: false });
    this.#options = { hidden, dropout, steps, alpha };
    this.#dropout = new Dropout(dropout);
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    const { dropout: p, steps, alpha } = this.#options;
    const hidden = this.first.forward(dropFeatures(x, p, mode), 'relu');
    const h = this.second.forward(this.#dropout.forward(hidden, mode));
    const operator = graphOperator(graph);
    const next = () =>
      mode.training && p > 0
        ? new SparseMatrix(operator.pattern, dropout(operator.values as Tensor, p, randomOf(mode, 'APPNP').next()))
        : operator;
    return propagatePageRank(h, next, steps, alpha);
  }
}
