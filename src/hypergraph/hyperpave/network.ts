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

import { Linear, orthogonal, parameter, parameters, withWeights, xavierUniform } from '../../nn/index.js';
import { SparseMatrix, type SparsePattern, sddmm, spmm } from '../../sparse/index.js';
import { type Hypergraph, meanPropagation, memo } from '../../structure/index.js';
import {
  add,
  checkpoint,
  concatenate,
  eye,
  keep,
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

/** Products from which on a training step keeps no more than the results of its stages. */
const LARGE = 8192;

/** Representations of products and values that scores are made of. */
export type Embedded = Pick<NodeTensors, 'products' | 'values'>;

/** A kind of hyperedges and its weight, fixed or learnt. */
type KindWeight = readonly [kind: HyperedgeKind, weight: number | Tensor];

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

  /** XΘ of the nodes that hyperedges of a kind join. */
  members({ products, categories, values }: NodeTensors, kind: HyperedgeKind): Tensor {
    const ofBehaviour = kind === 'view' || kind === 'buy';
    return this.messages(ofBehaviour ? products : concatenate([products, categories, values], 0));
  }

  /** Σ_k w_k·D_v⁻¹ H_k B⁻¹ H_kᵀ XΘ + b: the rows of one node type. The weights sum to 1. */
  forward(x: NodeTensors, graph: ProductGraph, type: keyof NodeTensors, weights: readonly KindWeight[]): Tensor {
    const members = new Map<number, Tensor>();
    const parts = weights.map(([kind, weight]) => {
      const hypergraph = graph.hyperedges(kind);
      const messages = members.get(hypergraph.vertexCount) ?? this.members(x, kind);
      members.set(hypergraph.vertexCount, messages);
      // Weighted here, where there is a number for each incidence and not for each feature.
      const { pattern, values } = rowsOf(hypergraph, graph, type);
      const weighted = new SparseMatrix(pattern, multiply(values as Tensor, weight));
      return spmm(weighted, spmm(meanPropagation(hypergraph).toHyperedges, messages));
    });
    return add(parts.reduce(add), this.bias);
  }
}

/**
 * The rows of D_v⁻¹ H of one node type, and not parts of all rows, whose gradients would be as
 * large as all.
 */
function rowsOf(hypergraph: Hypergraph, { counts }: ProductGraph, type: keyof NodeTensors): SparseMatrix {
  const { toVertices } = meanPropagation(hypergraph);
  if (hypergraph.vertexCount === counts.products) return toVertices;
  const first = { products: 0, categories: counts.products, values: counts.products + counts.categories }[type];
  return memo(hypergraph, type, () => {
    const rows = toVertices.selectRows(Int32Array.from({ length: counts[type] }, (_, at) => first + at));
    keep(rows.values);
    return rows;
  });
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

  /** Text vectors of nodes [n, D₀] → features x⁰ [n, D]. */
  project(texts: Tensor): Tensor {
    return this.projection.forward(texts);
  }

  /** Text vectors of all nodes [n, D₀] → features x⁰ by node type. */
  features(texts: Tensor, graph: ProductGraph): NodeTensors {
    const { products, categories, values } = split(texts, graph);
    return { products: this.project(products), categories: this.project(categories), values: this.project(values) };
  }

  /** Features x⁰ → representations of products and values. */
  embed(x: NodeTensors, graph: ProductGraph): Embedded {
    const fused = this.fuse(x, graph);
    const [first, second] = this.layers;
    if (!first || !second) return { products: fused.products, values: x.values };
    const stage = (step: (own: NodeTensors) => Tensor, own: NodeTensors) => this.#stage(step, own);
    const hidden = {
      products: stage((own) => relu(first.products(own, graph)), fused),
      categories: stage((own) => relu(first.categories(own, graph)), fused),
      values: stage((own) => relu(first.values(own, graph)), fused),
    };
    const products = stage((own) => second.products(own, graph), hidden);
    const values = stage((own) => second.values(own, graph), hidden);
    if (!this.#residual) return { products, values };
    return { products: add(fused.products, products), values: add(x.values, values) };
  }

  /** Features x⁰ → features after the convolutions. */
  fuse(x: NodeTensors, graph: ProductGraph): NodeTensors {
    const { convolution } = this;
    if (!convolution) return x;
    const mixed = (type: keyof NodeTensors, weights: readonly KindWeight[]) =>
      weights.length === 0 ? x[type] : this.#stage((own) => convolution.forward(own, graph, type, weights), x);
    return {
      products: mixed('products', this.#weights('product')),
      categories: mixed('categories', this.#kinds('product').includes('category') ? [['category', 1]] : []),
      values: mixed('values', this.#weights('value')),
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

  #weights(type: keyof FusionWeights): KindWeight[] {
    const logits = this.logits[type];
    const learnt = logits && softmax(logits);
    return this.#kinds(type).map((kind, at) => [
      kind,
      learnt ? slice(learnt, [at, at + 1]) : ((this.#fusion[type] as Record<string, number>)[kind] as number),
    ]);
  }

  /** One step from all nodes; of many products it is computed again in the backward pass. */
  #stage(step: (x: NodeTensors) => Tensor, x: NodeTensors): Tensor {
    const { products, categories, values } = x;
    if ((products.shape[0] as number) < LARGE) return step(x);
    const weights = parameters(this);
    const names = Object.keys(weights);
    return checkpoint(
      (...[ownProducts, ownCategories, ownValues, ...given]) =>
        withWeights(this, Object.fromEntries(names.map((name, at) => [name, given[at] as Tensor])), () =>
          step({ products: ownProducts as Tensor, categories: ownCategories as Tensor, values: ownValues as Tensor }),
        ),
      ...[products, categories, values, ...Object.values(weights)],
    );
  }

  #comparable({ products, values }: Embedded): Embedded {
    if (this.#score === 'dot') return { products, values };
    const large = (products.shape[0] as number) >= LARGE;
    return {
      products: large ? checkpoint((rows) => normalizeRows(rows), products) : normalizeRows(products),
      values: normalizeRows(values),
    };
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
