// Elementwise operators.

import {
  abs,
  add,
  clip,
  cos,
  divide,
  elu,
  equal,
  erf,
  exp,
  floor,
  gelu,
  greater,
  greaterEqual,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  less,
  lessEqual,
  log,
  maximum,
  minimum,
  multiply,
  negate,
  notEqual,
  positiveMask,
  power,
  reciprocal,
  relu,
  relu6,
  sigmoid,
  sign,
  sin,
  softplus,
  sqrt,
  subtract,
  type Tensor,
  tanh,
  tensor,
  zerosLike,
} from '../../../tensor/index.js';
import type { NodeInputs } from './inputs.js';
import { checked, combineInts, type IntegerOperation, integers } from './integers.js';
import { type Operator, type Operators, operator, unary } from './node.js';
import { type ImportedValue, isInts } from './value.js';

/** An operation of two operands of one type. */
function binary(onFloats: (a: Tensor, b: Tensor) => Tensor, onIntegers: IntegerOperation): Operator {
  return operator(2, 2, () => (inputs) => {
    if (inputs.allIntegers) return integers(inputs, 0, 1, onIntegers);
    return onFloats(inputs.floats(0), inputs.floats(1));
  });
}

function comparison(
  onFloats: (a: Tensor, b: Tensor) => Tensor,
  holds: (a: number, b: number) => boolean,
  onTensors?: IntegerOperation['onTensors'],
): Operator {
  return binary(onFloats, {
    exactly: (a, b) => Number(holds(a, b)),
    comparison: true,
    ...(onTensors && { onTensors }),
  });
}

/** Folds any number of operands of one type; i32 tensors too, where the kernel takes them. */
function variadic(fn: (a: Tensor, b: Tensor) => Tensor, onInts: (a: number, b: number) => number): Operator {
  return operator(1, Number.POSITIVE_INFINITY, () => (inputs) => {
    const places = inputs.edges.map((_, i) => i);
    if (!inputs.allIntegers) return places.map((i) => inputs.floats(i)).reduce((a, b) => fn(a, b));
    if (places.some((i) => inputs.tracesLongs(i)))
      inputs.node.fail('computes with 64-bit integers that change with the inputs: it cannot be traced');
    if (!places.some((i) => isInts(inputs.value(i))))
      return places.map((i) => inputs.tensor(i)).reduce((a, b) => fn(a, b));
    const folded = places.map((i) => inputs.ints(i)).reduce((a, b) => combineInts(inputs.node.label, a, b, onInts));
    return checked(inputs, folded);
  });
}

const average = operator(1, Number.POSITIVE_INFINITY, () => (inputs) => {
  const sum = inputs.edges.map((_, i) => inputs.floats(i)).reduce((a, b) => add(a, b));
  return multiply(sum, 1 / inputs.count);
});

/** The remainder with the sign of the divisor. */
function flooredRemainder(a: number, b: number): number {
  return a - Math.floor(a / b) * b;
}

function nonZero(inputs: NodeInputs, divisor: number): number {
  return divisor === 0 ? inputs.node.fail('divides an integer by 0') : divisor;
}

const division = operator(2, 2, () => (inputs) => {
  if (!inputs.allIntegers) return divide(inputs.floats(0), inputs.floats(1));
  return integers(inputs, 0, 1, { exactly: (a, b) => Math.trunc(a / nonZero(inputs, b)) });
});

const remainder = operator(2, 2, (node) => {
  const truncated = node.flag('fmod');
  return (inputs) => {
    if (!inputs.allIntegers) {
      if (!truncated) node.fail('takes the remainder of floats without fmod, which is not defined');
      const values = (index: number) => ({ ints: inputs.readFloats(index), shape: inputs.floats(index).shape });
      const result = combineInts(node.label, values(0), values(1), (a, b) => a % b);
      return tensor(Float32Array.from(result.ints), result.shape);
    }
    const exactly = (a: number, b: number) =>
      truncated ? a % nonZero(inputs, b) : flooredRemainder(a, nonZero(inputs, b));
    return integers(inputs, 0, 1, { exactly });
  };
});

/** aᵇ in the type of a. */
const raising = operator(2, 2, (node) => (inputs) => {
  if (inputs.allIntegers)
    return integers(inputs, 0, 1, {
      exactly: (a, b) => (b >= 0 ? a ** b : node.fail(`raises an integer to ${b}, which is not supported`)),
    });
  const exponent = inputs.value(1);
  if (inputs.isInteger(0)) {
    const exponents = { ints: inputs.readFloats(1), shape: exponent.shape };
    const result = combineInts(node.label, inputs.ints(0), exponents, (a, b) => Math.trunc(a ** b));
    return inputs.likeIntegers(0, checked(inputs, result));
  }
  const base = inputs.floats(0);
  if (!isInts(exponent) && exponent.dtype === 'f32') return power(base, exponent);
  return power(base, inputs.tensor(1).cast('f32'));
});

/** x limited to a range, whose ends are inputs. */
const clipping = operator(1, 3, () => (inputs) => {
  const limit = (index: number, otherwise: number) => inputs.scalar(index) ?? otherwise;
  const [low, high] = [limit(1, Number.NEGATIVE_INFINITY), limit(2, Number.POSITIVE_INFINITY)];
  const x = inputs.value(0);
  if (isInts(x)) return { ints: x.ints.map((value) => Math.min(Math.max(value, low), high)), shape: x.shape };
  if (low === 0 && high === 6) return relu6(inputs.floats(0));
  return clip(inputs.floats(0), low, high);
});

/** An element of one of two operands: sums, as the other contributes 0. */
const choosing = operator(3, 3, (node) => (inputs) => {
  const condition = inputs.floats(0);
  if (!isInts(inputs.value(1)) && !isInts(inputs.value(2)) && !inputs.allIntegersFrom(1))
    return add(positiveMask(inputs.floats(1), condition), positiveMask(inputs.floats(2), lessEqual(condition, 0)));
  const chosen = { ints: inputs.readFloats(0), shape: condition.shape };
  if (inputs.isTraced(1) || inputs.isTraced(2)) return node.fail('chooses among integers, which cannot be traced');
  const [a, b] = [inputs.ints(1), inputs.ints(2)];
  const from = (value: typeof a, on: number) =>
    combineInts(node.label, chosen, value, (c, element) => (c > 0 === (on === 1) ? element : 0));
  const result = combineInts(node.label, from(a, 1), from(b, 0), (left, right) => left + right);
  return inputs.likeIntegers(1, result);
});

/** An operation of booleans, which are 0 and 1. */
function logical(fn: (a: Tensor, b: Tensor) => Tensor): Operator {
  return operator(2, 2, () => (inputs) => fn(inputs.floats(0), inputs.floats(1)));
}

/** A function of floats with numbers from attributes. */
function parametric(names: Readonly<Record<string, number>>, fn: (x: Tensor, ...values: number[]) => Tensor): Operator {
  return operator(1, 1, (node) => {
    const values = Object.entries(names).map(([name, otherwise]) => node.float(name, otherwise));
    return (inputs) => fn(inputs.floats(0), ...values);
  });
}

/** An operation on floats, or on each of a list of 64-bit integers. */
function unaryOnBoth(onFloats: (x: Tensor) => Tensor, onInts: (x: number) => number): Operator {
  return operator(1, 1, () => (inputs): ImportedValue => {
    const x = inputs.value(0);
    if (isInts(x)) return checked(inputs, { ints: x.ints.map(onInts), shape: x.shape });
    return onFloats(inputs.floats(0));
  });
}

function ceil(x: Tensor): Tensor {
  return negate(floor(negate(x)));
}

export const elementwiseReaders: Operators = {
  Relu: unary(relu),
  Sigmoid: unary(sigmoid),
  Tanh: unary(tanh),
  Erf: unary(erf),
  Exp: unary(exp),
  Log: unary(log),
  Sqrt: unary(sqrt),
  Reciprocal: unary(reciprocal),
  Abs: unaryOnBoth(abs, Math.abs),
  Neg: unaryOnBoth(negate, (x) => -x),
  Sign: unaryOnBoth(sign, Math.sign),
  Sin: unary(sin),
  Cos: unary(cos),
  Tan: unary((x) => divide(sin(x), cos(x))),
  IsNaN: unary((x) => notEqual(x, x)),
  IsInf: operator(1, 1, (node) => {
    const limits = [
      ...(node.flag('detect_negative', true) ? [Number.NEGATIVE_INFINITY] : []),
      ...(node.flag('detect_positive', true) ? [Number.POSITIVE_INFINITY] : []),
    ];
    return (inputs) => {
      const x = inputs.floats(0);
      return limits.map((limit) => equal(x, limit)).reduce((a, b) => maximum(a, b), zerosLike(x));
    };
  }),
  Floor: unary(floor),
  Ceil: unary(ceil),
  Softplus: unary(softplus),
  Softsign: unary((x) => divide(x, add(abs(x), 1))),
  HardSwish: unary(hardSwish),
  HardSigmoid: parametric({ alpha: 0.2, beta: 0.5 }, (x, alpha, beta) =>
    Math.abs(alpha - 1 / 6) < 1e-6 && beta === 0.5 ? hardSigmoid(x) : clip(add(multiply(x, alpha), beta), 0, 1),
  ),
  Gelu: operator(1, 1, (node) => {
    node.choice('approximate', ['none'], 'none');
    return (inputs) => gelu(inputs.floats(0));
  }),
  LeakyRelu: parametric({ alpha: 0.01 }, leakyRelu),
  Elu: parametric({ alpha: 1 }, elu),
  // Of x > 0 the quotient could overflow.
  Celu: parametric({ alpha: 1 }, (x, alpha) => add(relu(x), multiply(elu(divide(minimum(x, 0), alpha)), alpha))),
  Selu: parametric({ alpha: 1.6732632423543772, gamma: 1.0507009873554805 }, (x, alpha, gamma) =>
    multiply(elu(x, alpha), gamma),
  ),
  ThresholdedRelu: parametric({ alpha: 1 }, (x, alpha) => positiveMask(x, subtract(x, alpha))),
  PRelu: operator(2, 2, () => (inputs) => {
    const [x, slope] = [inputs.floats(0), inputs.floats(1)];
    return inputs.likeFirst(add(relu(x), multiply(slope, minimum(x, 0))));
  }),
  Clip: clipping,
  Add: binary(add, { exactly: (a, b) => a + b, onTensors: add }),
  Sub: binary(subtract, { exactly: (a, b) => a - b, onTensors: subtract }),
  Mul: binary(multiply, { exactly: (a, b) => a * b, onTensors: multiply }),
  Div: division,
  Mod: remainder,
  Pow: raising,
  Max: variadic(maximum, Math.max),
  Min: variadic(minimum, Math.min),
  Sum: variadic(add, (a, b) => a + b),
  Mean: average,
  Equal: comparison(equal, (a, b) => a === b, equal),
  Less: comparison(less, (a, b) => a < b, less),
  LessOrEqual: comparison(lessEqual, (a, b) => a <= b),
  Greater: comparison(greater, (a, b) => a > b, greater),
  GreaterOrEqual: comparison(greaterEqual, (a, b) => a >= b),
  Not: unary((x) => subtract(1, x)),
  And: logical(multiply),
  Or: logical(maximum),
  Xor: logical((a, b) => abs(subtract(a, b))),
  Where: choosing,
};
