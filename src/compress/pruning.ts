// Gradual magnitude pruning (Zhu & Gupta 2017) as a wrapper of an optimiser: while training goes on, masks grow and what they hide stays zero, its momentum too.

import type { Optimizer, OptimizerState, Weights } from '../nn/index.js';
import { keep, type Tensor, tensor } from '../tensor/index.js';
import { type Distribution, erkSparsities } from './densities.js';
import { blockScores, keepLargest, magnitudeMask, maskOfBlocks, type Pattern, requireSparsity } from './masks.js';

export interface PruningOptions {
  /** Share of zeros in the end. */
  readonly sparsity: number;
  /** One for all layers, or one for each. */
  readonly pattern?: Pattern | ((name: string) => Pattern);
  readonly distribution?: Distribution;
  /** Share of zeros at the start of the ramp. */
  readonly initial?: number;
  /** First and last step of the ramp, from 0. After the last the masks stay and the rest recovers. */
  readonly start?: number;
  readonly end?: number;
  /** Steps between two masks. */
  readonly every?: number;
}

/** s(t) = s_f + (s_i − s_f)·(1 − p)³ with p = (t − start)/(end − start) within [0, 1]. */
export function cubicSparsity(step: number, { sparsity, initial = 0, start = 0, end = 0 }: PruningOptions): number {
  const progress = end > start ? Math.min(1, Math.max(0, (step - start) / (end - start))) : Number(step >= start);
  return sparsity + (initial - sparsity) * (1 - progress) ** 3;
}

/** No layer loses more than this under one threshold for all. */
const GLOBAL_CAP = 0.99;

/** Masks of named weights at a sparsity, by their magnitudes. */
export function masksOf(
  weights: Weights,
  sparsity: number,
  { pattern = 'unstructured', distribution = 'uniform' }: Pick<PruningOptions, 'pattern' | 'distribution'> = {},
): Map<string, Float32Array> {
  const patternOf = typeof pattern === 'function' ? pattern : () => pattern;
  const entries = Object.entries(weights);
  if (distribution === 'global') return globalMasks(weights, sparsity, patternOf);
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

/** One threshold for the scores of all blocks, each counted with its size. */
function globalMasks(
  weights: Weights,
  sparsity: number,
  patternOf: (name: string) => Pattern,
): Map<string, Float32Array> {
  requireSparsity(sparsity);
  const scored = Object.entries(weights).map(([name, weight]) => {
    const pattern = patternOf(name);
    if (pattern === '2:4') throw new Error('pruning: 2:4 has no global threshold; choose the uniform distribution');
    const scores = blockScores(weight, pattern);
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
        GLOBAL_CAP,
        scores.reduce((count, score) => count + Number(score <= threshold), 0) / scores.length,
      );
      return [name, maskOfBlocks(weight.shape, pattern, keepLargest(scores, share))];
    }),
  );
}

/**
 * Prunes named weights while the inner optimiser trains. Checkpoints hold the masks.
 *
 * @example fit({ …, optimizer: new Pruning(new AdamW(), names, { sparsity: 0.9, start: 100, end: 1500, every: 50 }) })
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

  /** The masks by name; empty before the first. */
  get masks(): Weights {
    return Object.fromEntries(this.#masks);
  }

  update(parameters: Weights, gradients: Weights, rateFactor?: number): void {
    this.inner.update(parameters, gradients, rateFactor);
    const { start = 0, end = 0, every = 50 } = this.options;
    const step = this.#step++;
    if (step >= start && (step === end || (step <= end && (step - start) % every === 0))) this.#renew(parameters, step);
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

/** Keeps what is zero at zero: masks of the weights as they are, for training on after pruning. */
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

/** w ← w ⊙ m for the weights that there are, and for every moment that the optimiser keeps of them. */
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

/** Zeroes weights at once: one-shot pruning. @returns the masks. */
export function pruneOnce(weights: Weights, options: PruningOptions): Weights {
  return Object.fromEntries(
    [...masksOf(weights, options.sparsity, options)].map(([name, values]) => {
      const mask = keep(tensor(values, (weights[name] as Tensor).shape));
      hide(weights[name] as Tensor, mask);
      return [name, mask];
    }),
  );
}
