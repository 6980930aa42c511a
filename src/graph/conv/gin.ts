// GIN (Xu, Hu, Leskovec, Jegelka, "How Powerful are Graph Neural Networks?", ICLR 2019).

import { BatchNorm1d, Dropout, type Features, Linear, type Mode, parameter } from '../../nn/index.js';
import { type Segments, SparseMatrix, segmentSum, spmm } from '../../sparse/index.js';
import type { Graph } from '../../structure/index.js';
import { add, concatenate, matmul, multiply, type Random, relu, type Tensor, zeros } from '../../tensor/index.js';
import type { StackOptions } from './gcn.js';
import type { GraphModule } from './propagate.js';

/**
 * h'_v = MLP((1 + ε)·h_v + Σ_{u ∈ N(v)} h_u) with a learned ε that starts at 0 and MLP = linear →
 * batch norm → ReLU → linear.
 */
export class GINConv implements GraphModule {
  /** ε [1]. */
  epsilon: Tensor = parameter(zeros([1]));
  /** First linear layer of the MLP. */
  readonly inner: Linear;
  /** Batch norm of the MLP; none with `batchNorm: false`. */
  readonly norm: BatchNorm1d | undefined;
  /** Second linear layer of the MLP. */
  readonly outer: Linear;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { batchNorm = true }: { readonly batchNorm?: boolean } = {},
  ) {
    this.inner = new Linear(inFeatures, outFeatures, random);
    if (batchNorm) this.norm = new BatchNorm1d(outFeatures);
    this.outer = new Linear(outFeatures, outFeatures, random);
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    // The first linear map commutes with the sum and is applied before it, so sparse features are
    // never made dense.
    const projected =
      x instanceof SparseMatrix
        ? spmm(x, this.inner.weight, { transposeX: true })
        : matmul(x, this.inner.weight, { transposeB: true });
    const summed = add(multiply(projected, add(this.epsilon, 1)), spmm(graph.adjacency, projected));
    const hidden = add(summed, this.inner.bias as Tensor);
    return this.outer.forward(relu(this.norm ? this.norm.forward(hidden, mode) : hidden));
  }
}

/** Layout of GIN. */
export interface GINOptions extends StackOptions {
  /** Batch norm in every layer. Default: true. */
  readonly batchNorm?: boolean;
}

/**
 * Convolutions with ReLU after each. Node logits come from the features of the last layer
 * (`level: 'node'`); graph logits from the features of all layers, summed over the nodes of each
 * graph and concatenated (`level: 'graph'`, the default).
 */
export class GIN implements GraphModule {
  /** The convolutions. */
  readonly layers: readonly GINConv[];
  /** Classifier of nodes or graphs. */
  readonly head: Linear;
  readonly #dropout: Dropout;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    {
      layers = 5,
      hidden = 64,
      dropout = 0.5,
      batchNorm = true,
      level = 'graph',
    }: GINOptions & { readonly level?: 'node' | 'graph' } = {},
  ) {
    this.layers = Array.from(
      { length: layers },
      (_, l) => new GINConv(l === 0 ? inFeatures : hidden, hidden, random.split(l), { batchNorm }),
    );
    this.head = new Linear(level === 'graph' ? layers * hidden : hidden, outFeatures, random.split('head'));
    this.#dropout = new Dropout(dropout);
  }

  /** Node features [n, hidden] after each layer. */
  hidden(x: Features, graph: Graph, mode: Mode): Tensor[] {
    const outputs: Tensor[] = [];
    for (const layer of this.layers) outputs.push(relu(layer.forward(outputs.at(-1) ?? x, graph, mode)));
    return outputs;
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    return this.head.forward(this.#dropout.forward(this.hidden(x, graph, mode).at(-1) as Tensor, mode));
  }

  /**
   * Logits [graphs, out] of each graph of a batch, for a network of level 'graph'.
   *
   * @param graph disjoint union of the graphs, the nodes of one graph after those of another
   * @param graphs node range of each graph
   */
  classifyGraphs(x: Features, graph: Graph, graphs: Segments, mode: Mode): Tensor {
    const sums = this.hidden(x, graph, mode).map((features) => segmentSum(features, graphs));
    return this.head.forward(this.#dropout.forward(concatenate(sums, 1), mode));
  }
}
