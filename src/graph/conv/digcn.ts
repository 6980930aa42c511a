// DiGCN (Tong, Liang, Sun, Li, Rosenblum, Lim, "Digraph Inception Convolutional Networks", NeurIPS
// 2020): convolutions with the symmetric operator of personalised PageRank, and inception blocks
// that sum neighbourhoods of order 0, 1 and 2.

import { Dropout, type Features, Linear, type Mode } from '../../nn/index.js';
import type { SparseMatrix } from '../../sparse/index.js';
import { type Graph, meetingOperator, pageRankOperator } from '../../structure/index.js';
import { add, type Random, relu, type Tensor } from '../../tensor/index.js';
import { type GraphModule, propagateLinear } from './propagate.js';

/** Â·(X·W) + b: x [n, in] → [n, out]. */
export class DiGCNConv {
  /** W and b. */
  readonly linear: Linear;

  constructor(inFeatures: number, outFeatures: number, random: Random) {
    this.linear = new Linear(inFeatures, outFeatures, random, { init: 'xavier' });
  }

  /** @param operator Â [n, n] */
  forward(x: Features, operator: SparseMatrix): Tensor {
    return propagateLinear(operator, x, this.linear);
  }
}

/** Linear(X) + Â·X·W₁ + Â⁽²⁾·X·W₂, each with its bias, each dropped out before the sum. */
export class InceptionBlock {
  /** Order 0: the node's own features. */
  readonly own: Linear;
  /** Order 1, over Â. */
  readonly first: DiGCNConv;
  /** Order 2, over Â⁽²⁾. */
  readonly second: DiGCNConv;

  constructor(inFeatures: number, outFeatures: number, random: Random) {
    this.own = new Linear(inFeatures, outFeatures, random.split('own'));
    this.first = new DiGCNConv(inFeatures, outFeatures, random.split(1));
    this.second = new DiGCNConv(inFeatures, outFeatures, random.split(2));
  }

  /** @param operators Â and Â⁽²⁾ */
  forward(x: Features, [first, second]: readonly [SparseMatrix, SparseMatrix], drop: (y: Tensor) => Tensor): Tensor {
    const orders = [this.own.forward(x), this.first.forward(x, first), this.second.forward(x, second)];
    return orders.map(drop).reduce((sum, y) => add(sum, y));
  }
}

/** Layout of DiGCN. */
export interface DiGCNOptions {
  /** Hidden width. Default: 64; with inception blocks 32. */
  readonly hidden?: number;
  /** Dropout probability. Default: 0.5; with inception blocks 0.6. */
  readonly dropout?: number;
  /** α, the probability of a teleport in PageRank. Default: 0.1. */
  readonly alpha?: number;
}

/**
 * Two convolutions on Â with ReLU and dropout between.
 *
 * **Shapes**: x [n, inFeatures] → logits [n, outFeatures].
 */
export class DiGCN implements GraphModule {
  /** Hidden layer. */
  readonly first: DiGCNConv;
  /** Classifier. */
  readonly second: DiGCNConv;
  readonly #alpha: number;
  readonly #dropout: Dropout;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { hidden = 64, dropout = 0.5, alpha = 0.1 }: DiGCNOptions = {},
  ) {
    this.first = new DiGCNConv(inFeatures, hidden, random.split(0));
    this.second = new DiGCNConv(hidden, outFeatures, random.split(1));
    this.#alpha = alpha;
    this.#dropout = new Dropout(dropout);
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    const operator = pageRankOperator(graph, this.#alpha);
    return this.second.forward(this.#dropout.forward(relu(this.first.forward(x, operator)), mode), operator);
  }
}

/**
 * Three inception blocks with dropout between, and no other nonlinearity, as released.
 *
 * **Shapes**: x [n, inFeatures] → logits [n, outFeatures].
 *
 * @throws RangeError where Â⁽²⁾ would have too many elements
 */
export class DiGCNInception implements GraphModule {
  /** The blocks; the last gives the logits. */
  readonly blocks: readonly InceptionBlock[];
  readonly #alpha: number;
  readonly #dropout: Dropout;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { hidden = 32, dropout = 0.6, alpha = 0.1 }: DiGCNOptions = {},
  ) {
    const widths = [inFeatures, hidden, hidden, outFeatures];
    this.blocks = widths.slice(1).map((width, b) => new InceptionBlock(widths[b] as number, width, random.split(b)));
    this.#alpha = alpha;
    this.#dropout = new Dropout(dropout);
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    const operators = [pageRankOperator(graph, this.#alpha), meetingOperator(graph)] as const;
    const drop = (y: Tensor) => this.#dropout.forward(y, mode);
    return this.blocks.reduce<Features>((features, block, b) => {
      const y = block.forward(features, operators, drop);
      return b + 1 < this.blocks.length ? drop(y) : y;
    }, x) as Tensor;
  }
}
