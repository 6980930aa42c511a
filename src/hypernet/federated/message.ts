// What server and clients of a federation tell each other: a kind, fields in JSON, and named
// arrays. On the wire a message is a safetensors file whose metadata holds kind and fields.

import { readSafetensors, writeSafetensors } from '../../data/index.js';
import { type Shape, scope, sizeOf, tensor } from '../../tensor/index.js';
import { type Layout, requireNames } from '../layout.js';

/** A named array of a message: f32, or int8 with a scale. */
export interface NamedArray {
  /** Shape of the values, row-major. */
  readonly shape: Shape;
  /** f32 values, or integers from −127 to 127. */
  readonly values: Float32Array | Int8Array;
  /** Of int8 values: the value of the integer 1. */
  readonly scale?: number;
}

/** Arrays by name: weights, or differences of weights. */
export type NamedArrays = Readonly<Record<string, NamedArray>>;

/** A message between server and client. */
export interface Message {
  /** What is asked or answered, such as `train`. */
  readonly kind: string;
  /** Plain data. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Arrays by name. */
  readonly arrays: NamedArrays;
}

const FORMAT = 'gossamer-federated-1';

/** The bytes of a message. */
export function encodeMessage({ kind, fields, arrays }: Message): Uint8Array {
  return scope(() => {
    const scales = Object.fromEntries(
      Object.entries(arrays).flatMap(([name, { scale }]) => (scale === undefined ? [] : [[name, scale]])),
    );
    const tensors = Object.entries(arrays).map(([name, { values, shape }]) => [name, tensor(values, shape)] as const);
    return writeSafetensors(Object.fromEntries(tensors), {
      format: FORMAT,
      kind,
      fields: JSON.stringify(fields),
      scales: JSON.stringify(scales),
    });
  });
}

/**
 * Reads the bytes of a message.
 *
 * @param from who sent it, for errors
 * @throws Error when the bytes are no message, or an array is neither f32 nor int8 with a scale
 */
export function decodeMessage(bytes: Uint8Array, from = 'a message'): Message {
  return scope(() => {
    const { tensors, metadata } = readSafetensors(bytes, from);
    if (metadata.format !== FORMAT || metadata.kind === undefined)
      throw new Error(`${from} is no message of a federation of this version (${FORMAT})`);
    const fields = parsed(metadata.fields, 'fields', from);
    const scales = parsed(metadata.scales, 'scales', from);
    const arrays = Object.entries(tensors).map(([name, own]): [string, NamedArray] => {
      const scale = Object.hasOwn(scales, name) ? scales[name] : undefined;
      if (own.dtype === 'f32' && scale === undefined)
        return [name, { shape: own.shape, values: own.dataSync<Float32Array>().slice() }];
      if (own.dtype === 'i8' && typeof scale === 'number' && Number.isFinite(scale) && scale >= 0)
        return [name, { shape: own.shape, values: own.dataSync<Int8Array>().slice(), scale }];
      throw new Error(`${from}: the array "${name}" is ${own}; expected f32, or i8 with a scale`);
    });
    return { kind: metadata.kind, fields, arrays: Object.fromEntries(arrays) };
  });
}

function parsed(text: string | undefined, what: string, from: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Reported below.
  }
  throw new Error(`${from}: its ${what} are not a JSON object`);
}

/** Bytes of the arrays of a message: 4 a number, or 1 in int8. */
export function payloadBytes({ arrays }: Pick<Message, 'arrays'>): number {
  return Object.values(arrays).reduce((sum, { values }) => sum + values.byteLength, 0);
}

/**
 * Arrays as int8 with a scale each: q = round(v / s), s = max |v| / 127.
 *
 * Integers that a rounding error of half a step away are what a receiver sees; see `floatsOf`.
 */
export function quantizeArrays(arrays: NamedArrays): NamedArrays {
  return mapArrays(arrays, ({ shape, values }) => {
    let most = 0;
    for (const value of values) most = Math.max(most, Math.abs(value));
    const scale = most / 127;
    return { shape, values: Int8Array.from(values, (value) => (scale > 0 ? Math.round(value / scale) : 0)), scale };
  });
}

/** The values of an array as f32. */
export function floatsOf({ values, scale = 1 }: NamedArray): Float32Array {
  return values instanceof Float32Array ? values : Float32Array.from(values, (value) => value * scale);
}

/** Arrays of the same names, each made from the old one. */
export function mapArrays(arrays: NamedArrays, make: (array: NamedArray, name: string) => NamedArray): NamedArrays {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, make(array, name)]));
}

/** a + factor·b for arrays of the same names, as f32. */
export function addArrays(a: NamedArrays, b: NamedArrays, factor = 1): NamedArrays {
  return mapArrays(a, (array, name) => {
    const [own, other] = [floatsOf(array), floatsOf(b[name] as NamedArray)];
    return { shape: array.shape, values: own.map((value, i) => value + factor * (other[i] as number)) };
  });
}

/** The weights of a client after its training: those that it was sent, less what it answered. */
export function weightsAfter(sent: NamedArrays, difference: NamedArrays): NamedArrays {
  return addArrays(sent, difference, -1);
}

/** √Σ v² over all arrays. */
export function normOf(arrays: NamedArrays): number {
  let sum = 0;
  for (const array of Object.values(arrays)) for (const value of floatsOf(array)) sum += value * value;
  return Math.sqrt(sum);
}

/**
 * The arrays of an update as one vector in a layout's order.
 *
 * @throws Error for other names or shapes than the layout's, or values that are not finite
 */
export function vectorOf(layout: Layout, arrays: NamedArrays): Float32Array {
  requireNames('the update', Object.keys(layout.shapes), Object.keys(arrays));
  const vector = new Float32Array(layout.size);
  for (const { name, shape, offset } of layout.entries) {
    const array = arrays[name] as NamedArray;
    if (array.shape.join() !== shape.join())
      throw new Error(
        `the update: "${name}" has the shape [${array.shape.join(', ')}], expected [${shape.join(', ')}]`,
      );
    const values = floatsOf(array);
    const wrong = values.findIndex((value) => !Number.isFinite(value));
    if (wrong >= 0) throw new Error(`the update: "${name}" holds ${values[wrong]} at ${wrong}; values must be finite`);
    vector.set(values, offset);
  }
  return vector;
}

/** The inverse of `vectorOf`. */
export function arraysOf(layout: Layout, vector: Float32Array): NamedArrays {
  return Object.fromEntries(
    layout.entries.map(({ name, shape, offset }) => [
      name,
      { shape, values: vector.slice(offset, offset + sizeOf(shape)) },
    ]),
  );
}
