// GraphSAGE (Hamilton, Ying, Leskovec, "Inductive Representation Learning on Large Graphs", NeurIPS
// 2017).

import { dropFeatures, type Features, Linear, type Mode } from '../../nn/index.js';
import { segmentMax } from '../../sparse/index.js';
import { type Graph, graphOperator } from '../../structure/index.js';
import { add, gatherKnownRows, normalizeRows, type Random, relu, type Tensor } from '../../tensor/index.js';
import type { StackOptions } from './gcn.js';
import { type GraphModule, propagateLinear } from './propagate.js';

/** How features of neighbours are aggregated; `max` pools learned projections of them. */
export type Aggregator = 'mean' | 'sum' | 'max';

/** Layout of a GraphSAGE layer. */
export interface SAGEOptions {
  /** Aggregation over neighbours. Default: 'mean'. */
  readonly aggregator?: Aggregator;
  /** Scale each row of the result to length 1. Default: false. */
  readonly normalize?: boolean;
}

/**
 * h'_v = W₁h_v + W₂·agg_{u ∈ N(v)} h_u + b; an empty neighbourhood gives 0. `max` aggregates
 * ReLU(W_p h_u + b_p).
 */
export class SAGEConv implements GraphModule {
  /** W₁ and b, for the node's own features. */
  readonly own: Linear;
  /** W₂, without bias. */
  readonly neighbours: Linear;
  /** W_p and b_p of the `max` aggregator. */
  readonly pool: Linear | undefined;
  readonly #options: Required<SAGEOptions>;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { aggregator = 'mean', normalize = false }: SAGEOptions = {},
  ) {
    this.own = new Linear(inFeatures, outFeatures, random, { init: 'xavier' });
    this.neighbours = new Linear(inFeatures, outFeatures, random, { init: 'xavier', bias: false });
    if (aggregator === 'max') this.pool = new Linear(inFeatures, inFeatures, random, { init: 'xavier' });
    this.#options = { aggregator, normalize };
  }

  forward(x: Features, graph: Graph): Tensor {
    const y = add(this.own.forward(x), this.#aggregate(x, graph));
    return this.#options.normalize ? normalizeRows(y) : y;
  }

  #aggregate(x: Features, graph: Graph): Tensor {
    if (this.pool) {
      const pooled = this.pool.forward(x, 'relu');
      const pattern = graph.successors;
      return this.neighbours.forward(segmentMax(gatherKnownRows(pooled, pattern.indexTensor), pattern.segments));
    }
    const means = this.#options.aggregator === 'mean';
    const operator = means ? graphOperator(graph, { exponent: 0, selfLoops: false }) : graph.adjacency;
    return propagateLinear(operator, x, this.neighbours);
  }
}

/** Convolutions with dropout before each and ReLU between them; the last gives the logits. */
export class GraphSAGE implements GraphModule {
  /** The convolutions. */
  readonly layers: readonly SAGEConv[];
  readonly #dropout: number;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { layers = 2, hidden = 64, dropout = 0.5, ...options }: StackOptions & SAGEOptions = {},
  ) {
    const widths = [inFeatures, ...new Array<number>(layers - 1).fill(hidden), outFeatures];
    this.layers = widths.slice(1).map((width, l) => new SAGEConv(widths[l] as number, width, random.split(l), options));
    this.#dropout = dropout;
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    return this.layers.reduce<Features>((features, layer, l) => {
      const y = layer.forward(dropFeatures(features, this.#dropout, mode), graph);
      return l + 1 < this.layers.length ? relu(y) : y;
    }, x) as Tensor;
  }
}
