// Weights without the slices of removed channels.

import { type Tensor, tensor } from '../../tensor/index.js';
import type { ChannelSlice } from './channels.js';

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
      return [name, select(weight, kept)];
    }),
  );
}

/** The sub-tensor at the given indices of every axis. */
function select(weight: Tensor, kept: readonly (readonly number[])[]): Tensor {
  const values = weight.view();
  const strides = weight.shape.map((_, axis) => weight.shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  let places = Int32Array.of(0);
  for (const [axis, indices] of kept.entries()) {
    const stride = strides[axis] as number;
    const next = new Int32Array(places.length * indices.length);
    let at = 0;
    for (const place of places) for (const index of indices) next[at++] = place + index * stride;
    places = next;
  }
  return tensor(
    Float32Array.from(places, (place) => values[place] as number),
    kept.map(({ length }) => length),
  );
}
