// The places of channels in weights, and weights without the slices of removed ones.

import { sizeOf, type Tensor, tensor } from '../../tensor/index.js';
import type { ChannelSlice } from './channels.js';

/** Calls `use` with the places of a slice in the values of its weight, in ascending order. */
export function eachPlace({ shape }: Tensor, { axis, index }: ChannelSlice, use: (place: number) => void): void {
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  const length = shape[axis] as number;
  for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) use((o * length + index) * inner + i);
}

/**
 * The weights that lose slices, without those slices; weights that lose none are left out.
 *
 * @param state weights by name
 * @param removed slices, each once or more often
 */
export function withoutSlices(
  state: Readonly<Record<string, Tensor>>,
  removed: readonly ChannelSlice[],
): Record<string, Tensor> {
  const removedIndices = new Map<string, Map<number, Set<number>>>();
  for (const { weight, axis, index } of removed) {
    const axes = removedIndices.get(weight) ?? new Map<number, Set<number>>();
    removedIndices.set(weight, axes.set(axis, (axes.get(axis) ?? new Set()).add(index)));
  }
  return Object.fromEntries(
    [...removedIndices].map(([name, axes]) => {
      const weight = state[name] as Tensor;
      const kept = weight.shape.map((length, axis) =>
        Array.from({ length }, (_, i) => i).filter((i) => !axes.get(axis)?.has(i)),
      );
      return [name, subTensor(weight, kept)];
    }),
  );
}

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
