// Node features as archives store them.

import { SparseMatrix, SparsePattern } from '../sparse/index.js';
import { powers, scaled } from '../structure/index.js';
import { keep, type Tensor, tensor } from '../tensor/index.js';
import { narrowFloats } from './formats/array.js';
import { type NamedArray, toInts } from './formats/index.js';

/** Arrays of an archive by name. */
export type Arrays = Readonly<Record<string, NamedArray>>;

/**
 * A lookup of required arrays. It throws an Error that names the missing array and those that
 * exist.
 */
export function requiredArrays(arrays: Arrays, name: string): (key: string) => NamedArray {
  return (key) => {
    const array = arrays[key];
    if (array) return array;
    const found = Object.keys(arrays).join(', ') || 'none';
    throw new Error(`data set "${name}": array "${key}" is missing; found ${found}`);
  };
}

/** Numbers that any archive may count up to, however few entries it has. */
const ALWAYS_COUNTED = 2 ** 20;

/**
 * How many things numbered from 0 an array of numbers speaks of: its largest element plus one.
 *
 * @throws Error where that is far more than the array has elements, which a damaged file does and
 * which would fill the memory with things that are not there.
 */
export function countOf(numbers: Int32Array, what: string): number {
  const count = numbers.reduce((most, value) => Math.max(most, value + 1), 0);
  if (count > ALWAYS_COUNTED && count > 100 * numbers.length)
    throw new Error(`${what} ${count - 1} is far beyond the ${numbers.length} entries; number them from 0`);
  return count;
}

/**
 * Scales each row of a sparse matrix to unit L1 norm, as is standard for bags of words; empty rows
 * are kept.
 */
export function normalizeRows(features: SparseMatrix): SparseMatrix {
  const magnitudes = new SparseMatrix(features.pattern, features.values && keep(features.values.abs()));
  return scaled(features, powers(magnitudes.rowSums(), -1));
}

/**
 * Features of n rows: dense (`x` [n, F]), CSR (`x_indptr`, `x_indices`, `x_shape`, and `x_data`
 * unless all values are 1), or bit-packed (`x_packed` [n, ⌈F/8⌉], lowest bit first, and `x_shape`).
 *
 * @returns undefined when the archive has no features
 * @throws Error naming an array that is missing.
 */
export function featuresFromArrays(arrays: Arrays, n: number, name: string): Tensor | SparseMatrix | undefined {
  const need = requiredArrays(arrays, name);
  if (arrays.x) {
    if (arrays.x.shape.length !== 2)
      throw new Error(`data set "${name}": x is [${arrays.x.shape.join(', ')}], expected [${n}, features]`);
    return keep(tensor(narrowFloats(arrays.x.values, `data set "${name}", x`), arrays.x.shape));
  }
  if (arrays.x_packed) return unpackBits(toInts(arrays.x_packed, 'x_packed'), toInts(need('x_shape'), 'x_shape'), name);
  if (!arrays.x_indptr) return undefined;
  const [rows, columns] = toInts(need('x_shape'), 'x_shape');
  const pattern = new SparsePattern(
    rows ?? n,
    columns ?? 0,
    toInts(arrays.x_indptr, 'x_indptr'),
    toInts(need('x_indices'), 'x_indices'),
  );
  const values = arrays.x_data && narrowFloats(arrays.x_data.values, `data set "${name}", x_data`);
  return new SparseMatrix(pattern, values?.some((value) => value !== 1) ? keep(tensor(values)) : undefined);
}

function unpackBits(packed: Int32Array, [rows = 0, columns = 0]: Int32Array, name: string): SparseMatrix {
  const bytes = Math.ceil(columns / 8);
  if (packed.length !== rows * bytes)
    throw new Error(
      `data set "${name}": x_packed holds ${packed.length} bytes, ${rows} rows of ${columns} bits take ${rows * bytes}`,
    );
  const indptr = new Int32Array(rows + 1);
  const indices: number[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      if (((packed[row * bytes + (column >> 3)] as number) >> (column & 7)) & 1) indices.push(column);
    indptr[row + 1] = indices.length;
  }
  return new SparseMatrix(new SparsePattern(rows, columns, indptr, Int32Array.from(indices)));
}
