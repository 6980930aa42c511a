// Label propagation (Zhou et al., "Learning with Local and Global Consistency", NeurIPS 2003) and
// Correct and Smooth (Huang et al., "Combining Label Propagation and Simple Models Out-performs
// Graph Neural Networks", ICLR 2021): baselines that learn no parameters on the graph.

import { spmm } from '../sparse/index.js';
import { type Graph, graphOperator } from '../structure/index.js';
import { add, multiply, scope, softmax, subtract, type Tensor, tensor } from '../tensor/index.js';

/** How far and how long labels propagate. */
export interface LabelPropagationOptions {
  /** α: share of each new score that comes from neighbours. Default: 0.9. */
  readonly alpha?: number;
  /** Number of propagation steps. Default: 50. */
  readonly steps?: number;
}

/** One-hot labels of the given rows, zeros elsewhere: [n, classes]. */
function oneHotRows(labels: Int32Array, rows: Int32Array, classes: number): Float32Array {
  const values = new Float32Array(labels.length * classes);
  for (const row of rows) values[row * classes + (labels[row] as number)] = 1;
  return values;
}

/** F ← α·S·F + (1 − α)·F₀ with S = D^{-1/2}AD^{-1/2}; `clamp` is applied after each step. */
function diffuse(
  start: Tensor,
  graph: Graph,
  alpha: number,
  steps: number,
  clamp: (f: Tensor) => Tensor = (f) => f,
): Tensor {
  const operator = graphOperator(graph, { selfLoops: false });
  let current = start;
  for (let step = 0; step < steps; step++)
    current = scope(() => clamp(add(multiply(spmm(operator, current), alpha), multiply(start, 1 - alpha))));
  return current;
}

/**
 * F ← α·D^{-1/2}AD^{-1/2}·F + (1 − α)·Y, with the training rows clamped to their labels after every
 * step.
 *
 * @param labels class of each node [n], read at the training rows alone
 * @param train rows with known labels
 * @returns scores [n, classes]
 */
export function labelPropagation(
  graph: Graph,
  labels: Int32Array,
  train: Int32Array,
  classes: number,
  { alpha = 0.9, steps = 50 }: LabelPropagationOptions = {},
): Tensor {
  const known = oneHotRows(labels, train, classes);
  return scope(() =>
    diffuse(tensor(known, [labels.length, classes]), graph, alpha, steps, (f) => {
      const values = f.view();
      for (const row of train) values.set(known.subarray(row * classes, (row + 1) * classes), row * classes);
      return f;
    }),
  );
}

/** Propagation of both phases of `correctAndSmooth`. */
export interface CorrectAndSmoothOptions {
  /** α when residual errors are propagated. Default: 0.8. */
  readonly correctAlpha?: number;
  /** α when corrected predictions are propagated. Default: 0.8. */
  readonly smoothAlpha?: number;
  /** Propagation steps of each phase. Default: 50. */
  readonly steps?: number;
}

/**
 * Correct: propagates the residual errors of any classifier on the training nodes over the graph
 * and adds them to its predictions, each row scaled to the mean L1 norm of the training errors.
 * Smooth: propagates the result, with the training rows replaced by their labels.
 *
 * @param logits [n, classes] of the base classifier
 * @param labels class of each node [n], read at the training rows alone
 * @param train rows with known labels
 * @returns scores [n, classes]
 */
export function correctAndSmooth(
  logits: Tensor,
  graph: Graph,
  labels: Int32Array,
  train: Int32Array,
  { correctAlpha = 0.8, smoothAlpha = 0.8, steps = 50 }: CorrectAndSmoothOptions = {},
): Tensor {
  const [n, classes] = logits.shape as [number, number];
  const known = oneHotRows(labels, train, classes);
  return scope(() => {
    const probabilities = softmax(logits);
    const errors = new Float32Array(n * classes);
    const predicted = probabilities.view();
    let totalError = 0;
    for (const row of train)
      for (let c = row * classes; c < (row + 1) * classes; c++) {
        errors[c] = (known[c] as number) - (predicted[c] as number);
        totalError += Math.abs(errors[c] as number);
      }
    const spread = diffuse(tensor(errors, [n, classes]), graph, correctAlpha, steps);
    const values = spread.view();
    const meanError = totalError / Math.max(1, train.length);
    for (let row = 0; row < n; row++) {
      const rowError = values.subarray(row * classes, (row + 1) * classes);
      const norm = rowError.reduce((total, value) => total + Math.abs(value), 0);
      const scale = norm < 1e-12 ? 0 : meanError / norm;
      if (scale < 1000) for (let c = 0; c < classes; c++) rowError[c] = (rowError[c] as number) * scale;
    }
    const corrected = subtract(probabilities, multiply(spread, -1));
    const target = corrected.view();
    for (const row of train) target.set(known.subarray(row * classes, (row + 1) * classes), row * classes);
    return diffuse(corrected, graph, smoothAlpha, steps);
  });
}
