// What goes around an optimiser: clipping of gradients, accumulation over batches, averages of weights. Each is an optimiser itself, so they nest, and checkpoints hold all of it.

import { keep, scope, square, sum, type Tensor, zeros } from '../tensor/index.js';
import { loadState, type Weights } from './module.js';
import type { Optimizer, OptimizerState } from './optimizers.js';

/** √Σ g² over all tensors. */
export function globalNorm(gradients: Weights): number {
  const squares = Object.values(gradients).map((gradient) => scope(() => sum(square(gradient))));
  const total = squares.reduce((value, tensor) => value + tensor.item(), 0);
  for (const tensor of squares) tensor.dispose();
  return Math.sqrt(total);
}

/** Scales gradients in place so that their global norm is at most `maxNorm` (Pascanu, Mikolov, Bengio 2013). @returns the norm before. */
export function clipGradients(gradients: Weights, maxNorm: number): number {
  const norm = globalNorm(gradients);
  if (norm > maxNorm)
    for (const gradient of Object.values(gradients))
      gradient.device.run('affine', { x: gradient, y: gradient, scale: maxNorm / norm, shift: 0, n: gradient.size });
  return norm;
}

/** Clips gradients by their global norm before the inner optimiser sees them. */
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

/** Tensors of a wrapper beside those of what it wraps, under a prefix. */
function joined(inner: OptimizerState, prefix: string, own: ReadonlyMap<string, Tensor>, step: number): OptimizerState {
  const named = Object.fromEntries([...own].map(([name, tensor]) => [`${prefix}.${name}`, tensor]));
  return { step, tensors: { ...inner.tensors, ...named } };
}

function parted(state: OptimizerState, prefix: string): { inner: Record<string, Tensor>; own: Map<string, Tensor> } {
  const inner: Record<string, Tensor> = {};
  const own = new Map<string, Tensor>();
  for (const [name, tensor] of Object.entries(state.tensors)) {
    if (name.startsWith(`${prefix}.`)) own.set(name.slice(prefix.length + 1), keep(tensor.clone()));
    else inner[name] = tensor;
  }
  return { inner, own };
}

/** Adds up the gradients of `steps` batches and updates with their mean: a batch so many times larger in the same memory. */
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
    const { inner, own } = parted(state, 'accumulated');
    this.#sums = own;
    this.#seen = state.step;
    this.inner.restore({ step: Math.floor(state.step / this.steps), tensors: inner });
  }
}

/** Keeps the exponential average of the weights, w̄ ← d·w̄ + (1 − d)·w, with d rising to `decay` as min(decay, (1 + t)/(10 + t)). */
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

  /** The averaged weights by name, for `withWeights`; empty before the first step. */
  get weights(): Weights {
    return Object.fromEntries(this.#averages);
  }

  /** Copies the averages into a module, over what it learned last; its buffers stay. */
  loadInto(model: object, buffers: Weights = {}): void {
    loadState(model, { ...this.weights, ...buffers });
  }

  state(): OptimizerState {
    return joined(this.inner.state(), 'average', this.#averages, this.#step);
  }

  restore(state: OptimizerState): void {
    const { inner, own } = parted(state, 'average');
    this.#averages = own;
    this.#step = state.step;
    this.inner.restore({ step: state.step, tensors: inner });
  }
}
