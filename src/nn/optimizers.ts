// Optimisers: in-place parameter updates, one fused kernel per tensor.

import { keep, type Tensor, zeros } from '../tensor/index.js';
import type { Weights } from './module.js';

/** State of an optimiser in a checkpoint. */
export interface OptimizerState {
  /** Updates so far. */
  readonly step: number;
  /** Moments by slot and parameter name, such as `first.layers.0.weight`. */
  readonly tensors: Weights;
}

/** Updates parameters from gradients. */
export interface Optimizer {
  /**
   * Applies one step in place; `rateFactor` scales the learning rate, by a schedule. Default: 1.
   */
  update(parameters: Weights, gradients: Weights, rateFactor?: number): void;
  /** The current state, without a copy of its tensors. */
  state(): OptimizerState;
  /** Replaces the state by a copy of the given one. */
  restore(state: OptimizerState): void;
}

/** Step count and moment tensors of an optimiser, by slot and parameter name. */
export abstract class Stateful implements Optimizer {
  protected step = 0;
  #tensors = new Map<string, Tensor>();

  protected abstract updateOne(name: string, parameter: Tensor, gradient: Tensor, rateFactor: number): void;

  update(parameters: Weights, gradients: Weights, rateFactor = 1): void {
    this.step += 1;
    for (const [name, parameter] of Object.entries(parameters)) {
      const gradient = gradients[name];
      if (!gradient) throw new Error(`optimizer: no gradient for parameter "${name}"`);
      this.updateOne(name, parameter, gradient, rateFactor);
    }
  }

  protected moment(slot: string, name: string, like: Tensor): Tensor {
    const key = `${slot}.${name}`;
    let tensor = this.#tensors.get(key);
    if (!tensor) {
      tensor = keep(zeros(like.shape));
      this.#tensors.set(key, tensor);
    }
    return tensor;
  }

  state(): OptimizerState {
    return { step: this.step, tensors: Object.fromEntries(this.#tensors) };
  }

  restore(state: OptimizerState): void {
    this.step = state.step;
    for (const tensor of this.#tensors.values()) tensor.dispose();
    this.#tensors = new Map(
      Object.entries(state.tensors).map(([key, values]) => [key, keep(zeros(values.shape)).assign(values)]),
    );
  }
}

/** Weight decay λ: one for all parameters, or by parameter name. */
export type WeightDecay = number | ((name: string) => number);

/** Weight decay of a parameter. */
export function decayOf(decay: WeightDecay, name: string): number {
  return typeof decay === 'number' ? decay : decay(name);
}

/** Hyperparameters of Adam, AdamW and LAMB. */
export interface AdamOptions {
  /** Learning rate η. Default: 1e-3. */
  readonly learningRate?: number;
  /** Decay β₁ of the first moment. Default: 0.9. */
  readonly beta1?: number;
  /** Decay β₂ of the second moment. Default: 0.999. */
  readonly beta2?: number;
  /** ε, added to √v̂. Default: 1e-8, and 1e-6 in `LAMB`. */
  readonly epsilon?: number;
  /** Weight decay λ. Default: 0 in `Adam`, 0.01 in `AdamW` and `LAMB`. */
  readonly weightDecay?: WeightDecay;
}

/**
 * Adam (Kingma & Ba 2015): w ← w − η·m̂/(√v̂ + ε), with bias-corrected moments m̂ and v̂ of the
 * gradient. Weight decay is L2: λw is added to the gradient. Finite gradients beyond ±1.8·10¹⁹,
 * whose squares f32 does not hold, count as that; below 10⁻²² squares are 0, far less than ε.
 *
 * @throws RangeError when the learning rate or ε is not positive.
 */
export class Adam extends Stateful {
  protected readonly coupled: boolean = true;

  constructor(readonly options: AdamOptions = {}) {
    super();
    requireRate(options.learningRate);
    requireEpsilon(options.epsilon);
  }

  protected updateOne(name: string, parameter: Tensor, gradient: Tensor, rateFactor: number): void {
    const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = this.options;
    parameter.device.run('adam', {
      parameter,
      gradient,
      first: this.moment('first', name, parameter),
      second: this.moment('second', name, parameter),
      rate: learningRate * rateFactor,
      beta1,
      share1: 1 - beta1,
      beta2,
      share2: 1 - beta2,
      epsilon,
      weightDecay: decayOf(weightDecay, name),
      coupled: Number(this.coupled),
      correction1: 1 - beta1 ** this.step,
      correction2: 1 - beta2 ** this.step,
      n: parameter.size,
    });
  }
}

/**
 * AdamW (Loshchilov & Hutter 2019): Adam with decoupled weight decay, w ← w − η·λ·w beside the
 * step.
 */
export class AdamW extends Adam {
  protected override readonly coupled = false;

  constructor(options: AdamOptions = {}) {
    super({ weightDecay: 0.01, ...options });
  }
}

/** Hyperparameters of stochastic gradient descent. */
export interface SGDOptions {
  /** Learning rate η. Default: 0.01. */
  readonly learningRate?: number;
  /** Momentum μ. Default: 0. */
  readonly momentum?: number;
  /** Whether the step is g + μv (Nesterov) in place of v. Default: false. */
  readonly nesterov?: boolean;
  /** L2 weight decay λ: λw is added to the gradient. Default: 0. */
  readonly weightDecay?: WeightDecay;
}

/**
 * Stochastic gradient descent with momentum: v ← μv + g, w ← w − η·v.
 *
 * @throws RangeError when the learning rate is not positive.
 * @throws Error for Nesterov without momentum.
 */
export class SGD extends Stateful {
  constructor(readonly options: SGDOptions = {}) {
    super();
    requireRate(options.learningRate);
    if (options.nesterov && !options.momentum) throw new Error('SGD: Nesterov needs a momentum above 0');
  }

  protected updateOne(name: string, parameter: Tensor, gradient: Tensor, rateFactor: number): void {
    const { learningRate = 1e-2, momentum = 0, nesterov = false, weightDecay = 0 } = this.options;
    const velocity = momentum > 0 ? this.moment('velocity', name, parameter) : null;
    parameter.device.run('sgd', {
      parameter,
      gradient,
      velocity,
      rate: learningRate * rateFactor,
      momentum,
      weightDecay: decayOf(weightDecay, name),
      nesterov: Number(nesterov),
      n: parameter.size,
    });
  }
}

/** Hyperparameters of AdaDelta. */
export interface AdaDeltaOptions {
  /** Learning rate η. Default: 1. */
  readonly learningRate?: number;
  /** Decay ρ of both averages. Default: 0.9. */
  readonly rho?: number;
  /** ε, added under the roots. Default: 1e-6. */
  readonly epsilon?: number;
  /** L2 weight decay λ: λw is added to the gradient. Default: 0. */
  readonly weightDecay?: WeightDecay;
}

/**
 * AdaDelta (Zeiler 2012): s ← ρs + (1 − ρ)g², Δ = √(u + ε)/√(s + ε)·g, u ← ρu + (1 − ρ)Δ²,
 * w ← w − η·Δ. Finite gradients beyond ±1.8·10¹⁹ count as that.
 *
 * @throws RangeError when the learning rate or ε is not positive, or ρ is not in [0, 1).
 */
export class AdaDelta extends Stateful {
  constructor(readonly options: AdaDeltaOptions = {}) {
    super();
    const { rho = 0.9 } = options;
    requireRate(options.learningRate);
    requireEpsilon(options.epsilon);
    if (!(rho >= 0 && rho < 1)) throw new RangeError(`AdaDelta: ρ must be in [0, 1), got ${rho}`);
  }

  protected updateOne(name: string, parameter: Tensor, gradient: Tensor, rateFactor: number): void {
    const { learningRate = 1, rho = 0.9, epsilon = 1e-6, weightDecay = 0 } = this.options;
    parameter.device.run('adadelta', {
      parameter,
      gradient,
      squares: this.moment('squares', name, parameter),
      updates: this.moment('updates', name, parameter),
      rate: learningRate * rateFactor,
      rho,
      share: 1 - rho,
      epsilon,
      weightDecay: decayOf(weightDecay, name),
      n: parameter.size,
    });
  }
}

/** target ← a·target + b·source, in place. */
export function blend(target: Tensor, a: number, source: Tensor, b: number): void {
  target.device.run('affine', { x: target, y: target, scale: a, shift: 0, n: target.size });
  target.device.run('accumulate', { target, source, scale: b, n: target.size });
}

/** @throws RangeError when a given ε is 0 in f32, with which a gradient of 0 would give 0/0. */
export function requireEpsilon(epsilon: number | undefined): void {
  if (epsilon !== undefined && !(Math.fround(epsilon) > 0))
    throw new RangeError(`optimizer: epsilon must be positive, got ${epsilon}`);
}

/** @throws RangeError when a given learning rate is not positive. */
export function requireRate(rate: number | undefined): void {
  if (rate !== undefined && !(rate > 0))
    throw new RangeError(`optimizer: the learning rate must be positive, got ${rate}`);
}
