// Model merging: one model whose weights are averages of those of several.

import type { Weights } from '../../nn/index.js';
import { add, multiply, type Tensor } from '../../tensor/index.js';

/**
 * Σ cᵢ·Wᵢ / Σ cᵢ of checkpoints of one model.
 *
 * @param coefficients c, at least 0. Default: equal ones.
 * @throws Error when weights differ in names or shapes, or coefficients do not fit.
 */
export function averageWeights(checkpoints: readonly Weights[], coefficients?: readonly number[]): Weights {
  const [first] = checkpoints;
  if (!first) throw new Error('averageWeights: there is no checkpoint');
  const c = coefficients ?? checkpoints.map(() => 1);
  const total = c.reduce((sum, one) => sum + one, 0);
  if (c.length !== checkpoints.length || !c.every((one) => one >= 0) || !(total > 0 && total < Infinity))
    throw new Error(
      `averageWeights: ${checkpoints.length} checkpoints and coefficients ${c.join(', ')}: one each is needed, none below 0, not all 0`,
    );
  const names = Object.keys(first);
  return Object.fromEntries(
    names.map((name) => {
      const parts = checkpoints.map((weights, i): Tensor => {
        const own = weights[name];
        const expected = (first[name] as Tensor).shape;
        if (!own || String(own.shape) !== String(expected) || Object.keys(weights).length !== names.length)
          throw new Error(
            `averageWeights: checkpoint ${i} has other weights than the first: "${name}" is [${own?.shape.join(', ') ?? 'not there'}], expected [${expected.join(', ')}]`,
          );
        return multiply(own, (c[i] as number) / total);
      });
      return [name, parts.reduce((sum, part) => add(sum, part))];
    }),
  );
}
