// Ensembles of decision trees: random forests and gradient boosting.

import { type Communicator, runOnThreads, shareOf } from '../../distributed/index.js';
import { eventTurn, threads } from '../../engine/index.js';
import { type Key, Random, type Tensor } from '../../tensor/index.js';
import type { ClassifierOptions, TableClassifier } from './classifier.js';
import type { Rows } from './features.js';
import { stateOfTrees, treesOfState } from './tree-state.js';
import { addTree, binRows, growTree, type Objective, type Tree } from './trees.js';

/** Options of `RandomForest`. */
export interface ForestOptions {
  /** Number of trees. Default: 100. */
  readonly trees?: number;
  /** Random columns tried at each node. Default: ⌊√D⌋. */
  readonly columns?: number;
  /** Minimum number of rows in a leaf. Default: 1. */
  readonly leastLeaf?: number;
}

/**
 * Trees on bootstrap samples, each grown to purity by Gini impurity over random columns at each
 * node; their class frequencies are averaged (Breiman, "Random Forests", 2001). Large forests are
 * grown on all threads, with the same result.
 */
export class RandomForest implements TableClassifier {
  /** The trained trees; empty before fit. */
  trees: readonly Tree[] = [];
  /** Number of classes; 0 before fit. */
  classes = 0;

  constructor(readonly options: ForestOptions = {}) {}

  async fit(
    x: Rows,
    labels: Int32Array,
    classes: number,
    random: Random,
    { signal, onProgress }: ClassifierOptions = {},
  ) {
    const { trees = 100, columns = Math.max(1, Math.floor(Math.sqrt(x.width))), leastLeaf = 1 } = this.options;
    const job: ForestJob = {
      x,
      labels,
      classes,
      trees,
      columns: Math.min(columns, x.width),
      leastLeaf,
      key: random.key,
    };
    this.classes = classes;
    if (threads() > 1 && trees * x.count * columns > THREADED_WORK && inNode) {
      signal?.throwIfAborted();
      const shares = await runOnThreads<Tree[]>(threads(), import.meta.resolve('gossamer/hypernet'), 'growShare', job);
      signal?.throwIfAborted();
      onProgress?.(1);
      this.trees = shares.flat();
      return;
    }
    const grown: Tree[] = [];
    for (const tree of grow(job, 0, trees)) {
      grown.push(tree);
      onProgress?.(grown.length / trees);
      if (grown.length % 8 === 0) await eventTurn(signal);
    }
    this.trees = grown;
  }

  probabilities(x: Rows): Float64Array {
    const totals = new Float64Array(x.count * this.classes);
    for (const tree of this.trees) addTree(tree, x, totals, this.classes, 1 / this.trees.length);
    return totals;
  }

  state(): Record<string, Tensor> {
    return stateOfTrees(this.trees);
  }

  restore(state: Readonly<Record<string, Tensor>>, _width: number, classes: number): void {
    this.classes = classes;
    this.trees = treesOfState(state);
  }
}

/**
 * Rows × trees × columns above which starting worker threads is worthwhile: about a second of work.
 */
const THREADED_WORK = 1e6;
const inNode = globalThis.process?.versions?.node !== undefined;

/** The input of forest training as plain data, so that it can be sent to worker threads. */
interface ForestJob {
  readonly x: Rows;
  readonly labels: Int32Array;
  readonly classes: number;
  readonly trees: number;
  readonly columns: number;
  readonly leastLeaf: number;
  readonly key: Key;
}

/**
 * Trees from … to − 1. Each has its own random stream, so that the forest does not depend on the
 * number of threads.
 */
function* grow({ x, labels, classes, columns, leastLeaf, key }: ForestJob, from: number, to: number): Generator<Tree> {
  const binned = binRows(x);
  const objective = gini(labels, classes, leastLeaf);
  const random = new Random(key);
  for (let t = from; t < to; t++) {
    const draws = random.split(t);
    const rows = Int32Array.from({ length: x.count }, () => draws.integer(x.count));
    const tried = () => draws.sample(x.width, columns);
    yield growTree(binned, rows, objective, { maximumDepth: 64, tried, leastGain: 1e-9 });
  }
}

/**
 * The share of the trees that one rank grows; entry point of the worker threads of `RandomForest`.
 */
export function growShare(ranks: Communicator, job: ForestJob): Tree[] {
  return [...grow(job, ...shareOf(job.trees, ranks))];
}

/**
 * Gini objective with score Σ_c n_c²/n, whose gain is the decrease of impurity. The sums are n_c
 * for each class, then n.
 */
function gini(labels: Int32Array, classes: number, leastLeaf: number): Objective {
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

/** Options of `GradientBoosting`. */
export interface BoostingOptions {
  /** Boosting rounds, each with one tree for each class. Default: 100. */
  readonly rounds?: number;
  /** η: shrinkage of the leaf outputs. Default: 0.3. */
  readonly learningRate?: number;
  /** Maximum depth of a tree. Default: 6. */
  readonly depth?: number;
  /** λ: L2 regularisation of the leaf outputs. Default: 1. */
  readonly lambda?: number;
  /** Minimum Σ h in a leaf (`min_child_weight`). Default: 1. */
  readonly leastHessian?: number;
}

/**
 * Gradient boosting of the softmax loss with gradients g = p − y and Hessians h = p(1 − p), one
 * tree for each class in each round; split score G²/(H + λ), leaf output −η·G/(H + λ) (Chen &
 * Guestrin, "XGBoost", 2016, with its defaults: η 0.3, depth 6, λ 1, 100 rounds).
 */
export class GradientBoosting implements TableClassifier {
  /** The trained trees, round by round, in each round one for each class; empty before fit. */
  trees: readonly Tree[] = [];
  /** Number of classes; 0 before fit. */
  classes = 0;

  constructor(readonly options: BoostingOptions = {}) {}

  async fit(
    x: Rows,
    labels: Int32Array,
    classes: number,
    _random: Random,
    { signal, onProgress }: ClassifierOptions = {},
  ) {
    const { rounds = 100, learningRate = 0.3, depth = 6, lambda = 1, leastHessian = 1 } = this.options;
    const binned = binRows(x);
    this.classes = classes;
    const rows = Int32Array.from({ length: x.count }, (_, row) => row);
    const columns = Int32Array.from({ length: x.width }, (_, column) => column);
    const logits = new Float64Array(x.count * classes);
    const grown: Tree[] = [];
    for (let round = 0; round < rounds; round++) {
      const p = softmaxRows(logits, classes);
      for (let c = 0; c < classes; c++) {
        const objective = newton(p, labels, c, classes, { lambda, learningRate, leastHessian });
        const tree = growTree(binned, rows, objective, { maximumDepth: depth, tried: () => columns, leastGain: 1e-9 });
        addTree(tree, x, logits, 1, 1, c, classes);
        grown.push(tree);
      }
      onProgress?.((round + 1) / rounds);
      if (round % 8 === 7) await eventTurn(signal);
    }
    this.trees = grown;
  }

  probabilities(x: Rows): Float64Array {
    const logits = new Float64Array(x.count * this.classes);
    this.trees.forEach((tree, i) => {
      addTree(tree, x, logits, 1, 1, i % this.classes, this.classes);
    });
    return softmaxRows(logits, this.classes);
  }

  state(): Record<string, Tensor> {
    return stateOfTrees(this.trees);
  }

  restore(state: Readonly<Record<string, Tensor>>, _width: number, classes: number): void {
    this.classes = classes;
    this.trees = treesOfState(state);
  }
}

/** Softmax of each row of logits [rows, classes], row-major. */
export function softmaxRows(logits: Float64Array, classes: number): Float64Array {
  const p = new Float64Array(logits.length);
  for (let row = 0; row < logits.length; row += classes) {
    const own = logits.subarray(row, row + classes);
    const most = own.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const total = own.reduce((sum, value) => sum + Math.exp(value - most), 0);
    for (let c = 0; c < classes; c++) p[row + c] = Math.exp((own[c] as number) - most) / total;
  }
  return p;
}

/** Second-order objective of one class c: sums G and H of gradients and Hessians. */
function newton(
  p: Float64Array,
  labels: Int32Array,
  c: number,
  classes: number,
  { lambda, learningRate, leastHessian }: { lambda: number; learningRate: number; leastHessian: number },
): Objective {
  const own = Float64Array.from(labels, (_, row) => p[row * classes + c] as number);
  return {
    size: 2,
    column: new Int32Array(labels.length),
    first: own.map((value, row) => value - Number(labels[row] === c)),
    second: own.map((value) => value * (1 - value)),
    score: (sums, at) => (sums[at] as number) ** 2 / ((sums[at + 1] as number) + lambda),
    admits: (sums, at) => (sums[at + 1] as number) >= leastHessian,
    leaf: (sums) => [(-learningRate * (sums[0] as number)) / ((sums[1] as number) + lambda)],
  };
}
