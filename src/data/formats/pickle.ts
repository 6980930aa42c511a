// The subset of Python pickles that published data sets use: plain values, NumPy arrays, and the
// fields of objects such as SciPy's sparse matrices. No code in a pickle is executed: classes
// become records, and any other callable is refused.

import type { ArrayValues, NamedArray } from './array.js';

/** A Python object as its class name and fields. */
export interface PickledObject {
  /** Qualified name of the class, such as `module.Name`. */
  readonly className: string;
  /** State of the object by key. */
  readonly fields: ReadonlyMap<Pickled, Pickled>;
}

/** A value read from a pickle. */
export type Pickled =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | NamedArray
  | PickledObject
  | readonly Pickled[]
  | ReadonlySet<Pickled>
  | ReadonlyMap<Pickled, Pickled>;

/** A value under construction on the machine's stack. */
type Value = unknown;

class Global {
  constructor(readonly name: string) {}
}

class DType {
  order = '<';
  constructor(readonly kind: string) {}
}

class Instance {
  state: Value = new Map();
  constructor(readonly className: string) {}
}

class PendingArray {
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
 * @throws Error for other types and byte orders.
 */
function arrayValues({ kind, order }: DType, raw: Uint8Array): ArrayValues {
  const Kind = arrayKinds[kind];
  if (!Kind || order === '>') throw new Error(`NumPy elements of type "${order}${kind}" are not supported`);
  const values = new Kind(new Uint8Array(raw).buffer);
  return values instanceof BigInt64Array ? Int32Array.from(values, Number) : (values as ArrayValues);
}

const sets = ['builtins.set', '__builtin__.set', 'builtins.frozenset', '__builtin__.frozenset'];
const maps = ['collections.defaultdict', 'collections.OrderedDict'];
const reconstructors = ['copy_reg._reconstructor', 'copyreg._reconstructor'];

/** The result of a known function. @throws Error for every other function. */
function call(target: Value, args: readonly Value[]): Value {
  if (!(target instanceof Global)) throw new Error('calls something that is no global');
  const { name } = target;
  if (sets.includes(name)) return new Set((args[0] as Value[] | undefined) ?? []);
  if (maps.includes(name)) return new Map();
  if (name === '_codecs.encode') return Uint8Array.from(args[0] as string, (character) => character.charCodeAt(0));
  if (name === 'numpy.dtype') return new DType(String(args[0]));
  if (/^numpy\.(_?core)\.multiarray\._reconstruct$/.test(name)) return new PendingArray();
  if (/^numpy\.(_?core)\.multiarray\.scalar$/.test(name)) {
    return Number(arrayValues(args[0] as DType, args[1] as Uint8Array)[0]);
  }
  if (reconstructors.includes(name)) return new Instance((args[0] as Global).name);
  throw new Error(`calls ${name}, which is not allowed`);
}

/** Applies the state of an object (BUILD). */
function build(target: Value, state: Value, restore: (target: Value) => void): void {
  if (target instanceof PendingArray) {
    const [, shape, dtype, fortran, raw] = state as [number, number[], DType, boolean, Uint8Array];
    if (fortran && shape.length > 1) throw new Error('holds an array in Fortran order');
    target.result = { shape, values: arrayValues(dtype, raw) };
  } else if (target instanceof DType) {
    target.order = String((state as Value[])[1]);
  } else if (target instanceof Instance) {
    target.state = state;
  } else {
    throw new Error('sets the state of something that has none');
  }
  restore(target);
}

/** Latin-1. (The platform's `latin1` decoder is windows-1252, which changes 0x80 … 0x9f.) */
function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
}

/** Protocol 0 writes booleans as the integers 00 and 01. */
function integerLine(text: string): number | boolean {
  return text === '00' || text === '01' ? text === '01' : Number(text);
}

/** Python's raw-unicode-escape. */
function unescaped(text: string): string {
  return text.replace(/\\u([0-9a-f]{4})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** Converts values of the machine to plain ones. */
function finished(value: Value): Pickled {
  if (value instanceof PendingArray) {
    if (!value.result) throw new Error('holds an array without data');
    return value.result;
  }
  if (value instanceof Instance) {
    return { className: value.className, fields: finished(value.state) as ReadonlyMap<Pickled, Pickled> };
  }
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [finished(key), finished(item)]));
  if (value instanceof Set) return new Set([...value].map(finished));
  if (Array.isArray(value)) return value.map(finished);
  if (value instanceof Global || value instanceof DType) throw new Error('holds a class or type as a value');
  return value as Pickled;
}

/** The pickle machine: a stack, marks, and a memo. */
class Machine {
  readonly #view: DataView;
  #at = 0;
  #stack: Value[] = [];
  readonly #marks: Value[][] = [];
  readonly #memo = new Map<number, Value>();

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): Value {
    for (;;) {
      const code = this.#byte();
      if (code === 0x2e) return this.#pop(); // STOP
      this.#step(code);
    }
  }

  #byte(): number {
    if (this.#at >= this.bytes.length) throw new Error('is truncated');
    return this.bytes[this.#at++] as number;
  }

  #take(length: number): Uint8Array {
    if (!(length >= 0 && this.#at + length <= this.bytes.length)) throw new Error('is truncated');
    this.#at += length;
    return this.bytes.slice(this.#at - length, this.#at);
  }

  #unsigned(width: 1 | 2 | 4 | 8): number {
    const at = this.#at;
    this.#take(width);
    if (width === 8) return Number(this.#view.getBigUint64(at, true));
    return width === 4
      ? this.#view.getUint32(at, true)
      : width === 2
        ? this.#view.getUint16(at, true)
        : this.#view.getUint8(at);
  }

  #line(): string {
    let end = this.#at;
    while (end < this.bytes.length && this.bytes[end] !== 0x0a) end++;
    const text = latin1(this.#take(end - this.#at));
    this.#byte();
    return text;
  }

  #text(length: number): string {
    return new TextDecoder().decode(this.#take(length));
  }

  /** Little-endian two's complement. */
  #long(length: number): number {
    const raw = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(raw[i] as number);
    return Number(length ? BigInt.asIntN(8 * length, value) : 0n);
  }

  #pop(): Value {
    if (this.#stack.length === 0) throw new Error('takes from an empty stack');
    return this.#stack.pop();
  }

  #top<T>(): T {
    if (this.#stack.length === 0) throw new Error('reads an empty stack');
    return this.#stack.at(-1) as T;
  }

  /** Everything pushed since the last mark. */
  #sinceMark(): Value[] {
    const items = this.#stack;
    const outer = this.#marks.pop();
    if (!outer) throw new Error('lacks a mark');
    this.#stack = outer;
    return items;
  }

  #popMany(count: number): Value[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  #setItems(items: readonly Value[]): void {
    const target = this.#top<Map<Value, Value>>();
    for (let i = 0; i + 1 < items.length; i += 2) target.set(items[i], items[i + 1]);
  }

  #append(items: readonly Value[]): void {
    const list = this.#top<Value[]>();
    for (const item of items) list.push(item);
  }

  #addToSet(items: readonly Value[]): void {
    const set = this.#top<Set<Value>>();
    for (const item of items) set.add(item);
  }

  #float(): number {
    const at = this.#at;
    this.#take(8);
    return this.#view.getFloat64(at);
  }

  #keep(key: number): void {
    this.#memo.set(key, this.#top());
  }

  #mark(): void {
    this.#marks.push(this.#stack);
    this.#stack = [];
  }

  #dictionary(items: readonly Value[]): void {
    this.#stack.push(new Map());
    this.#setItems(items);
  }

  /** Operations that push one value. */
  static readonly #pushes: Readonly<Record<number, (m: Machine) => Value>> = {
    [0x4e]: () => null, // NONE
    [0x88]: () => true,
    [0x89]: () => false,
    [0x4a]: (m) => m.#unsigned(4) | 0, // BININT
    [0x4b]: (m) => m.#byte(), // BININT1
    [0x4d]: (m) => m.#unsigned(2), // BININT2
    [0x8a]: (m) => m.#long(m.#byte()), // LONG1
    [0x49]: (m) => integerLine(m.#line()), // INT
    [0x4c]: (m) => Number(m.#line().replace('L', '')), // LONG
    [0x46]: (m) => Number(m.#line()), // FLOAT
    [0x47]: (m) => m.#float(), // BINFLOAT
    [0x58]: (m) => m.#text(m.#unsigned(4)), // BINUNICODE
    [0x8c]: (m) => m.#text(m.#byte()), // SHORT_BINUNICODE
    [0x8d]: (m) => m.#text(m.#unsigned(8)), // BINUNICODE8
    [0x56]: (m) => unescaped(m.#line()), // UNICODE
    [0x53]: (m) => m.#line().slice(1, -1), // STRING
    [0x42]: (m) => m.#take(m.#unsigned(4)), // BINBYTES
    [0x43]: (m) => m.#take(m.#byte()), // SHORT_BINBYTES
    [0x8e]: (m) => m.#take(m.#unsigned(8)), // BINBYTES8
    [0x54]: (m) => latin1(m.#take(m.#unsigned(4))), // BINSTRING
    [0x55]: (m) => latin1(m.#take(m.#byte())), // SHORT_BINSTRING
    [0x5d]: () => [], // EMPTY_LIST
    [0x7d]: () => new Map(), // EMPTY_DICT
    [0x29]: () => [], // EMPTY_TUPLE
    [0x8f]: () => new Set(), // EMPTY_SET
    [0x74]: (m) => m.#sinceMark(), // TUPLE
    [0x6c]: (m) => m.#sinceMark(), // LIST
    [0x85]: (m) => m.#popMany(1), // TUPLE1
    [0x86]: (m) => m.#popMany(2), // TUPLE2
    [0x87]: (m) => m.#popMany(3), // TUPLE3
    [0x32]: (m) => m.#top(), // DUP
    [0x67]: (m) => m.#remembered(Number(m.#line())), // GET
    [0x68]: (m) => m.#remembered(m.#byte()), // BINGET
    [0x6a]: (m) => m.#remembered(m.#unsigned(4)), // LONG_BINGET
    [0x63]: (m) => new Global(`${m.#line()}.${m.#line()}`), // GLOBAL
    [0x93]: (m) => new Global(m.#popMany(2).join('.')), // STACK_GLOBAL
    [0x52]: (m) => call(...(m.#popMany(2) as [Value, Value[]])), // REDUCE
    [0x81]: (m) => new Instance((m.#popMany(2)[0] as Global).name), // NEWOBJ
  };

  /** Operations that change the stack in another way. */
  static readonly #acts: Readonly<Record<number, (m: Machine) => void>> = {
    [0x80]: (m) => void m.#byte(), // PROTO
    [0x95]: (m) => void m.#take(8), // FRAME
    [0x28]: (m) => m.#mark(), // MARK
    [0x30]: (m) => void m.#pop(), // POP
    [0x31]: (m) => void m.#sinceMark(), // POP_MARK
    [0x61]: (m) => m.#append(m.#popMany(1)), // APPEND
    [0x65]: (m) => m.#append(m.#sinceMark()), // APPENDS
    [0x90]: (m) => m.#addToSet(m.#sinceMark()), // ADDITEMS
    [0x73]: (m) => m.#setItems(m.#popMany(2)), // SETITEM
    [0x75]: (m) => m.#setItems(m.#sinceMark()), // SETITEMS
    [0x64]: (m) => m.#dictionary(m.#sinceMark()), // DICT
    [0x70]: (m) => m.#keep(Number(m.#line())), // PUT
    [0x71]: (m) => m.#keep(m.#byte()), // BINPUT
    [0x72]: (m) => m.#keep(m.#unsigned(4)), // LONG_BINPUT
    [0x94]: (m) => m.#keep(m.#memo.size), // MEMOIZE
    [0x62]: (m) => build(...(m.#popMany(2) as [Value, Value]), (target) => m.#stack.push(target)), // BUILD
  };

  #step(code: number): void {
    const make = Machine.#pushes[code];
    const act = Machine.#acts[code];
    if (make) {
      const value = make(this); // may exchange the stack
      this.#stack.push(value);
    } else if (act) act(this);
    else throw new Error(`uses operation 0x${code.toString(16)}, which is not supported`);
  }

  #remembered(key: number): Value {
    if (!this.#memo.has(key)) throw new Error(`recalls value ${key}, which was never kept`);
    return this.#memo.get(key);
  }
}

/**
 * Reads a pickle of protocol 0 to 4: numbers, strings, lists, tuples, sets, dictionaries, NumPy
 * arrays and scalars, and objects as their fields.
 *
 * @throws Error naming the file when it is broken or asks for anything else.
 */
export function readPickle(bytes: Uint8Array, name = '.pickle'): Pickled {
  try {
    return finished(new Machine(bytes).run());
  } catch (error) {
    throw new Error(`readPickle: "${name}" ${(error as Error).message}`);
  }
}
