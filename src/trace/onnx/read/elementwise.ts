// Elementwise operators.

import {
  abs,
  add,
  cast,
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
  power,
  reciprocal,
  relu,
  sigmoid,
  sign,
  sin,
  softplus,
  sqrt,
  subtract,
  type Tensor,
  tanh,
  where,
} from '../../../tensor/index.js';
import { type Ints, isInts, type NodeReader, type NodeReaders } from './node.js';

const unary =
  (fn: (x: Tensor) => Tensor): NodeReader =>
  (node) =>
    fn(node.tensor(0));

/** An elementwise operation of two values; on integers alone it stays with integers. */
const binary =
  (fn: (a: Tensor, b: Tensor) => Tensor, onInts: (a: number, b: number) => number): NodeReader =>
  (node) => {
    const [a, b] = node.inputs;
    if (!isInts(a) || !isInts(b)) return matched(fn, node.tensor(0), node.tensor(1));
    const long = a.ints.length >= b.ints.length ? a : b;
    const at = (value: Ints, i: number) => value.ints[value.ints.length === 1 ? 0 : i] as number;
    return { ints: long.ints.map((_, i) => onInts(at(a, i), at(b, i))), shape: long.shape };
  };

function matched(fn: (a: Tensor, b: Tensor) => Tensor, a: Tensor, b: Tensor): Tensor {
  if (a.dtype === b.dtype) return fn(a, b);
  return fn(a.dtype === 'f32' ? a : cast(a, 'f32'), b.dtype === 'f32' ? b : cast(b, 'f32'));
}

/** Folds more than two inputs. */
const variadic =
  (fn: (a: Tensor, b: Tensor) => Tensor): NodeReader =>
  (node) =>
    node.inputs.map((_, i) => node.tensor(i)).reduce((a, b) => fn(a, b));

export const elementwiseReaders: NodeReaders = {
  Relu: unary(relu),
  Sigmoid: unary(sigmoid),
  Tanh: unary(tanh),
  Erf: unary(erf),
  Exp: unary(exp),
  Log: unary(log),
  Sqrt: unary(sqrt),
  Reciprocal: unary(reciprocal),
  Abs: unary(abs),
  Neg: unary(negate),
  Sin: unary(sin),
  Cos: unary(cos),
  Sign: unary(sign),
  Floor: unary(floor),
  Softplus: unary(softplus),
  HardSwish: unary(hardSwish),
  HardSigmoid: (node) => {
    const [alpha, beta] = [node.float('alpha', 0.2), node.float('beta', 0.5)];
    const sixth = Math.abs(alpha - 1 / 6) < 1e-6 && beta === 0.5;
    return sixth ? hardSigmoid(node.tensor(0)) : clip(add(multiply(node.tensor(0), alpha), beta), 0, 1);
  },
  Gelu: (node) =>
    node.text('approximate', 'none') === 'none'
      ? gelu(node.tensor(0))
      : node.fail('is approximate, which is not supported'),
  LeakyRelu: (node) => leakyRelu(node.tensor(0), node.float('alpha', 0.01)),
  Elu: (node) => elu(node.tensor(0), node.float('alpha', 1)),
  Clip: (node) => {
    const limit = (index: number, name: string, otherwise: number) =>
      node.optional(index)?.item() ?? node.float(name, otherwise);
    const [low, high] = [limit(1, 'min', -Infinity), limit(2, 'max', Infinity)];
    return low === 0 && high === 6 ? node.tensor(0).relu6() : clip(node.tensor(0), low, high);
  },
  Add: binary(add, (a, b) => a + b),
  Sub: binary(subtract, (a, b) => a - b),
  Mul: binary(multiply, (a, b) => a * b),
  Div: binary(divide, (a, b) => Math.trunc(a / b)),
  Pow: binary(power, (a, b) => a ** b),
  Max: variadic(maximum),
  Min: variadic(minimum),
  Equal: binary(equal, (a, b) => Number(a === b)),
  Less: binary(less, (a, b) => Number(a < b)),
  LessOrEqual: binary(lessEqual, (a, b) => Number(a <= b)),
  Greater: binary(greater, (a, b) => Number(a > b)),
  GreaterOrEqual: binary(greaterEqual, (a, b) => Number(a >= b)),
  Not: (node) => subtract(1, node.tensor(0)),
  Where: (node) => where(node.tensor(0), node.tensor(1), node.tensor(2)),
};
