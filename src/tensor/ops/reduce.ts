// Reductions over axes.

import { apply, type Op, onlyGradient, requireDType } from '../apply.js';
import { reducedShape, requireNumber, resolveAxes, resolveAxis, type Shape, sizeOf } from '../shape.js';
import { emptyTensor, type Tensor } from '../tensor.js';
import { add, divide, multiply, notEqual, positiveMask, subtract } from './binary.js';
import { putKnownRows } from './gather.js';
import { broadcastTo, permute, reshape } from './layout.js';
import { stopGradient } from './stop-gradient.js';
import { exp } from './unary.js';

/** Options of reductions. */
export interface ReduceOptions {
  /** Whether reduced axes stay with size 1 (default false). */
  readonly keepAxes?: boolean;
}

interface Attributes {
  readonly axes: readonly number[];
  /** What the result is divided by. */
  readonly divisor: number;
}

/** Runs of neighbouring axes, last first. */
function axisRuns(axes: readonly number[]): { first: number; last: number }[] {
  const runs: { first: number; last: number }[] = [];
  for (const axis of axes) {
    const run = runs[0];
    if (run && run.last === axis - 1) run.last = axis;
    else runs.unshift({ first: axis, last: axis });
  }
  return runs;
}

function reduceOp(name: 'sum' | 'max' | 'min', vjp: Op<Attributes>['vjp']): Op<Attributes> {
  return {
    name,
    multiplyAdds: 0,
    infer: ([x], { axes }) => {
      requireDType(name, 'f32', x as Tensor);
      return [{ shape: reducedShape((x as Tensor).shape, axes, true), dtype: 'f32' }];
    },
    compute(device, [x], [y], { axes, divisor }) {
      const runs = axisRuns(axes);
      let source = x as Tensor;
      let shape: Shape = source.shape;
      runs.forEach(({ first, last }, index) => {
        const final = index === runs.length - 1;
        const rest = shape.map((length, axis) => (axis >= first && axis <= last ? 1 : length));
        const target = final ? (y as Tensor) : emptyTensor(rest, 'f32', device);
        device.run(name, {
          x: source,
          y: target,
          outer: sizeOf(shape.slice(0, first)),
          n: sizeOf(shape.slice(first, last + 1)),
          inner: sizeOf(shape.slice(last + 1)),
          divisor: final ? divisor : 1,
        });
        if (source !== x) source.dispose();
        source = target;
        shape = rest;
      });
    },
    vjp,
  };
}

/** The operation behind `sum` and `mean`. */
export const sumOp = reduceOp('sum', (backward) => {
  const [x] = backward.inputs as [Tensor];
  const { divisor } = backward.attributes;
  const gradient = onlyGradient(backward);
  return [broadcastTo(divisor === 1 ? gradient : divide(gradient, divisor), x.shape)];
});

function reduce(
  op: Op<Attributes>,
  x: Tensor,
  axes: number | readonly number[] | undefined,
  options: ReduceOptions,
  divisorOf = (_: number) => 1,
): Tensor {
  const resolved = resolveAxes(op.name, axes, x.rank);
  if (resolved.length === 0 && x.rank > 0) return x;
  const count = sizeOf(resolved.map((axis) => x.shape[axis] as number));
  if (count === 0 && op !== sumOp)
    throw new Error(`${op.name}: no elements along axes [${resolved.join(', ')}] of ${x}`);
  const y = apply(op, [x.rank === 0 ? reshape(x, [1]) : x], {
    axes: x.rank === 0 ? [0] : resolved,
    divisor: divisorOf(count),
  });
  return options.keepAxes ? y : reshape(y, reducedShape(x.shape, resolved, false));
}

/** Σ over axes, by default all. */
export function sum(x: Tensor, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  return reduce(sumOp, x, axes, options);
}

/** Mean over axes, by default all. */
export function mean(x: Tensor, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  return reduce(sumOp, x, axes, options, (count) => count);
}

/**
 * Σ(x − mean)²/(n − `ddof`) over axes, by default all; `ddof` is 0 by default. The mean is taken
 * twice, of x and of x minus the first, so that values far from 0 keep their variance.
 */
export function variance(
  x: Tensor,
  axes?: number | readonly number[],
  options: ReduceOptions & { ddof?: number } = {},
): Tensor {
  requireNumber('variance', 'ddof', options.ddof ?? 0);
  const { centered } = center(x, axes);
  const count = sizeOf(resolveAxes('variance', axes, x.rank).map((axis) => x.shape[axis] as number));
  return reduce(sumOp, multiply(centered, centered), axes, options, () => count - (options.ddof ?? 0));
}

/**
 * x minus its mean over axes, with the mean (reduced axes kept). A mean as f32 may be off by more
 * than the deviation, so the mean of the difference is subtracted too.
 */
export function center(
  x: Tensor,
  axes?: number | readonly number[],
): { readonly centered: Tensor; readonly mean: Tensor } {
  const pivot = stopGradient(mean(x, axes, { keepAxes: true }));
  const shifted = subtract(x, pivot);
  const rest = mean(shifted, axes, { keepAxes: true });
  return { centered: subtract(shifted, rest), mean: add(pivot, rest) };
}

/** Gradient of an extreme: it goes to the first of equal elements. */
function extremeVjp(sign: 1 | -1): Op<Attributes>['vjp'] {
  return (backward) => {
    const [x] = backward.inputs as [Tensor];
    const { axes } = backward.attributes;
    const gradient = onlyGradient(backward);
    // Bring the reduced axes to the front: [n, kept], where the row index of each column's extreme
    // is known.
    const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
    const order = [...axes, ...kept];
    const n = sizeOf(axes.map((axis) => x.shape[axis] as number));
    const columns = reshape(permute(x, order), [n, -1]);
    const winners = reshape(argExtreme(columns, 0, sign), [1, -1]);
    const spread = putKnownRows(reshape(gradient, [1, -1]), winners, n);
    const shape = order.map((axis) => x.shape[axis] as number);
    return [
      permute(
        reshape(spread, shape),
        order.map((_, axis) => order.indexOf(axis)),
      ),
    ];
  };
}

/** The operation behind `max`. */
export const maxOp = reduceOp('max', extremeVjp(1));
/** The operation behind `min`. */
export const minOp = reduceOp('min', extremeVjp(-1));

/** Largest element over axes, by default all. The gradient goes to the first of equals. */
export function max(x: Tensor, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  return reduce(maxOp, x, axes, options);
}

/** Smallest element over axes, by default all. The gradient goes to the first of equals. */
export function min(x: Tensor, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  return reduce(minOp, x, axes, options);
}

/** The operation behind `argmax` (`sign` 1) and `argmin` (`sign` −1). */
export const argmaxOp: Op<{ axis: number; sign: 1 | -1 }> = {
  name: 'argmax',
  multiplyAdds: 0,
  infer: ([x], { axis, sign }) => {
    requireDType(sign === 1 ? 'argmax' : 'argmin', 'f32', x as Tensor);
    if ((x as Tensor).shape[axis] === 0) throw new Error(`argmax: axis ${axis} of ${x} is empty`);
    return [{ shape: (x as Tensor).shape.filter((_, at) => at !== axis), dtype: 'i32' }];
  },
  compute(device, [x], [y], { axis, sign }) {
    const { shape } = x as Tensor;
    device.run('argmax', {
      x: x as Tensor,
      y: y as Tensor,
      sign,
      outer: sizeOf(shape.slice(0, axis)),
      n: shape[axis] as number,
      inner: sizeOf(shape.slice(axis + 1)),
    });
  },
};

function argExtreme(x: Tensor, axis: number, sign: 1 | -1): Tensor {
  return apply(argmaxOp, [x], { axis: resolveAxis('argmax', axis, x.rank), sign });
}

/** Position (i32) of the largest element along an axis, the first of equals. Not differentiable. */
export function argmax(x: Tensor, axis = -1): Tensor {
  return argExtreme(x, axis, 1);
}

/**
 * Position (i32) of the smallest element along an axis, the first of equals. Not differentiable.
 */
export function argmin(x: Tensor, axis = -1): Tensor {
  return argExtreme(x, axis, -1);
}

/** log Σ exp over the last axis. */
export const logSumExpOp: Op = {
  name: 'logSumExp',
  multiplyAdds: 0,
  infer: ([x]) => {
    requireDType('logSumExp', 'f32', x as Tensor);
    return [{ shape: [...(x as Tensor).shape.slice(0, -1), 1], dtype: 'f32' }];
  },
  compute: (device, [x], [y]) =>
    device.run('logSumExp', {
      x: x as Tensor,
      y: y as Tensor,
      rows: (y as Tensor).size,
      n: (x as Tensor).shape.at(-1) as number,
    }),
  vjp: (backward) => {
    const [x] = backward.inputs as [Tensor];
    const [y] = backward.outputs as [Tensor];
    // A row of −∞ has gradient 0: its maximum is replaced by 0, and exp −∞ is 0.
    const finite = positiveMask(y, notEqual(y, Number.NEGATIVE_INFINITY));
    return [multiply(onlyGradient(backward), exp(subtract(x, finite)))];
  },
};

/**
 * log Σ exp x over axes, by default all, without overflow. It is −∞ where all x are, with gradient
 * 0, and ∞ where one is, with gradient NaN for those.
 */
export function logSumExp(x: Tensor, axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
  const reduced = resolveAxes('logSumExp', axes, x.rank);
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !reduced.includes(axis));
  const rows = sizeOf(kept.map((axis) => x.shape[axis] as number));
  const y = apply(logSumExpOp, [reshape(permute(x, [...kept, ...reduced]), [rows, x.size / Math.max(rows, 1)])]);
  return reshape(y, reducedShape(x.shape, reduced, options.keepAxes ?? false));
}
