// Dynamic Sparse Learning (DSL): recommenders that are sparse from their first step to inference.
// A fixed number of weights is trained from scratch; every ΔT steps those of the smallest magnitude
// give their place to those of the largest gradient, so that the budget is the same at all times
// and weights move to the users, items and layers that need them.
//
//   W ← W − η·Adam(∂L/∂W),   then every ΔT steps, of the nnz stored weights of a matrix,
//   K = ⌈r(t)·nnz⌉,  r(t) = 0.005 + (r₀ − 0.005)(1 + cos(πt/T))/2
//   prune the K stored w of smallest |w|;   grow the K places without a weight of largest |∂L/∂w|
//
// The gradient is that of the batch of the step, at the weights before it; weights are judged after
// it. A place that was just pruned may grow again. New weights are 0, and so are their moments.
//
// Paper: Wang, Sui, Wu, Zheng, Xiong, "Dynamic Sparse Learning: A Novel Paradigm for Efficient
// Recommendation", WSDM 2024, https://arxiv.org/abs/2402.02855

import type { Adam, OptimizerState } from '../../nn/index.js';
import { type Random, type Tensor, tensor } from '../../tensor/index.js';
import type { Weight, WeightTable } from '../weights.js';
import { DenseMoments } from './dense-moments.js';
import { type DenseRows, growths } from './grow.js';
import { checkedOptions, type DSLOptions, updateRatio } from './options.js';
import { removals } from './prune.js';

export type { DenseRows } from './grow.js';
export {
  type DSLOptions,
  dslDefaults,
  type GrowRule,
  type PruneRule,
  type RatioSchedule,
  updateRatio,
} from './options.js';
export { type Pruned, type PruneOptions, removals } from './prune.js';

/** Gradients of one step, at the weights before it. */
export interface StepGradients {
  /** Of the stored entries, [nnz], by the name of the matrix. */
  readonly stored: Readonly<Record<string, Tensor>>;
  /** Of all entries of the sparse matrices, where they were asked for. */
  readonly dense: Readonly<Record<string, DenseRows>>;
}

/** What an exploration changed. */
export interface Exploration {
  /** Share that was to be exchanged. */
  readonly ratio: number;
  /** Weights that were removed, and as many that were added. */
  readonly exchanged: number;
}

/** Moves the stored weights of sparse matrices, whose number stays; see the top of the file. */
export class DynamicSparsity {
  /** The options with the defaults filled in. */
  readonly options: Required<DSLOptions>;
  /** The sparse matrices by name. */
  readonly matrices: Readonly<Record<string, Weight>>;
  readonly #fired: Readonly<Record<string, Int32Array>>;
  readonly #moments: Readonly<Record<string, DenseMoments>>;

  /**
   * @param weights all matrices; those without a pattern stay dense
   * @param steps T of the schedule: steps of the whole training
   */
  constructor(
    weights: WeightTable,
    readonly steps: number,
    readonly random: Random,
    options: DSLOptions = {},
  ) {
    this.options = checkedOptions(options);
    const sparse = Object.entries(weights).filter(([, { pattern }]) => pattern);
    this.matrices = Object.fromEntries(sparse);
    this.#fired = Object.fromEntries(sparse.map(([name, { size }]) => [name, new Int32Array(Math.ceil(size / 32))]));
    const { keepMoments, grow } = this.options;
    const keeps = keepMoments || grow === 'momentum';
    this.#moments = keeps ? Object.fromEntries(sparse.map(([name, { size }]) => [name, new DenseMoments(size)])) : {};
    this.#fire();
  }

  /** Whether there is an exploration after step t, from 1. */
  exploresAt(t: number): boolean {
    const { interval } = this.options;
    return interval > 0 && t % interval === 0 && Object.keys(this.matrices).length > 0;
  }

  /** Whether step t needs the gradient of all entries. */
  needsDense(t: number): boolean {
    return this.exploresAt(t) || Object.keys(this.#moments).length > 0;
  }

  /**
   * To be called after step t, whose gradients are given: explores where it is due.
   *
   * @param optimizer whose moments go with the weights
   */
  afterStep(t: number, gradients: StepGradients, optimizer: Adam): Exploration | undefined {
    for (const [name, moments] of Object.entries(this.#moments)) {
      const { rows, columns } = this.matrices[name] as Weight;
      moments.update(rows, columns, gradients.dense[name] as DenseRows);
    }
    if (!this.exploresAt(t)) return undefined;
    const names = Object.keys(this.matrices);
    const groups = this.options.redistribution === 'global' ? [names] : names.map((name) => [name]);
    const ratio = updateRatio(t, this.steps, this.options);
    let exchanged = 0;
    for (const group of groups) exchanged += this.#exchange(group, ratio, t, gradients, optimizer);
    this.#fire();
    return { ratio, exchanged };
  }

  /** Share of the entries that had a weight at some time. */
  get coverage(): number {
    let [fired, size] = [0, 0];
    for (const [name, matrix] of Object.entries(this.matrices)) {
      for (const word of this.#fired[name] as Int32Array) fired += ones(word);
      size += matrix.size;
    }
    return size === 0 ? 1 : fired / size;
  }

  /** Bytes of what is kept beside weights and optimiser: one bit an entry, and dense moments. */
  get bytes(): number {
    const fired = Object.values(this.#fired).reduce((sum, { byteLength }) => sum + byteLength, 0);
    return Object.values(this.#moments).reduce((sum, { bytes }) => sum + bytes, fired);
  }

  /** What a checkpoint must keep, by name. */
  state(): Record<string, Tensor> {
    const moments = Object.entries(this.#moments).flatMap(([name, own]) =>
      Object.entries(own.state()).map(([slot, values]) => [`${slot}.${name}`, values] as const),
    );
    const fired = Object.entries(this.#fired).map(([name, bits]) => [`fired.${name}`, tensor(bits)] as const);
    return Object.fromEntries([...fired, ...moments]);
  }

  /** Takes up a state of `state`, after the weights were restored. */
  restore(state: Readonly<Record<string, Tensor>>): void {
    for (const [name, bits] of Object.entries(this.#fired))
      bits.set((state[`fired.${name}`] as Tensor).view<Int32Array>());
    for (const [name, moments] of Object.entries(this.#moments)) moments.restore(name, state);
  }

  #exchange(
    names: readonly string[],
    ratio: number,
    t: number,
    { stored, dense }: StepGradients,
    optimizer: Adam,
  ): number {
    const own = names.map((name) => ({
      name,
      weight: this.matrices[name] as Weight,
      gradient: stored[name] as Tensor,
    }));
    const { grow, keepMoments } = this.options;
    const removed = removals(own, ratio, this.options);
    const count = removed.reduce((sum, marks) => sum + marks.reduce((a, b) => a + b, 0), 0);
    const scoresOf = (name: string) => (grow === 'momentum' ? (this.#moments[name] as DenseMoments).scores : undefined);
    const grown = growths(
      own.map(({ name, weight }, at) => ({
        weight,
        removed: removed[at] as Uint8Array,
        scores: scoresOf(name)?.(weight.columns) ?? (dense[name] as DenseRows),
        fired: (place) => isSet(this.#fired[name] as Int32Array, place),
      })),
      count,
      grow,
      this.random.split('grow').split(t).split(names.join()),
    );
    const state = optimizer.state();
    const changed: Record<string, Tensor> = {};
    own.forEach(({ name, weight }, at) => {
      const slots = ['first', 'second'].map((slot) => `${slot}.${name}`);
      const moments = slots.map((slot) => state.tensors[slot] as Tensor);
      const places = grown[at] as Int32Array;
      const after = weight.exchange(removed[at] as Uint8Array, places, moments);
      if (keepMoments) (this.#moments[name] as DenseMoments).give(weight, places, after);
      after.forEach((tensor, slot) => {
        if (tensor !== moments[slot]) changed[slots[slot] as string] = tensor;
      });
    });
    resized(optimizer, state, changed);
    return count;
  }

  /** Notes which entries have a weight. */
  #fire(): void {
    for (const [name, { pattern, columns, rows }] of Object.entries(this.matrices)) {
      if (!pattern) continue;
      const bits = this.#fired[name] as Int32Array;
      const { offsets, indices } = pattern;
      for (let row = 0; row < rows; row++)
        for (let e = offsets[row] as number; e < (offsets[row + 1] as number); e++) {
          const place = row * columns + (indices[e] as number);
          bits[place >>> 5] = (bits[place >>> 5] as number) | (1 << (place & 31));
        }
    }
  }
}

/** Gives the optimiser moments of another number. */
function resized(optimizer: Adam, { step, tensors }: OptimizerState, changed: Readonly<Record<string, Tensor>>): void {
  if (Object.keys(changed).length === 0) return;
  // `restore` disposes of what the optimiser has before it copies.
  const all = Object.fromEntries(Object.entries(tensors).map(([name, own]) => [name, changed[name] ?? own.clone()]));
  optimizer.restore({ step, tensors: all });
  for (const own of Object.values(all)) own.dispose();
}

const isSet = (bits: Int32Array, place: number): boolean => ((bits[place >>> 5] as number) & (1 << (place & 31))) !== 0;

function ones(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest >>>= 1) count += rest & 1;
  return count;
}
