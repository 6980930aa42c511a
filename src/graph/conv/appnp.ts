// APPNP (Klicpera, Bojchevski, Günnemann, "Predict then Propagate: Graph Neural Networks meet
// Personalized PageRank", ICLR 2019).

import { Dropout, dropFeatures, type Features, Linear, type Mode, randomOf } from '../../nn/index.js';
import { SparseMatrix, spmm } from '../../sparse/index.js';
import { type Graph, graphOperator } from '../../structure/index.js';
import { add, dropout, multiply, type Random, type Tensor } from '../../tensor/index.js';
import type { GraphModule } from './propagate.js';

/** Layout of APPNP. */
export interface APPNPOptions {
  /** Hidden width. Default: 64. */
  readonly hidden?: number;
  /** Dropout probability of features, hidden layer and the elements of Â. Default: 0.5. */
  readonly dropout?: number;
  /** K: propagation steps. Default: 10. */
  readonly steps?: number;
  /** α: teleport probability. Default: 0.1. */
  readonly alpha?: number;
}

/**
 * Z^{k+1} = (1 − α)·Â·Z^k + α·H from Z⁰ = H: K power-iteration steps towards personalised PageRank
 * of H.
 *
 * @param h H [n, d]
 * @param operator called once for each step, so that Â may differ between steps (dropout)
 * @returns Z^K [n, d]
 */
export function propagatePageRank(h: Tensor, operator: () => SparseMatrix, steps: number, alpha: number): Tensor {
  const teleport = multiply(h, alpha);
  let z = h;
  for (let k = 0; k < steps; k++) z = add(multiply(spmm(operator(), z), 1 - alpha), teleport);
  return z;
}

/**
 * H = W₂·ReLU(W₁·X), then `propagatePageRank`; dropout of X, of the hidden layer and, drawn again
 * in every step, of the elements of Â.
 */
export class APPNP implements GraphModule {
  /** W₁, without bias. */
  readonly first: Linear;
  /** W₂, without bias. */
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
