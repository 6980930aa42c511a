// All designs of a hypernetwork by the five criteria: each is built and trained for some steps, or left out for a reason.

import { designHypernet, type HypernetDesign, weightsOf, whyNot } from '../hypernet/index.js';
import { Adam, crossEntropy, inference, MLP, parameters, withWeights } from '../nn/index.js';
import { Random, type Shape, scope, type Tensor, tensor, valueAndGrad } from '../tensor/index.js';

export interface CellResult {
  readonly cell: HypernetDesign;
  /** Why the combination is left out. */
  readonly reason?: string;
  readonly before: number;
  readonly after: number;
}

const SIZE = 4;

/** Sixteen points with the sign of x₁·x₂ as class. */
function points(random: Random): { x: Tensor; labels: Tensor } {
  const x = random.uniform([16, 2], -1, 1);
  const values = x.view();
  const labels = Int32Array.from({ length: 16 }, (_, i) =>
    Number((values[2 * i] as number) * (values[2 * i + 1] as number) > 0),
  );
  return { x, labels: tensor(labels) };
}

/** Trains one combination on a fixed batch. @param steps for each target */
export function trainCell(cell: HypernetDesign, steps: number, seed = 0): CellResult {
  const random = new Random(seed);
  const reason = whyNot(cell);
  if (reason !== undefined) return { cell, reason, before: Number.NaN, after: Number.NaN };
  return scope(() => {
    const { x, labels } = points(random.split('points'));
    const targets = [new MLP([2, 8, 2], random.split('target')), new MLP([2, 12, 2], random.split('wider'))] as const;
    const inputAt = inputsOf(cell, x, random);
    const hypernet = designHypernet(targets[0], cell, random, { size: SIZE, tasks: 3, features: 2 });
    const optimizer = new Adam({ learningRate: 1e-2 });
    const shapes = targets.map(
      (target): Record<string, Shape> =>
        Object.fromEntries(Object.entries(parameters(target)).map(([name, { shape }]) => [name, shape])),
    );
    const lossAt = (live: typeof hypernet, step: number) => {
      // Where weights vary, the targets take turns.
      const at = cell.weights === 'dynamic' ? step % 2 : 0;
      const made = live.generate(
        inputAt(step),
        cell.weights === 'dynamic' ? { shapes: shapes[at] as Record<string, Shape> } : {},
      );
      return withWeights(targets[at] as MLP, weightsOf(made, 0), (own) =>
        crossEntropy(own.forward(x, inference), labels),
      );
    };
    const mean = () => scope(() => (lossAt(hypernet, 0).item() + lossAt(hypernet, 1).item()) / 2);
    const before = mean();
    // Each target gets so many.
    for (let step = 0; step < (cell.weights === 'dynamic' ? 2 : 1) * steps; step++)
      scope(() => {
        const weights = parameters(hypernet);
        const { gradient } = valueAndGrad((w: Record<string, Tensor>) =>
          withWeights(hypernet, w, (live) => lossAt(live, step)),
        )(weights);
        optimizer.update(weights, gradient);
      });
    return { cell, before, after: mean() };
  });
}

/** The input at each step: the same, or one that varies. */
function inputsOf({ condition, inputs }: HypernetDesign, x: Tensor, random: Random): (step: number) => unknown {
  const fixed = inputs === 'static';
  const draw = (label: string, step: number) => random.split(label).split(step).normal([1, SIZE]);
  // A task, or its description by numbers that change a little from step to step.
  if (condition === 'task') return fixed ? () => [1] : (step) => draw('draws', step).multiply(0.1).add(1);
  if (condition === 'noise') return (step) => draw('noise', fixed ? 0 : step % 4);
  // A fixed support set, or part of the points that are seen at the step.
  return (step) => (fixed ? x : x.slice([step % 8, (step % 8) + 8]));
}
