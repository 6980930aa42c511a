// The subset of Python pickles that published data sets use: plain values, NumPy arrays, and the
// fields of objects such as SciPy's sparse matrices. No code in a pickle is executed: classes
// become records, and any other callable is refused.

import type { NamedArray } from './array.js';
import { inflateLimit } from './inflate.js';
import { build, call, DType, Global, Instance, PendingArray, type Value } from './pickle-objects.js';

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

/** Latin-1. (The platform's `latin1` decoder is windows-1252, which changes 0x80 … 0x9f.) */
function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

/** @throws Error for an integer that a number cannot hold. */
function exact(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new Error(`holds the integer ${value}, which exceeds 53 bits`);
  return number;
}

/** Protocol 0 writes booleans as the integers 00 and 01. */
function integerLine(text: string): number | boolean {
  return text === '00' || text === '01' ? text === '01' : decimal(text);
}

/** @throws Error for other text than an integer, and for one that a number cannot hold. */
function decimal(text: string): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new Error(`holds "${text.slice(0, 40)}", no integer of at most 53 bits`);
  return value;
}

/** Python writes inf and nan. @throws Error for other text than a number. */
function float(text: string): number {
  if (/^-?inf$/.test(text)) return text === 'inf' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isNaN(value) && text !== 'nan') throw new Error(`holds "${text.slice(0, 40)}", no number`);
  return value;
}

/** The text of a quoted string. @throws Error where it holds escapes. */
function quoted(text: string): string {
  if (!/^'[^\\]*'$|^"[^\\]*"$/.test(text)) throw new Error('holds a string with escapes, which is not supported');
  return text.slice(1, -1);
}

/** Python's raw-unicode-escape. */
function unescaped(text: string): string {
  return text.replace(/\\u([0-9a-f]{4})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** Deepest nesting of values. */
const DEEPEST = 500;

/** Converts values of the machine to plain ones. What a pickle shares stays shared. */
class Conversion {
  readonly #done = new Map<Value, Pickled>();
  readonly #open = new Set<Value>();

  of(value: Value): Pickled {
    if (typeof value !== 'object' || value === null) return value as Pickled;
    const known = this.#done.get(value);
    if (known !== undefined) return known;
    if (this.#open.has(value)) throw new Error('holds a value that contains itself');
    if (this.#open.size >= DEEPEST) throw new Error(`nests values more than ${DEEPEST} deep`);
    this.#open.add(value);
    const plain = this.#plain(value);
    this.#open.delete(value);
    this.#done.set(value, plain);
    return plain;
  }

  #plain(value: object): Pickled {
    if (value instanceof PendingArray) {
      if (!value.result) throw new Error('holds an array without data');
      return value.result;
    }
    if (value instanceof Instance) {
      return { className: value.className, fields: this.of(value.state) as ReadonlyMap<Pickled, Pickled> };
    }
    if (value instanceof Map) return new Map([...value].map(([key, item]) => [this.of(key), this.of(item)]));
    if (value instanceof Set) return new Set([...value].map((item) => this.of(item)));
    if (Array.isArray(value)) return value.map((item) => this.of(item));
    if (value instanceof Global || value instanceof DType) throw new Error('holds a class or type as a value');
    return value as Pickled;
  }
}

/** The pickle machine: a stack, marks, and a memo. */
class Machine {
  readonly #view: DataView;
  #at = 0;
  #stack: Value[] = [];
  readonly #marks: Value[][] = [];
  readonly #memo = new Map<number, Value>();
  #copied = 0;

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
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.#take(length));
  }

  /** Little-endian two's complement. */
  #long(length: number): number {
    const raw = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(raw[i] as number);
    return exact(length ? BigInt.asIntN(8 * length, value) : 0n);
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
    [0x4c]: (m) => decimal(m.#line().replace('L', '')), // LONG
    [0x46]: (m) => float(m.#line()), // FLOAT
    [0x47]: (m) => m.#float(), // BINFLOAT
    [0x58]: (m) => m.#text(m.#unsigned(4)), // BINUNICODE
    [0x8c]: (m) => m.#text(m.#byte()), // SHORT_BINUNICODE
    [0x8d]: (m) => m.#text(m.#unsigned(8)), // BINUNICODE8
    [0x56]: (m) => unescaped(m.#line()), // UNICODE
    [0x53]: (m) => quoted(m.#line()), // STRING
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
    [0x52]: (m) => m.#call(...(m.#popMany(2) as [Value, Value[]])), // REDUCE
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
    [0x62]: (m) => m.#build(...(m.#popMany(2) as [Value, Value])), // BUILD
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

  #call(target: Value, args: readonly Value[]): Value {
    this.#account(args);
    return call(target, args);
  }

  #build(target: Value, state: Value): void {
    if (target instanceof PendingArray) this.#account(state as readonly Value[]);
    build(target, state);
    this.#stack.push(target);
  }

  /** Counts what a call copies: arguments may be recalled from the memo any number of times. */
  #account(args: readonly Value[]): void {
    for (const value of args)
      if (typeof value === 'string' || value instanceof Uint8Array) this.#copied += value.length;
      else if (Array.isArray(value)) this.#copied += 16 * value.length;
    const limit = inflateLimit(this.bytes.length);
    if (this.#copied > limit) throw new Error(`would copy its values to more than ${limit} bytes`);
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
    return new Conversion().of(new Machine(bytes).run());
  } catch (error) {
    // Operations that meet values of another kind than they need fail as the language does.
    const reason = (error as Error).constructor === Error ? (error as Error).message : 'is no pickle that can be read';
    throw new Error(`readPickle: "${name}" ${reason}`);
  }
}
