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

/**
 * Values whose first index runs fastest, as Fortran has them, in the order in which the last one
 * does. Values beyond the shape's size are runs that stay together.
 */
export function rowMajor<T extends ArrayValues>(values: T, shape: readonly number[]): T {
  const cells = shape.reduce((product, size) => product * size, 1);
  const length = cells === 0 ? 0 : values.length / cells;
  const ordered = values.slice() as T;
  const index = shape.map(() => 0);
  for (let to = 0; to < cells; to++) {
    const from = index.reduceRight((at, own, axis) => at * (shape[axis] as number) + own, 0);
    for (let k = 0; k < length; k++) ordered[to * length + k] = values[from * length + k] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      index[axis] = 0;
    }
  }
  return ordered;
}

/** A 64-bit integer as a number. @throws Error when it does not fit 32 bits. */
export function narrowInteger(value: bigint): number {
  if (value !== BigInt.asIntN(32, value)) throw new Error(`64-bit integer ${value} does not fit 32 bits`);
  return Number(value);
}

/** An unsigned 64-bit integer as a number. @throws Error when it does not fit 32 bits. */
export function narrowNatural(value: bigint): number {
  if (value >= 2n ** 32n) throw new Error(`64-bit integer ${value} does not fit 32 bits`);
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
