// Python objects of a pickle: what its few allowed calls make.

import { type ArrayValues, type NamedArray, narrowInteger, rowMajor } from './array.js';

/** A value under construction on the machine's stack. */
export type Value = unknown;

/** A class or function by its qualified name. */
export class Global {
  constructor(readonly name: string) {}
}

/** A NumPy element type such as `f4`. */
export class DType {
  order = '<';
  constructor(readonly kind: string) {}
}

/** An object with its state. */
export class Instance {
  state: Value = new Map();
  constructor(readonly className: string) {}
}

/** A NumPy array, whose state follows its creation. */
export class PendingArray {
  result: NamedArray | undefined;
}

const arrayKinds: Readonly<Record<string, new (buffer: ArrayBuffer) => ArrayLike<number | bigint>>> = {
  f4: Float32Array,
  f8: Float64Array,
  i1: Int8Array,
  i2: Int16Array,
  i4: Int32Array,
  i8: BigInt64Array,
  u1: Uint8Array,
  b1: Uint8Array,
};

/**
 * Values of a NumPy buffer; 64-bit integers are narrowed to 32 bits.
 *
 * @throws Error for other types and byte orders, and integers that do not fit.
 */
function arrayValues(type: DType, raw: Uint8Array): ArrayValues {
  if (!(type instanceof DType && raw instanceof Uint8Array))
    throw new Error('holds a NumPy array without a type or data');
  const { kind, order } = type;
  const Kind = arrayKinds[kind];
  if (!Kind || order === '>') throw new Error(`NumPy elements of type "${order}${kind}" are not supported`);
  const values = new Kind(new Uint8Array(raw).buffer);
  return values instanceof BigInt64Array ? Int32Array.from(values, narrowInteger) : (values as ArrayValues);
}

const sets = ['builtins.set', '__builtin__.set', 'builtins.frozenset', '__builtin__.frozenset'];
const maps = ['collections.defaultdict', 'collections.OrderedDict'];
const reconstructors = ['copy_reg._reconstructor', 'copyreg._reconstructor'];

/** The result of a known function. @throws Error for every other function. */
export function call(target: Value, args: readonly Value[]): Value {
  if (!(target instanceof Global)) throw new Error('calls something that is no global');
  const { name } = target;
  if (sets.includes(name)) return new Set((args[0] as Value[] | undefined) ?? []);
  if (maps.includes(name)) return new Map();
  if (name === '_codecs.encode') return latin1Bytes(args[0] as string);
  if (name === 'numpy.dtype' && typeof args[0] === 'string') return new DType(args[0]);
  if (/^numpy\.(_?core)\.multiarray\._reconstruct$/.test(name)) return new PendingArray();
  if (/^numpy\.(_?core)\.multiarray\.scalar$/.test(name)) {
    return Number(arrayValues(args[0] as DType, args[1] as Uint8Array)[0]);
  }
  if (reconstructors.includes(name)) return new Instance((args[0] as Global).name);
  throw new Error(`calls ${name}, which is not allowed`);
}

/** Applies the state of an object (BUILD). */
export function build(target: Value, state: Value): void {
  if (target instanceof PendingArray) {
    const [, shape, dtype, fortran, raw] = state as [number, number[], DType, boolean, Uint8Array];
    const values = arrayValues(dtype, raw);
    if (shape.reduce((product, size) => product * size, 1) !== values.length)
      throw new Error(`holds an array of shape [${shape.join(', ')}] with ${values.length} values`);
    target.result = { shape, values: fortran ? rowMajor(values, shape) : values };
  } else if (target instanceof DType) {
    target.order = String((state as Value[])[1]);
  } else if (target instanceof Instance) {
    target.state = state;
  } else {
    throw new Error('sets the state of something that has none');
  }
}

/** The bytes of Latin-1. @throws Error for a character outside it. */
function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255) throw new Error('encodes a character that is not Latin-1');
    bytes[i] = code;
  }
  return bytes;
}
