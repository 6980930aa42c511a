// How much faster a network would be with a share of its weights zero, before any training: masks
// of the weights as they are, and the cost model of this machine. Which weights are zero does not
// matter for the time.

import { inference, type Layer, stateOf } from '../nn/index.js';
import type { Tensor } from '../tensor/index.js';
import { calibrateKernels, compile, type KernelChoice, type KernelCosts } from '../trace/index.js';
import { pruneOnce } from './pruning.js';
import type { PruneStep } from './recipe.js';
import { prunedLayers } from './sparsebytenn.js';

/** What the cost model says of a network. */
export interface PruningEstimate {
  /** Convolutions and linear layers with their predicted times. */
  readonly layers: readonly KernelChoice[];
  /** Milliseconds of these layers together, all dense. */
  readonly dense: number;
  /** Milliseconds with the faster kernel of each. */
  readonly sparse: number;
}

/**
 * Estimates the time of the convolutions and linear layers of a network for one input, dense and
 * with the zeros of prune steps. Additions, pooling and norms that are not folded do not count. The
 * model is not changed.
 *
 * @param example an input of the network; only its shape matters
 * @param costs default: those of this machine, which takes seconds to time
 * @param deployed the form of the model that runs
 * @throws Error when a step chooses no layer
 */
export function estimatePruning(
  model: Layer,
  example: Tensor,
  steps: readonly Omit<PruneStep, 'do'>[],
  { costs = calibrateKernels(), deployed = (own) => own }: EstimateOptions = {},
): PruningEstimate {
  const saved = new Map<Tensor, Float32Array>();
  const layers: KernelChoice[] = [];
  try {
    for (const step of steps) {
      const { weights, patternOf } = prunedLayers(model, step);
      for (const weight of Object.values(weights)) if (!saved.has(weight)) saved.set(weight, weight.dataSync());
      const { sparsity, distribution = 'uniform' } = step;
      const masks = pruneOnce(weights, { sparsity, distribution, pattern: patternOf });
      for (const mask of Object.values(masks)) mask.dispose();
    }
    const running = deployed(model);
    const plan = compile((x) => running.forward(x, inference), [example], {
      weights: stateOf(running),
      sparse: { choose: 'model', costs, onChoice: (choice) => layers.push(choice) },
    });
    plan.dispose();
  } finally {
    for (const [weight, values] of saved) weight.assign(values);
  }
  const timeOf = ({ kernel, predicted }: KernelChoice) =>
    (kernel === 'sparse' ? predicted?.sparse : predicted?.dense) ?? 0;
  return {
    layers,
    dense: layers.reduce((sum, { predicted }) => sum + (predicted?.dense ?? 0), 0),
    sparse: layers.reduce((sum, layer) => sum + timeOf(layer), 0),
  };
}

/** Options of `estimatePruning`. */
export interface EstimateOptions {
  /** The cost model. Default: that of this machine. */
  readonly costs?: KernelCosts;
  /** Converts a trained model into its inference form. Default: the model itself. */
  readonly deployed?: (model: Layer) => Layer;
}
