// The IDX format of MNIST: two zero bytes, an element type, the number of axes, big-endian sizes,
// then big-endian values; often gzipped.

import type { ArrayValues, NamedArray } from './array.js';
import { gunzip, type InflateOptions, isGzip } from './inflate.js';

interface Element {
  readonly bytes: number;
  readonly make: (length: number) => ArrayValues;
  readonly read: (view: DataView, offset: number) => number;
}

const elements: Readonly<Record<number, Element>> = {
  8: { bytes: 1, make: (n) => new Uint8Array(n), read: (view, at) => view.getUint8(at) },
  9: { bytes: 1, make: (n) => new Int8Array(n), read: (view, at) => view.getInt8(at) },
  11: { bytes: 2, make: (n) => new Int16Array(n), read: (view, at) => view.getInt16(at) },
  12: { bytes: 4, make: (n) => new Int32Array(n), read: (view, at) => view.getInt32(at) },
  13: { bytes: 4, make: (n) => new Float32Array(n), read: (view, at) => view.getFloat32(at) },
  14: { bytes: 8, make: (n) => new Float64Array(n), read: (view, at) => view.getFloat64(at) },
};

/**
 * Reads an IDX file, gzipped or not.
 *
 * @param name of the file, in error messages
 * @param options limit on the size of a gzipped file
 * @throws Error when the file is not IDX, or its length is not what its header declares.
 */
export function readIdx(file: Uint8Array, name = '.idx', options: InflateOptions = {}): NamedArray {
  const fail = (reason: string): never => {
    throw new Error(`readIdx: "${name}" ${reason}`);
  };
  const bytes = unpacked(file, options, fail);
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0) fail('is not an IDX file');
  const element = elements[bytes[2] as number] ?? fail(`holds elements of type 0x${(bytes[2] as number).toString(16)}`);
  const rank = bytes[3] as number;
  const start = 4 + 4 * rank;
  if (bytes.length < start) fail('is truncated in its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = shape.reduce((product, size) => product * size, 1);
  if (!shape.length || count * element.bytes !== bytes.length - start)
    fail(`declares ${shape.join('×')} values (${count * element.bytes} bytes) but holds ${bytes.length - start}`);
  if (element.bytes === 1 && bytes[2] === 8) return { shape, values: bytes.slice(start) };
  const values = element.make(count);
  for (let i = 0; i < count; i++) values[i] = element.read(view, start + i * element.bytes);
  return { shape, values };
}

function unpacked(bytes: Uint8Array, options: InflateOptions, fail: (reason: string) => never): Uint8Array {
  if (!isGzip(bytes)) return bytes;
  try {
    return gunzip(bytes, options);
  } catch (error) {
    return fail(`is not readable gzip (${(error as Error).message})`);
  }
}

/** Writes an IDX file of bytes. */
export function writeIdx({
  shape,
  values,
}: {
  readonly shape: readonly number[];
  readonly values: Uint8Array;
}): Uint8Array {
  const start = 4 + 4 * shape.length;
  const file = new Uint8Array(start + values.length);
  const view = new DataView(file.buffer);
  file.set([0, 0, 8, shape.length]);
  shape.forEach((size, axis) => {
    view.setUint32(4 + 4 * axis, size);
  });
  file.set(values, start);
  return file;
}
