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
