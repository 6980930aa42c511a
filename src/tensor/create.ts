// Making tensors from values.

import { arrayTypes, type DType, type TypedArray } from '../engine/index.js';
import { formatShape, type Shape, sizeOf } from './shape.js';
import { emptyTensor, type Tensor } from './tensor.js';

/** A number, or nested arrays of numbers. */
export type Nested = number | readonly Nested[];

function shapeOf(values: Nested): number[] {
  if (typeof values === 'number') return [];
  const [first] = values;
  return first === undefined ? [0] : [values.length, ...shapeOf(first)];
}

function flatten(values: Nested, shape: Shape, axis: number, into: number[]): number[] {
  if (typeof values === 'number' || axis === shape.length) {
    if (typeof values !== 'number' || axis !== shape.length) throw new Error('tensor: nested arrays are ragged');
    into.push(values);
    return into;
  }
  if (values.length !== shape[axis]) {
    throw new Error(
      `tensor: nested arrays are ragged: expected ${shape[axis]} values along axis ${axis}, got ${values.length}`,
    );
  }
  for (const value of values) flatten(value, shape, axis + 1, into);
  return into;
}

/**
 * A tensor with the given values: a number, nested arrays, or a typed array with a shape.
 *
 * @example tensor([[1, 2], [3, 4]]); tensor(new Float32Array(6), [2, 3]); tensor([0, 2], [2],
 * 'i32')
 */
export function tensor(values: Nested | TypedArray | Float64Array, shape?: Shape, dtype?: DType): Tensor {
  const typed = ArrayBuffer.isView(values);
  const inferred = shape ?? (typed ? [values.length] : shapeOf(values as Nested));
  const flat = typed ? values : flatten(values as Nested, shapeOf(values as Nested), 0, []);
  const type =
    dtype ??
    (values instanceof Int32Array
      ? 'i32'
      : values instanceof Uint8Array
        ? 'u8'
        : values instanceof Int8Array
          ? 'i8'
          : 'f32');
  if (flat.length !== sizeOf(inferred)) {
    throw new Error(`tensor: shape ${formatShape(inferred)} needs ${sizeOf(inferred)} values, got ${flat.length}`);
  }
  const result = emptyTensor(inferred, type);
  result.device.write(result, flat instanceof arrayTypes[type] ? (flat as TypedArray) : new arrayTypes[type](flat));
  return result;
}

const bitsOfFloat = new Float32Array(1);
const bits = new Int32Array(bitsOfFloat.buffer);

/** A tensor of one repeated value. */
export function full(shape: Shape, value: number, dtype: 'f32' | 'i32' = 'f32'): Tensor {
  const result = emptyTensor(shape, dtype);
  if (dtype === 'f32') bitsOfFloat[0] = value;
  else bits[0] = value;
  result.device.run('fill', { y: result, bits: bits[0] as number, n: result.size });
  return result;
}

/** A tensor of zeros. */
export function zeros(shape: Shape, dtype: 'f32' | 'i32' = 'f32'): Tensor {
  return full(shape, 0, dtype);
}

/** A tensor of ones. */
export function ones(shape: Shape, dtype: 'f32' | 'i32' = 'f32'): Tensor {
  return full(shape, 1, dtype);
}

/** 0, 1, …, n − 1. */
export function arange(n: number, dtype: 'f32' | 'i32' = 'f32'): Tensor {
  return tensor(
    new arrayTypes[dtype](n).map((_: number, index: number) => index),
    [n],
    dtype,
  );
}

/** The n×n identity. */
export function eye(n: number): Tensor {
  const result = zeros([n, n]);
  const values = result.view();
  for (let i = 0; i < n; i++) values[i * n + i] = 1;
  return result;
}
