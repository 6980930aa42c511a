// Indexed reads and their transposes. Indices are i32 tensors and are checked against the range
// they address.

import { apply, type Op, onlyGradient, requireDType } from '../apply.js';
import { requireComputable } from '../elements.js';
import { formatShape, requireCount, sameShape, sizeOf } from '../shape.js';
import { requireTensor, type Tensor } from '../tensor.js';
import { reshape } from './layout.js';

/** @throws RangeError naming the first index outside [low, rows). */
export function checkIndices(operation: string, indices: Tensor, rows: number, low = 0): void {
  requireDType(operation, 'i32', indices);
  const values = indices.peek(operation);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value < low || value >= rows)
      throw new RangeError(`${operation}: index ${value} at position ${i} is outside ${low}…${rows - 1}`);
  }
}

/** The operation behind `gatherRows`. */
export const gatherRowsOp: Op = {
  name: 'gatherRows',
  multiplyAdds: 0,
  infer: ([x, indices]) => {
    const { shape, dtype } = x as Tensor;
    requireComputable('gatherRows', dtype);
    requireDType('gatherRows', 'i32', indices as Tensor);
    if (shape.length === 0) throw new Error('gatherRows: expected a tensor with rows');
    return [{ shape: [...(indices as Tensor).shape, ...shape.slice(1)], dtype }];
  },
  compute: (device, [x, indices], [y]) =>
    device.run('gatherRows', {
      x: x as Tensor,
      indices: indices as Tensor,
      y: y as Tensor,
      count: (indices as Tensor).size,
      rows: (x as Tensor).shape[0] as number,
      d: sizeOf((x as Tensor).shape.slice(1)),
    }),
  vjp: (backward) => {
    const [x, indices] = backward.inputs as [Tensor, Tensor];
    const flat = reshape(onlyGradient(backward), [indices.size, ...x.shape.slice(1)]);
    return [apply(scatterAddOp, [flat, reshape(indices, [-1])], { rows: x.shape[0] as number }), undefined];
  },
};

const scatterAddOp: Op<{ rows: number }> = {
  name: 'scatterAddRows',
  multiplyAdds: 0,
  infer: ([x], { rows }) => [{ shape: [rows, ...(x as Tensor).shape.slice(1)], dtype: 'f32' }],
  compute: (device, [x, indices], [y], { rows }) =>
    device.run('scatterAddRows', {
      x: x as Tensor,
      indices: indices as Tensor,
      y: y as Tensor,
      count: (indices as Tensor).size,
      rows,
      d: sizeOf((x as Tensor).shape.slice(1)),
    }),
  vjp: (backward) => [apply(gatherRowsOp, [onlyGradient(backward), backward.inputs[1] as Tensor]), undefined],
};

/** y[i…] = x[indices[i…]]: rows of the first axis. x [n, …], indices i32 [m…] → [m…, …]. */
export function gatherRows(x: Tensor, indices: Tensor): Tensor {
  requireTensor('gatherRows', x);
  if (x.rank === 0) throw new Error('gatherRows: expected a tensor with rows');
  checkIndices('gatherRows', indices, x.shape[0] as number);
  return apply(gatherRowsOp, [x, indices]);
}

/** `gatherRows` without the range check, for indices that are known to be in range. */
export function gatherKnownRows(x: Tensor, indices: Tensor): Tensor {
  return apply(gatherRowsOp, [x, indices]);
}

/** y[r] = Σ over i with indices[i] = r of x[i]. x [m, …], indices i32 [m] → [rows, …]. */
export function scatterAddRows(x: Tensor, indices: Tensor, rows: number): Tensor {
  requireDType('scatterAddRows', 'f32', x);
  requireDType('scatterAddRows', 'i32', indices);
  requireCount('scatterAddRows', 'the number of rows', rows);
  if (indices.rank !== 1 || indices.size !== x.shape[0]) {
    throw new Error(
      `scatterAddRows: expected one index a row of ${formatShape(x.shape)}, got ${formatShape(indices.shape)}`,
    );
  }
  checkIndices('scatterAddRows', indices, rows);
  return apply(scatterAddOp, [x, indices], { rows });
}

const takeOp: Op = {
  name: 'takeRows',
  multiplyAdds: 0,
  infer: ([, positions]) => [{ shape: (positions as Tensor).shape, dtype: 'f32' }],
  compute: (device, [x, positions], [y]) => {
    const [rows, d] = (positions as Tensor).shape as [number, number];
    const sources = (x as Tensor).shape[0] as number;
    device.run('takeRows', { x: x as Tensor, positions: positions as Tensor, y: y as Tensor, rows, sources, d });
  },
  vjp: (backward) => {
    const [x, positions] = backward.inputs as [Tensor, Tensor];
    return [putKnownRows(onlyGradient(backward), positions, x.shape[0] as number), undefined];
  },
};

const putOp: Op<{ rows: number }> = {
  name: 'putRows',
  multiplyAdds: 0,
  infer: ([x], { rows }) => [{ shape: [rows, (x as Tensor).shape[1] as number], dtype: 'f32' }],
  compute: (device, [x, positions], [y], { rows }) => {
    const [count, d] = (x as Tensor).shape as [number, number];
    device.run('putRows', { x: x as Tensor, positions: positions as Tensor, y: y as Tensor, count, rows, d });
  },
  vjp: (backward) => [apply(takeOp, [onlyGradient(backward), backward.inputs[1] as Tensor]), undefined],
};

/**
 * y[s, c] = x[positions[s, c], c], or 0 where the position is −1. x [n, d], positions i32 [m, d] →
 * [m, d].
 */
export function takeRows(x: Tensor, positions: Tensor): Tensor {
  requireDType('takeRows', 'f32', x);
  requireDType('takeRows', 'i32', positions);
  if (x.rank !== 2 || positions.rank !== 2 || x.shape[1] !== positions.shape[1]) {
    throw new Error(`takeRows: expected x [n, d] and positions [m, d], got ${x} and ${positions}`);
  }
  checkIndices('takeRows', positions, x.shape[0] as number, -1);
  return apply(takeOp, [x, positions]);
}

/**
 * y[r, c] = Σ over s with positions[s, c] = r of x[s, c], nothing for a position of −1: the
 * transpose of `takeRows`. x [m, d], positions i32 [m, d] → [rows, d].
 */
export function putRows(x: Tensor, positions: Tensor, rows: number): Tensor {
  requireDType('putRows', 'f32', x);
  requireDType('putRows', 'i32', positions);
  requireCount('putRows', 'the number of rows', rows);
  if (x.rank !== 2 || !sameShape(x.shape, positions.shape))
    throw new Error(`putRows: expected x [m, d] and positions [m, d], got ${x} and ${positions}`);
  checkIndices('putRows', positions, rows, -1);
  return putKnownRows(x, positions, rows);
}

/** `putRows` without the checks, for positions that are known to fit. */
export function putKnownRows(x: Tensor, positions: Tensor, rows: number): Tensor {
  return apply(putOp, [x, positions], { rows });
}
