// Gradients where there are none or too few: discrete choices, and one gradient for each example.

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
 * A sample from softmax(logits) that can be differentiated (Jang, Gu, Poole 2017; Maddison, Mnih, Teh 2017): softmax((logits + g)/τ) with Gumbel noise g = −log(−log u). `hard` gives one-hot rows with the
 * soft sample's gradient. logits [·, classes].
 */
export function gumbelSoftmax(logits: Tensor, random: Random, { temperature = 1, hard = false } = {}): Tensor {
  if (!(temperature > 0)) throw new RangeError(`gumbelSoftmax: the temperature must be positive, got ${temperature}`);
  const uniform = random.uniform(logits.shape, 1e-7, 1 - 1e-7);
  const noise = multiply(log(multiply(log(uniform), -1)), -1);
  const soft = softmax(multiply(add(logits, noise), 1 / temperature));
  return hard ? straightThrough(oneHot(argmax(soft, -1), soft.shape.at(-1) as number), soft) : soft;
}

/**
 * The gradient of each example by itself: for a loss of one example's rows, tensors [examples, …weight's shape]. Costs one backward pass an example.
 *
 * @param batch tensors whose first axis counts examples.
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
