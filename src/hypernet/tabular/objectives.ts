// What trees are grown by: Gini impurity, variance, and the second-order objective of boosting.

/**
 * Split criterion and leaf values of a tree. A row adds first[row] to the sum with index
 * column[row] and second[row] to the last of `size` sums, so that one loop accumulates histograms
 * both of class counts and of gradients.
 */
export interface Objective {
  /** Number of sums of a node. */
  readonly size: number;
  /** For each row, the index of the sum to which `first` is added. */
  readonly column: Int32Array;
  /** For each row, its contribution to that sum (1 or the gradient). */
  readonly first: Float64Array;
  /** For each row, its contribution to the last sum (1 or the Hessian). */
  readonly second: Float64Array;
  /**
   * Score of the sums that start at `at`, larger is better; the gain of a split is score(left) +
   * score(right) − score(node).
   */
  score(sums: Float64Array, at: number): number;
  /** Whether the sums that start at `at` satisfy the minimum size of a leaf. */
  admits(sums: Float64Array, at: number): boolean;
  /** Outputs of a leaf with these sums. */
  leaf(sums: Float64Array): readonly number[];
}

/**
 * Gini objective with score Σ_c n_c²/n, whose gain is the decrease of impurity. The sums are n_c
 * for each class, then n.
 */
export function gini(labels: Int32Array, classes: number, leastLeaf: number): Objective {
  const ones = new Float64Array(labels.length).fill(1);
  return {
    size: classes + 1,
    column: labels,
    first: ones,
    second: ones,
    score(sums, at) {
      let squares = 0;
      for (let c = at; c < at + classes; c++) squares += (sums[c] as number) ** 2;
      return squares / (sums[at + classes] as number);
    },
    admits: (sums, at) => (sums[at + classes] as number) >= leastLeaf,
    leaf: (sums) => Array.from({ length: classes }, (_, c) => (sums[c] as number) / (sums[classes] as number)),
  };
}

/**
 * Squared error with score (Σ y)²/n, whose gain is the decrease of Σ (y − ȳ)²; leaves hold means.
 */
export function variance(values: Float64Array, leastLeaf: number): Objective {
  return {
    size: 2,
    column: new Int32Array(values.length),
    first: values,
    second: new Float64Array(values.length).fill(1),
    score: (sums, at) => (sums[at] as number) ** 2 / (sums[at + 1] as number),
    admits: (sums, at) => (sums[at + 1] as number) >= leastLeaf,
    leaf: (sums) => [(sums[0] as number) / (sums[1] as number)],
  };
}

/** Regularisation and shrinkage of the leaves of boosting. */
export interface NewtonOptions {
  /** λ: L2 regularisation of the leaf outputs. */
  readonly lambda: number;
  /** η: shrinkage of the leaf outputs. */
  readonly learningRate: number;
  /** Minimum Σ h in a leaf. */
  readonly leastHessian: number;
}

/**
 * The second-order objective of boosting: score G²/(H + λ), leaf output −η·G/(H + λ), for sums G of
 * gradients and H of Hessians.
 */
export function newton(
  gradients: Float64Array,
  hessians: Float64Array,
  { lambda, learningRate, leastHessian }: NewtonOptions,
): Objective {
  return {
    size: 2,
    column: new Int32Array(gradients.length),
    first: gradients,
    second: hessians,
    score: (sums, at) => (sums[at] as number) ** 2 / ((sums[at + 1] as number) + lambda),
    admits: (sums, at) => (sums[at + 1] as number) >= leastHessian,
    leaf: (sums) => [(-learningRate * (sums[0] as number)) / ((sums[1] as number) + lambda)],
  };
}
