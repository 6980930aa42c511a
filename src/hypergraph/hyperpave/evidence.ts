// What speaks for a value of a product: the shares of ⟨z_p, z_a⟩ that come through its hyperedges.
//
//   ⟨f_p, z_a⟩ = Σ_k w_k·( Σ_{e ∋ p} 1/(d_p·|e|) Σ_{q ∈ e} ⟨x_qΘ, z_a⟩ + ⟨b, z_a⟩ )
//
// Products of lists are told apart; the hyperedge of a category or of known values counts as one.

import { spmm } from '../../sparse/index.js';
import { meanPropagation } from '../../structure/index.js';
import type { HyperedgeKind, ProductGraph } from './graph.js';
import type { Embedded, HyperPAVE } from './network.js';
import type { NodeTensors } from './sage.js';

/** A part of a score. */
export interface Evidence {
  /** What it is: `text`, `product p17`, `category shoes`, `known values`. */
  readonly source: string;
  /** Its share of ⟨z_p, z_a⟩. */
  readonly share: number;
}

/** Names of products and categories, by number. */
export interface EvidenceNames {
  /** Name of a product. */
  readonly product: (p: number) => string;
  /** Name of a category. */
  readonly category: (c: number) => string;
}

/** Tells the evidence for pairs of products and values, after one pass over the graph. */
export class EvidenceReader {
  readonly #messages: Float32Array;
  readonly #hyperedges = new Map<HyperedgeKind, Float32Array>();
  readonly #products: Float32Array;
  readonly #values: Float32Array;
  readonly #weights: readonly (readonly [HyperedgeKind, number])[];
  readonly #width: number;

  /** @param x features x⁰ */
  constructor(
    network: HyperPAVE,
    x: NodeTensors,
    embedded: Embedded,
    readonly graph: ProductGraph,
    readonly names: EvidenceNames,
  ) {
    const weights = Object.entries(network.fusionWeights('product')) as [HyperedgeKind, number][];
    // Without hyperedges a product's features are its own.
    const { convolution } = network;
    const messages = convolution?.messages(x.products) ?? x.products;
    this.#width = messages.shape[1] as number;
    this.#messages = messages.dataSync<Float32Array>();
    this.#products = embedded.products.dataSync<Float32Array>();
    this.#values = embedded.values.dataSync<Float32Array>();
    this.#weights = weights;
    for (const [kind] of weights)
      if (convolution && (kind === 'aspect' || kind === 'category')) {
        const { toHyperedges } = meanPropagation(graph.hyperedges(kind));
        this.#hyperedges.set(kind, spmm(toHyperedges, convolution.members(x, kind)).dataSync<Float32Array>());
      }
  }

  /** The parts of a score that speak for it, the largest first. @param most of them. Default: 3. */
  of(product: number, value: number, most = 3): Evidence[] {
    const target = this.#row(this.#values, value);
    const whole = dot(this.#row(this.#products, product), target);
    const parts = new Map<string, number>();
    const put = (source: string, part: number) => parts.set(source, (parts.get(source) ?? 0) + part);
    if (this.#weights.length === 0) put('text', dot(this.#row(this.#messages, product), target));
    for (const [kind, weight] of this.#weights) {
      const hypergraph = this.graph.hyperedges(kind);
      const own = hypergraph.hyperedgesOf(product);
      for (const e of own) {
        const members = hypergraph.hyperedge(e);
        const means = this.#hyperedges.get(kind);
        if (means && members.length > 1)
          put(this.#nameOf(kind, members), (weight / own.length) * dot(this.#row(means, e), target));
        else
          for (const q of members) {
            const share = weight / (own.length * members.length);
            put(
              q === product ? 'text' : `product ${this.names.product(q)}`,
              share * dot(this.#row(this.#messages, q), target),
            );
          }
      }
    }
    if (!(whole > 0)) return [];
    return [...parts]
      .map(([source, part]) => ({ source, share: part / whole }))
      .filter(({ share }) => share > 0)
      .sort((a, b) => b.share - a.share)
      .slice(0, most);
  }

  #nameOf(kind: HyperedgeKind, members: Int32Array): string {
    if (kind === 'aspect') return 'known values';
    const { products, categories } = this.graph.counts;
    const category = members.find((node) => node >= products && node < products + categories) as number;
    return `category ${this.names.category(category - products)}`;
  }

  #row(rows: Float32Array, at: number): Float32Array {
    return rows.subarray(at * this.#width, (at + 1) * this.#width);
  }
}

function dot(a: Float32Array, b: Float32Array): number {
  let total = 0;
  for (let k = 0; k < a.length; k++) total += (a[k] as number) * (b[k] as number);
  return total;
}
