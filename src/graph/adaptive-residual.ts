// Adaptive initial residual (AIR; Zhang et al., "Model Degradation Hinders Deep Graph Neural
// Networks", KDD 2022, arXiv 2206.04361), the plug-in that follows from DGMLP's guidelines: each
// node decides before each propagation how much of its first representation is mixed in again.
//
//   α_v = σ([h_v ‖ h_v^0]·a),  h_v ← (1 − α_v)·h_v + α_v·h_v^0         between the layers of a GCN
//   w_v(k) = softmax_k(σ([h_v^0 ‖ h_v^k]·a)),  z_v = Σ_k w_v(k)·h_v^k   for chains of hops

import { Dropout, dropFeatures, type Features, Linear, type Mode } from '../nn/index.js';
import { spmm } from '../sparse/index.js';
import { type Graph, graphOperator } from '../structure/index.js';
import {
  add,
  concatenate,
  multiply,
  type Random,
  relu,
  sigmoid,
  slice,
  softmax,
  subtract,
  type Tensor,
} from '../tensor/index.js';
import { GCNConv, type GraphModule, type StackOptions } from './conv/index.js';

/** GCN with an adaptive initial residual before each layer from the second on. */
export class AdaptiveGCN implements GraphModule {
  /** The convolutions. */
  readonly layers: readonly GCNConv[];
  /** a of each layer from the second on. */
  readonly gates: readonly Linear[];
  readonly #dropout: number;

  /** @param options layers default to 10, hidden to 64, dropout to 0.2 */
  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { layers = 10, hidden = 64, dropout = 0.2 }: StackOptions = {},
  ) {
    const widths = [inFeatures, ...new Array<number>(layers - 1).fill(hidden), outFeatures];
    this.layers = widths.slice(1).map((width, l) => new GCNConv(widths[l] as number, width, random.split(l)));
    this.gates = this.layers.slice(1).map((_, l) => new Linear(2 * hidden, 1, random.split(`gate ${l}`)));
    this.#dropout = dropout;
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    const [first, ...others] = this.layers as [GCNConv, ...GCNConv[]];
    let h = first.forward(dropFeatures(x, this.#dropout, mode), graph);
    if (others.length === 0) return h;
    const initial = relu(h);
    h = initial;
    others.forEach((layer, l) => {
      const alpha = sigmoid((this.gates[l] as Linear).forward(concatenate([h, initial], 1)));
      const mixed = add(h, multiply(alpha, subtract(initial, h)));
      const y = layer.forward(dropFeatures(mixed, this.#dropout, mode), graph);
      h = l + 1 < others.length ? relu(y) : y;
    });
    return h;
  }
}

/** Layout of networks on adaptively weighted hops. */
export interface AdaptiveHopOptions {
  /** K: propagation steps. Default: 20. */
  readonly steps?: number;
  /** Dropout probability of features, and of the hidden layer. Default: 0.5. */
  readonly dropout?: number;
}

/**
 * Σ_k softmax_k(σ(s^0 + s^k))·h^k over k = 0 … K with h^k = Âᵏ·h^0.
 *
 * @param first h^0 [n, d]
 * @param score the part of [h^0 ‖ h^k]·a that comes from h^k [n, 1]; it is propagated like h
 * @param offset the part from h^0 [n, 1]
 */
function adaptiveSum(first: Tensor, score: Tensor, offset: Tensor, graph: Graph, steps: number): Tensor {
  const operator = graphOperator(graph);
  const width = first.shape[1] as number;
  // A projection commutes with propagation, so that features and scores pass in one product.
  let chain = concatenate([first, score], 1);
  const hops: Tensor[] = [];
  const scores: Tensor[] = [];
  for (let k = 0; k <= steps; k++) {
    if (k > 0) chain = spmm(operator, chain);
    hops.push(slice(chain, null, [0, width]));
    scores.push(sigmoid(add(slice(chain, null, [width, width + 1]), offset)));
  }
  const weights = softmax(concatenate(scores, 1));
  return hops.map((hop, k) => multiply(hop, slice(weights, null, [k, k + 1]))).reduce((sum, hop) => add(sum, hop));
}

/**
 * SGC on hops that each node weights by a learned score of the features, [x^0 ‖ x^k]·a. The
 * classifier is linear and is applied before propagation, which is the same.
 */
export class AdaptiveSGC implements GraphModule {
  /** W and b. */
  readonly linear: Linear;
  /** a, the part on x^0. */
  readonly initial: Linear;
  /** a, the part on x^k. */
  readonly current: Linear;
  readonly #options: Required<AdaptiveHopOptions>;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { steps = 20, dropout = 0.5 }: AdaptiveHopOptions = {},
  ) {
    this.linear = new Linear(inFeatures, outFeatures, random.split('linear'), { bias: false });
    this.initial = new Linear(inFeatures, 1, random.split('initial'));
    this.current = new Linear(inFeatures, 1, random.split('current'), { bias: false });
    this.#options = { steps, dropout };
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    const { steps, dropout } = this.#options;
    const input = dropFeatures(x, dropout, mode);
    const [logits, score, offset] = [this.linear, this.current, this.initial].map((layer) => layer.forward(input));
    return adaptiveSum(logits as Tensor, score as Tensor, offset as Tensor, graph, steps);
  }
}

/** APPNP's order, transform first: hops of H = W₂·ReLU(W₁·X) weighted by [h^0 ‖ h^k]·a. */
export class AdaptiveAPPNP implements GraphModule {
  /** W₁. */
  readonly first: Linear;
  /** W₂. */
  readonly second: Linear;
  /** a, the part on h^0. */
  readonly initial: Linear;
  /** a, the part on h^k. */
  readonly current: Linear;
  readonly #steps: number;
  readonly #dropout: Dropout;

  constructor(
    inFeatures: number,
    outFeatures: number,
    random: Random,
    { steps = 10, dropout = 0.5, hidden = 64 }: AdaptiveHopOptions & { readonly hidden?: number } = {},
  ) {
    this.first = new Linear(inFeatures, hidden, random.split('first'), { init: 'xavier', bias: false });
    this.second = new Linear(hidden, outFeatures, random.split('second'), { init: 'xavier', bias: false });
    this.initial = new Linear(outFeatures, 1, random.split('initial'));
    this.current = new Linear(outFeatures, 1, random.split('current'), { bias: false });
    this.#steps = steps;
    this.#dropout = new Dropout(dropout);
  }

  forward(x: Features, graph: Graph, mode: Mode): Tensor {
    const hidden = this.first.forward(dropFeatures(x, this.#dropout.p, mode), 'relu');
    const h = this.second.forward(this.#dropout.forward(hidden, mode));
    return adaptiveSum(h, this.current.forward(h), this.initial.forward(h), graph, this.#steps);
  }
}
