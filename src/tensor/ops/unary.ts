// Elementwise functions of one tensor. Error bounds are in units of the last place (ulp) of f32
// over the whole range unless said otherwise; docs/numerics.md has what was measured.

import type { ArgumentsOf, KernelsTaking, Region } from '../../engine/index.js';
import { apply, type Op, onlyGradient, requireDType } from '../apply.js';
import { requireComputable } from '../elements.js';
import { requireNumber } from '../shape.js';
import { requireTensor, type Tensor } from '../tensor.js';
import { add, lessEqual, minimum, multiply, positiveMask, subtract } from './binary.js';

interface Flow {
  readonly x: Tensor;
  readonly y: Tensor;
  /** Gradient of the output. */
  readonly g: Tensor;
}

/** What rewriters of graphs know of a function. */
type Traits = Pick<Op, 'activation' | 'onnx'>;

/** What an elementwise kernel takes. */
interface Elements {
  readonly x: Region;
  readonly y: Region;
  readonly n: number;
}

/** An operation whose kernel takes x, y and n, with the gradient of x. */
function unaryOp(name: KernelsTaking<Elements>, traits: Traits, vjp?: (flow: Flow) => Tensor): Op {
  return {
    name,
    multiplyAdds: 0,
    elementwise: true,
    ...traits,
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
}

function unary(...parts: Parameters<typeof unaryOp>): (x: Tensor) => Tensor {
  return applying(unaryOp(...parts));
}

function applying(op: Op): (x: Tensor) => Tensor {
  return (x) => apply(op, [x]);
}

/** |x|; gradient sign x, 0 at 0. */
export const abs = unary('abs', { onnx: 'Abs' }, ({ x, g }) => multiply(g, sign(x)));
/** √x, correctly rounded; gradient ∞ at 0. */
export const sqrt = unary('sqrt', { onnx: 'Sqrt' }, ({ y, g }) => multiply(g, multiply(reciprocal(y), 0.5)));
/** eˣ to 2 ulp. */
export const exp = unary('exp', { onnx: 'Exp' }, ({ y, g }) => multiply(g, y));
/** Natural logarithm to 2 ulp; −∞ at 0, NaN below. */
export const log = unary('log', { onnx: 'Log' }, ({ x, g }) => multiply(g, reciprocal(x)));
/** Hyperbolic tangent to 3 ulp. */
export const tanh = unary('tanh', { activation: 'tanh' }, ({ y, g }) => multiply(g, subtract(1, square(y))));
/** 1 / (1 + e⁻ˣ) to 4 ulp for x > −87; 0 where 1 + e⁻ˣ overflows, below −88.7. */
export const sigmoid = unary('sigmoid', { activation: 'sigmoid' }, ({ y, g }) =>
  multiply(g, multiply(y, subtract(1, y))),
);
/** Error function 2/√π ∫₀ˣ e^(−t²) dt to 3 ulp. */
export const erf = unary('erf', { onnx: 'Erf' }, ({ x, g }) =>
  multiply(g, multiply(exp(multiply(square(x), -1)), 2 / Math.sqrt(Math.PI))),
);
/**
 * x·Φ(x) with the normal distribution function Φ (exact form, by erf), with an absolute error of
 * 2·10⁻⁷·max(1, |x|). As 1 + erf loses its digits there, results below x = −5.4 are 0 or of that
 * size.
 */
export const gelu = unary('gelu', { activation: 'gelu' }, ({ x, g }) => {
  const density = multiply(exp(multiply(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  const distribution = multiply(add(erf(multiply(x, Math.SQRT1_2)), 1), 0.5);
  return multiply(g, add(distribution, multiply(x, density)));
});
/** max(x, 0); gradient 0 at 0. */
export const relu = unary('relu', { activation: 'relu' }, ({ y, g }) => positiveMask(g, y));
/** Sine to 2 ulp, of any finite argument; x in radians. NaN for ±∞. */
export const sin = unary('sin', { onnx: 'Sin' }, ({ x, g }) => multiply(g, cos(x)));
/** Cosine to 2 ulp, of any finite argument; x in radians. NaN for ±∞. */
export const cos = unary('cos', { onnx: 'Cos' }, ({ x, g }) => multiply(g, multiply(sin(x), -1)));
/** −1, 0 or 1. Gradient 0. */
export const sign = unary('sign', { onnx: 'Sign' });
/** Largest integer not above x. Gradient 0. */
export const floor = unary('floor', { onnx: 'Floor' });
/** 1/x, correctly rounded. */
export const reciprocal = unary('reciprocal', { onnx: 'Reciprocal' }, ({ y, g }) =>
  multiply(g, multiply(square(y), -1)),
);
/** The operation behind `rsqrt`. */
export const rsqrtOp = unaryOp('rsqrt', {}, ({ y, g }) => multiply(g, multiply(multiply(y, square(y)), -0.5)));
/** 1/√x to 2 ulp. */
export const rsqrt = applying(rsqrtOp);
/** The operation behind `square`. */
export const squareOp = unaryOp('square', {}, ({ x, g }) => multiply(g, multiply(x, 2)));
/** x². */
export const square = applying(squareOp);
/** log(1 + eˣ) to 3 ulp. */
export const softplus = unary('softplus', { onnx: 'Softplus' }, ({ x, g }) => multiply(g, sigmoid(x)));
/** x·sigmoid(x), also called swish, to 5 ulp for x > −87; −0 below −88.7. */
export const silu = unary('silu', { activation: 'silu' }, ({ x, g }) => {
  const s = sigmoid(x);
  return multiply(g, add(s, multiply(multiply(x, s), subtract(1, s))));
});

/** min(max(x, 0), 6); gradient 0 at both ends. */
export const relu6 = unary('relu6', { activation: 'relu6' }, ({ x, g }) =>
  positiveMask(positiveMask(g, x), subtract(6, x)),
);

/** relu6(x + 3)/6. */
export function hardSigmoid(x: Tensor): Tensor {
  return multiply(relu6(add(x, 3)), 1 / 6);
}

/** x·hardSigmoid(x). */
export function hardSwish(x: Tensor): Tensor {
  return multiply(x, hardSigmoid(x));
}

/** −x. */
export function negate(x: Tensor): Tensor {
  return multiply(x, -1);
}

/** An operation with one scalar, for which its kernel has a name of its own. */
function scaledOp<Name extends 'leakyRelu' | 'elu'>(
  name: Name,
  argumentsOf: (elements: Elements, parameter: number) => ArgumentsOf<Name>,
  vjp: (flow: Flow & { parameter: number }) => Tensor,
): Op<{ readonly parameter: number }> {
  return {
    name,
    multiplyAdds: 0,
    elementwise: true,
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
}

/** The operation behind `leakyRelu`; `parameter` is the slope below 0. */
export const leakyReluOp = scaledOp(
  'leakyRelu',
  ({ x, y, n }, slope) => ({ x, y, n, slope }),
  ({ x, g, parameter }) => add(multiply(positiveMask(g, x), 1 - parameter), multiply(g, parameter)),
);
/** The operation behind `elu`; `parameter` is α. */
export const eluOp = scaledOp(
  'elu',
  ({ x, y, n }, alpha) => ({ x, y, n, alpha }),
  ({ x, g, parameter }) =>
    add(positiveMask(g, x), multiply(positiveMask(g, lessEqual(x, 0)), multiply(exp(minimum(x, 0)), parameter))),
);

/** x where x > 0, else slope·x. */
export function leakyRelu(x: Tensor, slope = 0.01): Tensor {
  requireNumber('leakyRelu', 'the slope', slope);
  return apply(leakyReluOp, [x], { parameter: slope });
}

/** x where x > 0, else α(eˣ − 1), to 3 ulp; gradient α at 0. */
export function elu(x: Tensor, alpha = 1): Tensor {
  requireNumber('elu', 'alpha', alpha);
  return apply(eluOp, [x], { parameter: alpha });
}

/** The operation behind `cast`. */
export const castOp: Op<{ dtype: 'f32' | 'i32' }> = {
  name: 'cast',
  multiplyAdds: 0,
  elementwise: true,
  infer: ([x], { dtype }) => [{ shape: (x as Tensor).shape, dtype }],
  compute: (device, [x], [y], { dtype }) =>
    device.run(dtype === 'i32' ? 'toInt' : 'toFloat', { x: x as Tensor, y: y as Tensor, n: (y as Tensor).size }),
};

/**
 * Converts between f32 and i32: towards zero, to the nearest i32 what is beyond its range, NaN to
 * 0. Not differentiable.
 *
 * @throws TypeError for other types, which only store.
 */
export function cast(x: Tensor, dtype: 'f32' | 'i32'): Tensor {
  requireTensor('cast', x);
  requireComputable('cast', dtype);
  requireComputable('cast', x.dtype);
  if (x.dtype === dtype) return x;
  return apply(castOp, [x], { dtype });
}
