// Block-diagonal scaling of tangent vectors at the origin of the ball, which sets the radius of
// points: S ⊗ x = exp₀(S·log₀(x)) has
//
//   Rad(S ⊗ x) = (‖Su‖/‖u‖)·Rad(x),  u = log₀(x),
//
// so that radii never grow where ‖S‖₂ ≤ 1. (HyperET, 2025; H4G, KDD 2026.)

import { blockDiagonalMatmul } from '../../sparse/index.js';
import {
  add,
  broadcastTo,
  divide,
  exp,
  eye,
  full,
  log,
  matmul,
  maximum,
  multiply,
  reshape,
  scope,
  sigmoid,
  sqrt,
  square,
  stopGradient,
  subtract,
  sum,
  type Tensor,
  transpose,
  zeros,
} from '../../tensor/index.js';
import { parameter } from '../module.js';

/**
 * How S is made of its parameters: `contractive` Bᵢ = σ(aᵢ)·Qᵢ/max(1, ‖Qᵢ‖₂), so that it never
 * raises a radius; `free` Bᵢ = Qᵢ; `scalar` σ(a)·I, one number for all.
 */
export type ScalingForm = 'contractive' | 'free' | 'scalar';

/** Options of `BlockScaling`. */
export interface BlockScalingOptions {
  /**
   * Rows of a block b, which divides the features: 1 is diagonal, all features full. Default: 8.
   */
  readonly block?: number;
  /** Default: `contractive`. */
  readonly form?: ScalingForm;
}

/** Squarings of QᵀQ: the bound on its norm is at most b^(1/2048) too large, 0.1 % at b = 8. */
const SQUARINGS = 10;
const SMALLEST = 1e-30;

/**
 * Upper bounds of ‖Qᵢ‖₂ by power iteration on whole matrices:
 *
 *   λ ≤ (tr M^{2^m})^{1/2^m} ≤ b^{1/2^m}·λ for the largest eigenvalue λ of M = QᵀQ,
 *
 * M^{2^m} being m squarings of M. The gradient is that of σ₁ = √(tr(P·QᵀQ)) with the projection P
 * on the leading right singular vectors held constant.
 *
 * @param blocks Q [k, b, b]
 * @returns [k, 1, 1]
 */
export function spectralNorms(blocks: Tensor): Tensor {
  const gram = matmul(blocks, blocks, { transposeA: true });
  const b = blocks.shape[1] as number;
  const trace = (x: Tensor) => sum(multiply(x, eye(b)), [1, 2], { keepAxes: true });
  const fixed = stopGradient(gram);
  const { bound, projection } = scope(() => {
    let total = maximum(trace(fixed), SMALLEST);
    let power = divide(fixed, total);
    let logarithm = log(total);
    for (let j = 1; j <= SQUARINGS; j++) {
      const next = matmul(power, power);
      total = maximum(trace(next), SMALLEST);
      power = divide(next, total);
      logarithm = add(logarithm, multiply(log(total), 2 ** -j));
    }
    return { bound: exp(multiply(logarithm, 0.5)), projection: power };
  });
  const norm = sqrt(maximum(sum(multiply(stopGradient(projection), gram), [1, 2], { keepAxes: true }), SMALLEST));
  return multiply(norm, stopGradient(divide(bound, norm)));
}

/** S = diag(B₁ … B_{d/b}) on tangent vectors [n, d]. */
export class BlockScaling {
  /** Q [d/b, b, b], at first the identity; absent of `scalar`. */
  readonly blocks?: Tensor;
  /** a [d/b, 1, 1], at first 0, so that a contractive S halves radii; absent of `free`. */
  readonly gates?: Tensor;
  /** Rows of a block. */
  readonly block: number;
  /** How S is made. */
  readonly form: ScalingForm;

  /** @throws RangeError naming both when b does not divide d */
  constructor(
    readonly features: number,
    { block = 8, form = 'contractive' }: BlockScalingOptions = {},
  ) {
    if (!(Number.isInteger(block) && block >= 1) || features % block !== 0)
      throw new RangeError(`BlockScaling: blocks of ${block} rows do not divide ${features} features`);
    this.block = block;
    this.form = form;
    const count = features / block;
    if (form !== 'scalar') this.blocks = parameter(identities(count, block));
    if (form !== 'free') this.gates = parameter(zeros([form === 'scalar' ? 1 : count, 1, 1]));
  }

  /**
   * factor·S·u of each row: [n, d] → [n, d], d·b multiplications a row.
   *
   * @param factor Default: 1
   * @param matrices those of `matrices()`, where they are at hand
   */
  forward(u: Tensor, factor = 1, matrices: Tensor = this.matrices()): Tensor {
    if (!this.blocks) return multiply(u, reshape(multiply(this.#shrinking(), factor), [1, 1]));
    const scaled = factor === 1 ? matrices : multiply(matrices, factor);
    if (this.block === 1) return multiply(u, reshape(scaled, [1, this.features]));
    return blockDiagonalMatmul(u, transpose(scaled, 1, 2));
  }

  /** B₁ … B_{d/b}, [d/b, b, b]. */
  matrices(): Tensor {
    const { blocks, block, features } = this;
    if (!blocks) {
      const count = features / block;
      return multiply(identities(count, block), broadcastTo(this.#shrinking(), [count, 1, 1]));
    }
    if (this.form === 'free') return blocks;
    return multiply(blocks, divide(this.#shrinking(), maximum(spectralNorms(blocks), 1)));
  }

  /** mean ‖Qᵢ − I‖² over the blocks, which keeps directions that training does not see. */
  offIdentity(): Tensor {
    const { blocks, block } = this;
    if (!blocks) return full([], 0);
    return multiply(sum(square(subtract(blocks, eye(block)))), block / this.features);
  }

  #shrinking(): Tensor {
    return sigmoid(this.gates as Tensor);
  }
}

function identities(count: number, block: number): Tensor {
  return add(zeros([count, block, block]), eye(block));
}
