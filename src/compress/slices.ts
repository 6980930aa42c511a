// Parts of weights along their axes.

import { sizeOf, type Tensor, tensor } from '../tensor/index.js';

/**
 * The sub-tensor at some indices of each axis.
 *
 * @param kept indices by axis; all where an axis has none
 */
export function subTensor(weight: Tensor, kept: readonly (ArrayLike<number> | undefined)[]): Tensor {
  let values = weight.view<Float32Array>();
  const shape = [...weight.shape];
  kept.forEach((indices, axis) => {
    if (!indices) return;
    const inner = sizeOf(shape.slice(axis + 1));
    const outer = sizeOf(shape.slice(0, axis));
    const length = shape[axis] as number;
    const chosen = new Float32Array(outer * indices.length * inner);
    for (let o = 0, to = 0; o < outer; o++)
      for (let i = 0; i < indices.length; i++, to += inner) {
        const from = (o * length + (indices[i] as number)) * inner;
        if (inner === 1) chosen[to] = values[from] as number;
        else chosen.set(values.subarray(from, from + inner), to);
      }
    values = chosen;
    shape[axis] = indices.length;
  });
  return tensor(values, shape);
}
