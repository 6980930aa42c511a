// S²GC (Zhu, Koniusz, "Simple Spectral Graph Convolution", ICLR 2021).
//
// SGC keeps the last of K propagations, in which all nodes of a component look alike as K grows.
// S²GC keeps the mean of all of them, so that near neighbourhoods are not lost, and adds the
// features themselves:
//
//   X̂ = 1/K · Σ_{k=1..K} ((1 − α)·T̃^k·X + α·X), logits = X̂·W + b, T̃ = D̃^{-1/2}(A + I)D̃^{-1/2}

import { type Features, Linear, type Mode } from '../nn/index.js';
import type { Graph } from '../structure/index.js';
import { memo } from '../structure/index.js';
import { keep, type Random, scope, type Tensor } from '../tensor/index.js';
import { type GraphModule, hops } from './conv/index.js';

export interface S2GCOptions {
  /** K: propagations. Default: 16. */
  readonly steps?: number;
  /** α: share of a node's own features. Default: 0.05. */
  readonly alpha?: number;
}

/**
 * A linear classifier on features that are averaged over neighbourhoods of rising size, once for a
 * graph.
 *
 * **Shapes**: x [nodes, inFeatures] → logits [nodes, outFeatures].
 *
 * @throws RangeError unless K is a positive integer and 0 ≤ α ≤ 1.
 * @see Zhu, Koniusz, "Simple Spectral Graph Convolution", ICLR 2021
 */
export class S2GC implements GraphModule {
  readonly linear: Linear;
  /** K. */
  readonly steps: number;
  /** α. */
  readonly alpha: number;

  constructor(inFeatures: number, outFeatures: number, random: Random, { steps = 16, alpha = 0.05 }: S2GCOptions = {}) {
    if (!(Number.isInteger(steps) && steps >= 1))
      throw new RangeError(`S2GC: steps must be a positive integer, got ${steps}`);
    if (!(alpha >= 0 && alpha <= 1)) throw new RangeError(`S2GC: alpha is a share, got ${alpha}`);
    this.steps = steps;
    this.alpha = alpha;
    this.linear = new Linear(inFeatures, outFeatures, random);
  }

  forward(x: Features, graph: Graph, _mode?: Mode): Tensor {
    return this.linear.forward(averagedFeatures(x, graph, this.steps, this.alpha));
  }
}

/** X̂ [nodes, features], made once for the same features, graph, K and α. */
export function averagedFeatures(x: Features, graph: Graph, steps: number, alpha: number): Tensor {
  const made = memo(graph, `s2gc ${steps} ${alpha}`, () => new WeakMap<object, Tensor>());
  const known = made.get(x);
  if (known) return known;
  const averaged = keep(
    scope(() => {
      const [own, ...propagated] = hops(x, graph, steps) as [Tensor, Tensor, ...Tensor[]];
      const mean = propagated.reduce((sum, hop) => sum.add(hop)).multiply((1 - alpha) / steps);
      return mean.add(own.multiply(alpha));
    }),
  );
  made.set(x, averaged);
  return averaged;
}
