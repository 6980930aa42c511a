// Operations whose gradient is not that of their value.

import { apply, type Op, requireDType } from '../apply.js';
import { formatShape, sameShape } from '../shape.js';
import { type Tensor, viewOf } from '../tensor.js';

/** The same values, through which no gradient flows. */
export function stopGradient(x: Tensor): Tensor {
  return apply(stopGradientOp, [x]);
}

const stopGradientOp: Op = {
  name: 'stopGradient',
  multiplyAdds: 0,
  elementwise: true,
  onnx: 'Identity',
  infer: ([x]) => [{ shape: (x as Tensor).shape, dtype: (x as Tensor).dtype }],
  view: ([x]) => [viewOf(x as Tensor, (x as Tensor).shape)],
};

/**
 * Forward values of `hard`, gradients of `soft`: the straight-through estimator (Bengio, Léonard,
 * Courville 2013).
 */
export function straightThrough(hard: Tensor, soft: Tensor): Tensor {
  requireDType('straightThrough', 'f32', hard, soft);
  if (!sameShape(hard.shape, soft.shape))
    throw new Error(`straightThrough: shapes differ: ${formatShape(hard.shape)} and ${formatShape(soft.shape)}`);
  return apply(straightThroughOp, [stopGradient(hard), soft]);
}

const straightThroughOp: Op = {
  name: 'straightThrough',
  multiplyAdds: 0,
  elementwise: true,
  infer: ([hard]) => [{ shape: (hard as Tensor).shape, dtype: 'f32' }],
  view: ([hard]) => [viewOf(hard as Tensor, (hard as Tensor).shape)],
  vjp: ({ gradients }) => [undefined, gradients[0]],
};

/** Values of the two signs. */
export interface SignValues {
  /** For x < 0. */
  readonly low: number;
  /** For all others, 0 among them. */
  readonly high: number;
}

/** The operation behind `signs`. */
export const signsOp: Op<SignValues> = {
  name: 'signs',
  multiplyAdds: 0,
  elementwise: true,
  infer: ([x]) => [{ shape: (x as Tensor).shape, dtype: 'f32' }],
  compute: (device, [x], [y], { low, high }) =>
    device.run('signs', { x: x as Tensor, y: y as Tensor, low, high, n: (x as Tensor).size }),
  vjp: ({ inputs: [x], gradients: [g] }) => [apply(signsGradientOp, [g as Tensor, x as Tensor])],
};

/** (g, x) → g where |x| ≤ 1, 0 elsewhere. */
const signsGradientOp: Op = {
  name: 'signsGradient',
  multiplyAdds: 0,
  elementwise: true,
  infer: ([g]) => [{ shape: (g as Tensor).shape, dtype: 'f32' }],
  compute: (device, [g, x], [y]) =>
    device.run('signsGradient', { g: g as Tensor, x: x as Tensor, y: y as Tensor, n: (g as Tensor).size }),
  vjp: ({ inputs: [, x], gradients: [g] }) => [apply(signsGradientOp, [g as Tensor, x as Tensor]), undefined],
};

/**
 * −1 for x < 0 and 1 for all others, or two other values, with the derivative 1[|x| ≤ 1] in their
 * place: the straight-through estimator of binary networks (Hubara et al. 2016).
 */
export function signs(x: Tensor, { low, high }: SignValues = { low: -1, high: 1 }): Tensor {
  requireDType('signs', 'f32', x);
  return apply(signsOp, [x], { low, high });
}
