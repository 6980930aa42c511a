// HyperPAVE: attribute values of new products, also values without any label, by inductive link
// prediction in a heterogeneous hypergraph. Texts of products, categories and values share one
// projection of fixed vectors, so that what is learnt of seen values holds for unseen ones.
//
//   x⁰ = t·W                                     t: fixed vectors of texts
//   Y_k = D_v⁻¹ H_k B⁻¹ H_kᵀ x⁰Θ + b             for each kind k of hyperedges, one Θ
//   f = Σ_k w_k·Y_k                              weights w by node type
//   z_p = f_p + SAGE(f)_p,  z_a = x⁰_a + SAGE(f)_a
//   P(p has a) = σ(γ·cos(z_p, z_a) + β)
//
// The residual paths are ours: a value without labels has no edges, and what SAGE makes of it alone
// says nothing. The second of two SAGE layers starts at zero and Θ at the identity, so that
// training starts from texts smoothed over hyperedges. `residual: false` is the released network,
// z = SAGE(f), with random weights.
//
// Paper: Gong, Eldardiry, "Multi-Label Zero-Shot Product Attribute-Value Extraction", WWW 2024.

import { Linear, orthogonal, parameter, xavierUniform } from '../../nn/index.js';
import { type SparsePattern, sddmm } from '../../sparse/index.js';
import { meanPropagation } from '../../structure/index.js';
import {
  add,
  eye,
  log,
  matmul,
  multiply,
  normalizeRows,
  type Random,
  relu,
  requireChoice,
  slice,
  softmax,
  type Tensor,
  tensor,
  zeros,
} from '../../tensor/index.js';
import { propagate } from '../conv/propagate.js';
import type { HyperedgeKind, ProductGraph } from './graph.js';
import { type NodeTensors, ProductSage } from './sage.js';

/** Weights of the kinds of hyperedges by node type; a type without any keeps its raw features. */
export interface FusionWeights {
  /** Of products. */
  readonly product: Readonly<Partial<Record<HyperedgeKind, number>>>;
  /** Of values, which no list joins. */
  readonly value: Readonly<Partial<Record<'aspect' | 'category', number>>>;
}

/** The release's combinations: user behaviour, inventory, both, or no hyperedges. */
export const fusions = {
  user: { product: { view: 0.5, buy: 0.5 }, value: {} },
  inventory: { product: { aspect: 0.5, category: 0.5 }, value: { aspect: 0.5, category: 0.5 } },
  all: {
    product: { view: 0.4, buy: 0.4, aspect: 0.1, category: 0.1 },
    value: { aspect: 0.5, category: 0.5 },
  },
  none: { product: {}, value: {} },
} as const satisfies Readonly<Record<string, FusionWeights>>;

/** Layout of a network. */
export interface HyperPAVEOptions {
  /** Width D. Default: 128. */
  readonly features?: number;
  /** Kinds of hyperedges. Default: `user`. */
  readonly hyperedges?: keyof typeof fusions;
  /** Their weights. Default: those of the release, which sum to 1. */
  readonly fusion?: FusionWeights;
  /** Whether weights are learnt, by a softmax that starts at them. Default: false. */
  readonly learnFusion?: boolean;
  /** Whether two SAGE layers follow. Default: true. */
  readonly messagePassing?: boolean;
  /** Whether SAGE adds to the features; false for the released network. Default: true. */
  readonly residual?: boolean;
  /** Scaled cosine, or the dot product of the release. Default: `cosine`. */
  readonly score?: 'cosine' | 'dot';
}

/** Representations of products and values that scores are made of. */
export type Embedded = Pick<NodeTensors, 'products' | 'values'>;

/** Y = D_v⁻¹ H B⁻¹ Hᵀ XΘ + b (PyTorch Geometric's HypergraphConv), shared by all kinds. */
class SharedConvolution {
  /** Θ [D, D], transposed. */
  theta: Tensor;
  /** b [D]. */
  bias: Tensor;

  constructor(features: number, random: Random, { init = 'identity' }: { readonly init?: 'identity' | 'xavier' } = {}) {
    this.theta = parameter(init === 'identity' ? eye(features) : xavierUniform(random, [features, features]));
    this.bias = parameter(zeros([features]));
  }

  /** XΘ: what each node gives to its hyperedges. */
  messages(x: Tensor): Tensor {
    return matmul(x, this.theta, { transposeB: true });
  }

  /** Messages of all nodes → rows of products for `view` and `buy`, of all nodes for others. */
  forward(messages: Tensor, graph: ProductGraph, kind: HyperedgeKind): Tensor {
    const hypergraph = graph.hyperedges(kind);
    return add(propagate(slice(messages, [0, hypergraph.vertexCount]), meanPropagation(hypergraph)), this.bias);
  }
}

/** Scores pairs of products and values. */
export class HyperPAVE {
  /** W: text vectors → features, [D, D₀]. */
  readonly projection: Linear;
  /** Θ and b of the hypergraph convolution [D, D]; none without hyperedges. */
  readonly convolution: SharedConvolution | undefined;
  /** Two layers, or none. */
  readonly layers: readonly ProductSage[];
  /** Logits of the weights by node type, where they are learnt. */
  readonly logits: Readonly<Record<string, Tensor>>;
  /** γ and β [2]. */
  scale: Tensor;
  readonly #fusion: FusionWeights;
  readonly #residual: boolean;
  readonly #score: 'cosine' | 'dot';

  /** @param textFeatures D₀ */
  constructor(textFeatures: number, random: Random, options: HyperPAVEOptions = {}) {
    const { features = 128, hyperedges = 'user', learnFusion = false } = options;
    const { messagePassing = true, residual = true, score = 'cosine' } = options;
    requireChoice('HyperPAVE', 'hyperedges', hyperedges, Object.keys(fusions));
    requireChoice('HyperPAVE', 'score', score, ['cosine', 'dot']);
    const fusion: FusionWeights = options.fusion ?? fusions[hyperedges];
    for (const [type, weights] of Object.entries(fusion)) requireWeights(type, weights);
    this.projection = new Linear(textFeatures, features, random.split('projection'), { bias: false });
    this.projection.weight.assign(orthogonal(random.split('projection'), [features, textFeatures]));
    const convolves = Object.keys(fusion.product).length + Object.keys(fusion.value).length > 0;
    const init = residual ? 'identity' : 'xavier';
    this.convolution = convolves ? new SharedConvolution(features, random.split('theta'), { init }) : undefined;
    const last = residual ? 'zero' : 'random';
    this.layers = messagePassing
      ? [
          new ProductSage(features, random.split('first')),
          new ProductSage(features, random.split('second'), { init: last }),
        ]
      : [];
    this.logits = learnFusion ? logitsOf(fusion) : {};
    this.scale = parameter(tensor([10, -5]));
    this.#fusion = fusion;
    this.#residual = residual;
    this.#score = score;
  }

  /** Text vectors of all nodes [n, D₀] → features x⁰ [n, D]. */
  project(texts: Tensor): Tensor {
    return this.projection.forward(texts);
  }

  /** Features x⁰ of all nodes [n, D] → representations of products and values. */
  embed(x: Tensor, graph: ProductGraph): Embedded {
    const fused = this.fuse(x, graph);
    const raw = split(x, graph).values;
    const [first, second] = this.layers;
    if (!first || !second) return { products: fused.products, values: raw };
    const hidden = first.forward(fused, graph);
    const passed = second.forward(
      { products: relu(hidden.products), categories: relu(hidden.categories), values: relu(hidden.values) },
      graph,
    );
    if (!this.#residual) return passed;
    return { products: add(fused.products, passed.products), values: add(raw, passed.values) };
  }

  /** Features x⁰ [n, D] → features after the convolutions, by node type. */
  fuse(x: Tensor, graph: ProductGraph): NodeTensors {
    const raw = split(x, graph);
    const { convolution } = this;
    if (!convolution) return raw;
    const messages = convolution.messages(x);
    const kinds = new Set([...this.#kinds('product'), ...this.#kinds('value')]);
    const rows = new Map([...kinds].map((kind) => [kind, convolution.forward(messages, graph, kind)]));
    const mixed = (type: keyof FusionWeights, own: Tensor, part: (kind: Tensor) => Tensor) => {
      const parts = this.#weights(type).map(([kind, weight]) => multiply(part(rows.get(kind) as Tensor), weight));
      return parts.length === 0 ? own : parts.reduce(add);
    };
    const ofCategories = rows.get('category');
    return {
      products: mixed('product', raw.products, (kind) => slice(kind, [0, graph.counts.products])),
      categories: ofCategories ? split(ofCategories, graph).categories : raw.categories,
      values: mixed('value', raw.values, (kind) => split(kind, graph).values),
    };
  }

  /** Logits of pairs, one for each stored element of a pattern [products, values]: [nnz]. */
  pairLogits(embedded: Embedded, pairs: SparsePattern): Tensor {
    const { products, values } = this.#comparable(embedded);
    return this.#scaled(sddmm(pairs, products, values));
  }

  /** Logits of all pairs [products, values]. */
  allLogits(embedded: Embedded): Tensor {
    const { products, values } = this.#comparable(embedded);
    return this.#scaled(matmul(products, values, { transposeB: true }));
  }

  /** The weights of the kinds of hyperedges of a node type, which sum to 1. */
  fusionWeights(type: keyof FusionWeights): Readonly<Record<string, number>> {
    return Object.fromEntries(
      this.#weights(type).map(([kind, weight]) => [kind, typeof weight === 'number' ? weight : weight.item()]),
    );
  }

  #kinds(type: keyof FusionWeights): HyperedgeKind[] {
    return Object.keys(this.#fusion[type]) as HyperedgeKind[];
  }

  #weights(type: keyof FusionWeights): [HyperedgeKind, number | Tensor][] {
    const logits = this.logits[type];
    const learnt = logits && softmax(logits);
    return this.#kinds(type).map((kind, at) => [
      kind,
      learnt ? slice(learnt, [at, at + 1]) : ((this.#fusion[type] as Record<string, number>)[kind] as number),
    ]);
  }

  #comparable({ products, values }: Embedded): Embedded {
    if (this.#score === 'dot') return { products, values };
    return { products: normalizeRows(products), values: normalizeRows(values) };
  }

  #scaled(similarities: Tensor): Tensor {
    if (this.#score === 'dot') return similarities;
    return add(multiply(similarities, slice(this.scale, [0, 1])), slice(this.scale, [1, 2]));
  }
}

/** Rows of all nodes by type. */
export function split(rows: Tensor, { counts: { products, categories, values } }: ProductGraph): NodeTensors {
  const end = products + categories;
  return {
    products: slice(rows, [0, products]),
    categories: slice(rows, [products, end]),
    values: slice(rows, [end, end + values]),
  };
}

/** @throws RangeError unless weights are positive and sum to 1, or there are none */
function requireWeights(type: string, weights: Readonly<Record<string, number>>): void {
  const all = Object.values(weights);
  const total = all.reduce((sum, weight) => sum + weight, 0);
  if (all.length > 0 && !(all.every((weight) => weight > 0) && Math.abs(total - 1) < 1e-6))
    throw new RangeError(
      `HyperPAVE: the weights of a ${type} must be positive and sum to 1, got ${JSON.stringify(weights)}`,
    );
}

function logitsOf(fusion: FusionWeights): Record<string, Tensor> {
  const entries = Object.entries(fusion).filter(([, weights]) => Object.keys(weights).length > 0);
  return Object.fromEntries(
    entries.map(([type, weights]) => [type, parameter(log(tensor(Object.values(weights as Record<string, number>))))]),
  );
}
