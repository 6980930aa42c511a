// Elementwise functions of one tensor.

import type { ArgumentsOf, KernelsTaking, Region } from '../../engine/index.js';
import { apply, type Op, onlyGradient, requireDType } from '../apply.js';
import type { Tensor } from '../tensor.js';
import { add, multiply, positiveMask, subtract } from './binary.js';

interface Flow {
  readonly x: Tensor;
  readonly y: Tensor;
  /** Gradient of the output. */
  readonly g: Tensor;
}

/** What an elementwise kernel takes. */
interface Elements {
  readonly x: Region;
  readonly y: Region;
  readonly n: number;
}

/** An operation whose kernel takes x, y and n, with the gradient of x. */
function unary(name: KernelsTaking<Elements>, vjp?: (flow: Flow) => Tensor): (x: Tensor) => Tensor {
  const op: Op = {
    name,
    infer: ([x]) => {
      requireDType(name, 'f32', x as Tensor);
      return [{ shape: (x as Tensor).shape, dtype: 'f32' }];
    },
    compute: (device, [x], [y]) => device.run(name, { x: x as Tensor, y: y as Tensor, n: (y as Tensor).size }),
    ...(vjp && {
      vjp: (backward) => [
        vjp({ x: backward.inputs[0] as Tensor, y: backward.outputs[0] as Tensor, g: onlyGradient(backward) }),
      ],
    }),
  };
  return (x) => apply(op, [x]);
}

/** |x|; gradient sign x, 0 at 0. */
export const abs = unary('abs', ({ x, g }) => multiply(g, sign(x)));
export const sqrt = unary('sqrt', ({ y, g }) => multiply(g, multiply(reciprocal(y), 0.5)));
export const exp = unary('exp', ({ y, g }) => multiply(g, y));
/** Natural logarithm. */
export const log = unary('log', ({ x, g }) => multiply(g, reciprocal(x)));
export const tanh = unary('tanh', ({ y, g }) => multiply(g, subtract(1, square(y))));
/** 1 / (1 + e⁻ˣ). */
export const sigmoid = unary('sigmoid', ({ y, g }) => multiply(g, multiply(y, subtract(1, y))));
/** Error function 2/√π ∫₀ˣ e^(−t²) dt. */
export const erf = unary('erf', ({ x, g }) =>
  multiply(g, multiply(exp(multiply(square(x), -1)), 2 / Math.sqrt(Math.PI))),
);
/** x·Φ(x) with the normal distribution function Φ (exact form, by erf). */
export const gelu = unary('gelu', ({ x, g }) => {
  const density = multiply(exp(multiply(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  const distribution = multiply(add(erf(multiply(x, Math.SQRT1_2)), 1), 0.5);
  return multiply(g, add(distribution, multiply(x, density)));
});
/** max(x, 0); gradient 0 at 0. */
export const relu = unary('relu', ({ y, g }) => positiveMask(g, y));
export const sin = unary('sin', ({ x, g }) => multiply(g, cos(x)));
export const cos = unary('cos', ({ x, g }) => multiply(g, multiply(sin(x), -1)));
/** −1, 0 or 1. Gradient 0. */
export const sign = unary('sign');
/** Largest integer not above x. Gradient 0. */
export const floor = unary('floor');
export const reciprocal = unary('reciprocal', ({ y, g }) => multiply(g, multiply(square(y), -1)));
/** 1/√x. */
export const rsqrt = unary('rsqrt', ({ y, g }) => multiply(g, multiply(multiply(y, square(y)), -0.5)));
export const square = unary('square', ({ x, g }) => multiply(g, multiply(x, 2)));
/** log(1 + eˣ). */
export const softplus = unary('softplus', ({ x, g }) => multiply(g, sigmoid(x)));
/** x·sigmoid(x), also called swish. */
export const silu = unary('silu', ({ x, g }) => {
  const s = sigmoid(x);
  return multiply(g, add(s, multiply(multiply(x, s), subtract(1, s))));
});

/** min(max(x, 0), 6); gradient 0 at both ends. */
export const relu6 = unary('relu6', ({ x, g }) => positiveMask(positiveMask(g, x), subtract(6, x)));

/** relu6(x + 3)/6. */
export function hardSigmoid(x: Tensor): Tensor {
  return multiply(relu6(add(x, 3)), 1 / 6);
}

/** x·hardSigmoid(x). */
export function hardSwish(x: Tensor): Tensor {
  return multiply(x, hardSigmoid(x));
}

export function negate(x: Tensor): Tensor {
  return multiply(x, -1);
}

/** An operation with one scalar, which its kernel has a name of its own for. */
function scaled<Name extends 'leakyRelu' | 'elu'>(
  name: Name,
  argumentsOf: (elements: Elements, parameter: number) => ArgumentsOf<Name>,
  vjp: (flow: Flow & { parameter: number }) => Tensor,
): (x: Tensor, parameter: number) => Tensor {
  const op: Op<{ parameter: number }> = {
    name,
    infer: ([x]) => {
      requireDType(name, 'f32', x as Tensor);
      return [{ shape: (x as Tensor).shape, dtype: 'f32' }];
    },
    compute: (device, [x], [y], { parameter }) =>
      device.run(name, argumentsOf({ x: x as Tensor, y: y as Tensor, n: (y as Tensor).size }, parameter)),
    vjp: (backward) => [
      vjp({
        x: backward.inputs[0] as Tensor,
        y: backward.outputs[0] as Tensor,
        g: onlyGradient(backward),
        parameter: backward.attributes.parameter,
      }),
    ],
  };
  return (x, parameter) => apply(op, [x], { parameter });
}

const leakyReluOp = scaled(
  'leakyRelu',
  ({ x, y, n }, slope) => ({ x, y, n, slope }),
  ({ x, g, parameter }) => add(multiply(positiveMask(g, x), 1 - parameter), multiply(g, parameter)),
);
const eluOp = scaled(
  'elu',
  ({ x, y, n }, alpha) => ({ x, y, n, alpha }),
  ({ x, y, g, parameter }) => add(positiveMask(g, x), multiply(positiveMask(g, multiply(x, -1)), add(y, parameter))),
);

/** x where x > 0, else slope·x. */
export function leakyRelu(x: Tensor, slope = 0.01): Tensor {
  return leakyReluOp(x, slope);
}

/** x where x > 0, else α(eˣ − 1). */
export function elu(x: Tensor, alpha = 1): Tensor {
  return eluOp(x, alpha);
}

const castOp: Op<{ dtype: 'f32' | 'i32' }> = {
  name: 'cast',
  infer: ([x], { dtype }) => [{ shape: (x as Tensor).shape, dtype }],
  compute: (device, [x], [y], { dtype }) =>
    device.run(dtype === 'i32' ? 'toInt' : 'toFloat', { x: x as Tensor, y: y as Tensor, n: (y as Tensor).size }),
};

/** Converts between f32 and i32 (towards zero). Not differentiable. */
export function cast(x: Tensor, dtype: 'f32' | 'i32'): Tensor {
  if (x.dtype === dtype) return x;
  if (x.dtype !== 'f32' && x.dtype !== 'i32')
    throw new Error(`cast: from ${x.dtype} is not supported; read the data and make a new tensor`);
  return apply(castOp, [x], { dtype });
}
