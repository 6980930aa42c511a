// Making tensors from values.

import { arrayTypes, cpu, type DType, type TypedArray } from '../engine/index.js';
import { elementsOf, requireComputable, requireElement, requireKnownType } from './elements.js';
import { checkedSize, formatShape, requireCount, type Shape } from './shape.js';
import { emptyTensor, type Tensor } from './tensor.js';

/** A number, or nested arrays of numbers. */
export type Nested = number | readonly Nested[];

function shapeOf(values: Nested): number[] {
  const shape: number[] = [];
  for (let level: unknown = values; Array.isArray(level); level = level[0]) shape.push(level.length);
  return shape;
}

function flatten(values: Nested, shape: Shape, axis: number, into: number[]): number[] {
  if (axis === shape.length) {
    if (Array.isArray(values)) throw new Error('tensor: nested arrays are ragged');
    into.push(values as number);
    return into;
  }
  if (!Array.isArray(values) || values.length !== shape[axis]) {
    throw new Error(
      `tensor: nested arrays are ragged: expected ${shape[axis]} values along axis ${axis}, got ${Array.isArray(values) ? values.length : String(values)}`,
    );
  }
  for (const value of values) flatten(value, shape, axis + 1, into);
  return into;
}

/** The element type of a tensor with the values of an array. */
function typeOf(values: unknown): DType {
  if (values instanceof Int32Array) return 'i32';
  if (values instanceof Uint8Array) return 'u8';
  return values instanceof Int8Array ? 'i8' : 'f32';
}

/**
 * A tensor with the given values: a number, nested arrays, or a typed array with a shape.
 *
 * @example tensor([[1, 2], [3, 4]]); tensor(new Float32Array(6), [2, 3]); tensor([0, 2], [2],
 * 'i32')
 * @throws RangeError for a shape of anything but whole numbers, and for values that the element
 * type does not have, such as 1.5 or 2³¹ as i32 and 10³⁹ as f32.
 * @throws TypeError for an unknown element type, and for values that are no numbers.
 * @throws Error when the values do not fill the shape.
 */
export function tensor(values: Nested | TypedArray | Float64Array, shape?: Shape, dtype?: DType): Tensor {
  const type = dtype ?? typeOf(values);
  requireKnownType('tensor', type);
  const typed = ArrayBuffer.isView(values);
  const own = typed ? [values.length] : shapeOf(values as Nested);
  const flat = typed ? values : flatten(values as Nested, own, 0, []);
  const elements = elementsOf('tensor', flat, type);
  const wanted = shape ?? own;
  const size = checkedSize('tensor', wanted);
  if (elements.length !== size)
    throw new Error(`tensor: shape ${formatShape(wanted)} needs ${size} values, got ${elements.length}`);
  const result = emptyTensor(wanted, type, cpu, 'tensor');
  result.device.write(result, elements);
  return result;
}

const bitsOfFloat = new Float32Array(1);
const bits = new Int32Array(bitsOfFloat.buffer);

function filled(operation: string, shape: Shape, value: number, dtype: 'f32' | 'i32'): Tensor {
  requireComputable(operation, dtype);
  const result = emptyTensor(shape, dtype, cpu, operation);
  if (dtype === 'f32') bitsOfFloat[0] = value;
  else bits[0] = value;
  result.device.run('fill', { y: result, bits: bits[0] as number, n: result.size });
  return result;
}

/**
 * A tensor of one repeated value.
 *
 * @throws RangeError for a shape of anything but whole numbers, and for a value that the element
 * type does not have; TypeError for another type than f32 and i32.
 */
export function full(shape: Shape, value: number, dtype: 'f32' | 'i32' = 'f32'): Tensor {
  requireComputable('full', dtype);
  requireElement('full', dtype, value);
  return filled('full', shape, value, dtype);
}

/** A tensor of zeros. @throws as `full` does. */
export function zeros(shape: Shape, dtype: 'f32' | 'i32' = 'f32'): Tensor {
  return filled('zeros', shape, 0, dtype);
}

/** A tensor of ones. @throws as `full` does. */
export function ones(shape: Shape, dtype: 'f32' | 'i32' = 'f32'): Tensor {
  return filled('ones', shape, 1, dtype);
}

/** 0, 1, …, n − 1. @throws RangeError unless n is a whole number, for f32 at most 2²⁴. */
export function arange(n: number, dtype: 'f32' | 'i32' = 'f32'): Tensor {
  requireComputable('arange', dtype);
  requireCount('arange', 'n', n);
  const limit = dtype === 'f32' ? 2 ** 24 + 1 : 2 ** 31;
  if (n > limit) throw new RangeError(`arange: ${dtype} has no exact ${n - 1}; n can be ${limit} at most`);
  const result = emptyTensor([n], dtype, cpu, 'arange');
  const values = new arrayTypes[dtype](n);
  for (let i = 0; i < n; i++) values[i] = i;
  result.device.write(result, values);
  return result;
}

/** The n×n identity. @throws RangeError unless n is a whole number. */
export function eye(n: number): Tensor {
  requireCount('eye', 'n', n);
  const result = emptyTensor([n, n], 'f32', cpu, 'eye');
  const values = new Float32Array(n * n);
  for (let i = 0; i < n; i++) values[i * n + i] = 1;
  result.device.write(result, values);
  return result;
}
