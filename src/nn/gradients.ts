// The gradient of a loss with respect to a module's parameters.

import { type Tensor, valueAndGrad } from '../tensor/index.js';
import { parameters, type Weights, withWeights } from './module.js';

/**
 * A loss and ∂loss/∂θ by the names of θ. Outside a scope, whoever asked disposes of the tensors.
 */
export interface LossGradients {
  /** The scalar loss. */
  readonly loss: Tensor;
  /** ∂loss/∂θ, of the shape of θ, by parameter name. */
  readonly gradients: Weights;
}

/**
 * A scalar loss of a module and its gradients.
 *
 * @param loss is given the module with the weights that the tape watches
 * @param watched the parameters of which gradients are wanted. Default: all
 */
export function gradientsOf<Model extends object>(
  model: Model,
  loss: (live: Model) => Tensor,
  watched: Weights = parameters(model),
): LossGradients {
  const { value, gradient } = valueAndGrad((weights: Record<string, Tensor>) => withWeights(model, weights, loss))({
    ...watched,
  });
  return { loss: value, gradients: gradient };
}
