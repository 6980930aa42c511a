// DGCN (Tong, Liang, Sun, Rosenblum, Lim, "Directed Graph Convolutional Network", 2020, arXiv
// 2004.13970): one transformation, propagated over edges and over both second-order proximities.
//
//   Θ = X·W,  H' = ReLU([Â_F·Θ ‖ Â_in·Θ ‖ Â_out·Θ] + b)
//   A_F = A ∪ Aᵀ,  A_in = Aᵀ·D_out⁻¹·A,  A_out = A·D_in⁻¹·Aᵀ, each with self-loops as in GCN

import { Dropout, type Features, Linear, type Mode, parameter } from '../../nn/index.js';
import { SparseMatrix, spmm } from '../../sparse/index.js';
import { type Graph, graphOperator, secondOrder } from '../../structure/index.js';
import { add, concatenate, matmul, type Random, relu, type Tensor, zeros } from '../../tensor/index.js';
import type { GraphModule } from './propagate.js';

/** [Â_F·Θ ‖ Â_in·Θ ‖ Â_out·Θ] + b with Θ = X·W: x [n, in] → [n, 3·out]. */
export class DGCNConv implements GraphModule {
  /** W, without bias. */
  readonly linear: Linear;
  /** b [3·out]. */
  bias: Tensor;

  constructor(inFeatures: number, outFeatures: number, random: Random) {
    this.linear = new Linear(inFeatures, outFeatures, random, { bias: false });
    this.bias = parameter(zeros([3 * outFeatures]));
  }

  forward(x: Features, graph: Graph): Tensor {
    const { coTargets, coSources } = secondOrder(graph);
    const { weight } = this.linear;
    const theta =
      x instanceof SparseMatrix ? spmm(x, weight, { transposeX: true }) : matmul(x, weight, { transposeB: true });
    const operators = [graphOperator(graph.undirected()), coTargets, coSources];
    return add(
      concatenate(
        operators.map((operator) => spmm(operator, theta)),
        1,
      ),
      this.bias,
    );
  }
}

/** Layout of DGCN. */
export interface DGCNOptions {
  /** Number of layers. Default: 2. */
  readonly layers?: number;
  /** Width of each of the three propagations. Default: 32. */
  readonly hidden?: number;
  /** Dropout probability before the classifier. Default: 0.5. */
  readonly dropout?: number;
}

/**
 * Layers with ReLU, then a linear classifier.
 *
 * **Shapes**: x [n, inFeatures] → logits [n, outFeatures].
 *
 * @throws RangeError where a second-order proximity would have too many elements
 */
export class DGCN implements GraphModule {
  /** The convolutions. */
  readonly layers: readonly DGCNConv[];
  /** Classifier. */
  readonly head: Linear;
  readonly #dropout: Dropout;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { layers = 2, hidden = 32, dropout = 0.5 }: DGCNOptions = {},
  ) {
    this.layers = Array.from(
      { length: layers },
      (_, l) => new DGCNConv(l === 0 ? inFeatures : 3 * hidden, hidden, random.split(l)),
    );
    this.head = new Linear(3 * hidden, outFeatures, random.split('head'));
    this.#dropout = new Dropout(dropout);
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    const h = this.layers.reduce<Features>((features, layer) => relu(layer.forward(features, graph)), x);
    return this.head.forward(this.#dropout.forward(h as Tensor, mode));
  }
}
