// Normalisation over the nodes of each graph in a batch.

import { type Segments, segmentMean } from '../sparse/index.js';
import { add, gatherKnownRows, multiply, ones, rsqrt, square, subtract, type Tensor, zeros } from '../tensor/index.js';
import { parameter } from './module.js';
import type { NormOptions } from './normalization.js';

/**
 * GraphNorm (Cai et al., ICML 2021): for each graph and channel y = (x − κ·mean)·γ/√(var + ε) + β,
 * var = mean((x − κ·mean)²), over the nodes of the graph.
 */
export class GraphNorm {
  /** γ [features]. Initially 1. */
  weight: Tensor;
  /** β [features]. Initially 0. */
  bias: Tensor;
  /** κ [features]: the share of the mean that is subtracted. Initially 1. */
  meanScale: Tensor;
  /** ε, added to the variance. */
  readonly epsilon: number;

  constructor(
    readonly features: number,
    { epsilon = 1e-5 }: NormOptions = {},
  ) {
    this.epsilon = epsilon;
    this.weight = parameter(ones([features]));
    this.bias = parameter(zeros([features]));
    this.meanScale = parameter(ones([features]));
  }

  /** x [nodes, features] → the same shape; segment g holds the nodes of graph g. */
  forward(x: Tensor, graphs: Segments): Tensor {
    const means = multiply(segmentMean(x, graphs), this.meanScale); // (graphs, features)
    const shifted = subtract(x, gatherKnownRows(means, graphs.ids));
    const scale = multiply(rsqrt(add(segmentMean(square(shifted), graphs), this.epsilon)), this.weight);
    return add(multiply(shifted, gatherKnownRows(scale, graphs.ids)), this.bias);
  }
}
