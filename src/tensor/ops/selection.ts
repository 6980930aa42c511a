// Choosing and ordering along an axis: top-k, sort, cumulative sums, one-hot rows.

import { apply, type Op, onlyGradient, requireDType } from '../apply.js';
import { tensor } from '../create.js';
import { requireComputable } from '../elements.js';
import { formatShape, requireCount, resolveAxis, sameShape, sizeOf } from '../shape.js';
import { requireTensor, type Tensor } from '../tensor.js';
import { checkIndices } from './gather.js';
import { reshape, slice, transpose } from './layout.js';

function rowsOf(x: Tensor): [rows: number, n: number] {
  const n = x.shape.at(-1) as number;
  return [x.size / Math.max(n, 1), n];
}

const takeAlongOp: Op = {
  name: 'takeAlong',
  multiplyAdds: 0,
  infer: ([x, positions]) => {
    const { dtype } = x as Tensor;
    requireComputable('takeAlong', dtype);
    return [{ shape: (positions as Tensor).shape, dtype }];
  },
  compute(device, [x, positions], [y]) {
    const [rows, n] = rowsOf(x as Tensor);
    const count = (positions as Tensor).shape.at(-1) as number;
    device.run('pickPositions', {
      values: x as Tensor,
      positions: positions as Tensor,
      result: y as Tensor,
      planes: rows,
      count,
      size: n,
    });
  },
  vjp: (backward) => {
    const [x, positions] = backward.inputs as [Tensor, Tensor];
    return [apply(putAlongOp, [onlyGradient(backward), positions], { n: x.shape.at(-1) as number }), undefined];
  },
};

const putAlongOp: Op<{ n: number }> = {
  name: 'putAlong',
  multiplyAdds: 0,
  infer: ([x], { n }) => [{ shape: [...(x as Tensor).shape.slice(0, -1), n], dtype: 'f32' }],
  compute(device, [x, positions], [y], { n }) {
    const [rows, count] = rowsOf(x as Tensor);
    device.run('unpool', {
      values: x as Tensor,
      positions: positions as Tensor,
      result: y as Tensor,
      planes: rows,
      count,
      size: n,
    });
  },
  vjp: (backward) => [apply(takeAlongOp, [onlyGradient(backward), backward.inputs[1] as Tensor]), undefined],
};

/**
 * y[…, j] = x[…, positions[…, j]]: elements of the last axis by position. x [·, n], positions i32
 * [·, k] → [·, k].
 */
export function takeAlong(x: Tensor, positions: Tensor): Tensor {
  requireDType('takeAlong', 'f32', x);
  requireDType('takeAlong', 'i32', positions);
  if (
    x.rank === 0 ||
    x.rank !== positions.rank ||
    !x.shape.slice(0, -1).every((length, axis) => length === positions.shape[axis])
  )
    throw new Error(`takeAlong: positions ${formatShape(positions.shape)} do not fit x ${formatShape(x.shape)}`);
  checkIndices('takeAlong', positions, x.shape.at(-1) as number);
  return apply(takeAlongOp, [x, positions]);
}

/** y[i] = x[i, columns[i]]: one element of each row. x [n, d], columns i32 [n] → [n]. */
export function pickColumns(x: Tensor, columns: Tensor): Tensor {
  requireTensor('pickColumns', x);
  requireDType('pickColumns', 'i32', columns);
  const [n, d] = x.shape as [number, number];
  if (x.rank !== 2 || columns.rank !== 1 || columns.size !== n) {
    throw new Error(`pickColumns: expected x [n, d] and columns [n], got ${x} and ${columns}`);
  }
  checkIndices('pickColumns', columns, d);
  return reshape(apply(takeAlongOp, [x, reshape(columns, [n, 1])]), [n]);
}

/**
 * y[…, positions[…, j]] += x[…, j] from zeros: the transpose of `takeAlong`, with rows of length n.
 */
export function putAlong(x: Tensor, positions: Tensor, n: number): Tensor {
  requireDType('putAlong', 'f32', x);
  requireDType('putAlong', 'i32', positions);
  requireCount('putAlong', 'n', n);
  if (x.rank === 0 || !sameShape(x.shape, positions.shape))
    throw new Error(`putAlong: positions ${formatShape(positions.shape)} do not fit x ${formatShape(x.shape)}`);
  checkIndices('putAlong', positions, n);
  return apply(putAlongOp, [x, positions], { n });
}

const topKOp: Op<{ k: number; sign: 1 | -1 }> = {
  name: 'topK',
  multiplyAdds: 0,
  infer: ([x], { k }) => [{ shape: [...(x as Tensor).shape.slice(0, -1), k], dtype: 'i32' }],
  compute(device, [x], [positions], { k, sign }) {
    const [rows, n] = rowsOf(x as Tensor);
    device.run('topK', { x: x as Tensor, positions: positions as Tensor, rows, n, k, sign });
  },
};

const argsortOp: Op<{ descending: boolean }> = {
  name: 'argsort',
  multiplyAdds: 0,
  infer: ([x]) => [{ shape: (x as Tensor).shape, dtype: 'i32' }],
  compute(device, [x], [order], { descending }) {
    const [rows, n] = rowsOf(x as Tensor);
    device.run('argsort', {
      x: x as Tensor,
      order: order as Tensor,
      rows,
      n,
      descending: Number(descending),
      integers: Number((x as Tensor).dtype === 'i32'),
    });
  },
};

/** k above which sorting whole rows is faster than selecting. */
const MANY = 128;

/** Options of `topK`. */
export interface TopKOptions {
  /** Default the last. */
  readonly axis?: number;
  /** False gives the smallest elements; default true. */
  readonly largest?: boolean;
}

/**
 * The k largest elements along an axis, largest first, and their positions (i32); of equals the
 * first counts as larger, a NaN as largest. Gradients flow to the chosen elements.
 */
export function topK(
  x: Tensor,
  k: number,
  { axis = -1, largest = true }: TopKOptions = {},
): [values: Tensor, positions: Tensor] {
  requireDType('topK', 'f32', x);
  const at = resolveAxis('topK', axis, x.rank);
  const n = x.shape[at] as number;
  if (!Number.isInteger(k) || k < 1 || k > n)
    throw new RangeError(`topK: cannot take ${k} of ${n} elements along axis ${at} of ${x}`);
  const rows = transpose(x, at, -1);
  const chosen =
    k <= MANY
      ? apply(topKOp, [rows], { k, sign: largest ? 1 : -1 })
      : slice(apply(argsortOp, [rows], { descending: largest }), ...rows.shape.slice(1).map(() => null), [0, k]);
  return [transpose(apply(takeAlongOp, [rows, chosen]), at, -1), transpose(chosen, at, -1)];
}

/**
 * Positions (i32) that sort x along an axis; equal elements keep their order, NaN comes last (first
 * when descending). x may be f32 or i32.
 */
export function argsort(x: Tensor, axis = -1, descending = false): Tensor {
  requireTensor('argsort', x);
  if (x.dtype !== 'i32') requireDType('argsort', 'f32', x);
  const at = resolveAxis('argsort', axis, x.rank);
  return transpose(apply(argsortOp, [transpose(x, at, -1)], { descending }), at, -1);
}

/**
 * Elements sorted along an axis, and the positions they came from. Gradients flow back to those.
 */
export function sort(x: Tensor, axis = -1, descending = false): [values: Tensor, order: Tensor] {
  requireDType('sort', 'f32', x);
  const at = resolveAxis('sort', axis, x.rank);
  const rows = transpose(x, at, -1);
  const order = apply(argsortOp, [rows], { descending });
  return [transpose(apply(takeAlongOp, [rows, order]), at, -1), transpose(order, at, -1)];
}

/** What `unique` gives. */
export interface Unique {
  /** Distinct values in ascending order. */
  readonly values: Tensor;
  /** For each element of x, its place among the values: i32 of x's shape. */
  readonly inverse: Tensor;
  /** How often each value occurs (i32). */
  readonly counts: Tensor;
}

/** The distinct elements of x (f32 or i32). Not differentiable; reads x, so on the CPU only. */
export function unique(x: Tensor): Unique {
  requireTensor('unique', x);
  const elements = x.dataSync();
  const order = argsort(reshape(x, [-1])).dataSync<Int32Array>();
  const inverse = new Int32Array(x.size);
  const values: number[] = [];
  const counts: number[] = [];
  order.forEach((place) => {
    const value = elements[place] as number;
    const last = values.at(-1);
    if (values.length === 0 || !(value === last || (Number.isNaN(value) && Number.isNaN(last)))) {
      values.push(value);
      counts.push(0);
    }
    inverse[place] = values.length - 1;
    counts[values.length - 1] = (counts.at(-1) as number) + 1;
  });
  return {
    values: tensor(values, [values.length], x.dtype),
    inverse: tensor(inverse, x.shape),
    counts: tensor(counts, [counts.length], 'i32'),
  };
}

const cumulativeSumOp: Op<{ axis: number; reverse: boolean }> = {
  name: 'cumulativeSum',
  multiplyAdds: 0,
  infer: ([x]) => [{ shape: (x as Tensor).shape, dtype: 'f32' }],
  compute(device, [x], [y], { axis, reverse }) {
    const { shape } = x as Tensor;
    device.run('cumulativeSum', {
      x: x as Tensor,
      y: y as Tensor,
      reverse: Number(reverse),
      outer: sizeOf(shape.slice(0, axis)),
      n: shape[axis] as number,
      inner: sizeOf(shape.slice(axis + 1)),
    });
  },
  vjp: (backward) => {
    const { axis, reverse } = backward.attributes;
    return [apply(cumulativeSumOp, [onlyGradient(backward)], { axis, reverse: !reverse })];
  },
};

/** y[i] = x[0] + … + x[i] along an axis; with `reverse` from the end. */
export function cumulativeSum(x: Tensor, axis = -1, reverse = false): Tensor {
  requireDType('cumulativeSum', 'f32', x);
  return apply(cumulativeSumOp, [x], { axis: resolveAxis('cumulativeSum', axis, x.rank), reverse });
}

/** Rows of zeros with a one at each index: i32 [·] → f32 [·, classes]. */
export function oneHot(indices: Tensor, classes: number): Tensor {
  requireCount('oneHot', 'the number of classes', classes);
  checkIndices('oneHot', indices, classes);
  const values = new Float32Array(indices.size * classes);
  indices.view<Int32Array>().forEach((index, row) => {
    values[row * classes + index] = 1;
  });
  return tensor(values, [...indices.shape, classes]);
}
