// GraphSAGE on typed nodes (Hamilton, Ying, Leskovec 2017; Schlichtkrull et al. 2018 for the sum
// over relations): every relation r into a node type has weights of its own,
//
//   y_v = Σ_r mean_{u ∈ N_r(v)} x_u·Θ_r + b_r + x_v·Θ_r^root

import { Linear } from '../../nn/index.js';
import { type SparsePattern, spmm } from '../../sparse/index.js';
import { add, multiply, type Random, type Tensor, zeros } from '../../tensor/index.js';
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

  /** @param pattern row v holds the neighbours of node v */
  forward(pattern: SparsePattern, from: Tensor, to: Tensor): Tensor {
    const mean = multiply(spmm({ pattern }, from), pattern.segments.inverseSizes);
    return add(this.neighbours.forward(mean), this.root.forward(to));
  }
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
  forward({ products, categories, values }: NodeTensors, graph: ProductGraph): NodeTensors {
    const reverse = (pattern: SparsePattern) => pattern.transposed().pattern;
    return {
      products: add(
        this.productFromCategory.forward(graph.categories, categories, products),
        this.productFromValue.forward(graph.values, values, products),
      ),
      categories: this.categoryFromProduct.forward(reverse(graph.categories), products, categories),
      values: this.valueFromProduct.forward(reverse(graph.values), products, values),
    };
  }
}
