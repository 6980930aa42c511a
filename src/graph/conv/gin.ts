// GIN (Xu, Hu, Leskovec, Jegelka, "How Powerful are Graph Neural Networks?", ICLR 2019).

import { BatchNorm1d, Dropout, type Features, Linear, type Mode, parameter } from '../../nn/index.js';
import { type Segments, SparseMatrix, segmentSum, spmm } from '../../sparse/index.js';
import type { Graph } from '../../structure/index.js';
import { add, concatenate, matmul, multiply, type Random, relu, type Tensor, zeros } from '../../tensor/index.js';
import type { StackOptions } from './gcn.js';
import type { GraphModule } from './propagate.js';

/** h'_v = MLP((1 + ε)·h_v + Σ_{u ∈ N(v)} h_u) with a learnt ε from 0 and MLP = linear → batch norm → ReLU → linear. */
export class GINConv implements GraphModule {
  epsilon: Tensor = parameter(zeros([1]));
  readonly inner: Linear;
  readonly norm: BatchNorm1d | undefined;
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
    // The first linear map comes before the sum, which it commutes with: sparse features stay sparse.
    const projected =
      x instanceof SparseMatrix
        ? spmm(x, this.inner.weight, { transposeX: true })
        : matmul(x, this.inner.weight, { transposeB: true });
    const summed = add(multiply(projected, add(this.epsilon, 1)), spmm(graph.adjacency, projected));
    const hidden = add(summed, this.inner.bias as Tensor);
    return this.outer.forward(relu(this.norm ? this.norm.forward(hidden, mode) : hidden));
  }
}

export interface GINOptions extends StackOptions {
  readonly batchNorm?: boolean;
}

/** Layers with ReLU after each; node logits from the last, or graph logits from the sums of all layers' nodes, side by side. */
export class GIN implements GraphModule {
  readonly layers: readonly GINConv[];
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

  /** Features after each layer. */
  hidden(x: Features, graph: Graph, mode: Mode): Tensor[] {
    const outputs: Tensor[] = [];
    for (const layer of this.layers) outputs.push(relu(layer.forward(outputs.at(-1) ?? x, graph, mode)));
    return outputs;
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    return this.head.forward(this.#dropout.forward(this.hidden(x, graph, mode).at(-1) as Tensor, mode));
  }

  /** Logits of each graph of a batch, whose nodes stand one graph after another. */
  classifyGraphs(x: Features, graph: Graph, graphs: Segments, mode: Mode): Tensor {
    const sums = this.hidden(x, graph, mode).map((features) => segmentSum(features, graphs));
    return this.head.forward(this.#dropout.forward(concatenate(sums, 1), mode));
  }
}
