// Joining tensors along an axis.

import { apply, type Op, onlyGradient } from '../apply.js';
import { requireComputable } from '../elements.js';
import { resolveAxis, stridesOf } from '../shape.js';
import { requireTensor, type Tensor } from '../tensor.js';
import { copyBox } from './box.js';
import { type Range, reshape, slice } from './layout.js';

/** The operation behind `concatenate`. */
export const concatenateOp: Op<{ axis: number }> = {
  name: 'concatenate',
  multiplyAdds: 0,
  infer: (inputs, { axis }) => {
    const [first] = inputs as [Tensor];
    requireComputable('concatenate', first.dtype);
    const length = inputs.reduce((total, input) => total + (input.shape[axis] as number), 0);
    return [{ shape: first.shape.map((size, at) => (at === axis ? length : size)), dtype: first.dtype }];
  },
  compute(device, inputs, [y], { axis }) {
    const strides = stridesOf((y as Tensor).shape);
    let start = 0;
    for (const input of inputs) {
      copyBox(device, 'concatenate', input, y as Tensor, {
        sizes: input.shape,
        sourceStrides: stridesOf(input.shape),
        targetStrides: strides,
        targetOffset: start * (strides[axis] as number),
      });
      start += input.shape[axis] as number;
    }
  },
  vjp: (backward) => {
    const gradient = onlyGradient(backward);
    const { axis } = backward.attributes;
    let start = 0;
    return backward.inputs.map((input) => {
      const end = start + (input.shape[axis] as number);
      const ranges = input.shape.map((_, at): Range => (at === axis ? [start, end] : null));
      start = end;
      return slice(gradient, ...ranges);
    });
  },
};

function requireTensors(operation: string, tensors: readonly Tensor[]): readonly Tensor[] {
  if (!Array.isArray(tensors)) throw new TypeError(`${operation}: expected a list of tensors, got ${String(tensors)}`);
  for (const x of tensors) requireTensor(operation, x);
  return tensors;
}

/** Joins tensors along an axis; their other sizes must agree. */
export function concatenate(tensors: readonly Tensor[], axis = 0): Tensor {
  const [first] = requireTensors('concatenate', tensors);
  if (!first) throw new Error('concatenate: expected at least one tensor');
  const at = resolveAxis('concatenate', axis, first.rank);
  for (const other of tensors) {
    const fits =
      other.rank === first.rank &&
      other.dtype === first.dtype &&
      other.shape.every((size, i) => i === at || size === first.shape[i]);
    if (!fits) throw new Error(`concatenate: ${other} does not join ${first} along axis ${at}`);
  }
  return tensors.length === 1 ? first : apply(concatenateOp, tensors, { axis: at });
}

/** Joins tensors of one shape along a new axis. */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  const rank = (requireTensors('stack', tensors)[0]?.rank ?? 0) + 1;
  const at = resolveAxis('stack', axis, rank);
  return concatenate(
    tensors.map((x) => reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)])),
    at,
  );
}
