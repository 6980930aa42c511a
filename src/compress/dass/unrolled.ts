// The second-order step of architecture weights: α follows the loss of the weights that a training
// step would lead to (Liu, Simonyan, Yang, "DARTS", ICLR 2019).

import {
  type AlternatingOptimizer,
  architectureOf,
  disposeWeights,
  globalNorm,
  gradientsOf,
  parameters,
  type Weights,
} from '../../nn/index.js';
import { add, multiply, scope, subtract, type Tensor } from '../../tensor/index.js';

/** What a second-order step is told. */
export interface UnrolledOptions<Model> {
  /** L_val: loss of a batch of the half of α. */
  readonly validationLoss: (live: Model) => Tensor;
  /** L_train: loss of a batch of the half of the weights. */
  readonly trainingLoss: (live: Model) => Tensor;
  /** Names of w, the parameters that learn. Default: all but α. */
  readonly names?: ReadonlySet<string>;
  /** η: learning rate of the unrolled step. */
  readonly learningRate: number;
  /** λ: its L2 weight decay. Default: 3e-4. */
  readonly weightDecay?: number;
}

/** Length of the step over which the product with the Hessian is a difference. */
const STEP = 0.01;

/** An α gradient, and L_val at the unrolled weights. */
export interface UnrolledGradient {
  /** L_val at w′. */
  readonly loss: number;
  /** g − η·h by name of α. */
  readonly gradients: Weights;
}

/**
 * The gradient of L_val(w′(α), α) after one unrolled step, with the product of the mixed Hessian as
 * a difference:
 *
 *   w′ = w − η·(∇_w L_train(w, α) + λ·w),  g = ∇_α L_val(w′, α),  v = ∇_w′ L_val
 *   h = (∇_α L_train(w + εv, α) − ∇_α L_train(w − εv, α)) / 2ε,  ε = 0.01 / ‖v‖
 *
 * The caller disposes of the gradients.
 */
export function unrolledGradient<Model extends object>(
  model: Model,
  { validationLoss, trainingLoss, names, learningRate, weightDecay = 3e-4 }: UnrolledOptions<Model>,
): UnrolledGradient {
  const alphas = architectureOf(model);
  const own = Object.entries(parameters(model)).filter(([name]) => (names ? names.has(name) : !alphas[name]));
  const weights: Weights = Object.fromEntries(own);
  let loss = Number.NaN;
  const gradients = scope(() => {
    const { gradients: slope } = gradientsOf(model, trainingLoss, weights);
    const unrolled = mapped(weights, (w, name) =>
      subtract(w, multiply(add(slope[name] as Tensor, multiply(w, weightDecay)), learningRate)),
    );
    const ahead = gradientsOf(model, validationLoss, { ...unrolled, ...alphas });
    loss = ahead.loss.item();
    const v = mapped(weights, (_, name) => ahead.gradients[name] as Tensor);
    const norm = globalNorm(v);
    const epsilon = STEP / (norm || 1);
    const [above, below] = [epsilon, -epsilon].map((step) => {
      const moved = mapped(weights, (w, name) => add(w, multiply(v[name] as Tensor, step)));
      return gradientsOf(model, trainingLoss, { ...moved, ...alphas }).gradients;
    }) as [Weights, Weights];
    return mapped(alphas, (_, name) => {
      const h = multiply(subtract(above[name] as Tensor, below[name] as Tensor), 1 / (2 * epsilon));
      return subtract(ahead.gradients[name] as Tensor, multiply(h, learningRate));
    });
  });
  return { loss, gradients };
}

/** Updates α by `unrolledGradient`; weights and scores keep their bits. @returns L_val */
export function unrolledStep<Model extends object>(
  model: Model,
  optimizer: AlternatingOptimizer,
  options: UnrolledOptions<Model>,
): number {
  const { loss, gradients } = unrolledGradient(model, options);
  if (Number.isFinite(loss)) optimizer.updateArchitecture(architectureOf(model), gradients);
  disposeWeights(gradients);
  return loss;
}

const mapped = (weights: Weights, map: (weight: Tensor, name: string) => Tensor): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, map(weight, name)]));
