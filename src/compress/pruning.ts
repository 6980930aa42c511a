// Gradual magnitude pruning (Zhu & Gupta 2017) as an optimiser wrapper: the masks grow sparser
// during training, and masked weights and their moments are held at zero.

import type { Optimizer, OptimizerState, Weights } from '../nn/index.js';
import { keep, type Tensor, tensor } from '../tensor/index.js';
import { type Distribution, erkSparsities } from './densities.js';
import { blockScores, keptUnits, magnitudeMask, maskOfBlocks, type Pattern, requireSparsity } from './masks.js';

/** Options of `Pruning`; `start` and `end` count optimiser steps from 0. */
export interface PruningOptions {
  /** s_f: final share of zeros, in [0, 1). */
  readonly sparsity: number;
  /**
   * One pattern for all layers, or a function from weight name to pattern. Default: `unstructured`.
   */
  readonly pattern?: Pattern | ((name: string) => Pattern);
  /** How the sparsity is distributed over layers. Default: `uniform`. */
  readonly distribution?: Distribution;
  /** s_i: share of zeros at the start of the ramp. Default: 0. */
  readonly initial?: number;
  /** First step of the ramp. Default: 0. */
  readonly start?: number;
  /**
   * Last step of the ramp, after which the masks stay fixed and the remaining weights recover.
   * Default: 0.
   */
  readonly end?: number;
  /** Steps between two mask updates. Default: 50. */
  readonly every?: number;
}

/**
 * Cubic schedule (Zhu & Gupta 2017): s(t) = s_f + (s_i − s_f)·(1 − p)³ with p = (t − start)/(end −
 * start), clamped to [0, 1].
 */
export function cubicSparsity(step: number, { sparsity, initial = 0, start = 0, end = 0 }: PruningOptions): number {
  const progress = end > start ? Math.min(1, Math.max(0, (step - start) / (end - start))) : Number(step >= start);
  return sparsity + (initial - sparsity) * (1 - progress) ** 3;
}

/** Largest sparsity of a layer under a global threshold, so that no layer vanishes. */
const GLOBAL_CAPS = { global: 0.99, 'global-normalized': 0.9 } as const;

/**
 * Magnitude masks of named weights at a total sparsity: 1 keeps an element, 0 prunes it.
 *
 * @throws RangeError when the sparsity is not in [0, 1); Error for `2:4` with a global threshold
 */
export function masksOf(
  weights: Weights,
  sparsity: number,
  { pattern = 'unstructured', distribution = 'uniform' }: Pick<PruningOptions, 'pattern' | 'distribution'> = {},
): Map<string, Float32Array> {
  const patternOf = typeof pattern === 'function' ? pattern : () => pattern;
  const entries = Object.entries(weights);
  if (distribution === 'global' || distribution === 'global-normalized')
    return globalMasks(weights, sparsity, patternOf, distribution);
  const shares =
    distribution === 'erk'
      ? erkSparsities(
          entries.map(([name, { shape }]) => ({ name, shape })),
          sparsity,
        )
      : undefined;
  return new Map(
    entries.map(([name, weight]) => [name, magnitudeMask(weight, shares?.get(name) ?? sparsity, patternOf(name))]),
  );
}

/** √(mean w²), 1 for a weight of zeros. */
function rootMeanSquare(weight: Tensor): number {
  return Math.sqrt(weight.view().reduce((sum, value) => sum + value * value, 0) / weight.size) || 1;
}

/**
 * Masks by one threshold over the scores of all blocks, each weighted by its number of elements.
 */
function globalMasks(
  weights: Weights,
  sparsity: number,
  patternOf: (name: string) => Pattern,
  distribution: keyof typeof GLOBAL_CAPS,
): Map<string, Float32Array> {
  requireSparsity(sparsity);
  const scored = Object.entries(weights).map(([name, weight]) => {
    const pattern = patternOf(name);
    if (pattern === '2:4') throw new Error('pruning: 2:4 has no global threshold; choose the uniform distribution');
    const scale = distribution === 'global-normalized' ? rootMeanSquare(weight) : 1;
    const scores = blockScores(weight, pattern).map((score) => score / scale);
    return { name, weight, pattern, scores, size: weight.size / scores.length };
  });
  const all = scored.flatMap(({ scores, size }) => Array.from(scores, (score) => ({ score, size })));
  all.sort((a, b) => a.score - b.score);
  let left = sparsity * all.reduce((sum, { size }) => sum + size, 0);
  let threshold = Number.NEGATIVE_INFINITY;
  for (const { score, size } of all) {
    left -= size;
    if (left < 0) break;
    threshold = score;
  }
  return new Map(
    scored.map(({ name, weight, pattern, scores }) => {
      const share = Math.min(
        GLOBAL_CAPS[distribution],
        scores.reduce((count, score) => count + Number(score <= threshold), 0) / scores.length,
      );
      return [name, maskOfBlocks(weight.shape, pattern, keptUnits(weight.shape, pattern, scores, share))];
    }),
  );
}

/**
 * Prunes named weights gradually while the inner optimiser trains; its state includes the masks, so
 * that training can be resumed from a checkpoint.
 *
 * @example
 * const ramp = { sparsity: 0.9, start: 100, end: 1500, every: 50 };
 * fit({ …, optimizer: new Pruning(new AdamW(), names, ramp) })
 */
export class Pruning implements Optimizer {
  #masks = new Map<string, Tensor>();
  #step = 0;

  constructor(
    readonly inner: Optimizer,
    readonly names: readonly string[],
    readonly options: PruningOptions,
  ) {
    requireSparsity(options.sparsity);
    requireSparsity(options.initial ?? 0);
    if (names.length === 0) throw new Error('pruning: no layer to prune');
  }

  /** The current masks by weight name; empty before the first mask update. */
  get masks(): Weights {
    return Object.fromEntries(this.#masks);
  }

  update(parameters: Weights, gradients: Weights, rateFactor?: number): void {
    this.inner.update(parameters, gradients, rateFactor);
    const { start = 0, end = 0, every = 50 } = this.options;
    const step = this.#step++;
    // The step moves masked weights too. They are hidden before new masks are drawn, so that none
    // of
    // them returns.
    hideAll(this.inner, parameters, this.#masks);
    const due = step >= start && (step === end || (step <= end && (step - start) % every === 0));
    if (!due) return;
    this.#renew(parameters, step);
    hideAll(this.inner, parameters, this.#masks);
  }

  #renew(parameters: Weights, step: number): void {
    const chosen = Object.fromEntries(
      this.names.map((name) => {
        const weight = parameters[name];
        if (!weight) throw new Error(`pruning: the model has no weight "${name}"`);
        return [name, weight];
      }),
    );
    for (const [name, mask] of masksOf(chosen, cubicSparsity(step, this.options), this.options)) {
      this.#masks.get(name)?.dispose();
      this.#masks.set(name, keep(tensor(mask, (chosen[name] as Tensor).shape)));
    }
  }

  state(): OptimizerState {
    const { tensors } = this.inner.state();
    const masks = Object.fromEntries([...this.#masks].map(([name, mask]) => [`mask.${name}`, mask]));
    return { step: this.#step, tensors: { ...tensors, ...masks } };
  }

  restore(state: OptimizerState): void {
    this.#step = state.step;
    const inner: Record<string, Tensor> = {};
    this.#masks = new Map();
    for (const [key, value] of Object.entries(state.tensors))
      if (key.startsWith('mask.')) this.#masks.set(key.slice(5), keep(value.clone()));
      else inner[key] = value;
    this.inner.restore({ step: state.step, tensors: inner });
  }
}

/**
 * Holds masked weights at zero while the inner optimiser trains: fine-tuning after pruning with
 * fixed masks.
 */
export class Frozen implements Optimizer {
  readonly #masks: ReadonlyMap<string, Tensor>;

  constructor(
    readonly inner: Optimizer,
    masks: Weights,
  ) {
    this.#masks = new Map(Object.entries(masks));
  }

  update(parameters: Weights, gradients: Weights, rateFactor?: number): void {
    this.inner.update(parameters, gradients, rateFactor);
    hideAll(this.inner, parameters, this.#masks);
  }

  state(): OptimizerState {
    return this.inner.state();
  }

  restore(state: OptimizerState): void {
    this.inner.restore(state);
  }
}

/** w ← w ⊙ m for every masked weight and for each of its moments in the optimiser's state. */
function hideAll(inner: Optimizer, parameters: Weights, masks: ReadonlyMap<string, Tensor>): void {
  const moments = Object.entries(inner.state().tensors);
  for (const [name, mask] of masks) {
    const held = moments.filter(([key]) => key.endsWith(`.${name}`)).map(([, moment]) => moment);
    for (const target of [parameters[name], ...held]) if (target) hide(target, mask);
  }
}

/** target ← target ⊙ mask. */
function hide(target: Tensor, mask: Tensor): void {
  const { device, size } = target;
  const flat = [0, 0, 0, 1] as const;
  device.run('multiply', { a: target, b: mask, c: target, sizes: [1, 1, 1, size], stridesA: flat, stridesB: flat });
}

/**
 * One-shot magnitude pruning: zeroes weights in place.
 *
 * @returns the masks by name, for `Frozen`
 * @throws RangeError when the sparsity is not in [0, 1)
 */
export function pruneOnce(weights: Weights, options: PruningOptions): Weights {
  return Object.fromEntries(
    [...masksOf(weights, options.sparsity, options)].map(([name, values]) => {
      const mask = keep(tensor(values, (weights[name] as Tensor).shape));
      hide(weights[name] as Tensor, mask);
      return [name, mask];
    }),
  );
}
