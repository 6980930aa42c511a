// Loss functions. All return a scalar, the mean over rows unless said otherwise.

import {
  abs,
  add,
  arange,
  cast,
  cosineSimilarities,
  divide,
  equal,
  exp,
  formatShape,
  gatherRows,
  log,
  logSoftmax,
  maximum,
  mean,
  minimum,
  multiply,
  negate,
  ones,
  pickColumns,
  positiveMask,
  requireTensor,
  reshape,
  sameShape,
  softplus,
  square,
  stopGradient,
  subtract,
  sum,
  type Tensor,
  transpose,
} from '../tensor/index.js';

/** @throws Error naming the loss unless both have one shape: broadcasting would mix the rows. */
function requireSameShape(loss: string, prediction: Tensor, target: Tensor): void {
  requireTensor(loss, prediction);
  requireTensor(loss, target);
  if (!sameShape(prediction.shape, target.shape))
    throw new Error(
      `${loss}: expected prediction and target of one shape, got ${formatShape(prediction.shape)} and ${formatShape(target.shape)}`,
    );
}

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions {
  /**
   * ε of the target (1 − ε)·one-hot + ε/classes (Szegedy et al. 2016), in [0, 1]. Default: 0.
   */
  readonly labelSmoothing?: number;
  /** Weight w of each class, not negative, [classes]. Default: 1. */
  readonly weight?: Tensor;
  /** A label whose rows are left out, such as −100 for padding. Default: none. */
  readonly ignoreIndex?: number;
}

/**
 * Cross-entropy of class labels y with log-probabilities ℓ = log softmax(logits), as in PyTorch:
 *
 * −Σᵢ [(1 − ε)·w(yᵢ)·ℓᵢ(yᵢ) + ε/classes·Σ_c w(c)·ℓᵢ(c)] / Σᵢ w(yᵢ) over the rows i that are not
 * ignored; 0 where w(yᵢ) is 0 in all (PyTorch: NaN). Without options −mean ℓᵢ(yᵢ).
 *
 * @param logits [n, classes]
 * @param labels i32 [n]
 * @throws RangeError for a label outside the classes that is not `ignoreIndex`, or for a smoothing
 * outside [0, 1].
 * @throws Error unless there is one weight a class.
 */
export function crossEntropy(
  logits: Tensor,
  labels: Tensor,
  { labelSmoothing = 0, weight, ignoreIndex }: CrossEntropyOptions = {},
): Tensor {
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new RangeError(`crossEntropy: the label smoothing must be in [0, 1], got ${labelSmoothing}`);
  const classes = logits.shape.at(-1) as number;
  if (weight && weight.size !== classes)
    throw new Error(`crossEntropy: expected ${classes} class weights, got ${weight}`);
  const logProbabilities = logSoftmax(logits);
  if (!weight && ignoreIndex === undefined) {
    const hard = negate(mean(pickColumns(logProbabilities, labels)));
    if (labelSmoothing === 0) return hard;
    return add(multiply(hard, 1 - labelSmoothing), multiply(mean(logProbabilities), -labelSmoothing));
  }
  const kept = ignoreIndex === undefined ? ones(labels.shape) : subtract(1, equal(labels, ignoreIndex));
  // Ignored rows pick class 0, which the mask drops again.
  const columns = ignoreIndex === undefined ? labels : multiply(labels, cast(kept, 'i32'));
  const rowWeights = weight ? multiply(kept, reshape(gatherRows(reshape(weight, [-1, 1]), columns), [-1])) : kept;
  const total = maximum(sum(rowWeights), SMALLEST);
  const picked = positiveMask(pickColumns(logProbabilities, columns), rowWeights);
  const hard = divide(negate(sum(multiply(rowWeights, picked))), total);
  if (labelSmoothing === 0) return hard;
  const ofClasses = sum(weight ? multiply(logProbabilities, weight) : logProbabilities, 1);
  const soft = divide(negate(sum(positiveMask(ofClasses, kept))), total);
  return add(multiply(hard, 1 - labelSmoothing), multiply(soft, labelSmoothing / classes));
}

/** Smallest normal f32: keeps 0/0 from a batch without weight. */
const SMALLEST = 2 ** -126;

/**
 * Cross-entropy with target probabilities t, such as mixed labels: −mean Σ t·log softmax(logits).
 * Both [n, classes]. With a weight w of each class, [classes]: −Σ w·t·log softmax(logits) / Σ w·t,
 * which is `crossEntropy` where one class of each row has all.
 */
export function softCrossEntropy(logits: Tensor, targets: Tensor, weight?: Tensor): Tensor {
  requireSameShape('softCrossEntropy', logits, targets);
  if (weight) {
    const weighted = multiply(targets, weight);
    const total = maximum(sum(weighted), SMALLEST);
    return divide(negate(sum(multiply(weighted, logSoftmax(logits)))), total);
  }
  return multiply(sum(multiply(targets, logSoftmax(logits))), -1 / Math.max(1, logits.shape[0] as number));
}

/**
 * Knowledge distillation (Hinton, Vinyals, Dean 2015): (1 − a)·CE(student, labels) +
 * a·T²·KL(softmax(teacher / T) ‖ softmax(student / T)). No gradient flows to the
 * teacher. Defaults: `weight` a = 0.5, `temperature` T = 2.
 *
 * @param student logits [n, classes]
 * @param teacher logits [n, classes]
 * @param labels i32 [n]
 * @throws RangeError unless the temperature is positive.
 */
export function distillation(
  student: Tensor,
  teacher: Tensor,
  labels: Tensor,
  { weight = 0.5, temperature = 2 }: { weight?: number; temperature?: number } = {},
): Tensor {
  requireSameShape('distillation', student, teacher);
  if (!(temperature > 0)) throw new RangeError(`distillation: the temperature must be positive, got ${temperature}`);
  const target = logSoftmax(multiply(stopGradient(teacher), 1 / temperature));
  const reached = logSoftmax(multiply(student, 1 / temperature));
  const divergence = sum(multiply(exp(target), subtract(target, reached)));
  const soft = multiply(divergence, (weight * temperature ** 2) / Math.max(1, student.shape[0] as number));
  return weight === 1 ? soft : add(multiply(crossEntropy(student, labels), 1 - weight), soft);
}

/**
 * Focal loss (Lin et al. 2017): −mean (1 − p)^γ·log p, with p the probability of the label, which
 * down-weights easy examples. logits [n, classes], labels i32 [n]; γ defaults to 2.
 */
export function focalLoss(logits: Tensor, labels: Tensor, gamma = 2): Tensor {
  const logP = pickColumns(logSoftmax(logits), labels);
  // (1 − p)^γ = exp(γ·log(1 − p)), with 1 − p offset by 1e-7.
  const weight = exp(multiply(log(add(subtract(1, exp(logP)), 1e-7)), gamma));
  return negate(mean(multiply(weight, logP)));
}

/**
 * InfoNCE (van den Oord, Li, Vinyals 2018): contrastive cross-entropy with logits cos(aᵢ, bⱼ) /
 * temperature and positives i = j, averaged over both directions as in CLIP. a, b [n, d]; the
 * temperature defaults to 0.07.
 */
export function infoNCE(a: Tensor, b: Tensor, temperature = 0.07): Tensor {
  const logits = multiply(cosineSimilarities(a, b), 1 / temperature);
  const partners = arange(a.shape[0] as number, 'i32');
  return multiply(add(crossEntropy(logits, partners), crossEntropy(transpose(logits), partners)), 0.5);
}

/**
 * Huber loss (Huber 1964): mean of ½d² where |d| ≤ δ, else δ·(|d| − ½δ), with
 * d = prediction − target of equal shapes; δ defaults to 1.
 */
export function huberLoss(prediction: Tensor, target: Tensor, delta = 1): Tensor {
  requireSameShape('huberLoss', prediction, target);
  const distance = abs(subtract(prediction, target));
  const inner = minimum(distance, delta);
  return mean(add(multiply(square(inner), 0.5), multiply(subtract(distance, inner), delta)));
}

/**
 * Binary cross-entropy of logits x with targets t in [0, 1] of the same shape: mean of
 * t·log(1 + e⁻ˣ) + (1 − t)·log(1 + eˣ), whose gradient is sigmoid(x) − t also at 0.
 */
export function binaryCrossEntropy(logits: Tensor, targets: Tensor): Tensor {
  requireSameShape('binaryCrossEntropy', logits, targets);
  const [positive, negative] = [softplus(negate(logits)), softplus(logits)];
  return mean(add(multiply(targets, positive), multiply(subtract(1, targets), negative)));
}

/** Mean of |prediction − target| over all elements. @throws Error for different shapes */
export function meanAbsoluteError(prediction: Tensor, target: Tensor): Tensor {
  requireSameShape('meanAbsoluteError', prediction, target);
  return mean(abs(subtract(prediction, target)));
}

/** Mean of (prediction − target)² over all elements, of equal shapes. */
export function meanSquaredError(prediction: Tensor, target: Tensor): Tensor {
  requireSameShape('meanSquaredError', prediction, target);
  return mean(square(subtract(prediction, target)));
}

/**
 * Mean over rows of KL(softmax(target/τ) ‖ softmax(prediction/τ)) = Σ t·(ln t − ln s): the
 * distillation loss of Hinton, Vinyals, Dean 2015 without its factor τ². Both are logits
 * [n, classes]; τ defaults to 1.
 *
 * @throws RangeError unless the temperature is positive.
 */
export function klDivergence(prediction: Tensor, target: Tensor, temperature = 1): Tensor {
  requireSameShape('klDivergence', prediction, target);
  return logKlDivergence(logSoftmax(divideBy(prediction, temperature)), logSoftmax(divideBy(target, temperature)));
}

/** Mean over rows of Σ t·(ln t − ln s), given log-probabilities ln s and ln t [n, classes]. */
export function logKlDivergence(logPrediction: Tensor, logTarget: Tensor): Tensor {
  requireSameShape('logKlDivergence', logPrediction, logTarget);
  const n = logPrediction.shape[0] as number;
  return multiply(sum(multiply(exp(logTarget), subtract(logTarget, logPrediction))), 1 / Math.max(n, 1));
}

function divideBy(x: Tensor, temperature: number): Tensor {
  if (!(temperature > 0)) throw new RangeError(`klDivergence: the temperature must be positive, got ${temperature}`);
  return temperature === 1 ? x : multiply(x, 1 / temperature);
}
