// Dir-GNN (Rossi, Charpentier, Di Giovanni, Frasca, Günnemann, Bronstein, "Edge Directionality
// Improves Learning on Heterophilic Graphs", LoG 2023): any convolution, once over out-neighbours
// and once over in-neighbours, with weights of their own.
//
//   Dir-GCN   H' = α·(S·X·W₁ + b₁) + (1 − α)·(Sᵀ·X·W₂ + b₂),  S = D_out^{−1/2}·A·D_in^{−1/2}
//   Dir-SAGE  H' = X·W₀ + b + (1 − α)·mean_in(X)·W₁ + α·mean_out(X)·W₂
//   Dir-GAT   H' = α·GAT_out(X) + (1 − α)·GAT_in(X)

import { type Features, Linear, type Mode, parameter } from '../../nn/index.js';
import { directedOperator, type Graph, reversed } from '../../structure/index.js';
import { add, full, multiply, type Random, sigmoid, subtract, type Tensor } from '../../tensor/index.js';
import { GATConv } from './gat.js';
import { type GraphModule, propagateLinear } from './propagate.js';
import { type CreateLayer, type JumpingOptions, JumpingStack } from './stack.js';

/** α, the weight of out-neighbours: a number, or what gives it in each pass where it is learned. */
export type Direction = number | (() => Tensor);

/** Options of a directed layer. */
export interface DirectedConvOptions {
  /** α. Default: 0.5. */
  readonly alpha?: Direction;
}

/** α·outward + (1 − α)·inward; a side of weight 0 is not computed. */
function mixed(direction: Direction, outward: () => Tensor, inward: () => Tensor): Tensor {
  const alpha = typeof direction === 'number' ? direction : direction();
  if (typeof alpha !== 'number') return add(multiply(outward(), alpha), multiply(inward(), subtract(1, alpha)));
  if (alpha === 1) return outward();
  if (alpha === 0) return inward();
  return add(multiply(outward(), alpha), multiply(inward(), 1 - alpha));
}

/** Dir-GCN's layer, see above. */
export class DirGCNConv implements GraphModule {
  /** W₁ and b₁, of out-neighbours. */
  readonly outward: Linear;
  /** W₂ and b₂, of in-neighbours. */
  readonly inward: Linear;
  readonly #direction: Direction;
  readonly #selfLoops: boolean;

  /** @param options `selfLoops`: whether each node counts among its neighbours. Default: false */
  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { alpha = 0.5, selfLoops = false }: DirectedConvOptions & { readonly selfLoops?: boolean } = {},
  ) {
    this.outward = new Linear(inFeatures, outFeatures, random.split('out'));
    this.inward = new Linear(inFeatures, outFeatures, random.split('in'));
    this.#direction = alpha;
    this.#selfLoops = selfLoops;
  }

  forward(x: Features, graph: Graph): Tensor {
    const along = (own: Graph, linear: Linear) =>
      propagateLinear(directedOperator(own, { selfLoops: this.#selfLoops }), x, linear);
    return mixed(
      this.#direction,
      () => along(graph, this.outward),
      () => along(reversed(graph), this.inward),
    );
  }
}

/** Dir-SAGE's layer, see above; a node without neighbours on a side has the mean 0 there. */
export class DirSAGEConv implements GraphModule {
  /** W₀ and b. */
  readonly own: Linear;
  /** W₂, of out-neighbours. */
  readonly outward: Linear;
  /** W₁, of in-neighbours. */
  readonly inward: Linear;
  readonly #direction: Direction;

  constructor(inFeatures: number, outFeatures: number, random: Random, { alpha = 0.5 }: DirectedConvOptions = {}) {
    this.own = new Linear(inFeatures, outFeatures, random.split('own'));
    this.outward = new Linear(inFeatures, outFeatures, random.split('out'), { bias: false });
    this.inward = new Linear(inFeatures, outFeatures, random.split('in'), { bias: false });
    this.#direction = alpha;
  }

  forward(x: Features, graph: Graph): Tensor {
    const mean = (own: Graph, linear: Linear) => propagateLinear(directedOperator(own, { exponent: 0 }), x, linear);
    const neighbours = mixed(
      this.#direction,
      () => mean(graph, this.outward),
      () => mean(reversed(graph), this.inward),
    );
    return add(this.own.forward(x), neighbours);
  }
}

/** Dir-GAT's layer, see above; a node attends to itself on both sides. */
export class DirGATConv implements GraphModule {
  /** Attention over out-neighbours. */
  readonly outward: GATConv;
  /** Attention over in-neighbours. */
  readonly inward: GATConv;
  readonly #direction: Direction;

  /** @param options `heads`: attention heads, which are averaged. Default: 1 */
  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { alpha = 0.5, heads = 1 }: DirectedConvOptions & { readonly heads?: number } = {},
  ) {
    const attention = (side: string) =>
      new GATConv(inFeatures, outFeatures, random.split(side), { heads, join: 'mean', dropout: 0 });
    this.outward = attention('out');
    this.inward = attention('in');
    this.#direction = alpha;
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    return mixed(
      this.#direction,
      () => this.outward.forward(x, graph, mode),
      () => this.inward.forward(x, reversed(graph), mode),
    );
  }
}

/** Layout of Dir-GNN. */
export interface DirGNNOptions extends JumpingOptions {
  /** The convolution. Default: 'gcn'. */
  readonly conv?: 'gcn' | 'sage' | 'gat';
  /** α, from 0 (in-neighbours alone) to 1 (out-neighbours alone), or learned. Default: 0.5. */
  readonly alpha?: number | 'learned';
  /** Of 'gcn': whether each node counts among its neighbours. Default: false. */
  readonly selfLoops?: boolean;
  /** Of 'gat': attention heads. Default: 1. */
  readonly heads?: number;
}

/**
 * A stack of directed convolutions that share α; a learned one is σ(a) with a from 0.
 *
 * **Shapes**: x [n, inFeatures] → logits [n, outFeatures].
 *
 * @throws RangeError for an α outside 0 … 1
 */
export class DirGNN implements GraphModule {
  /** a of a learned α [1]. */
  alphaLogit: Tensor | undefined;
  /** The layers and the classifier. */
  readonly stack: JumpingStack;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { conv = 'gcn', alpha = 0.5, selfLoops = false, heads = 1, ...jumping }: DirGNNOptions = {},
  ) {
    if (alpha !== 'learned' && !(alpha >= 0 && alpha <= 1))
      throw new RangeError(`DirGNN: alpha is a share from 0 to 1 or 'learned', got ${alpha}`);
    if (alpha === 'learned') this.alphaLogit = parameter(full([1], 0));
    const direction: Direction = alpha === 'learned' ? () => sigmoid(this.alphaLogit as Tensor) : alpha;
    const layer: CreateLayer = (i, o, own) => {
      if (conv === 'sage') return new DirSAGEConv(i, o, own, { alpha: direction });
      if (conv === 'gat') return new DirGATConv(i, o, own, { alpha: direction, heads });
      return new DirGCNConv(i, o, own, { alpha: direction, selfLoops });
    };
    this.stack = new JumpingStack(inFeatures, outFeatures, layer, random, jumping);
  }

  /** α in use. */
  get alpha(): number | undefined {
    return this.alphaLogit && 1 / (1 + Math.exp(-(this.alphaLogit.view()[0] as number)));
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    return this.stack.forward(x, graph, mode);
  }
}
