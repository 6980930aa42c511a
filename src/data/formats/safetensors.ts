// The safetensors format: a JSON header of names, types, shapes and offsets, then the raw values.

import { emptyTensor, type Tensor, tensor } from '../../tensor/index.js';
import { type ByteSource, bytesInMemory, partOf, type TensorPart, type TensorPlace } from '../bytes.js';
import { narrowFloats, narrowInteger } from './array.js';
import { widenHalves } from './halves.js';
import { repeatedKey } from './json-keys.js';

/** Tensors and string metadata of a safetensors file. */
export interface SafetensorsFile {
  /** Tensors by name. */
  readonly tensors: Record<string, Tensor>;
  /** The `__metadata__` entry of the header. */
  readonly metadata: Readonly<Record<string, string>>;
}

interface Entry {
  readonly dtype: keyof typeof widths;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Key of the header that holds the metadata, and can therefore be no tensor's name. */
const METADATA = '__metadata__';
/** Longest header in bytes, as in the reference implementation. */
const LONGEST_HEADER = 100_000_000;

const names = { f32: 'F32', i32: 'I32', u8: 'U8', i8: 'I8' } as const;

const widths = {
  F32: 4,
  I32: 4,
  U8: 1,
  I8: 1,
  F16: 2,
  BF16: 2,
  F64: 8,
  I64: 8,
  BOOL: 1,
} as const;

const storedTypes = { F32: 'f32', I32: 'i32', I8: 'i8', U8: 'u8', BOOL: 'u8' } as const;

/** A safetensors file whose tensors are read on demand. */
export class SafetensorsReader {
  /** The `__metadata__` entry of the header. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Shapes of the stored tensors by name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly #entries: ReadonlyMap<string, Entry>;
  /** Byte offset of the values. */
  readonly #start: number;

  /**
   * Reads the header.
   *
   * @throws Error when the file is truncated, inconsistent, or holds another element type; when a
   * name occurs twice; when tensors overlap, or bytes belong to none.
   */
  constructor(readonly source: ByteSource) {
    const fail = (reason: string): never => {
      throw new Error(`readSafetensors: "${source.name}" ${reason}`);
    };
    if (source.size < 8) fail(`is too short (${source.size} bytes)`);
    const bytes = (length: number, position: number) => {
      const target = new Uint8Array(length);
      source.read(target, position);
      return target;
    };
    const length = Number(new DataView(bytes(8, 0).buffer).getBigUint64(0, true));
    if (length > source.size - 8) fail(`is truncated: its header takes ${length} bytes of ${source.size - 8}`);
    if (length > LONGEST_HEADER) fail(`has a header of ${length} bytes; the format allows ${LONGEST_HEADER}`);
    const { [METADATA]: metadata = {}, ...entries } = parseHeader(bytes(length, 8), fail);
    this.metadata = checkMetadata(metadata, fail);
    this.#start = 8 + length;
    this.#entries = new Map(
      Object.entries(entries).map(([name, entry]) => [name, checkEntry(name, entry, source.size - this.#start, fail)]),
    );
    checkCover(this.#entries, source.size - this.#start, fail);
    this.shapes = new Map(Array.from(this.#entries, ([name, { shape }]) => [name, shape]));
  }

  /** Type, shape and byte range of a tensor or of a part. @throws Error when there is none. */
  place(name: string, part: TensorPart = {}): TensorPlace & Pick<Entry, 'dtype'> {
    const entry = this.#entries.get(name);
    if (!entry) throw new Error(`readSafetensors: "${this.source.name}" has no tensor "${name}"`);
    const { dtype, data_offsets: offsets } = entry;
    const whole = { shape: entry.shape, position: this.#start + offsets[0], bytes: offsets[1] - offsets[0] };
    return { dtype, ...partOf(whole, part) };
  }

  /**
   * A tensor or a part of it: F16, BF16 and F64 become f32; I64 becomes i32; BOOL becomes u8.
   *
   * @throws Error when a 64-bit value does not fit.
   */
  tensor(name: string, part: TensorPart = {}): Tensor {
    const { dtype, shape, position, bytes: size } = this.place(name, part);
    const read = (target: Uint8Array, offset: number) => this.source.read(target, position + offset);
    if (dtype === 'F16' || dtype === 'BF16') return widenHalves(shape, dtype, read);
    if (dtype === 'F64' || dtype === 'I64') {
      const bytes = new Uint8Array(size);
      read(bytes, 0);
      const place = `readSafetensors: "${this.source.name}", tensor "${name}"`;
      return dtype === 'F64'
        ? tensor(narrowFloats(new Float64Array(bytes.buffer), place), shape)
        : tensor(narrowIntegers(new BigInt64Array(bytes.buffer), place), shape);
    }
    const values = emptyTensor(shape, storedTypes[dtype]);
    const own = values.view();
    read(new Uint8Array(own.buffer, own.byteOffset, own.byteLength), 0);
    return values;
  }
}

/**
 * Reads a safetensors file whole. F16, BF16 and F64 become f32; I64 becomes i32; BOOL becomes u8.
 *
 * @param name of the file, in error messages
 * @throws Error as `SafetensorsReader` does, and when a 64-bit value does not fit.
 */
export function readSafetensors(bytes: Uint8Array, name = '.safetensors'): SafetensorsFile {
  const file = new SafetensorsReader(bytesInMemory(bytes, name));
  const tensors = Object.fromEntries(Array.from(file.shapes.keys(), (key) => [key, file.tensor(key)]));
  return { tensors, metadata: file.metadata };
}

function narrowIntegers(values: BigInt64Array, place: string): Int32Array {
  try {
    return Int32Array.from(values, narrowInteger);
  } catch (error) {
    throw new Error(`${place}: ${(error as Error).message}`);
  }
}

function parseHeader(bytes: Uint8Array, fail: (reason: string) => never): Record<string, unknown> {
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch {
    return fail('has an unreadable header');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) return fail('has an unreadable header');
  const repeated = repeatedKey(text);
  if (repeated !== undefined) fail(`gives "${repeated}" twice in its header`);
  return header as Record<string, unknown>;
}

function checkMetadata(metadata: unknown, fail: (reason: string) => never): Readonly<Record<string, string>> {
  const isObject = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata);
  if (!isObject || !Object.values(metadata).every((value) => typeof value === 'string'))
    return fail(`has metadata (${METADATA}) that is not a table of strings`);
  return metadata as Readonly<Record<string, string>>;
}

/** Tensors must follow each other without holes or overlaps, from the first byte to the last. */
function checkCover(entries: ReadonlyMap<string, Entry>, available: number, fail: (reason: string) => never): void {
  const inOrder = [...entries].sort(([, { data_offsets: a }], [, { data_offsets: b }]) => a[0] - b[0] || a[1] - b[1]);
  let [end, before] = [0, ''];
  for (const [name, { data_offsets: offsets }] of inOrder) {
    if (offsets[0] < end) fail(`has tensors "${before}" and "${name}" overlap at byte ${offsets[0]} of the values`);
    if (offsets[0] > end) fail(`has ${offsets[0] - end} bytes before tensor "${name}" that belong to no tensor`);
    [end, before] = [offsets[1], name];
  }
  if (end < available) fail(`has ${available - end} bytes after its last tensor that belong to none`);
}

function checkEntry(key: string, value: unknown, available: number, fail: (reason: string) => never): Entry {
  const entry = value as Partial<Entry> | null;
  const shape = entry?.shape;
  const offsets = entry?.data_offsets;
  const isSize = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 0;
  if (
    !Array.isArray(shape) ||
    !shape.every(isSize) ||
    !Array.isArray(offsets) ||
    offsets.length !== 2 ||
    !offsets.every(isSize)
  ) {
    return fail(`describes tensor "${key}" in no way that can be read`);
  }
  const width = Object.hasOwn(widths, entry?.dtype ?? '') ? widths[entry?.dtype as keyof typeof widths] : undefined;
  if (!width)
    return fail(
      `holds tensor "${key}" of type ${JSON.stringify(entry?.dtype ?? null)}; supported: ${Object.keys(widths).join(', ')}`,
    );
  const [start, end] = offsets as [number, number];
  const bytes = shape.reduce((product: number, size: number) => product * size, width as number);
  if (end > available || end - start !== bytes) {
    return fail(
      `declares ${bytes} bytes for tensor "${key}" [${shape.join(', ')}] but holds ${Math.max(0, Math.min(end, available) - start)}`,
    );
  }
  return entry as Entry;
}

/**
 * Writes tensors and string metadata. The header is padded to 8 bytes, so that readers may map the
 * values.
 *
 * @throws Error for a tensor named `__metadata__`, which the format keeps for the metadata.
 */
export function writeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries = Object.entries(tensors).map(([name, { dtype, shape, size }]): StoredShape => {
    return { name, dtype: names[dtype], shape, bytes: size * (dtype === 'f32' || dtype === 'i32' ? 4 : 1) };
  });
  const header = headerOf(entries, metadata);
  const file = new Uint8Array(header.length + entries.reduce((total, { bytes }) => total + bytes, 0));
  file.set(header);
  let offset = header.length;
  for (const tensor of Object.values(tensors)) {
    const values = tensor.dataSync();
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
    offset += values.byteLength;
  }
  return file;
}

interface StoredShape {
  readonly name: string;
  readonly dtype: keyof typeof widths;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** The length of the header and the header, padded to 8 bytes. */
function headerOf(stored: readonly StoredShape[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const entries: [string, unknown][] = Object.keys(metadata).length ? [[METADATA, metadata]] : [];
  const seen = new Set([METADATA]);
  let end = 0;
  for (const { name, dtype, shape, bytes } of stored) {
    if (seen.has(name))
      throw new Error(
        name === METADATA
          ? `writeSafetensors: no tensor can be named "${METADATA}", which the format keeps for metadata`
          : `writeSafetensors: two tensors are named "${name}"`,
      );
    seen.add(name);
    entries.push([name, { dtype, shape, data_offsets: [end, end + bytes] }]);
    end += bytes;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const padded = Math.ceil(text.length / 8) * 8;
  const header = new Uint8Array(8 + padded).fill(0x20, 8 + text.length);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(text, 8);
  return header;
}

/** A tensor of numbers that are made when they are written. */
export interface StreamedTensor {
  /** Name of the tensor. */
  readonly name: string;
  /** Its shape. */
  readonly shape: readonly number[];
  /** Its values in row-major order, in parts; each is used before the next is asked for. */
  values(): Iterable<Float32Array>;
}

/**
 * A safetensors file in pieces, for tensors that together are larger than memory.
 *
 * @param dtype `F32`, or `BF16`, rounded to the nearest, ties to even
 * @throws Error for two tensors of one name, one named `__metadata__`, and when the parts of a
 * tensor do not hold as many numbers as its shape says
 */
export function* safetensorsPieces(
  tensors: readonly StreamedTensor[],
  metadata: Readonly<Record<string, string>> = {},
  dtype: 'F32' | 'BF16' = 'F32',
): Generator<Uint8Array> {
  const stored = tensors.map(({ name, shape }): StoredShape => {
    return { name, dtype, shape, bytes: widths[dtype] * shape.reduce((product, size) => product * size, 1) };
  });
  yield headerOf(stored, metadata);
  for (const [at, { name, values }] of tensors.entries()) {
    let written = 0;
    for (const part of values()) {
      const bytes = dtype === 'F32' ? part : bfloat16(part);
      yield new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      written += bytes.byteLength;
    }
    if (written !== stored[at]?.bytes)
      throw new Error(
        `safetensorsPieces: "${name}" has ${written} bytes of values, its shape says ${stored[at]?.bytes}`,
      );
  }
}

/** The upper halves of floats, rounded to the nearest, ties to even; NaN stays NaN. */
function bfloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as number;
    const isNaN = (word & 0x7fffffff) > 0x7f800000;
    halves[i] = isNaN ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return halves;
}
