// Views and copies: reshape, permute, slice, pad, broadcast.

import { apply, type Backward, type Op, onlyGradient, type Spec } from '../apply.js';
import { zeros } from '../create.js';
import { requireComputable, requireElement } from '../elements.js';
import {
  broadcastShapes,
  checkedSize,
  formatShape,
  resolveAxis,
  type Shape,
  sameShape,
  sizeOf,
  stridesOf,
} from '../shape.js';
import { requireTensor, type Tensor, viewOf } from '../tensor.js';
import { copyBox } from './box.js';
import { broadcastArguments } from './broadcast.js';
import { sum } from './reduce.js';

/** The operation behind `reshape`: a view of the same memory. */
export const reshapeOp: Op<{ shape: Shape }> = {
  name: 'reshape',
  multiplyAdds: 0,
  infer: ([x], { shape }) => [{ shape, dtype: (x as Tensor).dtype }],
  view: ([x], { shape }) => [viewOf(x as Tensor, shape)],
  vjp: (backward) => [reshape(onlyGradient(backward), (backward.inputs[0] as Tensor).shape)],
};

/**
 * The same elements in another shape, without a copy; one size may be −1, to be inferred, unless
 * another is 0.
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  requireTensor('reshape', x);
  if (!Array.isArray(shape)) throw new TypeError(`reshape: expected a shape like [2, -1], got ${String(shape)}`);
  const known = sizeOf(shape.filter((length) => length !== -1));
  // Beside a size of 0 any would do: 0/0 is refused.
  const resolved = shape.map((length) => (length === -1 ? x.size / known : length));
  const valid =
    resolved.every((length) => Number.isInteger(length) && length >= 0) &&
    shape.filter((length) => length === -1).length <= 1;
  if (!valid || sizeOf(resolved) !== x.size) {
    throw new Error(`reshape: ${formatShape(x.shape)} has ${x.size} elements, which do not fill ${formatShape(shape)}`);
  }
  return apply(reshapeOp, [x], { shape: resolved });
}

/** Shape and type of a copy whose kernel moves elements of four bytes. */
function computed(operation: string, x: Tensor | undefined, shape: Shape): Spec {
  const { dtype } = x as Tensor;
  requireComputable(operation, dtype);
  return { shape, dtype };
}

/** The operation behind `permute` and `transpose`. */
export const permuteOp: Op<{ order: readonly number[] }> = {
  name: 'permute',
  multiplyAdds: 0,
  infer: ([x], { order }) => [
    computed(
      'permute',
      x,
      order.map((axis) => (x as Tensor).shape[axis] as number),
    ),
  ],
  compute(device, [x, ..._], [y], { order }) {
    const input = x as Tensor;
    const output = y as Tensor;
    const swap = order.length - 2;
    const batch = input.shape.slice(0, -2);
    const isTranspose = order.every((axis, at) => axis === (at < swap ? at : at === swap ? swap + 1 : swap));
    if (isTranspose) {
      device.run('transpose', {
        x: input,
        y: output,
        batch: sizeOf(batch),
        rows: input.shape[swap] as number,
        columns: input.shape[swap + 1] as number,
      });
      return;
    }
    const strides = stridesOf(input.shape);
    copyBox(device, 'permute', input, output, {
      sizes: output.shape,
      sourceStrides: order.map((axis) => strides[axis] as number),
      targetStrides: stridesOf(output.shape),
    });
  },
  vjp: (backward) => {
    const { order } = backward.attributes;
    return [
      permute(
        onlyGradient(backward),
        order.map((_, axis) => order.indexOf(axis)),
      ),
    ];
  },
};

/** Reorders axes: output axis i is input axis order[i]. */
export function permute(x: Tensor, order: readonly number[]): Tensor {
  requireTensor('permute', x);
  const resolved = order.map((axis) => resolveAxis('permute', axis, x.rank));
  if (resolved.length !== x.rank || new Set(resolved).size !== x.rank) {
    throw new Error(`permute: [${order.join(', ')}] is not an order of the ${x.rank} axes of ${formatShape(x.shape)}`);
  }
  if (resolved.every((axis, at) => axis === at)) return x;
  return apply(permuteOp, [x], { order: resolved });
}

/** Exchanges two axes, by default the last two. */
export function transpose(x: Tensor, axisA = -2, axisB = -1): Tensor {
  const a = resolveAxis('transpose', axisA, x.rank);
  const b = resolveAxis('transpose', axisB, x.rank);
  return permute(
    x,
    x.shape.map((_, axis) => (axis === a ? b : axis === b ? a : axis)),
  );
}

interface SliceAttributes {
  readonly starts: readonly number[];
  readonly sizes: readonly number[];
  readonly steps: readonly number[];
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((total, value, index) => total + value * (b[index] as number), 0);
}

function product(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, index) => value * (b[index] as number));
}

/** The operation behind `slice`. */
export const sliceOp: Op<SliceAttributes> = {
  name: 'slice',
  multiplyAdds: 0,
  infer: ([x], { sizes }) => [computed('slice', x, sizes)],
  compute(device, [x], [y], { starts, sizes, steps }) {
    const strides = stridesOf((x as Tensor).shape);
    copyBox(device, 'slice', x as Tensor, y as Tensor, {
      sizes,
      sourceStrides: product(strides, steps),
      targetStrides: stridesOf(sizes),
      sourceOffset: dot(strides, starts),
    });
  },
  vjp: (backward) => [
    apply(unsliceOp, [onlyGradient(backward)], { ...backward.attributes, shape: (backward.inputs[0] as Tensor).shape }),
  ],
};

/** Writes x into a zero tensor of `shape` at the places that the slice would read. */
const unsliceOp: Op<SliceAttributes & { readonly shape: Shape }> = {
  name: 'unslice',
  multiplyAdds: 0,
  infer: ([x], { shape }) => [{ shape, dtype: (x as Tensor).dtype }],
  compute(device, [x], [y], { starts, sizes, steps, shape }) {
    const strides = stridesOf(shape);
    device.run('fill', { y: y as Tensor, bits: 0, n: (y as Tensor).size });
    copyBox(device, 'unslice', x as Tensor, y as Tensor, {
      sizes,
      sourceStrides: stridesOf(sizes),
      targetStrides: product(strides, steps),
      targetOffset: dot(strides, starts),
    });
  },
  vjp: (backward) => [apply(sliceOp, [onlyGradient(backward)], backward.attributes)],
};

/** Rows [start, end) of the first axis: a view of the same memory. */
export const rowsOp: Op<{ start: number; end: number }> = {
  name: 'rows',
  multiplyAdds: 0,
  infer: ([x], { start, end }) => [
    { shape: [end - start, ...(x as Tensor).shape.slice(1)], dtype: (x as Tensor).dtype },
  ],
  view: ([x], { start, end }) => {
    const rest = (x as Tensor).shape.slice(1);
    return [viewOf(x as Tensor, [end - start, ...rest], start * sizeOf(rest))];
  },
  vjp: (backward) => {
    const [x] = backward.inputs as [Tensor];
    const { start, end } = backward.attributes;
    const rest = x.shape.slice(1);
    const whole = { starts: [start, ...rest.map(() => 0)], sizes: [end - start, ...rest], steps: x.shape.map(() => 1) };
    return [apply(unsliceOp, [onlyGradient(backward)], { ...whole, shape: x.shape })];
  },
};

/**
 * One axis of a slice: `[start, end]` or `[start, end, step]` with NumPy's negative positions;
 * `null` takes the whole axis.
 */
export type Range = readonly [start: number, end: number] | readonly [start: number, end: number, step: number] | null;

/**
 * A box of x, one range for each axis; axes without a range are whole. Slices of the first axis
 * alone are views.
 *
 * @throws RangeError for a position that is not a whole number; those outside the axis are clamped,
 * ±Infinity among them.
 */
export function slice(x: Tensor, ...ranges: Range[]): Tensor {
  requireTensor('slice', x);
  if (ranges.length > x.rank) throw new Error(`slice: ${ranges.length} ranges for rank ${x.rank}`);
  const axes = x.shape.map((length, axis) => resolveRange(ranges[axis] ?? null, length));
  const first = axes[0];
  const restWhole = axes.slice(1).every(({ size, step }, axis) => size === x.shape[axis + 1] && step === 1);
  if (first && restWhole && first.step === 1)
    return apply(rowsOp, [x], { start: first.start, end: first.start + first.size });
  return apply(sliceOp, [x], {
    starts: axes.map((a) => a.start),
    sizes: axes.map((a) => a.size),
    steps: axes.map((a) => a.step),
  });
}

function resolveRange(range: Range, length: number): { start: number; size: number; step: number } {
  if (range === null) return { start: 0, size: length, step: 1 };
  if (!Array.isArray(range)) throw new TypeError(`slice: expected [start, end] or null, got ${String(range)}`);
  const [from, to, step = 1] = range;
  for (const position of [from, to])
    if (!Number.isInteger(position) && Math.abs(position) !== Number.POSITIVE_INFINITY)
      throw new RangeError(`slice: [${range.join(', ')}] is no range: ${String(position)} is not a whole number`);
  if (!Number.isInteger(step) || step === 0)
    throw new RangeError(`slice: step must be a non-zero integer, got ${step}`);
  const low = step > 0 ? 0 : -1;
  const clamp = (position: number) =>
    Math.min(Math.max(position < 0 ? position + length : position, low), length + (step > 0 ? 0 : -1));
  const start = clamp(from);
  const end = step < 0 && to < -length ? -1 : clamp(to);
  const size = Math.max(0, Math.ceil((end - start) / step));
  return size === 0 ? { start: 0, size, step } : { start, size, step };
}

/** Reverses an axis. */
export function flip(x: Tensor, axis = -1): Tensor {
  const at = resolveAxis('flip', axis, x.rank);
  const length = x.shape[at] as number;
  return slice(x, ...x.shape.map((_, i): Range => (i === at ? [length - 1, -length - 1, -1] : null)));
}

/** The operation behind `pad`. */
export const padOp: Op<{ before: readonly number[]; after: readonly number[]; value: number }> = {
  name: 'pad',
  multiplyAdds: 0,
  infer: ([x], { before, after }) => [
    computed(
      'pad',
      x,
      (x as Tensor).shape.map((length, axis) => length + (before[axis] as number) + (after[axis] as number)),
    ),
  ],
  compute(device, [x], [y], { before, value }) {
    const input = x as Tensor;
    const output = y as Tensor;
    const pattern = new Int32Array(
      input.dtype === 'f32' ? new Float32Array([value]).buffer : new Int32Array([value]).buffer,
    )[0] as number;
    device.run('fill', { y: output, bits: pattern, n: output.size });
    const strides = stridesOf(output.shape);
    copyBox(device, 'pad', input, output, {
      sizes: input.shape,
      sourceStrides: stridesOf(input.shape),
      targetStrides: strides,
      targetOffset: dot(strides, before),
    });
  },
  vjp: (backward) => {
    const [x] = backward.inputs as [Tensor];
    const { before } = backward.attributes;
    return [apply(sliceOp, [onlyGradient(backward)], { starts: before, sizes: x.shape, steps: x.shape.map(() => 1) })];
  },
};

/**
 * Surrounds x with a constant: one `[before, after]` for each axis.
 *
 * @throws Error unless the widths are such pairs of whole numbers; RangeError for a value that the
 * element type does not have.
 */
export function pad(x: Tensor, widths: readonly (readonly [number, number])[], value = 0): Tensor {
  requireTensor('pad', x);
  const fits = widths.length === x.rank && widths.every((pair) => pair.length === 2);
  if (!fits || widths.flat().some((width) => !Number.isInteger(width) || width < 0)) {
    throw new Error(`pad: expected ${x.rank} pairs of non-negative integers for ${formatShape(x.shape)}`);
  }
  requireElement('pad', x.dtype, value);
  return apply(padOp, [x], {
    before: widths.map(([before]) => before),
    after: widths.map(([, after]) => after),
    value,
  });
}

/** The operation behind `broadcastTo`. */
export const broadcastOp: Op<{ shape: Shape }> = {
  name: 'broadcastTo',
  multiplyAdds: 0,
  infer: ([x], { shape }) => [computed('broadcastTo', x, shape)],
  // The larger of x and x is x, and the kernel broadcasts.
  compute: (device, [x], [y], { shape }) => {
    const input = x as Tensor;
    device.run(
      input.dtype === 'f32' ? 'maximum' : 'maximumInt',
      broadcastArguments('broadcastTo', input, input, y as Tensor, shape),
    );
  },
  vjp: (backward: Backward<{ shape: Shape }>) => [sumTo(onlyGradient(backward), (backward.inputs[0] as Tensor).shape)],
};

/** Repeats x along new axes and axes of size 1. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  requireTensor('broadcastTo', x);
  checkedSize('broadcastTo', shape);
  if (sameShape(x.shape, shape)) return x;
  if (!sameShape(broadcastShapes('broadcastTo', x.shape, shape), shape)) {
    throw new Error(`broadcastTo: ${formatShape(x.shape)} does not broadcast to ${formatShape(shape)}`);
  }
  return apply(broadcastOp, [x], { shape: shape.slice() });
}

/** Sums x down to a shape that broadcasts to x's: the gradient of broadcasting. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const missing = x.rank - shape.length;
  const axes = x.shape.flatMap((length, axis) =>
    axis < missing || (shape[axis - missing] === 1 && length !== 1) ? [axis] : [],
  );
  return reshape(axes.length ? sum(x, axes) : x, shape);
}

/** Adds an axis of size 1. */
export function expandAxis(x: Tensor, axis: number): Tensor {
  const at = resolveAxis('expandAxis', axis, x.rank + 1);
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

/** Drops an axis of size 1. */
export function squeeze(x: Tensor, axis: number): Tensor {
  const at = resolveAxis('squeeze', axis, x.rank);
  if (x.shape[at] !== 1) throw new Error(`squeeze: axis ${axis} of ${formatShape(x.shape)} is not 1`);
  return reshape(
    x,
    x.shape.filter((_, i) => i !== at),
  );
}

/** A tensor of zeros like x. @throws TypeError unless x is f32 or i32. */
export function zerosLike(x: Tensor): Tensor {
  requireTensor('zerosLike', x);
  requireComputable('zerosLike', x.dtype);
  return zeros(x.shape, x.dtype);
}
