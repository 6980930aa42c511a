// GraphSAGE on typed nodes (Hamilton, Ying, Leskovec 2017; Schlichtkrull et al. 2018 for the sum
// over relations): every relation r into a node type has weights of its own,
//
//   y_v = Σ_r mean_{u ∈ N_r(v)} x_u·Θ_r + b_r + x_v·Θ_r^root

import { Linear } from '../../nn/index.js';
import { SparseMatrix, type SparsePattern, spmm } from '../../sparse/index.js';
import { memo, powers, scaled } from '../../structure/index.js';
import { add, linear, type Random, type Tensor, zeros } from '../../tensor/index.js';
import type { ProductGraph } from './graph.js';

/** A tensor for each node type, a row for each node. */
export interface NodeTensors {
  /** [products, d] */
  readonly products: Tensor;
  /** [categories, d] */
  readonly categories: Tensor;
  /** [values, d] */
  readonly values: Tensor;
}

/** Options of `ProductSage`. */
export interface SageOptions {
  /** `zero` makes a layer that gives 0 until it is trained. Default: `random`. */
  readonly init?: 'random' | 'zero';
}

/** A relation into one node type. */
class Relation {
  /** Θ_r and b_r, of the neighbours. */
  readonly neighbours: Linear;
  /** Θ_r^root, of the node itself. */
  readonly root: Linear;

  constructor(features: number, random: Random, { init = 'random' }: SageOptions = {}) {
    this.neighbours = new Linear(features, features, random.split('neighbours'));
    this.root = new Linear(features, features, random.split('root'), { bias: false });
    if (init === 'zero')
      for (const weight of [this.neighbours.weight, this.neighbours.bias, this.root.weight])
        weight?.assign(zeros(weight.shape));
  }

  /**
   * mean_{u ∈ N(v)} x_u·Θ. Products are many and what they are related with is little, so Θ comes
   * before the mean or after it, whichever has fewer rows.
   *
   * @param pattern row v holds the neighbours of node v
   */
  messages(pattern: SparsePattern, from: Tensor): Tensor {
    const { weight } = this.neighbours;
    if (pattern.columns < pattern.rows) return spmm(meanOf(pattern), linear(from, weight));
    return linear(spmm(meanOf(pattern), from), weight);
  }
}

/** Means over the stored elements of each row; 0 for an empty one. */
function meanOf(pattern: SparsePattern): SparseMatrix {
  return memo(pattern, 'mean', () => {
    const sums = new SparseMatrix(pattern);
    return scaled(sums, powers(sums.rowSums(), -1));
  });
}

/** A relation, the neighbours that it joins to nodes of one type, and their features. */
type Incoming = readonly [relation: Relation, pattern: SparsePattern, from: Tensor];

/** The sum over the relations into one node type; x·Θ^root is summed by its weights. */
function sumOver(incoming: readonly Incoming[], to: Tensor): Tensor {
  const root = incoming.map(([{ root: own }]) => own.weight).reduce(add);
  const bias = incoming.map(([{ neighbours }]) => neighbours.bias as Tensor).reduce(add);
  return incoming
    .map(([relation, pattern, from]) => relation.messages(pattern, from))
    .reduce((sum, messages) => add(sum, messages), linear(to, root, bias));
}

/** One layer over the relations of products with categories and values, and their reverses. */
export class ProductSage {
  /** Categories of a product. */
  readonly productFromCategory: Relation;
  /** Visible values of a product. */
  readonly productFromValue: Relation;
  /** Products of a category. */
  readonly categoryFromProduct: Relation;
  /** Products that have a value. */
  readonly valueFromProduct: Relation;

  constructor(features: number, random: Random, options: SageOptions = {}) {
    const relation = (name: string) => new Relation(features, random.split(name), options);
    this.productFromCategory = relation('productFromCategory');
    this.productFromValue = relation('productFromValue');
    this.categoryFromProduct = relation('categoryFromProduct');
    this.valueFromProduct = relation('valueFromProduct');
  }

  /** Features of all nodes [n, d] → [n, d]. */
  forward(x: NodeTensors, graph: ProductGraph): NodeTensors {
    return { products: this.products(x, graph), categories: this.categories(x, graph), values: this.values(x, graph) };
  }

  /** The rows of products. */
  products({ products, categories, values }: NodeTensors, graph: ProductGraph): Tensor {
    const ofCategories: Incoming = [this.productFromCategory, graph.categories, categories];
    return sumOver([ofCategories, [this.productFromValue, graph.values, values]], products);
  }

  /** The rows of categories. */
  categories({ products, categories }: NodeTensors, graph: ProductGraph): Tensor {
    return sumOver([[this.categoryFromProduct, graph.categories.transposed().pattern, products]], categories);
  }

  /** The rows of values. */
  values({ products, values }: NodeTensors, graph: ProductGraph): Tensor {
    return sumOver([[this.valueFromProduct, graph.values.transposed().pattern, products]], values);
  }
}
