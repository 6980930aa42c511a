// The hyperboloid −X₀² + X₁² + … + X_d² = −1/c: the same space as the ball of curvature −c, in
// coordinates that do not crowd at a boundary. (Nickel & Kiela, "Learning Continuous Hierarchies in
// the Lorentz Model of Hyperbolic Geometry", ICML 2018.)

import {
  add,
  concatenate,
  divide,
  matmul,
  maximum,
  multiply,
  slice,
  square,
  squaredDistances,
  subtract,
  sum,
  type Tensor,
  transpose,
} from '../../tensor/index.js';
import type { PoincareBall } from './ball.js';
import { arsinh, cosh, rowNorms, safeSqrt, sinh } from './functions.js';

const times = (x: Tensor) => slice(x, null, [0, 1]);
const spaces = (x: Tensor) => slice(x, null, [1, x.shape[1] as number]);

/** Points of the ball [n, d] on the hyperboloid [n, d + 1], X₀ first. */
export function toLorentz(ball: PoincareBall, x: Tensor): Tensor {
  const squares = multiply(sum(square(x), -1, { keepAxes: true }), ball.c);
  const time = divide(add(squares, 1), ball.gap(x));
  return multiply(concatenate([time, divide(multiply(x, 2 * ball.root), ball.gap(x))], 1), 1 / ball.root);
}

/** Points of the hyperboloid [n, d + 1] in the ball [n, d]: X_{1…d}/(1 + √c·X₀). */
export function fromLorentz(ball: PoincareBall, point: Tensor): Tensor {
  return divide(spaces(point), add(multiply(times(point), ball.root), 1));
}

/**
 * exp₀ of tangent vectors [n, d] on the hyperboloid, [n, d + 1]:
 * (cosh a, sinh a·u/‖u‖)/√c with a = 2√c‖u‖; it overflows at a ≈ 89, where the ball is clipped at
 * 12.2.
 */
export function lorentzExp(ball: PoincareBall, u: Tensor): Tensor {
  const norms = rowNorms(u);
  const angle = multiply(norms, 2 * ball.root);
  const space = multiply(u, divide(sinh(angle), norms));
  return multiply(concatenate([cosh(angle), space], 1), 1 / ball.root);
}

/** d(Xᵢ, Yⱼ) = (1/√c)·arcosh(−c⟨Xᵢ, Yⱼ⟩): x [m, d + 1], y [n, d + 1] → [m, n]. */
export function lorentzDistances(ball: PoincareBall, x: Tensor, y: Tensor): Tensor {
  const product = subtract(multiply(times(x), transpose(times(y))), matmul(spaces(x), spaces(y), { transposeB: true }));
  // arcosh(1 + 2z) = 2·arsinh √z.
  const z = maximum(multiply(subtract(multiply(product, ball.c), 1), 0.5), 0);
  return multiply(arsinh(safeSqrt(z)), 2 / ball.root);
}

/**
 * d(exp₀(uᵢ), exp₀(vⱼ)) from the tangent vectors by the hyperbolic law of cosines, which clips
 * nothing: with a = 2√c‖u‖, b = 2√c‖v‖ and the unit vectors û, v̂
 *
 * √c·d = 2·arsinh √(sinh²((a − b)/2) + ¼·sinh a·sinh b·‖û − v̂‖²).
 *
 * u [m, d], v [n, d] → [m, n]
 */
export function tangentDistances(ball: PoincareBall, u: Tensor, v: Tensor): Tensor {
  const [normsU, normsV] = [rowNorms(u), rowNorms(v)];
  const [a, b] = [multiply(normsU, 2 * ball.root), transpose(multiply(normsV, 2 * ball.root))];
  const apart = squaredDistances(divide(u, normsU), divide(v, normsV));
  const radial = square(sinh(multiply(subtract(a, b), 0.5)));
  const angular = multiply(multiply(multiply(sinh(a), sinh(b)), apart), 0.25);
  return multiply(arsinh(safeSqrt(add(radial, angular))), 2 / ball.root);
}
