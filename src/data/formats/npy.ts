// NumPy's .npy and .npz files.

import { strToU8, zipSync } from 'fflate';
import { halfToFloat } from '../../quantized/index.js';
import { type ArrayValues, type NamedArray, narrowInteger, narrowNatural, rowMajor } from './array.js';
import { type InflateOptions, unzip } from './inflate.js';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

interface Element {
  readonly bytes: number;
  readonly make: (length: number) => ArrayValues;
  readonly read: (view: DataView, offset: number, littleEndian: boolean) => number;
}

const elements: Readonly<Record<string, Element>> = {
  f2: {
    bytes: 2,
    make: (n) => new Float32Array(n),
    read: (view, at, little) => halfToFloat(view.getUint16(at, little)),
  },
  f4: { bytes: 4, make: (n) => new Float32Array(n), read: (view, at, little) => view.getFloat32(at, little) },
  f8: { bytes: 8, make: (n) => new Float64Array(n), read: (view, at, little) => view.getFloat64(at, little) },
  i1: { bytes: 1, make: (n) => new Int8Array(n), read: (view, at) => view.getInt8(at) },
  i2: { bytes: 2, make: (n) => new Int16Array(n), read: (view, at, little) => view.getInt16(at, little) },
  i4: { bytes: 4, make: (n) => new Int32Array(n), read: (view, at, little) => view.getInt32(at, little) },
  i8: {
    bytes: 8,
    make: (n) => new Int32Array(n),
    read: (view, at, little) => narrowInteger(view.getBigInt64(at, little)),
  },
  u1: { bytes: 1, make: (n) => new Uint8Array(n), read: (view, at) => view.getUint8(at) },
  u2: { bytes: 2, make: (n) => new Uint16Array(n), read: (view, at, little) => view.getUint16(at, little) },
  u4: { bytes: 4, make: (n) => new Uint32Array(n), read: (view, at, little) => view.getUint32(at, little) },
  u8: {
    bytes: 8,
    make: (n) => new Uint32Array(n),
    read: (view, at, little) => narrowNatural(view.getBigUint64(at, little)),
  },
  b1: { bytes: 1, make: (n) => new Uint8Array(n), read: (view, at) => view.getUint8(at) },
};

/** What other types are, with what to do about them. */
const refused: readonly (readonly [type: RegExp, reason: string])[] = [
  [/^O/, 'Python objects; save numbers, or texts as a table'],
  [/^[mM]8/, 'dates or durations; save x.astype("int64") in days or seconds'],
  [/^c/, 'complex numbers; save real and imaginary parts'],
];

/** Texts are arrays of characters with one more axis: bytes for `S`, code points for `U`. */
function textElement(type: string): { readonly element: Element; readonly length: number } | undefined {
  const [, kind, digits] = /^([SU])(\d+)$/.exec(type) ?? [];
  const element = kind === undefined ? undefined : elements[kind === 'S' ? 'u1' : 'u4'];
  return element && { element, length: Number(digits) };
}

/**
 * Reads a .npy file of numbers of any byte order, in C or Fortran order; 64-bit integers must fit
 * 32 bits. Texts become one more axis of bytes (`S`) or code points (`U`).
 *
 * @param name of the file, in error messages
 * @throws Error when the file is not .npy, is truncated, or holds elements of another type.
 */
export function readNpy(bytes: Uint8Array, name = '.npy'): NamedArray {
  const fail = (reason: string): never => {
    throw new Error(`readNpy: "${name}" ${reason}`);
  };
  if (bytes.length < 10 || MAGIC.some((byte, index) => bytes[index] !== byte)) fail('is not a .npy file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = (bytes[6] as number) > 1;
  if (wide && bytes.length < 12) fail('is truncated in its header');
  const start = wide ? 12 : 10;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  if (start + length > bytes.length) fail('is truncated in its header');
  const header = parseHeader(new TextDecoder('latin1').decode(bytes.slice(start, start + length)), fail);
  const texts = textElement(header.type);
  const element = texts?.element ?? elements[header.type] ?? fail(`holds ${kindOf(header.type)}`);
  const shape = texts ? [...header.shape, texts.length] : header.shape;
  const count = shape.reduce((product, size) => product * size, 1);
  const available = bytes.length - start - length;
  if (!(count * element.bytes <= available))
    fail(`declares shape [${shape.join(', ')}] (${count * element.bytes} bytes) but holds ${available}`);
  const values = element.make(count);
  try {
    for (let i = 0; i < count; i++)
      values[i] = element.read(view, start + length + i * element.bytes, header.littleEndian);
  } catch (error) {
    fail((error as Error).message);
  }
  return { shape, values: header.fortran ? rowMajor(values, header.shape) : values };
}

function kindOf(type: string): string {
  const known = refused.find(([pattern]) => pattern.test(type))?.[1];
  return known ?? `elements of type "${type}"; supported: ${Object.keys(elements).join(', ')}`;
}

interface Header {
  readonly type: string;
  readonly littleEndian: boolean;
  readonly fortran: boolean;
  readonly shape: number[];
}

function parseHeader(text: string, fail: (reason: string) => never): Header {
  const descr = /'descr'\s*:\s*'([<>|=]?)(\w+)(?:\[\w+\])?'/.exec(text);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text);
  const shape = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(text);
  if (/'descr'\s*:\s*\[/.test(text)) return fail('holds records of several fields; save each field as an array');
  if (!descr || !order || !shape) return fail('has an unreadable header');
  return {
    type: descr[2] as string,
    littleEndian: descr[1] !== '>',
    fortran: order[1] === 'True',
    shape: (shape[1] as string)
      .split(',')
      .filter((part) => part.trim())
      .map(Number),
  };
}

function describe(values: ArrayValues): string {
  const kinds: readonly [new (n: number) => ArrayValues, string][] = [
    [Float32Array, '<f4'],
    [Float64Array, '<f8'],
    [Int32Array, '<i4'],
    [Uint32Array, '<u4'],
    [Int16Array, '<i2'],
    [Uint16Array, '<u2'],
    [Int8Array, '|i1'],
    [Uint8Array, '|u1'],
  ];
  return (kinds.find(([kind]) => values instanceof kind) as [unknown, string])[1];
}

/** The header of a .npy file; the raw little-endian values follow it. */
export function npyHeader({ shape, values }: NamedArray): Uint8Array {
  const list = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const header = `{'descr': '${describe(values)}', 'fortran_order': False, 'shape': (${list}), }`;
  const padded = `${header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11)}\n`;
  const bytes = new Uint8Array(10 + padded.length);
  bytes.set([...MAGIC, 1, 0, padded.length & 0xff, padded.length >> 8]);
  bytes.set(strToU8(padded), 10);
  return bytes;
}

/** Writes a .npy file. */
export function writeNpy(array: NamedArray): Uint8Array {
  const header = npyHeader(array);
  const { values } = array;
  const file = new Uint8Array(header.length + values.byteLength);
  file.set(header);
  file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), header.length);
  return file;
}

/**
 * Reads a .npz archive: arrays by name.
 *
 * @param options limit on the size of the whole archive
 * @throws Error when the archive or one of its arrays is broken, or when it would exceed the limit.
 */
export function readNpz(bytes: Uint8Array, name = '.npz', options: InflateOptions = {}): Record<string, NamedArray> {
  let files: Map<string, Uint8Array>;
  try {
    files = unzip(bytes, options);
  } catch (error) {
    throw new Error(`readNpz: "${name}" is not a readable zip archive (${(error as Error).message})`);
  }
  return Object.fromEntries(
    Array.from(files, ([file, contents]) => [file.replace(/\.npy$/, ''), readNpy(contents, `${name}:${file}`)]),
  );
}

/** Writes a compressed .npz archive. */
export function writeNpz(arrays: Readonly<Record<string, NamedArray>>): Uint8Array {
  return zipSync(Object.fromEntries(Object.entries(arrays).map(([name, array]) => [`${name}.npy`, writeNpy(array)])));
}
