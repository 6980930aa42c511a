// Optimisers: update parameters in place, one fused kernel a tensor.

import { keep, type Tensor, zeros } from '../tensor/index.js';
import type { Weights } from './module.js';

/** What a checkpoint holds of an optimiser. */
export interface OptimizerState {
  readonly step: number;
  readonly tensors: Weights;
}

export interface Optimizer {
  /** Applies one step; `rateFactor` is the schedule's multiple of the learning rate. */
  update(parameters: Weights, gradients: Weights, rateFactor?: number): void;
  state(): OptimizerState;
  restore(state: OptimizerState): void;
}

/** Step counting and the moment tensors that all optimisers keep, by slot and parameter name. */
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

/** One number for all parameters, or one for each name. */
export type WeightDecay = number | ((name: string) => number);

export function decayOf(decay: WeightDecay, name: string): number {
  return typeof decay === 'number' ? decay : decay(name);
}

export interface AdamOptions {
  readonly learningRate?: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly weightDecay?: WeightDecay;
}

/** Adam (Kingma & Ba 2015). Weight decay is L2: λw is added to the gradient. */
export class Adam extends Stateful {
  protected readonly coupled: boolean = true;

  constructor(readonly options: AdamOptions = {}) {
    super();
    requireRate(options.learningRate);
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
      beta2,
      epsilon,
      weightDecay: decayOf(weightDecay, name),
      coupled: Number(this.coupled),
      correction1: 1 - beta1 ** this.step,
      correction2: 1 - beta2 ** this.step,
      n: parameter.size,
    });
  }
}

/** AdamW (Loshchilov & Hutter 2019). Weight decay is decoupled: w shrinks by rate·λ. */
export class AdamW extends Adam {
  protected override readonly coupled = false;

  constructor(options: AdamOptions = {}) {
    super({ weightDecay: 0.01, ...options });
  }
}

export interface SGDOptions {
  readonly learningRate?: number;
  readonly momentum?: number;
  readonly nesterov?: boolean;
  readonly weightDecay?: number;
}

/** Stochastic gradient descent with momentum, v ← μv + g, w ← w − rate·v (with Nesterov's look-ahead g + μv), and L2 weight decay. */
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
      weightDecay,
      nesterov: Number(nesterov),
      n: parameter.size,
    });
  }
}

export function requireRate(rate: number | undefined): void {
  if (rate !== undefined && !(rate > 0))
    throw new RangeError(`optimizer: the learning rate must be positive, got ${rate}`);
}
