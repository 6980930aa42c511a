// Optimisers for large batches and large matrices: LAMB and Muon.

import {
  add,
  clip,
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
import { type AdamOptions, AdamW, blend, decayOf, requireEpsilon, requireRate, Stateful } from './optimizers.js';
import { globalNorm } from './wrappers.js';

/** g between ±1.84e19, whose square f32 holds; infinities become NaN. */
function bounded(gradient: Tensor): Tensor {
  return add(clip(gradient, -1.84e19, 1.84e19), multiply(gradient, 0));
}

/**
 * LAMB (You et al. 2020): w ← w − η·(‖w‖/‖r‖)·r per tensor, with Adam's direction
 * r = m̂/(√v̂ + ε) + λw; the trust ratio ‖w‖/‖r‖ is 1 where either norm is 0. Defaults: those of
 * `AdamOptions`, but ε 1e-6 and λ 0.01.
 */
export class LAMB extends Stateful {
  constructor(readonly options: AdamOptions = {}) {
    super();
    requireRate(options.learningRate);
    requireEpsilon(options.epsilon);
  }

  protected updateOne(name: string, parameter: Tensor, gradient: Tensor, rateFactor: number): void {
    const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-6, weightDecay = 0.01 } = this.options;
    const [m, v] = [this.moment('first', name, parameter), this.moment('second', name, parameter)];
    scope(() => {
      const g = bounded(gradient);
      blend(m, beta1, g, 1 - beta1);
      blend(v, beta2, square(g), 1 - beta2);
      const root = add(multiply(v, 1 / (1 - beta2 ** this.step)).sqrt(), epsilon);
      const direction = add(
        multiply(m, 1 / (1 - beta1 ** this.step)).divide(root),
        multiply(parameter, decayOf(weightDecay, name)),
      );
      const [weightNorm, stepNorm] = [globalNorm({ parameter }), globalNorm({ direction })];
      const trust = weightNorm > 0 && stepNorm > 0 ? weightNorm / stepNorm : 1;
      blend(parameter, 1, direction, -learningRate * rateFactor * trust);
    });
  }
}

/** Hyperparameters of Muon. */
export interface MuonOptions {
  /** Learning rate of the matrices. Default: 0.02. */
  readonly learningRate?: number;
  /** Decay of the momentum. Default: 0.95. */
  readonly momentum?: number;
  /** Decoupled weight decay λ of the matrices. Default: 0. */
  readonly weightDecay?: number;
  /** AdamW for all other parameters. */
  readonly adam?: AdamOptions;
  /**
   * Which parameters are orthogonalised. Default: those of two or more axes without "embed" in
   * their names.
   */
  readonly isMatrix?: (name: string, parameter: Tensor) => boolean;
}

/**
 * Coefficients of the quintic Newton–Schulz iteration, which moves singular values to about 1
 * (Jordan et al. 2024).
 */
const [A, B, C] = [3.4445, -4.775, 2.0315] as const;
const ITERATIONS = 5;

/**
 * Approximates the nearest semi-orthogonal matrix, U·Vᵀ of the singular value decomposition, by
 * five Newton–Schulz iterations: [m, n] → [m, n].
 */
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
 * Muon (Jordan et al. 2024): each matrix [rows, columns] is updated by its orthogonalised Nesterov
 * momentum times η·√max(1, rows/columns); kernels count as [out, the rest]. Other parameters follow
 * AdamW.
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
    const part = (adam: boolean) =>
      Object.fromEntries(
        Object.entries(state.tensors).flatMap(([name, t]) =>
          name.startsWith('adam.') === adam ? [[adam ? name.slice(5) : name, t]] : [],
        ),
      );
    super.restore({ step: state.step, tensors: part(false) });
    this.#adam.restore({ step: state.step, tensors: part(true) });
  }
}
