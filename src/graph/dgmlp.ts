// DGMLP (Zhang et al., "Evaluating Deep Graph Neural Networks", 2021, arXiv 2108.00955): decoupled
// propagation of any depth, whose hops are weighted for each node by how little they are smoothed,
// then a residual perceptron of any depth. Propagation has no parameters, so it is computed once.
//
//   x̂_v = Σ_k softmax_k(NSL_v(k) / T) · x_v^k                     node-adaptive combination
//   h^{l+1} = σ(h^l W^l) + h^l                                    residual transformation

import type { Random } from '../tensor/index.js';
import { type HopCombination, HopNetwork } from './decoupled/index.js';
import type { ResidualMLPOptions } from './residual-mlp.js';
import { nodeAdaptiveFeatures, nodeAdaptiveRows, type SmoothingOptions } from './smoothing.js';

/** Depths of propagation and transformation. */
export interface DGMLPOptions extends ResidualMLPOptions, SmoothingOptions {
  /** D_p: number of propagations K. Default: 20. */
  readonly steps?: number;
}

/** Hops weighted for each node by softmax_k(NSL_v(k)/T). */
export function nodeAdaptive(steps: number, { temperature = 1, ...options }: SmoothingOptions = {}): HopCombination {
  return {
    steps,
    all: (x, graph) => nodeAdaptiveFeatures(x, graph, steps, { temperature, ...options }),
    of: (hops) => nodeAdaptiveRows(hops, steps, temperature),
  };
}

/**
 * Node-adaptive features of K hops and a residual perceptron on them. K = 0 is that perceptron on
 * the features themselves. `trainDecoupled` trains it in mini-batches of nodes.
 *
 * **Shapes**: x [n, inFeatures] → logits [n, outFeatures].
 *
 * @throws RangeError when the temperature is below 0.03, at the first use
 * @see Zhang et al., "Evaluating Deep Graph Neural Networks", 2021
 */
export class DGMLP extends HopNetwork {
  /** The options that it was made with; others have their defaults. */
  readonly layout: DGMLPOptions;

  constructor(inFeatures: number, outFeatures: number, random: Random, layout: DGMLPOptions = {}) {
    const { steps = 20, exponent, temperature, block, ...layers } = layout;
    const combination = nodeAdaptive(steps, { exponent, temperature, block });
    super(inFeatures, outFeatures, combination, random, { dropout: 0.2, ...layers });
    this.layout = layout;
  }
}

/**
 * The published settings: propagations, input dropout, learning rate, weight decay. They suit raw
 * bag-of-words features; with rows normalised to sum 1 this weight decay would drive the weights to
 * 0.
 */
export const presets = {
  cora: { steps: 20, dropout: 0.2, learningRate: 0.2, weightDecay: 5e-3 },
  citeseer: { steps: 15, dropout: 0.1, learningRate: 0.1, weightDecay: 5e-2 },
  pubmed: { steps: 20, dropout: 0.5, learningRate: 0.2, weightDecay: 5e-5 },
} as const;
