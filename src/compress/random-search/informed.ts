// Nodes chosen with information, as a control: a search that finds nothing proves little unless
// something can be found.

import type { Weights } from '../../nn/index.js';
import type { Tensor } from '../../tensor/index.js';
import type { KeptNodes, NodeSpace } from './nodes.js';

/**
 * The k nodes of each layer with the largest |Σ w·∂L/∂w| over their incoming and outgoing weights
 * and biases: by how much, to first order, the loss changes without them (Molchanov et al. 2017).
 *
 * @param weights of a trained network
 * @param gradients of its loss
 * @param sparsity p: share of the nodes that are off
 */
export function informedNodes(nodes: NodeSpace, weights: Weights, gradients: Weights, sparsity: number): KeptNodes {
  const products = new Map(
    Object.entries(gradients).map(([name, gradient]) => {
      const own = (weights[name] as Tensor).view();
      return [name, gradient.view<Float32Array>().map((value, at) => value * (own[at] as number))];
    }),
  );
  const sums = nodes.sums(products);
  return nodes.layers.map(({ first, nodes: count }, at) => {
    const order = Array.from({ length: count }, (_, node) => node).sort(
      (a, b) => Math.abs(sums[first + b] as number) - Math.abs(sums[first + a] as number),
    );
    return Int32Array.from(order.slice(0, nodes.widths(sparsity)[at])).sort();
  });
}
