// Elastic weight consolidation: weights are held by how much earlier tasks depend on them
// (Kirkpatrick et al., "Overcoming catastrophic forgetting in neural networks", PNAS 2017).

import { gradientsOf, type MLP, parameters } from '../../../nn/index.js';
import { type Random, scope, type Tensor, tensor } from '../../../tensor/index.js';
import { forward, lossOf } from './row.js';

/** Weights after a task, and the diagonal of the Fisher information at them, by name. */
export interface Anchor {
  readonly weights: Readonly<Record<string, Float32Array>>;
  readonly fisher: Readonly<Record<string, Float32Array>>;
}

/** The Fisher information: mean squared gradients of labels that the network itself draws. */
export function anchorAt(network: MLP, x: Tensor, random: Random): Anchor {
  const points = x.shape[0] as number;
  const values = (of: (weight: Tensor) => Float32Array) =>
    Object.fromEntries(Object.entries(parameters(network)).map(([name, weight]) => [name, of(weight)]));
  const fisher = values(({ size }) => new Float32Array(size));
  for (let i = 0; i < points; i++)
    scope(() => {
      const own = x.slice([i, i + 1]);
      const probability = 1 / (1 + Math.exp(-forward(network, own).item()));
      const drawn = { x: own, y: tensor([[Number(random.float() < probability)]]) };
      const { gradients } = gradientsOf(network, (live) => lossOf(forward(live, own), drawn));
      for (const [name, sums] of Object.entries(fisher)) {
        const gradient = (gradients[name] as Tensor).view();
        for (let at = 0; at < sums.length; at++)
          sums[at] = (sums[at] as number) + (gradient[at] as number) ** 2 / points;
      }
    });
  return { weights: values((weight) => Float32Array.from(weight.dataSync())), fisher };
}

/** Σ F (θ − θ*)² over all weights and earlier tasks, mean over the tasks. */
export function consolidation(live: MLP, anchors: readonly Anchor[]): Tensor {
  const terms = anchors.flatMap(({ weights, fisher }) =>
    Object.entries(parameters(live)).map(([name, weight]) => {
      const [before, importance] = [weights, fisher].map((of) => tensor(of[name] as Float32Array, weight.shape));
      return weight
        .subtract(before as Tensor)
        .square()
        .multiply(importance as Tensor)
        .sum();
    }),
  );
  return terms.reduce((sum, term) => sum.add(term)).multiply(1 / anchors.length);
}
