// The heterogeneous hypergraph of products, categories and attribute values: four kinds of
// hyperedges, and the pairwise relations of products with categories and values.
//
//   view, buy  one for each product with a list: the product and the products of its list
//   aspect     one for each product: the product and its values
//   category   one for each category: the category, its products and their values
//
// A product in no hyperedge of a kind has one of its own there, so that no row vanishes.

import type { ProductCatalogue } from '../../data/index.js';
import { Segments, SparsePattern } from '../../sparse/index.js';
import { Hypergraph, memo } from '../../structure/index.js';

/** Kinds of hyperedges. */
export type HyperedgeKind = 'view' | 'buy' | 'aspect' | 'category';

/** What is known of products beside their texts and values. */
export type ProductLinks = Pick<ProductCatalogue, 'categoriesOf' | 'alsoView' | 'alsoBuy'>;

/** Numbers of nodes. Nodes of all types are numbered products, categories, values. */
export interface NodeCounts {
  /** Number of products. */
  readonly products: number;
  /** Number of categories. */
  readonly categories: number;
  /** Number of attribute values. */
  readonly values: number;
}

/** The numbers of nodes of a catalogue. */
export function nodeCounts({ productNames, categories, values }: ProductCatalogue): NodeCounts {
  return { products: productNames.length, categories: categories.length, values: values.length };
}

/** Options of `ProductGraph`. */
export interface ProductGraphOptions {
  /** Whether a product is in the hyperedge of its own list. Default: true. */
  readonly includeSelf?: boolean;
  /**
   * What a list makes: one hyperedge, or for comparison a pair of the product with each of its
   * list. Default: `sets`.
   */
  readonly behaviour?: 'sets' | 'pairs';
}

/** Products, categories and values with the labels that a network may see. */
export class ProductGraph {
  /** @param labels visible values of each product, ascending */
  constructor(
    readonly counts: NodeCounts,
    readonly links: ProductLinks,
    readonly labels: readonly Int32Array[],
    readonly options: ProductGraphOptions = {},
  ) {}

  /** The same products with other visible labels; what does not depend on labels is made once. */
  withLabels(labels: readonly Int32Array[]): ProductGraph {
    return new ProductGraph(this.counts, this.links, labels, this.options);
  }

  /**
   * Hyperedges of a kind: of `view` and `buy` on the products, of `aspect` and `category` on all
   * nodes.
   */
  hyperedges(kind: HyperedgeKind): Hypergraph {
    if (kind === 'aspect') return memo(this, kind, () => this.#aspects());
    if (kind === 'category') return memo(this, kind, () => this.#categories());
    const { includeSelf = true, behaviour = 'sets' } = this.options;
    const { alsoView, alsoBuy } = this.links;
    const lists = kind === 'view' ? alsoView : alsoBuy;
    return memo(this.links, `${kind} ${behaviour} ${includeSelf}`, () =>
      behaviour === 'pairs' ? behaviourPairs(lists) : behaviourHyperedges(lists, includeSelf),
    );
  }

  /** Categories of each product [products, categories]. */
  get categories(): SparsePattern {
    return memo(this.links, 'categories', () => patternOf(this.links.categoriesOf, this.counts.categories));
  }

  /** Visible values of each product [products, values]. */
  get values(): SparsePattern {
    return memo(this, 'values', () => patternOf(this.labels, this.counts.values));
  }

  #aspects(): Hypergraph {
    const first = this.counts.products + this.counts.categories;
    return new Hypergraph(
      first + this.counts.values,
      this.labels.map((values, p) => [p, ...Array.from(values, (value) => first + value)]),
    );
  }

  #categories(): Hypergraph {
    const { products, categories, values } = this.counts;
    const members = Array.from({ length: categories }, (_, c) => new Set([products + c]));
    const alone: number[][] = [];
    this.links.categoriesOf.forEach((own, p) => {
      if (own.length === 0) alone.push([p]);
      for (const c of own) {
        const set = members[c] as Set<number>;
        set.add(p);
        for (const value of this.labels[p] as Int32Array) set.add(products + categories + value);
      }
    });
    return new Hypergraph(products + categories + values, [...members.map((set) => [...set]), ...alone]);
  }
}

/** A hyperedge for each list that has two members, and singletons for products in none. */
function behaviourHyperedges(lists: readonly Int32Array[], includeSelf: boolean): Hypergraph {
  const sets = lists.map((list, p) => (includeSelf && list.length > 0 ? [...list, p] : [...list]));
  return new Hypergraph(
    lists.length,
    sets.filter((members) => members.length >= 2),
  ).withSelfLoops();
}

/** A pair for each product and each of its list, once where each lists the other. */
function behaviourPairs(lists: readonly Int32Array[]): Hypergraph {
  const pairs = lists.flatMap((list, p) =>
    Array.from(list)
      .filter((q) => q !== p && !(q < p && lists[q]?.includes(p)))
      .map((q) => [p, q]),
  );
  const joined = new Hypergraph(lists.length, pairs);
  return joined.withSelfLoops();
}

/** A pattern whose row r holds the given columns. */
export function patternOf(rows: readonly Int32Array[], columns: number): SparsePattern {
  const { offsets, size } = Segments.fromSizes(rows.map((row) => row.length));
  const indices = new Int32Array(size);
  rows.forEach((row, r) => {
    indices.set(row, offsets[r]);
  });
  return new SparsePattern(rows.length, columns, offsets, indices);
}
