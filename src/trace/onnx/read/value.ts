// What an edge of an ONNX graph holds, and whole numbers wider than our tensors'.

import { Tensor, tensor } from '../../../tensor/index.js';

/**
 * 64-bit integers as plain numbers, exact up to 2⁵³, with the shape they are stored in. The ends of
 * the 64-bit range, which stand for "no limit" in slices, are ±∞.
 */
export interface Ints {
  readonly ints: readonly number[];
  readonly shape: readonly number[];
}

/**
 * What an edge of the graph holds: floats and booleans (0 and 1) are f32, 32-bit integers are i32;
 * 64-bit integers are `Ints`, or i32 where they are traced.
 */
export type ImportedValue = Tensor | Ints;

/** Most elements of a tensor: more do not fit the memory of a WebAssembly module. */
export const MOST_ELEMENTS = 2 ** 30;

/** Whether a value is a list of 64-bit integers. */
export function isInts(value: ImportedValue | undefined): value is Ints {
  return value !== undefined && !(value instanceof Tensor);
}

/** Whether a number is one that an i32 holds. */
function fitsInt32(value: number): boolean {
  return value === (value | 0);
}

/**
 * Integers as an i32 tensor.
 *
 * @throws Error naming the first that needs more than 32 bits.
 */
export function asInt32({ ints, shape }: Ints, label: string): Tensor {
  const long = ints.find((value) => !fitsInt32(value));
  if (long !== undefined) throw new Error(`importOnnx: ${label} needs the integer ${long}, which does not fit 32 bits`);
  return tensor(Int32Array.from(ints), shape, 'i32');
}

/** Applies an operation that only moves elements. */
export function moved(value: ImportedValue, operation: (x: Tensor) => Tensor): ImportedValue {
  if (!isInts(value)) return operation(value);
  const places = operation(tensor(Int32Array.from(value.ints.keys()), value.shape, 'i32'));
  return { ints: Array.from(places.view<Int32Array>(), (place) => value.ints[place] as number), shape: places.shape };
}

/**
 * Integers of 64 bits as they are stored: the ends of the range stand for no limit.
 *
 * @throws Error for others that a double does not hold exactly.
 */
export function longIntegers(values: ArrayLike<number>, label: string): number[] {
  return Array.from(values, (value) => {
    if (value >= 2 ** 63) return Number.POSITIVE_INFINITY;
    if (value <= -(2 ** 63)) return Number.NEGATIVE_INFINITY;
    if (!Number.isSafeInteger(value))
      throw new Error(`importOnnx: ${label} holds the integer ${value}, beyond 2^53, which is not supported`);
    return value;
  });
}
