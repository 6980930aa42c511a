// LightDiC (Li, Liao, Wu, Su, Sun, Qin, Wang, "LightDiC: A Simple yet Effective Approach for
// Large-scale Digraph Representation Learning", PVLDB 2024): complex propagation without
// parameters, then a linear classifier.
//
//   S_m = D̃^{r−1}·(A_s + I)·D̃^{−r} ∘ exp(iΘ),  Z = S_m^K·X,  logits = [Re Z ‖ Im Z]·Wᵀ + b

import { featureCount } from '../../nn/index.js';
import { spmm } from '../../sparse/index.js';
import { magneticOperator } from '../../structure/index.js';
import { concatenate, type Random, scope, tensor, zeros } from '../../tensor/index.js';
import { columnsOf, type HopOptions } from '../hops.js';
import { type HopCombination, HopNetwork } from './hop-network.js';

/** Complex propagation. */
export interface LightDiCOptions extends HopOptions {
  /** K: number of propagations. Default: 4. */
  readonly steps?: number;
  /** q of the magnetic operator. Default: 0.035, as released for nodes; 0.056 for edges. */
  readonly q?: number;
}

/**
 * [Re ‖ Im] of S_m^K·x, computed by blocks of columns: memory for two blocks and for the result
 * [n, 2d].
 *
 * @throws Error when features and graph differ in their number of nodes
 */
export function magneticHops({ steps = 4, q = 0.035, exponent = 0.5, block = 256 }: LightDiCOptions): HopCombination {
  return {
    steps,
    all: (x, graph) => {
      const operator = magneticOperator(graph, q, { exponent, selfLoops: true }).embedding;
      const [n, d] = [graph.nodeCount, featureCount(x)];
      const result = new Float32Array(2 * n * d);
      for (let from = 0; from < d; from += block)
        scope(() => {
          const width = Math.min(block, d - from);
          const first = columnsOf(x, from, width);
          if (first.shape[0] !== n)
            throw new Error(`LightDiC: features of ${first.shape[0]} nodes for a graph of ${n}`);
          let z = concatenate([first, zeros([n, width])], 0);
          for (let k = 0; k < steps; k++) z = scope(() => spmm(operator, z));
          const values = z.view();
          for (let row = 0; row < 2 * n; row++) {
            const to = row < n ? 2 * row * d : 2 * (row - n) * d + d;
            result.set(values.subarray(row * width, (row + 1) * width), to + from);
          }
        });
      return tensor(result, [n, 2 * d]);
    },
  };
}

/**
 * A linear classifier of complex propagated features, trained in mini-batches of nodes.
 *
 * **Shapes**: x [n, inFeatures] → logits [n, outFeatures].
 */
export class LightDiC extends HopNetwork {
  constructor(inFeatures: number, outFeatures: number, random: Random, options: LightDiCOptions = {}) {
    super(2 * inFeatures, outFeatures, magneticHops(options), random, { depth: 1, dropout: 0 });
  }
}
