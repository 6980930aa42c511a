// GGUF, the file format of llama.cpp (versions 2 and 3): metadata, then float or block-quantised
// tensors. Only the header is kept in memory; tensors are read on demand.

import { type BlockFormat, BlockMatrix, blockFormats, halfToFloat } from '../../quantized/index.js';
import { emptyTensor, type Tensor, tensor } from '../../tensor/index.js';
import { type ByteSource, bytesInMemory, partOf, type TensorPart } from '../bytes.js';
import { widenHalves } from './halves.js';

/** A metadata value; 64-bit integers are bigint. */
export type GgufValue = number | bigint | boolean | string | readonly GgufValue[];

/** Type, shape and byte range of a stored tensor. */
export interface GgufTensorInfo {
  /** Name in the file, such as `blk.0.attn_q.weight`. */
  readonly name: string;
  /** Row-major; GGUF itself stores the fastest axis first. */
  readonly shape: readonly number[];
  /** GGML type, such as `Q4_K`. */
  readonly type: string;
  /** In bytes, from the start of the tensor data. */
  readonly offset: number;
  /** Size of the stored values. */
  readonly bytes: number;
}

interface GgmlType {
  readonly name: string;
  /** Values and bytes of a block. */
  readonly values: number;
  readonly bytes: number;
  /** undefined for float types, which are copied or widened by a kernel. */
  readonly decode?: (view: DataView, at: number, out: Float32Array, to: number) => void;
}

const half = (view: DataView, at: number) => halfToFloat(view.getUint16(at, true));

/** 6-bit scale and minimum of sub-block j of a K-quant, from its twelve bytes. */
function scaleAndMinimum(at: (i: number) => number, j: number): [scale: number, minimum: number] {
  if (j < 4) return [at(j) & 63, at(j + 4) & 63];
  return [(at(j + 4) & 15) | ((at(j - 4) >> 6) << 4), (at(j + 4) >> 4) | ((at(j) >> 6) << 4)];
}

/**
 * Q4_K and Q5_K: eight sub-blocks of 32 with 6-bit scales and minima; the fifth bits lie in 32
 * bytes before the nibbles.
 */
function decodeK(fifth: boolean) {
  return (view: DataView, at: number, out: Float32Array, to: number) => {
    const [d, dmin] = [half(view, at), half(view, at + 2)];
    const high = at + 16;
    const low = high + (fifth ? 32 : 0);
    for (let j = 0; j < 8; j++) {
      const [scale, minimum] = scaleAndMinimum((i) => view.getUint8(at + 4 + i), j);
      for (let i = 0; i < 32; i++) {
        const byte = view.getUint8(low + (j >> 1) * 32 + i);
        const bit = fifth ? ((view.getUint8(high + i) >> j) & 1) << 4 : 0;
        out[to + j * 32 + i] = d * scale * ((j & 1 ? byte >> 4 : byte & 15) + bit) - dmin * minimum;
      }
    }
  };
}

/** Q4_0, Q4_1, Q5_0, Q5_1: 32 nibbles, maybe fifth bits, maybe a minimum. */
function decodeNibbles(fifth: boolean, minimum: boolean) {
  return (view: DataView, at: number, out: Float32Array, to: number) => {
    const d = half(view, at);
    const m = minimum ? half(view, at + 2) : 0;
    const bits = at + (minimum ? 4 : 2);
    const high = fifth ? view.getUint32(bits, true) : 0;
    const low = bits + (fifth ? 4 : 0);
    const middle = minimum ? 0 : fifth ? 16 : 8;
    for (let j = 0; j < 32; j++) {
      const byte = view.getUint8(low + (j & 15));
      const q = (j < 16 ? byte & 15 : byte >> 4) + (((high >>> j) & 1) << 4);
      out[to + j] = (q - middle) * d + m;
    }
  };
}

const plain = (bytes: number, read: (view: DataView, at: number) => number) => ({
  values: 1,
  bytes,
  decode: (view: DataView, at: number, out: Float32Array, to: number) => {
    out[to] = read(view, at);
  },
});

const types: Readonly<Record<number, GgmlType>> = {
  0: { name: 'F32', values: 1, bytes: 4 },
  1: { name: 'F16', values: 1, bytes: 2 },
  2: { name: 'Q4_0', ...blockFormats.Q4_0, decode: decodeNibbles(false, false) },
  3: { name: 'Q4_1', ...blockFormats.Q4_1, decode: decodeNibbles(false, true) },
  6: { name: 'Q5_0', ...blockFormats.Q5_0, decode: decodeNibbles(true, false) },
  7: { name: 'Q5_1', ...blockFormats.Q5_1, decode: decodeNibbles(true, true) },
  8: {
    name: 'Q8_0',
    ...blockFormats.Q8_0,
    decode: (view, at, out, to) => {
      const d = half(view, at);
      for (let j = 0; j < 32; j++) out[to + j] = d * view.getInt8(at + 2 + j);
    },
  },
  12: { name: 'Q4_K', ...blockFormats.Q4_K, decode: decodeK(false) },
  13: { name: 'Q5_K', ...blockFormats.Q5_K, decode: decodeK(true) },
  14: {
    name: 'Q6_K',
    ...blockFormats.Q6_K,
    decode: (view, at, out, to) => {
      const d = half(view, at + 208);
      for (let i = 0; i < 256; i++) {
        const [part, l] = [i >> 7, i & 31];
        const quarter = (i & 127) >> 5;
        const low = view.getUint8(at + part * 64 + l + (quarter & 1 ? 32 : 0));
        const high = view.getUint8(at + 128 + part * 32 + l);
        const q = ((quarter < 2 ? low & 15 : low >> 4) | (((high >> (2 * quarter)) & 3) << 4)) - 32;
        out[to + i] = d * view.getInt8(at + 192 + part * 8 + (l >> 4) + 2 * quarter) * q;
      }
    },
  },
  24: { name: 'I8', ...plain(1, (view, at) => view.getInt8(at)) },
  26: { name: 'I32', ...plain(4, (view, at) => view.getInt32(at, true)) },
  30: { name: 'BF16', values: 1, bytes: 2 },
};

/** Names of types that are recognised but cannot be decoded. */
const otherTypes: Readonly<Record<number, string>> = {
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  25: 'I16',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
};

/** Size in bytes of scalar metadata values, by type. */
const scalarBytes: Readonly<Record<number, number>> = {
  ...{ 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 },
};

/** Bytes of the header that are read first; the buffer doubles as needed. */
const HEADER_BYTES = 65536;

/** A bounds-checked sequential reader of the header. */
class Cursor {
  #bytes = new Uint8Array(0);
  #view = new DataView(new ArrayBuffer(0));
  /** Tokens may begin with the character that is a mark at the start of a file. */
  readonly #text = new TextDecoder('utf-8', { ignoreBOM: true });
  at = 0;

  constructor(
    readonly source: ByteSource,
    readonly fail: (reason: string) => never,
  ) {}

  #take(size: number): number {
    const at = this.at;
    if (!(at + size <= this.source.size)) this.fail(`ends within its header, at byte ${at}`);
    if (at + size > this.#bytes.length) this.#load(at + size);
    this.at += size;
    return at;
  }

  #load(needed: number): void {
    const length = Math.min(this.source.size, Math.max(needed, HEADER_BYTES, 2 * this.#bytes.length));
    this.#bytes = new Uint8Array(length);
    this.source.read(this.#bytes, 0);
    this.#view = new DataView(this.#bytes.buffer);
  }

  scalar(type: number): GgufValue {
    if (type === 8) return this.string();
    const size = scalarBytes[type];
    if (size === undefined) return this.fail(`holds a value of unknown type ${type}`);
    const at = this.#take(size);
    const view = this.#view;
    switch (type) {
      case 0:
        return view.getUint8(at);
      case 1:
        return view.getInt8(at);
      case 2:
        return view.getUint16(at, true);
      case 3:
        return view.getInt16(at, true);
      case 4:
        return view.getUint32(at, true);
      case 5:
        return view.getInt32(at, true);
      case 6:
        return view.getFloat32(at, true);
      case 7:
        return view.getUint8(at) !== 0;
      case 10:
        return view.getBigUint64(at, true);
      case 11:
        return view.getBigInt64(at, true);
      default:
        return view.getFloat64(at, true);
    }
  }

  /**
   * A 64-bit count of items of at least `least` bytes each, checked against the size of the file.
   */
  count(least: number, what: string): number {
    const value = Number(this.scalar(10));
    if (!(value * least <= this.source.size - this.at)) this.fail(`declares ${value} ${what}, more than it holds`);
    return value;
  }

  string(): string {
    const length = this.count(1, 'characters');
    const at = this.#take(length);
    return this.#text.decode(this.#bytes.subarray(at, at + length));
  }

  value(type: number, depth = 0): GgufValue {
    if (type !== 9) return this.scalar(type);
    if (depth > 8) this.fail('nests arrays too deeply');
    const element = this.scalar(5) as number;
    const count = this.count(element === 9 ? 12 : element === 8 ? 8 : 1, 'elements');
    return Array.from({ length: count }, () => this.value(element, depth + 1));
  }
}

/** "GGUF" as a little-endian integer. */
const MAGIC = 0x46554747;

/** A GGUF file: its metadata, and tensors that are read on demand. */
export class GgufFile {
  /** Version of the format: 2 or 3. */
  readonly version: number;
  /** Metadata by key, such as `general.architecture`. */
  readonly metadata: Readonly<Record<string, GgufValue>>;
  /** Descriptions of the tensors by name. */
  readonly tensors: ReadonlyMap<string, GgufTensorInfo>;
  /** The file. */
  readonly source: ByteSource;
  /** Byte offset of the tensor data. */
  readonly #start: number;
  readonly #fail: (reason: string) => never;

  constructor(source: ByteSource) {
    this.#fail = (reason) => {
      throw new Error(`readGguf: "${source.name}" ${reason}`);
    };
    this.source = source;
    const cursor = new Cursor(source, this.#fail);
    if (source.size < 24 || cursor.scalar(4) !== MAGIC) this.#fail('is not a GGUF file');
    this.version = cursor.scalar(4) as number;
    if (this.version !== 2 && this.version !== 3) this.#fail(`has version ${this.version}; 2 and 3 are supported`);
    const tensorCount = cursor.count(24, 'tensors');
    const entries = cursor.count(12, 'metadata entries');
    const metadata: [string, GgufValue][] = [];
    for (let i = 0; i < entries; i++) metadata.push([cursor.string(), cursor.value(cursor.scalar(5) as number)]);
    this.#requireDistinct(
      'metadata key',
      metadata.map(([key]) => key),
    );
    this.metadata = Object.fromEntries(metadata);
    const infos = Array.from({ length: tensorCount }, () => this.#info(cursor));
    const alignment = Number(this.metadata['general.alignment'] ?? 32);
    if (!(Number.isInteger(alignment) && alignment > 0 && alignment % 8 === 0))
      this.#fail(`declares an alignment of ${alignment} bytes`);
    this.#start = Math.ceil(cursor.at / alignment) * alignment;
    const available = Math.max(0, source.size - this.#start);
    for (const { name: tensorName, offset, bytes: size } of infos)
      if (!(offset + size <= available))
        this.#fail(
          `declares ${size} bytes for tensor "${tensorName}" at ${offset} but holds ${available} bytes of data`,
        );
    this.#requireDistinct(
      'tensor',
      infos.map((info) => info.name),
    );
    this.#requireApart(infos, alignment);
    this.tensors = new Map(infos.map((info) => [info.name, info]));
  }

  #requireDistinct(what: string, names: readonly string[]): void {
    const seen = new Set<string>();
    for (const name of names) {
      if (seen.has(name)) this.#fail(`gives the ${what} "${name}" twice`);
      seen.add(name);
    }
  }

  /** Tensors begin at multiples of the alignment and do not overlap. */
  #requireApart(infos: readonly GgufTensorInfo[], alignment: number): void {
    let [end, before] = [0, ''];
    for (const { name, offset, bytes } of [...infos].sort((a, b) => a.offset - b.offset || a.bytes - b.bytes)) {
      if (offset % alignment !== 0) this.#fail(`has tensor "${name}" at ${offset}, no multiple of ${alignment} bytes`);
      if (offset < end) this.#fail(`has tensors "${before}" and "${name}" overlap at byte ${offset} of the data`);
      if (bytes > 0) [end, before] = [offset + bytes, name];
    }
  }

  #info(cursor: Cursor): GgufTensorInfo {
    const name = cursor.string();
    const rank = cursor.scalar(4) as number;
    if (rank > 8) this.#fail(`declares ${rank} axes for tensor "${name}"`);
    const shape = Array.from({ length: rank }, () => Number(cursor.scalar(10))).reverse();
    const type = cursor.scalar(5) as number;
    const offset = Number(cursor.scalar(10));
    const known = types[type];
    if (!known) return { name, shape, type: otherTypes[type] ?? `type ${type}`, offset, bytes: 0 };
    const size = shape.reduce((product, length) => product * length, 1);
    const row = shape.at(-1) ?? 1;
    if (!Number.isSafeInteger(size) || row % known.values !== 0)
      this.#fail(`declares tensor "${name}" [${shape.join(', ')}], whose rows are no whole blocks of ${known.name}`);
    return { name, shape, type: known.name, offset, bytes: (size / known.values) * known.bytes };
  }

  /** Type, shape and byte range of a tensor or of a part. @throws Error when there is none. */
  place(name: string, part: TensorPart) {
    const { type, shape, bytes, offset } = this.tensors.get(name) ?? this.#fail(`has no tensor "${name}"`);
    return { type, ...partOf({ shape, bytes, position: this.#start + offset }, part) };
  }

  /**
   * A tensor's values as f32.
   *
   * @throws Error naming tensor and type when the type cannot be decoded.
   */
  tensor(name: string, part: TensorPart = {}): Tensor {
    const { type: typeName, shape, bytes: size, position } = this.place(name, part);
    if (typeName === 'F32') {
      const values = emptyTensor(shape, 'f32');
      const floats = values.view();
      this.source.read(new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength), position);
      return values;
    }
    const read = (target: Uint8Array, offset: number) => this.source.read(target, position + offset);
    if (typeName === 'F16' || typeName === 'BF16') return widenHalves(shape, typeName, read);
    const type = Object.values(types).find((candidate) => candidate.name === typeName);
    if (!type?.decode) return this.#fail(`holds tensor "${name}" of type ${typeName}, which is not supported`);
    const bytes = new Uint8Array(size);
    read(bytes, 0);
    const values = new Float32Array(shape.reduce((product, length) => product * length, 1));
    const view = new DataView(bytes.buffer);
    for (let block = 0; block * type.values < values.length; block++)
      type.decode(view, block * type.bytes, values, block * type.values);
    return tensor(values, shape);
  }

  /**
   * A block-quantised matrix in its stored format, for products without dequantisation; leading
   * axes are flattened into rows.
   */
  blocks(name: string, part: TensorPart = {}): BlockMatrix {
    const { type, shape, position } = this.place(name, part);
    if (!Object.hasOwn(blockFormats, type)) return this.#fail(`holds tensor "${name}" as ${type}, not in blocks`);
    const rows = shape.slice(0, -1).reduce((product, length) => product * length, 1);
    return BlockMatrix.read(type as BlockFormat, rows, shape.at(-1) ?? 1, (target, offset) =>
      this.source.read(target, position + offset),
    );
  }
}

/**
 * Opens a GGUF file, in memory or by ranges.
 *
 * @param name of bytes in memory, in error messages
 * @throws Error when the file is cut short, inconsistent or of another version; when a key or a
 * name occurs twice, or tensors overlap.
 */
export function readGguf(file: Uint8Array | ByteSource, name = '.gguf'): GgufFile {
  return new GgufFile(file instanceof Uint8Array ? bytesInMemory(file, name) : file);
}
