// Values from JavaScript as elements of a type: converted where nothing is lost but precision.

import { arrayTypes, type DType, type TypedArray } from '../engine/index.js';

/** Arrays whose values are numbers. */
export type Numbers = ArrayLike<number>;

/** Least and greatest element of the types of integers. */
const integerRanges: Readonly<Record<Exclude<DType, 'f32'>, readonly [number, number]>> = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u8: [0, 255],
  i8: [-128, 127],
};

/** Half a step above the largest f32: from here on numbers round to ∞. */
const FLOAT_LIMIT = 2 ** 128 - 2 ** 103;

/** @throws TypeError naming the operation for a name that is no element type. */
export function requireKnownType(operation: string, dtype: DType): void {
  if (dtype === 'f32' || dtype === 'i32') return;
  if (!Object.hasOwn(arrayTypes, dtype))
    throw new TypeError(
      `${operation}: unknown element type ${JSON.stringify(dtype)}; there are ${Object.keys(arrayTypes).join(', ')}`,
    );
}

/**
 * @throws TypeError naming the operation unless the type is one that operations compute with, f32
 * or i32.
 */
export function requireComputable(operation: string, dtype: DType): asserts dtype is 'f32' | 'i32' {
  if (dtype === 'f32' || dtype === 'i32') return;
  requireKnownType(operation, dtype);
  throw new TypeError(
    `${operation}: expected f32 or i32, got ${dtype}, which only stores; read and make such tensors with data() and tensor()`,
  );
}

function fail(operation: string, dtype: DType, value: unknown, at: number): never {
  const [least, greatest] = dtype === 'f32' ? [-FLOAT_LIMIT, FLOAT_LIMIT] : integerRanges[dtype];
  const wanted = dtype === 'f32' ? 'a number below 3.4028235e38 in size' : `an integer from ${least} to ${greatest}`;
  const given = typeof value === 'string' ? JSON.stringify(value) : String(value);
  const ErrorType = typeof value === 'number' ? RangeError : TypeError;
  throw new ErrorType(`${operation}: element ${at} is ${given}; an element of type ${dtype} is ${wanted}`);
}

/** @throws naming the operation unless the value is an element of the type, or rounds to one. */
export function requireElement(operation: string, dtype: DType, value: number, at = 0): void {
  const fits =
    typeof value === 'number' &&
    (dtype === 'f32'
      ? !(Math.abs(value) >= FLOAT_LIMIT) || Math.abs(value) === Infinity
      : Number.isInteger(value) && value >= integerRanges[dtype][0] && value <= integerRanges[dtype][1]);
  if (!fits) fail(operation, dtype, value, at);
}

/** Typed arrays whose every value is an element of the type. */
function alwaysFits(values: Numbers, dtype: DType): boolean {
  if (dtype !== 'f32') return values instanceof arrayTypes[dtype];
  return ArrayBuffer.isView(values) && !(values instanceof Float64Array);
}

/**
 * Values as elements of a type; f32 rounds to the nearest.
 *
 * @returns the array itself when it is of the type
 * @throws RangeError naming the first number that is no element of the type, such as 1.5 or 2³¹ for
 * i32, or a finite one that f32 would round to ∞; TypeError for what is no number.
 */
export function elementsOf(operation: string, values: Numbers, dtype: DType): TypedArray {
  const Elements = arrayTypes[dtype];
  if (values instanceof Elements) return values;
  const known =
    Array.isArray(values) ||
    (ArrayBuffer.isView(values) &&
      !(values instanceof DataView || values instanceof BigInt64Array || values instanceof BigUint64Array));
  if (!known) throw new TypeError(`${operation}: expected an array of numbers, got ${String(values)}`);
  const elements = new Elements(values.length);
  if (alwaysFits(values, dtype)) {
    elements.set(values);
    return elements;
  }
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    requireElement(operation, dtype, value, i);
    elements[i] = value;
  }
  return elements;
}
