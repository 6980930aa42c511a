// Ensembles of decision trees: random forests and gradient boosting.

import { type Communicator, runOnThreads, shareOf } from '../../distributed/index.js';
import { eventTurn, setThreads, threads } from '../../engine/index.js';
import { type Key, Random, type Tensor, tensor } from '../../tensor/index.js';
import { type BinnedRows, binRows } from './bins.js';
import type { ClassifierOptions, TableLearner } from './classifier.js';
import type { Rows } from './features.js';
import { type Loss, logisticLoss, softmaxLoss, softmaxRows, squaredLoss } from './losses.js';
import { gini, newton, variance } from './objectives.js';
import { stateOfTrees, treesOfState } from './tree-state.js';
import { addTree, growTree, type Tree } from './trees.js';

export { softmaxRows } from './losses.js';

/** Options of `RandomForest`. */
export interface ForestOptions {
  /** Number of trees. Default: 100. */
  readonly trees?: number;
  /** Random columns tried at each node. Default: ⌊√D⌋, for a numeric target ⌊D/3⌋. */
  readonly columns?: number;
  /** Share of the columns tried at each node, in place of their number. Default: `columns`. */
  readonly columnShare?: number;
  /** Minimum number of rows in a leaf. Default: 1. */
  readonly leastLeaf?: number;
  /** Maximum depth of a tree. Default: 64. */
  readonly depth?: number;
}

/**
 * Trees on bootstrap samples, each grown to purity by Gini impurity over random columns at each
 * node; their class frequencies are averaged (Breiman, "Random Forests", 2001). Large forests are
 * grown on all threads, with the same result.
 */
export class RandomForest implements TableLearner {
  /** The trained trees; empty before fit. */
  trees: readonly Tree[] = [];
  /** Number of classes, or 1 for a numeric target; 0 before fit. */
  classes = 0;

  constructor(readonly options: ForestOptions = {}) {}

  async fit(x: Rows, labels: Int32Array, classes: number, random: Random, options: ClassifierOptions = {}) {
    await this.#grow(x, { labels, classes }, Math.sqrt(x.width), random, options);
    this.classes = classes;
  }

  async fitValues(x: Rows, values: Float64Array, random: Random, options: ClassifierOptions = {}) {
    await this.#grow(x, { values }, x.width / 3, random, options);
    this.classes = 1;
  }

  async #grow(x: Rows, target: Target, usual: number, random: Random, { signal, onProgress }: ClassifierOptions) {
    const { trees = 100, columnShare, leastLeaf = 1, depth = 64 } = this.options;
    const tried = columnShare !== undefined ? columnShare * x.width : (this.options.columns ?? usual);
    const columns = Math.min(x.width, Math.max(1, Math.floor(tried)));
    const { count, width } = x;
    const job: ForestJob = { count, width, target, trees, columns, leastLeaf, depth, key: random.key };
    const binned = binRows(x);
    if (threads() > 1 && trees * x.count * columns > THREADED_WORK && inNode) {
      signal?.throwIfAborted();
      const shares = await runOnThreads<Tree[]>(threads(), import.meta.resolve('gossamer/hypernet'), 'growShare', {
        ...job,
        codes: binned.codes.view<Uint8Array>(),
        edges: binned.edges,
      } satisfies SharedForestJob);
      signal?.throwIfAborted();
      onProgress?.(1);
      binned.codes.dispose();
      this.trees = shares.flat();
      return;
    }
    const grown: Tree[] = [];
    for (const tree of grow(job, binned, 0, trees)) {
      grown.push(tree);
      onProgress?.(grown.length / trees);
      if (grown.length % 8 === 0) await eventTurn(signal);
    }
    binned.codes.dispose();
    this.trees = grown;
  }

  probabilities(x: Rows): Float64Array {
    const totals = new Float64Array(x.count * this.classes);
    for (const tree of this.trees) addTree(tree, x, totals, this.classes, 1 / this.trees.length);
    return totals;
  }

  values(x: Rows): Float64Array {
    return this.probabilities(x);
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
  readonly count: number;
  readonly width: number;
  readonly target: Target;
  readonly trees: number;
  readonly columns: number;
  readonly leastLeaf: number;
  readonly depth: number;
  readonly key: Key;
}

/** With the columns, quantised once for all workers. */
interface SharedForestJob extends ForestJob {
  readonly codes: Uint8Array;
  readonly edges: readonly Float32Array[];
}

/** What trees learn: classes, or a number. */
type Target = { readonly labels: Int32Array; readonly classes: number } | { readonly values: Float64Array };

/**
 * Trees from … to − 1. Each has its own random stream, so that the forest does not depend on the
 * number of threads.
 */
function* grow(job: ForestJob, binned: BinnedRows, from: number, to: number): Generator<Tree> {
  const { count, width, target, columns, leastLeaf, depth, key } = job;
  const objective =
    'values' in target ? variance(target.values, leastLeaf) : gini(target.labels, target.classes, leastLeaf);
  const random = new Random(key);
  for (let t = from; t < to; t++) {
    const draws = random.split(t);
    const rows = Int32Array.from({ length: count }, () => draws.integer(count));
    const tried = () => draws.sample(width, columns);
    yield growTree(binned, rows, objective, { maximumDepth: depth, tried, leastGain: 1e-9 });
  }
}

/**
 * The share of the trees that one rank grows; entry point of the worker threads of `RandomForest`.
 */
export function growShare(ranks: Communicator, { codes, edges, ...job }: SharedForestJob): Tree[] {
  setThreads(1);
  const { count, width } = job;
  return [...grow(job, { count, edges, codes: tensor(codes, [width, count]) }, ...shareOf(job.trees, ranks))];
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
  /** Share of the rows that a round sees, drawn without replacement. Default: 1. */
  readonly rowShare?: number;
  /** Share of the columns that a tree sees. Default: 1. */
  readonly columnShare?: number;
}

/**
 * Gradient boosting of the softmax loss with gradients g = p − y and Hessians h = p(1 − p), one
 * tree for each class in each round, or of squared error with g = f − y and h = 1; split score
 * G²/(H + λ), leaf output −η·G/(H + λ) (Chen & Guestrin, "XGBoost", 2016, with its defaults: η 0.3,
 * depth 6, λ 1, 100 rounds).
 */
export class GradientBoosting implements TableLearner {
  /** The trained trees, round by round, in each round one for each class; empty before fit. */
  trees: readonly Tree[] = [];
  /** Number of classes, or 1 for a numeric target; 0 before fit. */
  classes = 0;

  constructor(readonly options: BoostingOptions = {}) {}

  async fit(x: Rows, labels: Int32Array, classes: number, random: Random, options: ClassifierOptions = {}) {
    const { columnShare = 1 } = this.options;
    // Gradients of two classes are opposite: the second tree is the first with opposite leaves.
    const isMirrored = classes === 2 && columnShare === 1;
    const loss = isMirrored ? logisticLoss(labels) : softmaxLoss(labels, classes);
    await this.#boost(x, classes, random, options, loss, isMirrored);
  }

  async fitValues(x: Rows, values: Float64Array, random: Random, options: ClassifierOptions = {}) {
    await this.#boost(x, 1, random, options, squaredLoss(values), false);
  }

  async #boost(
    x: Rows,
    outputs: number,
    random: Random,
    { signal, onProgress }: ClassifierOptions,
    loss: Loss,
    isMirrored: boolean,
  ) {
    const { rounds = 100, learningRate = 0.3, depth = 6, lambda = 1, leastHessian = 1 } = this.options;
    const { rowShare = 1, columnShare = 1 } = this.options;
    const binned = binRows(x);
    const part = (all: number, share: number, draws: Random) =>
      share === 1 ? countTo(all) : draws.sample(all, Math.max(1, Math.round(share * all))).sort();
    const [gradients, hessians] = [new Float64Array(x.count), new Float64Array(x.count)];
    const objective = newton(gradients, hessians, { lambda, learningRate, leastHessian });
    const reached = new Float64Array(x.count * outputs);
    const grow = (c: number, rows: Int32Array, draws: Random) => {
      const columns = part(x.width, columnShare, draws);
      const growth = { maximumDepth: depth, tried: columns, leastGain: 1e-9 };
      if (rowShare < 1) {
        const tree = growTree(binned, rows, objective, growth);
        addTree(tree, x, reached, 1, 1, c, outputs);
        return tree;
      }
      // The leaf of each row is known: no row walks down the tree again.
      const onLeaf = (own: Int32Array, [output = 0]: readonly number[]) =>
        addTo(reached, own, Math.fround(output), c, outputs);
      return growTree(binned, rows, objective, { ...growth, onLeaf });
    };
    const grown: Tree[] = [];
    for (let round = 0; round < rounds; round++) {
      const draws = random.split(round);
      const rows = part(x.count, rowShare, draws);
      loss.at(reached);
      for (let c = 0; c < outputs; c++) {
        const first = isMirrored && c === 1 ? grown.at(-1) : undefined;
        if (first) {
          for (let at = 0; at < reached.length; at += 2) reached[at + 1] = -(reached[at] as number);
          grown.push(opposite(first));
        } else {
          loss.derivatives(c, gradients, hessians);
          grown.push(grow(c, rows, draws));
        }
      }
      onProgress?.((round + 1) / rounds);
      if (round % 8 === 7) await eventTurn(signal);
    }
    binned.codes.dispose();
    this.trees = grown;
    this.classes = outputs;
  }

  values(x: Rows): Float64Array {
    const outputs = new Float64Array(x.count * this.classes);
    this.trees.forEach((tree, i) => {
      addTree(tree, x, outputs, 1, 1, i % this.classes, this.classes);
    });
    return outputs;
  }

  probabilities(x: Rows): Float64Array {
    return softmaxRows(this.values(x), this.classes);
  }

  state(): Record<string, Tensor> {
    return stateOfTrees(this.trees);
  }

  restore(state: Readonly<Record<string, Tensor>>, _width: number, outputs: number): void {
    this.classes = outputs;
    this.trees = treesOfState(state);
  }
}

/** Adds a number to some rows of one output of [rows, outputs]. */
function addTo(all: Float64Array, rows: Int32Array, value: number, output: number, outputs: number): void {
  for (let i = 0; i < rows.length; i++) {
    const at = (rows[i] as number) * outputs + output;
    all[at] = (all[at] as number) + value;
  }
}

/** 0 … count − 1. */
function countTo(count: number): Int32Array {
  const all = new Int32Array(count);
  for (let at = 0; at < count; at++) all[at] = at;
  return all;
}

/** A tree with leaves of the opposite sign. */
const opposite = (tree: Tree): Tree => ({ ...tree, leaves: tree.leaves.map((value) => -value) });
