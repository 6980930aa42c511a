// Optimisers for large batches and large matrices: LAMB and Muon.

import {
  add,
  matmul,
  multiply,
  reshape,
  rsqrt,
  scope,
  square,
  subtract,
  sum,
  type Tensor,
  transpose,
} from '../tensor/index.js';
import { type AdamOptions, AdamW, decayOf, requireRate, Stateful } from './optimizers.js';

/** w ← a·w + b·x in place. */
function blend(target: Tensor, a: number, source: Tensor, b: number): void {
  target.device.run('affine', { x: target, y: target, scale: a, shift: 0, n: target.size });
  target.device.run('accumulate', { target, source, scale: b, n: target.size });
}

function norm(x: Tensor): number {
  return Math.sqrt(sum(square(x)).item());
}

/**
 * LAMB (You et al. 2020): Adam's direction r = m̂/(√v̂ + ε) + λw, taken with the rate times ‖w‖/‖r‖ of each tensor (1 where either is 0).
 */
export class LAMB extends Stateful {
  constructor(readonly options: AdamOptions = {}) {
    super();
    requireRate(options.learningRate);
  }

  protected updateOne(name: string, parameter: Tensor, gradient: Tensor, rateFactor: number): void {
    const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-6, weightDecay = 0.01 } = this.options;
    const [m, v] = [this.moment('first', name, parameter), this.moment('second', name, parameter)];
    scope(() => {
      blend(m, beta1, gradient, 1 - beta1);
      blend(v, beta2, square(gradient), 1 - beta2);
      const root = add(multiply(v, 1 / (1 - beta2 ** this.step)).sqrt(), epsilon);
      const direction = add(
        multiply(m, 1 / (1 - beta1 ** this.step)).divide(root),
        multiply(parameter, decayOf(weightDecay, name)),
      );
      const [size, length] = [norm(parameter), norm(direction)];
      const trust = size > 0 && length > 0 ? size / length : 1;
      blend(parameter, 1, direction, -learningRate * rateFactor * trust);
    });
  }
}

export interface MuonOptions {
  /** Rate of the matrices. */
  readonly learningRate?: number;
  readonly momentum?: number;
  readonly weightDecay?: number;
  /** AdamW for all other parameters. */
  readonly adam?: AdamOptions;
  /** Which parameters are matrices to orthogonalise; by default those of two or more axes that are no embedding. */
  readonly isMatrix?: (name: string, parameter: Tensor) => boolean;
}

/** Coefficients of the quintic whose iteration brings singular values near 1 (Jordan et al. 2024). */
const [A, B, C] = [3.4445, -4.775, 2.0315] as const;
const ITERATIONS = 5;

/** The nearest semi-orthogonal matrix, about: U·Vᵀ of the singular value decomposition, by Newton–Schulz iteration. */
export function orthogonalize(matrix: Tensor): Tensor {
  const [rows, columns] = matrix.shape as [number, number];
  const tall = rows > columns;
  let x = tall ? transpose(matrix) : matrix;
  x = multiply(x, rsqrt(add(sum(square(x)), 1e-14)));
  for (let i = 0; i < ITERATIONS; i++) {
    const gram = matmul(x, x, { transposeB: true });
    const polynomial = add(multiply(gram, B), multiply(matmul(gram, gram), C));
    x = add(multiply(x, A), matmul(polynomial, x));
  }
  return tall ? transpose(x) : x;
}

/**
 * Muon (Jordan et al. 2024): matrices move along their orthogonalised Nesterov momentum, scaled by √max(1, rows/columns); other parameters follow AdamW.
 */
export class Muon extends Stateful {
  readonly #adam: AdamW;

  constructor(readonly options: MuonOptions = {}) {
    super();
    requireRate(options.learningRate);
    this.#adam = new AdamW(options.adam);
  }

  override update(...args: Parameters<Stateful['update']>): void {
    const [parameters, gradients, rateFactor] = args;
    const { isMatrix = (name, parameter) => parameter.rank >= 2 && !/embed/i.test(name) } = this.options;
    const chosen = (wanted: boolean) =>
      Object.fromEntries(
        Object.entries(parameters).filter(([name, parameter]) => isMatrix(name, parameter) === wanted),
      );
    super.update(chosen(true), gradients, rateFactor);
    this.#adam.update(chosen(false), gradients, rateFactor);
  }

  protected updateOne(name: string, parameter: Tensor, gradient: Tensor, rateFactor: number): void {
    const { learningRate = 0.02, momentum = 0.95, weightDecay = 0 } = this.options;
    const velocity = this.moment('velocity', name, parameter);
    scope(() => {
      blend(velocity, momentum, gradient, 1 - momentum);
      const ahead = add(gradient, multiply(subtract(velocity, gradient), momentum));
      const matrix = reshape(ahead, [parameter.shape[0] as number, -1]);
      const [rows, columns] = matrix.shape as [number, number];
      const step = learningRate * rateFactor;
      blend(parameter, 1 - step * weightDecay, orthogonalize(matrix), -step * Math.sqrt(Math.max(1, rows / columns)));
    });
  }

  override state() {
    const { step, tensors } = super.state();
    const inner = this.#adam.state().tensors;
    return {
      step,
      tensors: { ...tensors, ...Object.fromEntries(Object.entries(inner).map(([name, t]) => [`adam.${name}`, t])) },
    };
  }

  override restore(state: ReturnType<Stateful['state']>): void {
    const part = (own: boolean) =>
      Object.fromEntries(
        Object.entries(state.tensors).flatMap(([name, t]) =>
          name.startsWith('adam.') === own ? [] : [[own ? name : name.slice(5), t]],
        ),
      );
    super.restore({ step: state.step, tensors: part(true) });
    this.#adam.restore({ step: state.step, tensors: part(false) });
  }
}
