// Inverse hyperbolic functions and norms whose values keep their digits near 0, and whose gradients
// stay finite there.

import {
  add,
  divide,
  exp,
  greater,
  less,
  log,
  maximum,
  minimum,
  multiply,
  positiveMask,
  sqrt,
  square,
  subtract,
  sum,
  type Tensor,
  tanh,
  where,
} from '../../tensor/index.js';

/** Below this the logarithms lose digits and the series has all of them. */
const SERIES = 0.2;

/** x·Σ_k coefficients[k]·x^{2k}, by Horner's rule. */
function oddSeries(x: Tensor, coefficients: readonly number[]): Tensor {
  const squared = square(x);
  const [last = 0, ...rest] = [...coefficients].reverse();
  const start = add(multiply(squared, 0), last);
  return multiply(
    x,
    rest.reduce((sum, coefficient) => add(multiply(sum, squared), coefficient), start),
  );
}

/** artanh x of 0 ≤ x < 1 to a few units in the last place; elementwise. */
export function artanh(x: Tensor): Tensor {
  const large = maximum(x, SERIES);
  const logarithm = multiply(log(divide(add(1, large), subtract(1, large))), 0.5);
  const small = minimum(x, SERIES);
  return where(less(x, SERIES), oddSeries(small, [1, 1 / 3, 1 / 5, 1 / 7, 1 / 9]), logarithm);
}

/** arsinh x of x ≥ 0 to a few units in the last place; elementwise. */
export function arsinh(x: Tensor): Tensor {
  const large = maximum(x, SERIES);
  const logarithm = log(add(large, sqrt(add(square(large), 1))));
  const small = minimum(x, SERIES);
  const series = oddSeries(small, [1, -1 / 6, 3 / 40, -15 / 336, 105 / 3456, -945 / 42240]);
  return where(less(x, SERIES), series, logarithm);
}

/** cosh x; elementwise, ∞ from |x| ≈ 89. */
export function cosh(x: Tensor): Tensor {
  return multiply(add(exp(x), exp(multiply(x, -1))), 0.5);
}

/** sinh x = tanh x·cosh x, which keeps the digits near 0; elementwise. */
export function sinh(x: Tensor): Tensor {
  return multiply(tanh(x), cosh(x));
}

/** √x of x ≥ 0, with gradient 0 at 0. */
export function safeSqrt(x: Tensor): Tensor {
  const zeros = subtract(1, greater(x, 0));
  return positiveMask(sqrt(add(x, zeros)), x);
}

/** Least norm that rows are divided by: its cube and its square are normal in single precision. */
const LEAST_NORM = 1e-10;

/** max(‖x‖, 1e-10) of each row [n, 1]; shorter rows have gradient 0. */
export function rowNorms(x: Tensor): Tensor {
  return sqrt(maximum(sum(square(x), -1, { keepAxes: true }), LEAST_NORM ** 2));
}
