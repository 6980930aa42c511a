// A plain array as files hold it: element type, shape, values in row-major order.

import { type Tensor, tensor } from '../../tensor/index.js';

/** Element types of arrays in files. */
export type ArrayValues =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/** An array as files store it: a shape, and values in row-major order. */
export interface NamedArray {
  /** Length of each axis; empty for a scalar. */
  readonly shape: readonly number[];
  /** Elements in row-major order. */
  readonly values: ArrayValues;
}

/** Values as 32-bit integers. @throws Error when one is not an integer. */
export function toInts({ values }: NamedArray, name: string): Int32Array {
  if (values instanceof Int32Array) return values;
  const ints = Int32Array.from(values);
  const wrong = ints.findIndex((value, index) => value !== values[index]);
  if (wrong >= 0) throw new Error(`${name}: expected integers, element ${wrong} is ${values[wrong]}`);
  return ints;
}

/** A 64-bit integer as a number. @throws Error when it does not fit 32 bits. */
export function narrowInteger(value: bigint): number {
  if (value !== BigInt.asIntN(32, value)) throw new Error(`64-bit integer ${value} does not fit 32 bits`);
  return Number(value);
}

/** Values rounded to single precision. @throws Error when a finite one exceeds its range. */
export function narrowFloats(values: ArrayLike<number>, name: string): Float32Array {
  const floats = Float32Array.from(values);
  const wrong = floats.findIndex((value, i) => !Number.isFinite(value) && Number.isFinite(values[i]));
  if (wrong >= 0)
    throw new Error(
      `${name}: element ${wrong} is ${values[wrong]}, beyond single precision (±3.4e38); rescale the values`,
    );
  return floats;
}

/**
 * Values as an f32 tensor of the array's shape.
 *
 * @throws Error when one exceeds single precision.
 */
export function toTensor({ shape, values }: NamedArray): Tensor {
  return tensor(narrowFloats(values, 'array'), shape);
}
