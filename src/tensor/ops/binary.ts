// Elementwise functions of two tensors, broadcast as in NumPy. A number stands for a tensor of its
// value.

import type { BroadcastArguments, KernelsTaking } from '../../engine/index.js';
import { apply, type Op, onlyGradient, requireDType } from '../apply.js';
import { full } from '../create.js';
import { requireElement } from '../elements.js';
import { broadcastShapes, requireNumber } from '../shape.js';
import { requireTensor, Tensor } from '../tensor.js';
import { broadcastArguments } from './broadcast.js';
import { sumTo } from './layout.js';
import { log, reciprocal, square } from './unary.js';

/** A tensor, or a number that stands for a tensor of its value. */
export type Operand = Tensor | number;

interface Flow {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly y: Tensor;
  /** Gradient of the output. */
  readonly g: Tensor;
}

interface Gradients {
  readonly a: (flow: Flow) => Tensor;
  readonly b: (flow: Flow) => Tensor;
}

type BinaryKernel = KernelsTaking<BroadcastArguments>;

function binary(...parts: Parameters<typeof binaryOp>): (a: Tensor, b: Tensor) => Tensor {
  return applying(binaryOp(...parts));
}

function applying(op: Op): (a: Tensor, b: Tensor) => Tensor {
  return (a, b) => apply(op, [a, b]);
}

/** An operation on two tensors of one type, with a kernel for f32 and maybe one for i32. */
function binaryOp(
  name: BinaryKernel,
  intName: BinaryKernel | undefined,
  result: 'same' | 'f32',
  onnx?: string,
  gradients?: Gradients,
): Op {
  return {
    name,
    multiplyAdds: 0,
    elementwise: true,
    ...(onnx && { onnx }),
    infer: ([left, right]) => {
      const a = left as Tensor;
      const b = right as Tensor;
      if (a.dtype !== b.dtype || !intName) requireDType(name, 'f32', a, b);
      return [{ shape: broadcastShapes(name, a.shape, b.shape), dtype: result === 'f32' ? 'f32' : a.dtype }];
    },
    compute(device, [a, b], [y]) {
      const kernel = (a as Tensor).dtype === 'i32' && intName ? intName : name;
      device.run(kernel, broadcastArguments(name, a as Tensor, b as Tensor, y as Tensor, (y as Tensor).shape));
    },
    ...(gradients && {
      vjp: (backward) => {
        const [a, b] = backward.inputs as [Tensor, Tensor];
        const flow = { a, b, y: backward.outputs[0] as Tensor, g: onlyGradient(backward) };
        return [
          backward.needed[0] ? sumTo(gradients.a(flow), a.shape) : undefined,
          backward.needed[1] ? sumTo(gradients.b(flow), b.shape) : undefined,
        ];
      },
    }),
  };
}

/** The operation behind `add`. */
export const addOp = binaryOp('add', 'addInt', 'same', 'Add', { a: ({ g }) => g, b: ({ g }) => g });
const addTensors = applying(addOp);
const subtractTensors = binary('subtract', 'subtractInt', 'same', 'Sub', {
  a: ({ g }) => g,
  b: ({ g }) => multiply(g, -1),
});
/** The operation behind `multiply`. */
export const multiplyOp = binaryOp('multiply', 'multiplyInt', 'same', 'Mul', {
  a: ({ b, g }) => multiply(g, b),
  b: ({ a, g }) => multiply(g, a),
});
const multiplyTensors = applying(multiplyOp);
const divideTensors = binary('divide', undefined, 'same', 'Div', {
  a: ({ b, g }) => divide(g, b),
  b: ({ b, y, g }) => multiply(multiply(g, divide(y, b)), -1),
});
const powerTensors = binary('power', undefined, 'same', 'Pow', {
  // At 0⁰ both are 0: b·aᵇ would be 0·0⁻¹ without the addition to the exponent.
  a: ({ a, b, g }) => {
    const indeterminate = multiply(equal(a, 0), equal(b, 0));
    return multiply(g, multiply(b, power(a, add(subtract(b, 1), indeterminate))));
  },
  // 0ᵇ with b ≥ 0 has gradient 0, not 0·log 0.
  b: ({ a, b, y, g }) => multiply(g, multiply(y, log(where(multiply(equal(a, 0), greaterEqual(b, 0)), 1, a)))),
});
const maximumTensors = binary('maximum', 'maximumInt', 'same', 'Max', {
  a: ({ a, b, g }) => positiveMask(g, lessEqual(b, a)),
  b: ({ a, b, g }) => positiveMask(g, less(a, b)),
});
const minimumTensors = binary('minimum', 'minimumInt', 'same', 'Min', {
  a: ({ a, b, g }) => positiveMask(g, lessEqual(a, b)),
  b: ({ a, b, g }) => positiveMask(g, less(b, a)),
});
/** The operation behind `equal`. */
export const equalOp = binaryOp('equal', 'equalInt', 'f32');
/** The operation behind `notEqual`. */
export const notEqualOp = binaryOp('notEqual', undefined, 'f32');
/** The operation behind `less` and `greater`. */
export const lessOp = binaryOp('less', 'lessInt', 'f32');
/** The operation behind `lessEqual` and `greaterEqual`. */
export const lessEqualOp = binaryOp('lessEqual', undefined, 'f32');
/** The operation behind `positiveMask`. */
export const positiveMaskOp = binaryOp('positiveMask', undefined, 'same', undefined, {
  a: ({ b, g }) => positiveMask(g, b),
  b: ({ b }) => multiply(b, 0),
});

/** scale·x + shift with constant scalars. */
export const affineOp: Op<{ scale: number; shift: number }> = {
  name: 'affine',
  multiplyAdds: 0,
  elementwise: true,
  infer: ([x]) => {
    requireDType('affine', 'f32', x as Tensor);
    return [{ shape: (x as Tensor).shape, dtype: 'f32' }];
  },
  compute: (device, [x], [y], { scale, shift }) =>
    device.run('affine', { x: x as Tensor, y: y as Tensor, scale, shift, n: (y as Tensor).size }),
  vjp: (backward) => [affine(onlyGradient(backward), backward.attributes.scale, 0)],
};

/** x/divisor with a constant scalar. */
export const divideByOp: Op<{ divisor: number }> = {
  name: 'divideBy',
  multiplyAdds: 0,
  elementwise: true,
  infer: ([x]) => {
    requireDType('divide', 'f32', x as Tensor);
    return [{ shape: (x as Tensor).shape, dtype: 'f32' }];
  },
  compute: (device, [x], [y], { divisor }) =>
    device.run('divideBy', { x: x as Tensor, y: y as Tensor, divisor, n: (y as Tensor).size }),
  vjp: (backward) => [divide(onlyGradient(backward), backward.attributes.divisor)],
};

/** scale·x + shift for two numbers. */
export function affine(x: Tensor, scale: number, shift: number): Tensor {
  if (typeof scale !== 'number' || typeof shift !== 'number')
    throw new TypeError(`affine: expected two numbers, got ${String(scale)} and ${String(shift)}`);
  return apply(affineOp, [x], { scale, shift });
}

/** The number as a tensor that fits the other operand; f32 rounds it, to ±∞ beyond its range. */
function lift(name: string, value: Operand, other: Tensor): Tensor {
  if (value instanceof Tensor) return value;
  if (typeof value !== 'number') requireTensor(name, value);
  if (other.dtype !== 'i32') return full([], Math.fround(value as number));
  requireElement(`${name} with an i32 tensor`, 'i32', value as number);
  return full([], value as number, 'i32');
}

/** Calls `operate` with both operands as tensors. */
function lifted(name: string, operate: (a: Tensor, b: Tensor) => Tensor): (a: Operand, b: Operand) => Tensor {
  return (a, b) => {
    if (a instanceof Tensor) return operate(a, lift(name, b, a));
    if (b instanceof Tensor) return operate(lift(name, a, b), b);
    if (typeof a !== 'number') requireTensor(name, a);
    if (typeof b !== 'number') requireTensor(name, b);
    throw new Error(`${name}: expected at least one tensor`);
  };
}

function isFloat(x: Operand): x is Tensor {
  return x instanceof Tensor && x.dtype === 'f32';
}

const addLifted = lifted('add', addTensors);
const subtractLifted = lifted('subtract', subtractTensors);
const multiplyLifted = lifted('multiply', multiplyTensors);
const divideLifted = lifted('divide', divideTensors);
const powerLifted = lifted('power', powerTensors);

/** a + b. */
export function add(a: Operand, b: Operand): Tensor {
  if (typeof b === 'number' && isFloat(a)) return affine(a, 1, b);
  if (typeof a === 'number' && isFloat(b)) return affine(b, 1, a);
  return addLifted(a, b);
}

/** a − b. */
export function subtract(a: Operand, b: Operand): Tensor {
  if (typeof b === 'number' && isFloat(a)) return affine(a, 1, -b);
  if (typeof a === 'number' && isFloat(b)) return affine(b, -1, a);
  return subtractLifted(a, b);
}

/** a·b. */
export function multiply(a: Operand, b: Operand): Tensor {
  if (typeof b === 'number' && isFloat(a)) return affine(a, b, 0);
  if (typeof a === 'number' && isFloat(b)) return affine(b, a, 0);
  return multiplyLifted(a, b);
}

/** a / b, correctly rounded; numbers are rounded to f32 first. */
export function divide(a: Operand, b: Operand): Tensor {
  if (typeof b === 'number' && isFloat(a))
    return hasExactInverse(b) ? affine(a, 1 / b, 0) : apply(divideByOp, [a], { divisor: b });
  return a === 1 && isFloat(b) ? reciprocal(b) : divideLifted(a, b);
}

/** Whether multiplying by 1/x is dividing by x, and faster: x is a power of two. */
function hasExactInverse(x: number): boolean {
  return Math.fround(x) * Math.fround(1 / x) === 1;
}

/**
 * aᵇ to one unit in the last place; 1 for b = 0 and for a = 1, NaN for a negative base with a
 * fractional exponent. At a = 0 the gradient to b is 0 where b ≥ 0, and that to a is b·a^(b − 1), 0
 * for b = 0.
 */
export function power(a: Operand, b: Operand): Tensor {
  return b === 2 && isFloat(a) ? square(a) : powerLifted(a, b);
}

/** Larger of the two; the gradient goes to a where they are equal. */
export const maximum = lifted('maximum', maximumTensors);
/** Smaller of the two; the gradient goes to a where they are equal. */
export const minimum = lifted('minimum', minimumTensors);
/** 1 where equal, else 0 (f32), as all comparisons. */
export const equal = lifted('equal', applying(equalOp));
/** 1 where a ≠ b, else 0 (f32). */
export const notEqual = lifted('notEqual', applying(notEqualOp));
/** 1 where a < b, else 0 (f32). */
export const less = lifted('less', applying(lessOp));
/** 1 where a ≤ b, else 0 (f32). */
export const lessEqual = lifted('lessEqual', applying(lessEqualOp));
/** 1 where a > b, else 0 (f32). */
export const greater = (a: Operand, b: Operand): Tensor => less(b, a);
/** 1 where a ≥ b, else 0 (f32). */
export const greaterEqual = (a: Operand, b: Operand): Tensor => lessEqual(b, a);
/** a where b > 0, else 0 exactly (also where a is not finite). */
export const positiveMask = lifted('positiveMask', applying(positiveMaskOp));

/** a where condition > 0, else b. Elements that are not chosen have no effect, not even NaN. */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  requireDType('where', 'f32', condition);
  return add(positiveMask(a, condition), positiveMask(b, lessEqual(condition, 0)));
}

/** x limited to [low, high]; gradient 0 outside. */
export function clip(x: Tensor, low: number, high: number): Tensor {
  requireNumber('clip', 'low', low);
  requireNumber('clip', 'high', high);
  return minimum(maximum(x, low), high);
}
