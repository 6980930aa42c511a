// Message passing between the edges of graphs: a mean convolution on the dual hypergraph (Jo et
// al., "Edge Representation Learning with Hypergraphs", NeurIPS 2021).

import { Linear, parameter } from '../../nn/index.js';
import { dualPropagation, type EdgeEnds } from '../../structure/index.js';
import { add, type Random, type Tensor, zeros } from '../../tensor/index.js';
import { propagate } from './propagate.js';

/**
 * E' = D⁻¹ H B⁻¹ Hᵀ·EΘ + b: the mean over the edges at each node, then over the ends of each edge
 * and the edge itself; see `dualPropagation`. Θ starts from Glorot-uniform values, b from `bias`.
 */
export class DualConv {
  /** Θ. */
  readonly theta: Linear;
  /** b [out], added after propagation. */
  bias: Tensor;

  /** @param options initial value of all elements of b. Default: 0 */
  constructor(inFeatures: number, outFeatures: number, random: Random, { bias = 0 }: { readonly bias?: number } = {}) {
    this.theta = new Linear(inFeatures, outFeatures, random, { bias: false, init: 'xavier' });
    this.bias = parameter(add(zeros([outFeatures]), bias));
  }

  /** Edge features [m, in] → [m, out]. */
  forward(edges: Tensor, ends: EdgeEnds): Tensor {
    const propagation = dualPropagation(ends);
    const { inFeatures, outFeatures } = this.theta;
    const spread =
      inFeatures < outFeatures
        ? this.theta.forward(propagate(edges, propagation))
        : propagate(this.theta.forward(edges), propagation);
    return add(spread, this.bias);
  }
}
