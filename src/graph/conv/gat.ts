// GAT (Veličković et al., "Graph Attention Networks", ICLR 2018) and GATv2 (Brody, Alon, Yahav,
// "How Attentive are Graph Attention Networks?", ICLR 2022).

import { Dropout, dropFeatures, type Features, Linear, type Mode, parameter, xavierUniform } from '../../nn/index.js';
import { attentionPool } from '../../sparse/index.js';
import { type Graph, withUnitLoops } from '../../structure/index.js';
import {
  add,
  elu,
  gatherKnownRows,
  leakyRelu,
  mean,
  multiply,
  type Random,
  reshape,
  sum,
  type Tensor,
  zeros,
} from '../../tensor/index.js';
import type { GraphModule } from './propagate.js';

/** Layout of an attention layer. */
export interface GATConvOptions {
  /** Number of attention heads. Default: 8. */
  readonly heads?: number;
  /** How the heads form the output: concatenated or averaged. Default: 'concatenate'. */
  readonly join?: 'concatenate' | 'mean';
  /**
   * Dropout probability of x, of the attention weights and of the transformed features. Default:
   * 0.6.
   */
  readonly dropout?: number;
  /**
   * 1 is GAT; 2 is GATv2, which scores after the nonlinearity: a·LeakyReLU(W_l h_v + W_r h_u).
   * Default: 1.
   */
  readonly version?: 1 | 2;
}

/**
 * h'_v = Σ_u α_vu·z_u + b over u ∈ N(v) ∪ {v}, with z = W·h split into heads and α the softmax over
 * u of LeakyReLU₀.₂(a_l·z_v + a_r·z_u).
 *
 * Shapes: x [n, in] → [n, heads·out] when heads are concatenated, [n, out] when they are averaged.
 */
export class GATConv implements GraphModule {
  /** W of the sending node u (GATv2: W_r), without bias. */
  readonly send: Linear;
  /** W_l of the receiving node v in GATv2; GAT shares `send`. */
  readonly receive: Linear | undefined;
  /** a_r [heads, out] (GATv2: a). */
  attentionSend: Tensor;
  /** a_l [heads, out]; GATv2 has none. */
  attentionReceive: Tensor | undefined;
  /** b, of the size of an output row. */
  bias: Tensor;
  readonly #options: Required<GATConvOptions>;
  readonly #dropout: Dropout;

  /** @param outFeatures features of each head */
  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { heads = 8, join = 'concatenate', dropout = 0.6, version = 1 }: GATConvOptions = {},
  ) {
    const project = () => new Linear(inFeatures, heads * outFeatures, random, { init: 'xavier', bias: false });
    this.send = project();
    this.attentionSend = parameter(xavierUniform(random, [heads, outFeatures]));
    if (version === 2) this.receive = project();
    else this.attentionReceive = parameter(xavierUniform(random, [heads, outFeatures]));
    this.bias = parameter(zeros([join === 'mean' ? outFeatures : heads * outFeatures]));
    this.#options = { heads, join, dropout, version };
    this.#dropout = new Dropout(dropout);
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    const { heads, join, dropout } = this.#options;
    const { pattern } = withUnitLoops(graph);
    const dropped = dropFeatures(x, dropout, mode);
    const split = (linear: Linear) => reshape(linear.forward(dropped), [graph.nodeCount, heads, -1]);
    const z = split(this.send); // (n, heads, d)
    const score = (features: Tensor, weights: Tensor) => sum(multiply(features, weights), -1);
    const ends = (receive: Tensor, send: Tensor) =>
      leakyRelu(add(gatherKnownRows(receive, pattern.segments.ids), gatherKnownRows(send, pattern.indexTensor)), 0.2);
    const scores = this.receive
      ? score(ends(split(this.receive), z), this.attentionSend)
      : ends(score(z, this.attentionReceive as Tensor), score(z, this.attentionSend)); // (nnz, heads)
    const pooled = attentionPool(this.#dropout.forward(z, mode), scores, pattern, (alpha) =>
      this.#dropout.forward(alpha, mode),
    );
    return add(join === 'mean' ? mean(pooled, 1) : reshape(pooled, [graph.nodeCount, -1]), this.bias);
  }
}

/**
 * Two attention layers with ELU between them: `heads` × `hidden` features, then one head for the
 * classes. `hidden` defaults to 8.
 */
export class GAT implements GraphModule {
  /** Hidden layer, heads concatenated. */
  readonly first: GATConv;
  /** Classifier, one head. */
  readonly second: GATConv;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    {
      hidden = 8,
      heads = 8,
      dropout = 0.6,
      version = 1,
    }: { readonly hidden?: number } & Omit<GATConvOptions, 'join'> = {},
  ) {
    this.first = new GATConv(inFeatures, hidden, random.split(0), { heads, dropout, version });
    this.second = new GATConv(heads * hidden, outFeatures, random.split(1), {
      heads: 1,
      join: 'mean',
      dropout,
      version,
    });
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    return this.second.forward(elu(this.first.forward(x, graph, mode)), graph, mode);
  }
}
