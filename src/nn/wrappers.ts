// Optimiser wrappers: gradient clipping, gradient accumulation, weight averaging. Each is an
// optimiser itself, so wrappers nest, and a checkpoint contains the state of all.

import {
  abs,
  divide,
  keep,
  max,
  maximum,
  minimum,
  multiply,
  scope,
  square,
  sum,
  type Tensor,
  zeros,
} from '../tensor/index.js';
import { loadState, type Weights } from './module.js';
import type { Optimizer, OptimizerState } from './optimizers.js';

/** Global gradient norm √Σ g² over all tensors, also where squares leave the range of f32. */
export function globalNorm(gradients: Weights): number {
  const total = total64(gradients, (gradient) => sum(square(gradient)));
  if (total > 1e-30 && total < Number.POSITIVE_INFINITY) return Math.sqrt(total);
  const peaks = Object.values(gradients)
    .filter((gradient) => gradient.size > 0)
    .map((gradient) => scope(() => max(abs(gradient)).item()));
  const peak = Math.max(0, ...peaks);
  if (!(peak > 0 && peak < Number.POSITIVE_INFINITY)) return peak;
  return peak * Math.sqrt(total64(gradients, (gradient) => sum(square(divide(gradient, peak)))));
}

/** Sum over tensors of a scalar of each, in double precision. */
function total64(tensors: Weights, scalar: (tensor: Tensor) => Tensor): number {
  return Object.values(tensors).reduce((total, tensor) => total + scope(() => scalar(tensor).item()), 0);
}

/**
 * Gradient clipping by global norm (Pascanu, Mikolov, Bengio 2013): scales gradients in place so
 * that their norm is at most `maxNorm`.
 *
 * @returns the norm before clipping
 */
export function clipGradients(gradients: Weights, maxNorm: number): number {
  const norm = globalNorm(gradients);
  if (norm > maxNorm)
    for (const gradient of Object.values(gradients))
      gradient.device.run('affine', { x: gradient, y: gradient, scale: maxNorm / norm, shift: 0, n: gradient.size });
  return norm;
}

/**
 * Clips gradients by their global norm before the inner optimiser's step.
 *
 * @throws RangeError unless `maxNorm` is positive.
 */
export class Clipped implements Optimizer {
  constructor(
    readonly inner: Optimizer,
    readonly maxNorm: number,
  ) {
    if (!(maxNorm > 0)) throw new RangeError(`Clipped: the norm must be positive, got ${maxNorm}`);
  }

  update(parameters: Weights, gradients: Weights, rateFactor?: number): void {
    clipGradients(gradients, this.maxNorm);
    this.inner.update(parameters, gradients, rateFactor);
  }

  state(): OptimizerState {
    return this.inner.state();
  }

  restore(state: OptimizerState): void {
    this.inner.restore(state);
  }
}

/**
 * Adaptive gradient clipping (Brock et al., "High-Performance Large-Scale Image Recognition Without
 * Normalization", 2021): the gradient of each unit i (row of a weight; a vector as a whole) is
 * scaled
 * so that ‖gᵢ‖ ≤ factor·max(‖wᵢ‖, 1e-3), before the inner optimiser's step.
 *
 * @throws RangeError unless `factor` is positive.
 */
export class AdaptivelyClipped implements Optimizer {
  constructor(
    readonly inner: Optimizer,
    readonly factor = 0.01,
  ) {
    if (!(factor > 0)) throw new RangeError(`AdaptivelyClipped: the factor must be positive, got ${factor}`);
  }

  update(parameters: Weights, gradients: Weights, rateFactor?: number): void {
    scope(() => {
      const clipped = Object.entries(gradients).map(([name, gradient]) => {
        const norms = unitNorms(gradient);
        const limits = multiply(maximum(unitNorms(parameters[name] as Tensor), 1e-3), this.factor);
        return [name, multiply(gradient, minimum(divide(limits, maximum(norms, 1e-6)), 1))] as const;
      });
      this.inner.update(parameters, Object.fromEntries(clipped), rateFactor);
    });
  }

  state(): OptimizerState {
    return this.inner.state();
  }

  restore(state: OptimizerState): void {
    this.inner.restore(state);
  }
}

/** Norms over all axes but the first, which are kept with size 1; of a vector over all of it. */
function unitNorms(tensor: Tensor): Tensor {
  const axes = tensor.rank <= 1 ? undefined : Array.from({ length: tensor.rank - 1 }, (_, axis) => axis + 1);
  return sum(square(tensor), axes, { keepAxes: true }).sqrt();
}

/**
 * Learning rates by parameter: the change that the inner optimiser makes is scaled by `rateOf`,
 * which
 * equals a scaled learning rate where steps are proportional to it, as in SGD, AdamW and LAMB.
 */
export class ScaledRates implements Optimizer {
  constructor(
    readonly inner: Optimizer,
    readonly rateOf: (name: string) => number,
  ) {}

  update(parameters: Weights, gradients: Weights, rateFactor?: number): void {
    scope(() => {
      const scaled = Object.entries(parameters).filter(([name]) => this.rateOf(name) !== 1);
      const before = scaled.map(([name, parameter]) => [name, parameter, parameter.clone()] as const);
      this.inner.update(parameters, gradients, rateFactor);
      for (const [name, parameter, old] of before) {
        const rate = this.rateOf(name);
        parameter.device.run('affine', { x: parameter, y: parameter, scale: rate, shift: 0, n: parameter.size });
        parameter.device.run('accumulate', { target: parameter, source: old, scale: 1 - rate, n: parameter.size });
      }
    });
  }

  state(): OptimizerState {
    return this.inner.state();
  }

  restore(state: OptimizerState): void {
    this.inner.restore(state);
  }
}

/** State of a wrapper and its inner optimiser; the wrapper's tensors have names with a prefix. */
function joined(
  inner: OptimizerState,
  prefix: string,
  tensors: ReadonlyMap<string, Tensor>,
  step: number,
): OptimizerState {
  const named = Object.fromEntries([...tensors].map(([name, tensor]) => [`${prefix}.${name}`, tensor]));
  return { step, tensors: { ...inner.tensors, ...named } };
}

/** The inverse of `joined`. */
function parted(
  state: OptimizerState,
  prefix: string,
): { inner: Record<string, Tensor>; wrapper: Map<string, Tensor> } {
  const inner: Record<string, Tensor> = {};
  const wrapper = new Map<string, Tensor>();
  for (const [name, tensor] of Object.entries(state.tensors)) {
    if (name.startsWith(`${prefix}.`)) wrapper.set(name.slice(prefix.length + 1), keep(tensor.clone()));
    else inner[name] = tensor;
  }
  return { inner, wrapper };
}

/**
 * Gradient accumulation: averages the gradients of `steps` batches, then updates, which equals a
 * batch `steps` times larger in the same memory.
 *
 * @throws RangeError unless `steps` is a positive integer.
 */
export class Accumulated implements Optimizer {
  #sums = new Map<string, Tensor>();
  #seen = 0;

  constructor(
    readonly inner: Optimizer,
    readonly steps: number,
  ) {
    if (!(Number.isInteger(steps) && steps > 0))
      throw new RangeError(`Accumulated: the steps must be a positive integer, got ${steps}`);
  }

  update(parameters: Weights, gradients: Weights, rateFactor?: number): void {
    for (const [name, gradient] of Object.entries(gradients)) {
      const sum = this.#sums.get(name) ?? keep(zeros(gradient.shape));
      this.#sums.set(name, sum);
      sum.device.run('accumulate', { target: sum, source: gradient, scale: 1 / this.steps, n: sum.size });
    }
    this.#seen += 1;
    if (this.#seen % this.steps !== 0) return;
    this.inner.update(parameters, Object.fromEntries(this.#sums), rateFactor);
    for (const sum of this.#sums.values()) sum.device.run('fill', { y: sum, bits: 0, n: sum.size });
  }

  state(): OptimizerState {
    return joined(this.inner.state(), 'accumulated', this.#sums, this.#seen);
  }

  restore(state: OptimizerState): void {
    const { inner, wrapper } = parted(state, 'accumulated');
    this.#sums = wrapper;
    this.#seen = state.step;
    this.inner.restore({ step: Math.floor(state.step / this.steps), tensors: inner });
  }
}

/**
 * Exponential moving average of the weights: w̄ ← d·w̄ + (1 − d)·w after update t, with
 * d = min(decay, (1 + t)/(10 + t)). Default decay: 0.999.
 *
 * @throws RangeError unless 0 ≤ decay < 1.
 */
export class Averaged implements Optimizer {
  #averages = new Map<string, Tensor>();
  #step = 0;

  constructor(
    readonly inner: Optimizer,
    readonly decay = 0.999,
  ) {
    if (!(decay >= 0 && decay < 1)) throw new RangeError(`Averaged: expected 0 ≤ decay < 1, got ${decay}`);
  }

  update(parameters: Weights, gradients: Weights, rateFactor?: number): void {
    this.inner.update(parameters, gradients, rateFactor);
    this.#step += 1;
    const decay = Math.min(this.decay, (1 + this.#step) / (10 + this.#step));
    for (const [name, parameter] of Object.entries(parameters)) {
      const average = this.#averages.get(name);
      if (!average) {
        this.#averages.set(name, keep(parameter.clone()));
        continue;
      }
      average.device.run('affine', { x: average, y: average, scale: decay, shift: 0, n: average.size });
      average.device.run('accumulate', { target: average, source: parameter, scale: 1 - decay, n: average.size });
    }
  }

  /** Averaged weights by parameter name, for `withWeights`; empty before the first update. */
  get weights(): Weights {
    return Object.fromEntries(this.#averages);
  }

  /**
   * Copies the averaged weights into a module. `buffers` must give the module's buffers, if it has
   * any.
   */
  loadInto(model: object, buffers: Weights = {}): void {
    loadState(model, { ...this.weights, ...buffers });
  }

  state(): OptimizerState {
    return joined(this.inner.state(), 'average', this.#averages, this.#step);
  }

  restore(state: OptimizerState): void {
    const { inner, wrapper } = parted(state, 'average');
    this.#averages = wrapper;
    this.#step = state.step;
    this.inner.restore({ step: state.step, tensors: inner });
  }
}
