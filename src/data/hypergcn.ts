// The pickles in which HyperGCN publishes hypergraphs, as the arrays of an archive.

import type { NamedArray, Pickled, PickledObject } from './formats/index.js';

function ints(values: readonly number[]): NamedArray {
  return { shape: [values.length], values: Int32Array.from(values) };
}

function isArray(value: Pickled): value is NamedArray {
  return typeof value === 'object' && value !== null && 'shape' in value;
}

/** A list, tuple, set or NumPy array of numbers. */
function numbers(value: Pickled): number[] {
  if (isArray(value)) return Array.from(value.values);
  if (value instanceof Set || Array.isArray(value)) return Array.from(value as Iterable<number>, Number);
  throw new Error('expected a collection of numbers in the published file');
}

/** The hyperedges: a dictionary from names to collections of vertices. */
export function hyperedgeArrays(value: Pickled): { he_indptr: NamedArray; he_indices: NamedArray } {
  if (!(value instanceof Map)) throw new Error('expected a dictionary of hyperedges in the published file');
  const lists = [...value.values()].map(numbers);
  let end = 0;
  return { he_indptr: ints([0, ...lists.map((list) => (end += list.length))]), he_indices: ints(lists.flat()) };
}

/** Labels as class numbers, or as one row of zeros and a one a vertex. */
export function labelArray(value: Pickled): NamedArray {
  if (!isArray(value) || value.shape.length === 1) return ints(numbers(value));
  const [rows = 0, classes = 0] = value.shape;
  return ints(
    Array.from({ length: rows }, (_, row) => value.values.subarray(row * classes, (row + 1) * classes).indexOf(1)),
  );
}

/** A SciPy CSR matrix. */
export function featureArrays(value: Pickled): Record<string, NamedArray> {
  const fields = (value as PickledObject | null)?.fields;
  const part = (name: string): Pickled => {
    const found = fields?.get(name) ?? null;
    if (found === null) throw new Error(`expected a sparse matrix with "${name}" in the published features`);
    return found;
  };
  return {
    x_indptr: ints(numbers(part('indptr'))),
    x_indices: ints(numbers(part('indices'))),
    x_data: { shape: [numbers(part('data')).length], values: Float32Array.from(numbers(part('data'))) },
    x_shape: ints(numbers(part('_shape'))),
  };
}
