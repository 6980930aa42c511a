// Gradient estimators: the Gumbel-softmax relaxation of a discrete choice, and per-example
// gradients.

import {
  add,
  argmax,
  grad,
  log,
  multiply,
  oneHot,
  type Random,
  slice,
  softmax,
  stack,
  straightThrough,
  type Tensor,
} from '../tensor/index.js';
import type { Weights } from './module.js';

/**
 * Differentiable samples of categorical variables (Jang, Gu, Poole 2017; Maddison, Mnih, Teh 2017):
 * softmax((logits + g)/τ) with Gumbel noise g = −log(−log u), u ~ U(0, 1). logits
 * […, classes] → […, classes].
 *
 * @param options `temperature` τ, default 1; `hard` returns one-hot vectors with the gradient of
 * the soft sample (straight-through), default false.
 * @throws RangeError unless the temperature is positive.
 */
export function gumbelSoftmax(logits: Tensor, random: Random, { temperature = 1, hard = false } = {}): Tensor {
  if (!(temperature > 0)) throw new RangeError(`gumbelSoftmax: the temperature must be positive, got ${temperature}`);
  const uniform = random.uniform(logits.shape, 1e-7, 1 - 1e-7);
  const noise = multiply(log(multiply(log(uniform), -1)), -1);
  const soft = softmax(multiply(add(logits, noise), 1 / temperature));
  return hard ? straightThrough(oneHot(argmax(soft, -1), soft.shape.at(-1) as number), soft) : soft;
}

/**
 * Gradients of each example's loss separately: [examples, …shape of the weight] for every weight.
 * Costs one forward and backward pass per example.
 *
 * @param loss loss of one example, which keeps its first axis: tensors [1, …]
 * @param batch tensors [examples, …]
 */
export function perExampleGradients(
  loss: (weights: Weights, ...example: Tensor[]) => Tensor,
  weights: Weights,
  ...batch: readonly Tensor[]
): Record<string, Tensor> {
  const count = batch[0]?.shape[0] ?? 0;
  const gradients = Array.from({ length: count }, (_, i) =>
    grad((values: Weights) => loss(values, ...batch.map((rows) => slice(rows, [i, i + 1]))))(weights),
  );
  return Object.fromEntries(
    Object.keys(weights).map((name) => [name, stack(gradients.map((gradient) => gradient[name] as Tensor))]),
  );
}
