// The Poincaré ball on rows of tensors, with gradients that stay finite at the origin, between
// equal points and at the boundary.
//
// In single precision tanh is 1 from about 9 on: points are clipped to √c‖x‖ ≤ 1 − 10⁻⁵, which is
// radius 12.2/√c, and what is clipped cannot be told apart again. Ungar, "A Gyrovector Space
// Approach to Hyperbolic Geometry", 2009; Ganea, Bécigneul, Hofmann, "Hyperbolic Neural Networks",
// NeurIPS 2018.

import { requireCurvature } from '../../linalg/poincare.js';
import { type SparseMatrix, spmm } from '../../sparse/index.js';
import {
  add,
  divide,
  maximum,
  minimum,
  multiply,
  positiveMask,
  sqrt,
  square,
  squaredDistances,
  subtract,
  sum,
  type Tensor,
  tanh,
  transpose,
} from '../../tensor/index.js';
import { arsinh, artanh, rowNorms, safeSqrt } from './functions.js';

/** Largest √c‖x‖ of a point. */
export const LARGEST_NORM = 1 - 1e-5;

/** Least 1 − c‖x‖², that of a clipped point up to rounding. */
const LEAST_GAP = 1e-6;

const rowSums = (x: Tensor) => sum(x, -1, { keepAxes: true });

/** The ball of curvature −c. Points and tangent vectors at the origin are rows [n, d]. */
export class PoincareBall {
  /** √c. */
  readonly root: number;

  /** @throws RangeError unless c is positive */
  constructor(readonly c = 1) {
    requireCurvature('PoincareBall', c);
    this.root = Math.sqrt(c);
  }

  /** Radius at which points are clipped: (2/√c)·artanh(1 − 10⁻⁵) ≈ 12.2/√c. */
  get largestRadius(): number {
    return (2 / this.root) * Math.atanh(LARGEST_NORM);
  }

  /** exp₀(u) = tanh(√c‖u‖)·u/(√c‖u‖), clipped; 0 of 0. */
  exp(u: Tensor): Tensor {
    const length = multiply(rowNorms(u), this.root);
    return multiply(u, divide(minimum(tanh(length), LARGEST_NORM), length));
  }

  /** log₀(x) = artanh(√c‖x‖)·x/(√c‖x‖); 0 of 0. */
  log(x: Tensor): Tensor {
    const length = multiply(rowNorms(x), this.root);
    return multiply(x, divide(artanh(minimum(length, LARGEST_NORM)), length));
  }

  /** x ⊕ y = [(1 + 2c⟨x,y⟩ + c‖y‖²)x + (1 − c‖x‖²)y] / [1 + 2c⟨x,y⟩ + c²‖x‖²‖y‖²], row by row. */
  add(x: Tensor, y: Tensor): Tensor {
    const { c } = this;
    const [xx, yy] = [rowSums(square(x)), rowSums(square(y))];
    const twice = add(multiply(rowSums(multiply(x, y)), 2 * c), 1);
    const left = multiply(x, add(twice, multiply(yy, c)));
    const right = multiply(y, subtract(1, multiply(xx, c)));
    return divide(add(left, right), add(twice, multiply(multiply(xx, yy), c * c)));
  }

  /** d(x, y) = (2/√c)·arsinh(√(c‖x − y‖² / ((1 − c‖x‖²)(1 − c‖y‖²)))) row by row, [n, 1]. */
  distance(x: Tensor, y: Tensor): Tensor {
    const squares = rowSums(square(subtract(x, y)));
    return this.#fromQuotient(divide(multiply(squares, this.c), multiply(this.gap(x), this.gap(y))));
  }

  /** d(xᵢ, yⱼ): x [m, d], y [n, d] → [m, n]. */
  distances(x: Tensor, y: Tensor): Tensor {
    const gaps = multiply(this.gap(x), transpose(this.gap(y)));
    return this.#fromQuotient(divide(multiply(squaredDistances(x, y), this.c), gaps));
  }

  /** Rad(x) = d(x, 0) = (2/√c)·artanh(√c‖x‖), [n, 1]. */
  radius(x: Tensor): Tensor {
    const length = minimum(multiply(safeSqrt(rowSums(square(x))), this.root), LARGEST_NORM);
    return multiply(artanh(length), 2 / this.root);
  }

  /** λ_x = 2/(1 − c‖x‖²), [n, 1]. */
  conformal(x: Tensor): Tensor {
    return divide(2, this.gap(x));
  }

  /** 1 − c‖x‖², [n, 1]. */
  gap(x: Tensor): Tensor {
    return maximum(subtract(1, multiply(rowSums(square(x)), this.c)), LEAST_GAP);
  }

  /** s ⊗ x = exp₀(s·log₀(x)), with a number s or one of each row [n, 1]. */
  scale(s: Tensor | number, x: Tensor): Tensor {
    return this.exp(multiply(this.log(x), s));
  }

  /**
   * S ⊗ x = exp₀(S·log₀(x)) of a linear map S. Of points that were lifted by exp₀(u) this loses
   * what was clipped: `exp(map(u))` does not.
   *
   * @param map S of the rows of tangent vectors, such as `BlockScaling.forward`
   */
  matrix(map: (u: Tensor) => Tensor, x: Tensor): Tensor {
    return this.exp(map(this.log(x)));
  }

  /**
   * Gyromidpoints ½ ⊗ (Σ a λ x / Σ a(λ − 1)) of the points that each row of A joins, [rows, d]; 0
   * for a row without points. In single precision exact up to about radius 8/√c.
   *
   * @param weights A [rows, n], weights a ≥ 0
   * @param x [n, d]
   */
  midpoints(weights: SparseMatrix, x: Tensor): Tensor {
    const lambda = this.conformal(x);
    const total = spmm(weights, subtract(lambda, 1));
    const mean = divide(spmm(weights, multiply(lambda, x)), add(total, subtract(1, positive(total))));
    // ½ ⊗ y = y/(1 + √(1 − c‖y‖²)).
    return divide(mean, add(sqrt(this.gap(mean)), 1));
  }

  #fromQuotient(z: Tensor): Tensor {
    return multiply(arsinh(safeSqrt(z)), 2 / this.root);
  }
}

/** 1 where x > 0, else 0; no gradient. */
function positive(x: Tensor): Tensor {
  return positiveMask(add(multiply(x, 0), 1), x);
}
