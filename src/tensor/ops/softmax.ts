// Softmax and its logarithm, over any axis.

import { apply, type Op, onlyGradient, requireDType } from '../apply.js';
import { resolveAxis } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { multiply, subtract } from './binary.js';
import { transpose } from './layout.js';
import { sum } from './reduce.js';
import { exp } from './unary.js';

function rowOp(name: 'softmax' | 'logSoftmax', gradient: (y: Tensor, g: Tensor) => Tensor): Op {
  return {
    name,
    multiplyAdds: 0,
    infer: ([x]) => {
      requireDType(name, 'f32', x as Tensor);
      return [{ shape: (x as Tensor).shape, dtype: 'f32' }];
    },
    compute(device, [x], [y]) {
      const n = (x as Tensor).shape.at(-1) as number;
      device.run(name, { x: x as Tensor, y: y as Tensor, rows: (x as Tensor).size / Math.max(n, 1), n });
    },
    vjp: (backward) => [gradient(backward.outputs[0] as Tensor, onlyGradient(backward))],
  };
}

/** The operation behind `softmax`, over the last axis. */
export const softmaxOp = rowOp('softmax', (y, g) => {
  const weighted = multiply(g, y);
  return subtract(weighted, multiply(y, sum(weighted, -1, { keepAxes: true })));
});

/** The operation behind `logSoftmax`, over the last axis. */
export const logSoftmaxOp = rowOp('logSoftmax', (y, g) =>
  subtract(g, multiply(exp(y), sum(g, -1, { keepAxes: true }))),
);

function overAxis(op: Op, x: Tensor, axis: number): Tensor {
  const at = resolveAxis(op.name, axis, x.rank);
  return at === x.rank - 1 ? apply(op, [x]) : transpose(apply(op, [transpose(x, at, -1)]), at, -1);
}

/** exp x / Σ exp x along an axis. */
export function softmax(x: Tensor, axis = -1): Tensor {
  return overAxis(softmaxOp, x, axis);
}

/** x − log Σ exp x along an axis. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  return overAxis(logSoftmaxOp, x, axis);
}
