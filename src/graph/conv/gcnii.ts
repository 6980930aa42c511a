// GCNII (Chen, Wei, Huang, Ding, Li, "Simple and Deep Graph Convolutional Networks", ICML 2020).

import { Dropout, dropFeatures, type Features, Linear, type Mode, parameter } from '../../nn/index.js';
import { spmm } from '../../sparse/index.js';
import { type Graph, graphOperator } from '../../structure/index.js';
import { add, eye, matmul, multiply, type Random, relu, type Tensor } from '../../tensor/index.js';
import type { StackOptions } from './gcn.js';
import type { GraphModule } from './propagate.js';

/** Layout of GCNII. */
export interface GCNIIOptions extends StackOptions {
  /** α: share of H⁰ in every layer. Default: 0.1. */
  readonly alpha?: number;
  /** λ of β_l = ln(λ/l + 1). Default: 0.5. */
  readonly lambda?: number;
  /** GCNII*: separate weights for ÂH and for H⁰. Default: false. */
  readonly separate?: boolean;
}

/**
 * H^l = ReLU(((1 − α)·Â·H^{l−1} + α·H⁰)·((1 − β_l)·I + β_l·W_l)) with β_l = ln(λ/l + 1), between an
 * input and an output linear layer; dropout before each layer.
 */
export class GCNII implements GraphModule {
  /** Linear layer to H⁰. */
  readonly input: Linear;
  /** W_l of each layer, [hidden, hidden]. */
  readonly weights: Tensor[];
  /** Weights for H⁰ of each layer, [hidden, hidden]; empty unless `separate`. */
  readonly initialWeights: Tensor[];
  /** Classifier. */
  readonly output: Linear;
  readonly #alpha: number;
  readonly #lambda: number;
  readonly #dropout: Dropout;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { layers = 64, hidden = 64, dropout = 0.6, alpha = 0.1, lambda = 0.5, separate = false }: GCNIIOptions = {},
  ) {
    const bound = 1 / Math.sqrt(hidden);
    const draw = () => parameter(random.uniform([hidden, hidden], -bound, bound));
    this.input = new Linear(inFeatures, hidden, random);
    this.weights = Array.from({ length: layers }, draw);
    this.initialWeights = separate ? Array.from({ length: layers }, draw) : [];
    this.output = new Linear(hidden, outFeatures, random);
    this.#alpha = alpha;
    this.#lambda = lambda;
    this.#dropout = new Dropout(dropout);
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    const operator = graphOperator(graph);
    const first = this.input.forward(dropFeatures(x, this.#dropout.p, mode), 'relu');
    const initial = multiply(first, this.#alpha);
    const identity = eye(first.shape[1] as number);
    const last = this.weights.reduce((h, weight, l) => {
      const beta = Math.log(this.#lambda / (l + 1) + 1);
      const mapping = (own: Tensor) => add(multiply(identity, 1 - beta), multiply(own, beta));
      const smooth = multiply(spmm(operator, this.#dropout.forward(h, mode)), 1 - this.#alpha);
      const initialWeight = this.initialWeights[l];
      return initialWeight
        ? relu(add(matmul(smooth, mapping(weight)), matmul(initial, mapping(initialWeight))))
        : relu(matmul(add(smooth, initial), mapping(weight)));
    }, first);
    return this.output.forward(this.#dropout.forward(last, mode));
  }
}

/**
 * The published weight decay by parameter name: 0.01 on the convolutions, 5e-4 on the linear
 * layers.
 */
export function gcniiDecay(name: string): number {
  return name.startsWith('weights') || name.startsWith('initialWeights') ? 0.01 : 5e-4;
}
