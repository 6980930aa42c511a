// Label propagation (Zhou et al., "Learning with Local and Global Consistency", NeurIPS 2003) and Correct and Smooth (Huang et al., ICLR 2021): baselines that train nothing on the graph.

import { spmm } from '../sparse/index.js';
import { type Graph, graphOperator } from '../structure/index.js';
import { add, multiply, scope, softmax, subtract, type Tensor, tensor } from '../tensor/index.js';

export interface LabelPropagationOptions {
  /** Share that comes from neighbours. */
  readonly alpha?: number;
  readonly steps?: number;
}

function oneHotRows(labels: Int32Array, rows: Int32Array, classes: number): Float32Array {
  const values = new Float32Array(labels.length * classes);
  for (const row of rows) values[row * classes + (labels[row] as number)] = 1;
  return values;
}

/** F ← α·S·F + (1 − α)·F₀; `clamp` is applied after each step. */
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
 * F ← α·D^{-1/2}AD^{-1/2}·F + (1 − α)·Y with the training rows held at their labels.
 *
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

export interface CorrectAndSmoothOptions {
  readonly correctAlpha?: number;
  readonly smoothAlpha?: number;
  readonly steps?: number;
}

/**
 * Spreads the training errors of any classifier over the graph and subtracts them, scaled to the mean size of the training errors, then smooths the result with the training labels put in.
 *
 * @param logits [n, classes] of the base classifier
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
    const guesses = probabilities.view();
    let size = 0;
    for (const row of train)
      for (let c = row * classes; c < (row + 1) * classes; c++) {
        errors[c] = (known[c] as number) - (guesses[c] as number);
        size += Math.abs(errors[c] as number);
      }
    const spread = diffuse(tensor(errors, [n, classes]), graph, correctAlpha, steps);
    const values = spread.view();
    const mean = size / Math.max(1, train.length);
    for (let row = 0; row < n; row++) {
      const own = values.subarray(row * classes, (row + 1) * classes);
      const length = own.reduce((total, value) => total + Math.abs(value), 0);
      const scale = length < 1e-12 ? 0 : mean / length;
      if (scale < 1000) for (let c = 0; c < classes; c++) own[c] = (own[c] as number) * scale;
    }
    const corrected = subtract(probabilities, multiply(spread, -1));
    const target = corrected.view();
    for (const row of train) target.set(known.subarray(row * classes, (row + 1) * classes), row * classes);
    return diffuse(corrected, graph, smoothAlpha, steps);
  });
}
