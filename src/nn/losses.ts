// Losses. All give a scalar: the mean over rows unless said otherwise.

import {
  abs,
  add,
  exp,
  logSoftmax,
  mean,
  multiply,
  negate,
  pickColumns,
  relu,
  softplus,
  square,
  subtract,
  sum,
  type Tensor,
} from '../tensor/index.js';

/** −mean log softmax(logits)[row, label]: logits [n, classes], labels i32 [n]. @throws RangeError for a label outside the classes. */
export function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  return negate(mean(pickColumns(logSoftmax(logits), labels)));
}

/** Mean binary cross-entropy of logits against targets in [0, 1]: max(x, 0) − x·t + log(1 + e^−|x|). */
export function binaryCrossEntropy(logits: Tensor, targets: Tensor): Tensor {
  return mean(add(subtract(relu(logits), multiply(logits, targets)), softplus(negate(abs(logits)))));
}

/** Mean squared error. */
export function meanSquaredError(prediction: Tensor, target: Tensor): Tensor {
  return mean(square(subtract(prediction, target)));
}

/**
 * Mean over rows of KL(softmax(target/τ) ‖ softmax(prediction/τ)) = Σ t·(ln t − ln s), the distillation loss of Hinton, Vinyals, Dean 2015 without its
 * factor τ². Both are logits [n, classes].
 */
export function klDivergence(prediction: Tensor, target: Tensor, temperature = 1): Tensor {
  return logKlDivergence(logSoftmax(divideBy(prediction, temperature)), logSoftmax(divideBy(target, temperature)));
}

/** Mean over rows of Σ t·(ln t − ln s) for log-probabilities. */
export function logKlDivergence(logPrediction: Tensor, logTarget: Tensor): Tensor {
  const n = logPrediction.shape[0] as number;
  return multiply(sum(multiply(exp(logTarget), subtract(logTarget, logPrediction))), 1 / Math.max(n, 1));
}

function divideBy(x: Tensor, temperature: number): Tensor {
  if (!(temperature > 0)) throw new RangeError(`klDivergence: the temperature must be positive, got ${temperature}`);
  return temperature === 1 ? x : multiply(x, 1 / temperature);
}
